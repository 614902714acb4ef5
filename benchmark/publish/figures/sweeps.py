"""The figures of the sweeps: a measure against η or D, a line for each sampler."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from benchmark.jobs.publish import Row
from benchmark.publish import labels
from benchmark.publish.contents import datasets_of, figure
from benchmark.publish.figures.panels import Panels, Point, axis_label
from benchmark.publish.figures.style import MARKERS, colours, error_lengths, marker_face
from benchmark.publish.results.measured import Group, Measured
from benchmark.publish.results.run import Run

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


@figure(
    "eta",
    "Diversity and quality against the step size ``eta``.",
    lambda settings: datasets_of(settings, "eta_sweep"),
    rank=0,
)
def eta_figure(run: Run, dataset: str) -> Figure:
    return sweep_figure(run.measured, run.groups("eta_sweep", dataset))


@figure(
    "D",
    "Diversity and quality against the distance ``D``.",
    lambda settings: datasets_of(settings, "D_sweep"),
    rank=1,
)
def D_figure(run: Run, dataset: str) -> Figure:
    return sweep_figure(run.measured, run.groups("D_sweep", dataset))


def sweep_figure(measured: Measured, groups: list[Group]) -> Figure:
    """The figure of a dataset's groups of one sweep, a group for each sampler."""
    from matplotlib.lines import Line2D

    name = "eta" if groups[0].table == "eta_sweep" else "D"
    panels = Panels(measured, groups, sharex=True, sharey="row")
    samplers = [group.sampler or "" for group in groups]
    palette = colours(samplers)
    for index, group in enumerate(groups):
        look = {"color": palette[samplers[index]], "marker": MARKERS[index % len(MARKERS)]}
        shift = 0.012 * (2 * index - len(groups) + 1)
        for axis, points in panels.points_of(group):
            _curve(axis, points, name, shift, look)
    for line, measure in zip(panels.axes, panels.measures, strict=True):
        line[0].set_ylabel(axis_label(measure))
    for axis in panels.axes[-1]:
        _sweep_ticks(axis, groups, name)
    panels.figure.align_ylabels(panels.axes[:, 0])
    handles = [
        Line2D([], [], label=text, color=palette[text], marker=MARKERS[i % len(MARKERS)])
        for i, text in enumerate(samplers)
    ]
    rest = labels.held_fixed(groups[0].fixed)
    return panels.finished(f"diversity and quality against {labels.AXES[name]}, {rest}", handles)


def _curve(axis: Axes, points: list[Point], name: str, shift: float, look: dict) -> None:
    """A sampler's sweep: a line through the finite values, dotted to the infinite one, and an interval at each."""
    values = [_value(point.row, name) for point in points]
    drawn = [point for point in points if math.isfinite(point.interval.estimate)]
    drawn.sort(key=lambda point: _value(point.row, name))
    if not drawn:
        return
    infinity = _infinity(values)
    span = max(min(value, infinity) for value in values) or 1.0
    place = [min(_value(point.row, name), infinity) + shift * span for point in drawn]
    middle = [point.interval.estimate for point in drawn]
    finite = sum(math.isfinite(_value(point.row, name)) for point in drawn)
    last = max(finite - 1, 0)
    axis.plot(place[:finite], middle[:finite], color=look["color"], linewidth=1.4)
    axis.plot(place[last:], middle[last:], color=look["color"], linewidth=1.1, linestyle=":")
    for filled in (True, False):
        part = [index for index, point in enumerate(drawn) if point.unlike_plain == filled]
        if part:
            bounds = list(zip(*(error_lengths(drawn[index].interval) for index in part)))
            axis.errorbar(
                [place[i] for i in part], [middle[i] for i in part], yerr=bounds, fmt=look["marker"], markersize=4.8,
                color=look["color"], capsize=2, capthick=1.1, elinewidth=1.1, **marker_face(filled, look["color"]),
            )  # fmt: skip


WIDE = 20  # largest over smallest step from which on an axis is logarithmic beyond the smallest


def _value(row: Row, name: str) -> float:
    return 0.0 if row.plain else float(getattr(row, name))


def _infinity(values: list[float]) -> float:
    """Where an infinite value stands: a step beyond the largest finite one."""
    return 1.3 * max((value for value in values if math.isfinite(value)), default=1.0) or 1.0


def _sweep_ticks(axis: Axes, groups: list[Group], name: str) -> None:
    from matplotlib.ticker import MaxNLocator

    values = sorted({_value(row, name) for group in groups for row in group.rows})
    finite = [value for value in values if math.isfinite(value)]
    most = max(finite)
    ticks = [
        tick for tick in MaxNLocator(4, steps=[1, 2, 2.5, 5, 10]).tick_values(0, most or 1) if 0 <= tick <= most * 1.001
    ]
    texts = [f"{tick:g}" for tick in ticks]
    if len(finite) < len(values):
        ticks, texts = [*ticks, _infinity(values)], [*texts, "∞"]
    positive = [value for value in finite if value > 0]
    if len(finite) == len(values) and positive and most >= WIDE * positive[0]:  # steps that grow by factors
        axis.set_xscale("symlog", linthresh=positive[0], linscale=0.5)
        axis.set_xticks(finite, [f"{value:g}" for value in finite])
        axis.minorticks_off()
        axis.set_xlim(-0.3 * positive[0], 1.3 * most)
    else:
        axis.set_xticks(ticks, texts)
        span = max(ticks) or 1.0
        axis.set_xlim(-0.06 * span, 1.06 * max(span, most))
    unit = labels.D_units(row for group in groups for row in group.rows)
    axis.set_xlabel(f"D ({unit})" if name == "D" and unit else labels.AXES[name])
