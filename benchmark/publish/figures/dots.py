"""The figures of selection and samplers: a dot for each set, with its interval, a line of its own for each name."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from benchmark.jobs.publish import Row
from benchmark.publish import labels
from benchmark.publish.contents import datasets_of, figure
from benchmark.publish.figures.panels import Panels, axis_label, caption, power_of, scaled, shown_measures, with_power
from benchmark.publish.figures.style import (
    COLOURS,
    INK,
    MARKERS,
    PANEL,
    PLAIN,
    error_lengths,
    grid,
    headline,
    legend,
    marker_face,
)
from benchmark.publish.results.measured import Group, Measured, Scope
from benchmark.publish.results.run import Run
from benchmark.statistics import Interval

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


@figure(
    "selection",
    "Plain, guided and selected sets side by side.",
    lambda settings: datasets_of(settings, "selection"),
    rank=2,
)
def selection_figure(run: Run, dataset: str) -> Figure:
    """Plain, guided and selected sets of a dataset, a line for each kind of set; a group for each sampler."""
    from matplotlib.lines import Line2D

    groups = run.groups("selection", dataset)
    names = list(dict.fromkeys(labels.point(row) for group in groups for row in group.rows))
    panels = Panels(run.measured, groups, (PANEL[0], 0.24 * len(names) + 0.75), sharey=True, sharex="row")
    for index, group in enumerate(groups):
        shift = 0.25 * (index - (len(groups) - 1) / 2)
        for axis, points in panels.points_of(group):
            for point in points:
                row, interval = point.row, point.interval
                if row.plain and math.isfinite(interval.estimate):
                    axis.axvline(interval.estimate, color="#aab1b9", linewidth=1, linestyle="--", zorder=1)
                place = names.index(labels.point(row)) + shift
                _dot(axis, interval, place, MARKERS[index % len(MARKERS)], _kind_colour(row), point.unlike_plain)
    for line, measure in zip(panels.axes, panels.measures, strict=True):
        for axis in line:
            axis.set_xlabel(measure.header if len(measure.header) < 26 else axis_label(measure))
    _name_lines(panels.axes[0, 0], names)
    handles = [
        Line2D([], [], color=INK, linestyle="", marker=MARKERS[i % len(MARKERS)], label=group.sampler)
        for i, group in enumerate(groups)
    ]
    return panels.finished("plain, guided and selected sets", handles, upright=True)


@figure(
    "samplers",
    "The samplers side by side, plain and guided.",
    lambda settings: datasets_of(settings, "samplers"),
    rank=3,
)
def samplers_figure(run: Run, dataset: str) -> Figure:
    """The samplers of a dataset, a line for each, over all of its tasks."""
    from matplotlib.lines import Line2D

    measured, groups = run.measured, run.groups("samplers", dataset)
    shown, group = shown_measures(measured, groups), groups[0]
    scope = group.scopes()[0]
    names = list(dict.fromkeys(row.sampler for row in group.rows))
    drawn, axes = grid(1, len(shown), (PANEL[0], 0.38 * len(names) + 0.9), sharey=True)
    for axis, column in zip(axes[0], shown, strict=True):
        logarithmic = _logarithmic(measured, group, scope, column.name)
        power = 0 if logarithmic else power_of(measured, group, [scope], column.name)
        axis.set_xscale("log" if logarithmic else "linear")
        axis.set_xlabel(axis_label(with_power(column, power)))
        for row in group.rows:
            plain = row.plain
            interval = scaled(measured.mean(group.dataset, scope, row, column.name), power)
            place = names.index(row.sampler) + (-0.13 if plain else 0.13)
            _dot(axis, interval, place, "o" if plain else "^", _kind_colour(row))
    _name_lines(axes[0, 0], names)
    points = dict.fromkeys(labels.point(row) for row in group.rows if not row.plain)
    handles = [Line2D([], [], color=PLAIN, linestyle="", marker="o", label="Plain")]
    handles += [Line2D([], [], color=COLOURS[1], linestyle="", marker="^", label=" / ".join(points))] if points else []
    legend(drawn, handles)
    headline(drawn, caption(measured, group, f"samplers, {scope.title}"))
    return drawn


def _name_lines(axis: Axes, names: list[str]) -> None:
    """A line for each name, the first at the top."""
    axis.set_yticks(range(len(names)), names)
    axis.set_ylim(len(names) - 0.4, -0.6)


def _dot(axis: Axes, interval: Interval, place: float, marker: str, colour: str, filled: bool = True) -> None:
    """A mean with its interval, lying."""
    if not math.isfinite(interval.estimate):
        return
    low, high = error_lengths(interval)
    axis.errorbar(
        [interval.estimate], [place], xerr=[[low], [high]], fmt=marker, color=colour, markersize=5.2, capsize=2,
        capthick=1.2, elinewidth=1.2, **marker_face(filled, colour),
    )  # fmt: skip


def _kind_colour(row: Row) -> str:
    if row.plain:
        return PLAIN
    if not row.selected:
        return COLOURS[1]
    return COLOURS[7] if row.method == "random" else COLOURS[0]


def _logarithmic(measured: Measured, group: Group, scope: Scope, metric: str) -> bool:
    """Whether the samplers differ by more than a factor of 30, all above 0."""
    values = [measured.mean(group.dataset, scope, row, metric).estimate for row in group.rows]
    values = [value for value in values if math.isfinite(value)]
    return bool(values) and min(values) > 0 and max(values) > 30 * min(values)
