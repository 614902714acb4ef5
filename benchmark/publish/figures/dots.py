"""The figures of selection and samplers: a dot for each set, with its interval, a line of its own for each name."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from benchmark.jobs.publish import Row
from benchmark.publish import labels
from benchmark.publish.contents import datasets_of, figure
from benchmark.publish.figures.panels import (
    axis_label,
    caption,
    draw_exact_sampling,
    panels_of,
    power_of,
    scaled,
    shown_measures,
    unlike_plain,
    with_power,
)
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
    open_handle,
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

    measured, found = run.measured, run.groups("selection", dataset)
    shown, panels = shown_measures(measured, found), panels_of(found)
    names = list(dict.fromkeys(labels.point(row) for group in found for row in group.rows))
    drawn, axes = grid(len(shown), len(panels), (PANEL[0], 0.24 * len(names) + 0.75), sharey=True, sharex="row")
    for index, group in enumerate(found):
        unlike = unlike_plain(measured, group, shown)
        shift = 0.25 * (index - (len(found) - 1) / 2)
        for line, column in zip(axes, shown, strict=True):
            power = power_of(measured, found[0], panels, column.name)
            header = with_power(column, power)
            for axis, scope in zip(line, panels, strict=True):
                axis.set_xlabel(header.header if len(header.header) < 26 else axis_label(header))
                for position, row in enumerate(group.rows):
                    interval = scaled(measured.mean(group.dataset, scope, row, column.name), power)
                    if row.plain and math.isfinite(interval.estimate):
                        axis.axvline(interval.estimate, color="#aab1b9", linewidth=1, linestyle="--", zorder=1)
                    filled = (scope.name, position, column.name) in unlike
                    place = names.index(labels.point(row)) + shift
                    _dot(axis, interval, place, MARKERS[index % len(MARKERS)], _kind_colour(row), filled)
    exact = draw_exact_sampling(axes, measured, found[0], shown, panels, upright=True)
    for axis, scope in zip(axes[0], panels, strict=True):
        axis.set_title(scope.title)
    axes[0, 0].set_yticks(range(len(names)), names)
    axes[0, 0].set_ylim(len(names) - 0.4, -0.6)
    headline(drawn, caption(measured, found[0], "plain, guided and selected sets"))
    handles = [
        Line2D([], [], color=INK, linestyle="", marker=MARKERS[i % len(MARKERS)], label=group.sampler)
        for i, group in enumerate(found)
    ]
    legend(drawn, [*handles, open_handle(), *exact])
    return drawn


@figure(
    "samplers",
    "The samplers side by side, plain and guided.",
    lambda settings: datasets_of(settings, "samplers"),
    rank=3,
)
def samplers_figure(run: Run, dataset: str) -> Figure:
    """The samplers of a dataset, a line for each, over all of its tasks."""
    from matplotlib.lines import Line2D

    measured, found = run.measured, run.groups("samplers", dataset)
    shown, group = shown_measures(measured, found), found[0]
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
    axes[0, 0].set_yticks(range(len(names)), names)
    axes[0, 0].set_ylim(len(names) - 0.4, -0.6)
    points = dict.fromkeys(labels.point(row) for row in group.rows if not row.plain)
    handles = [Line2D([], [], color=PLAIN, linestyle="", marker="o", label="Plain")]
    handles += [Line2D([], [], color=COLOURS[1], linestyle="", marker="^", label=" / ".join(points))] if points else []
    legend(drawn, handles)
    headline(drawn, caption(measured, group, f"samplers, {scope.title}"))
    return drawn


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
