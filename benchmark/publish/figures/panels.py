"""The panels of a figure, a line for each measure and a column for each task: which, and what stands at them."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from benchmark.jobs.publish import Row
from benchmark.metrics.registry import Metric
from benchmark.publish import labels
from benchmark.publish.document import superscript
from benchmark.publish.figures.style import EXACT, PANEL, exact_handle, grid, headline, legend, open_handle
from benchmark.publish.results.comparison import entries
from benchmark.publish.results.measured import Group, Measured, Scope
from benchmark.statistics import Interval

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

# The measures that a figure has a row (sweeps, selection) or a column (samplers) for: group -> how many.
SHOWN = {
    "eta_sweep": {"diversity": 3, "quality": 2},
    "D_sweep": {"diversity": 3, "quality": 2},
    "selection": {"diversity": 2, "coverage": 1, "quality": 1},
    "samplers": {"diversity": 1, "quality": 2, "fidelity": 1, "cost": 2},
}
# Where the truth is known (drawn worlds), its measures come first and leave the others this much room.
TRUTH = ("attribute_coverage", "plausibility", "rare_value_recall")
BESIDE_TRUTH = {"diversity": 1, "coverage": 0, "quality": 1}
BESIDE_TRUTH_OF_SAMPLERS = {"quality": 0}  # their panels stand side by side, with two of the truth
MOST_PANELS = 6  # of a sweep or a selection; further tasks are left to the tables, which the title says


@dataclass(frozen=True)
class Point:
    """What a row has in a panel, in the unit of its axis, and whether it differs from plain or is plain itself."""

    row: Row
    interval: Interval
    unlike_plain: bool


class Panels:
    """The axes of a figure of one table's groups, a line for each measure and a column for each task.

    ``measures``: their labels name the power of ten by which what stands in a line is divided. ``scopes``: overall and
    the tasks that all groups share, as many as fit. ``axes``: (measures, scopes).
    """

    def __init__(self, measured: Measured, groups: list[Group], size: tuple[float, float] = PANEL, **options):
        self._measured, self._first = measured, groups[0]
        shown = shown_measures(measured, groups)
        self.scopes = groups[0].scopes()[:MOST_PANELS]
        self._powers = [power_of(measured, groups[0], self.scopes, measure.name) for measure in shown]
        self.measures = [with_power(measure, power) for measure, power in zip(shown, self._powers, strict=True)]
        self.figure, self.axes = grid(len(shown), len(self.scopes), size, **options)
        for axis, scope in zip(self.axes[0], self.scopes, strict=True):
            axis.set_title(scope.title)

    def __iter__(self) -> Iterator[tuple[Axes, Metric, int, Scope]]:
        """Each panel: its axis, its measure with the power of ten, its scope."""
        for line, measure, power in zip(self.axes, self.measures, self._powers, strict=True):
            for axis, scope in zip(line, self.scopes, strict=True):
                yield axis, measure, power, scope

    def points_of(self, group: Group) -> Iterator[tuple[Axes, list[Point]]]:
        """Each panel's axis, and what the rows of a group have there."""
        unlike = unlike_plain(self._measured, group, self.measures)
        for axis, measure, power, scope in self:
            points = []
            for position, row in enumerate(group.rows):
                interval = scaled(self._measured.mean(group.dataset, scope, row, measure.name), power)
                points.append(Point(row, interval, (scope.name, position, measure.name) in unlike))
            yield axis, points

    def finished(self, what: str, handles: list, upright: bool = False) -> Figure:
        """The figure, with its title, its legend, and a line at what exact samples of the posterior have in sets of the
        same size, where that is known.

        Args:
            what: is shown, for the title.
            handles: of the legend.
            upright: the measure runs along x.
        """
        exact = [self._draw_exact(axis, measure, power, scope, upright) for axis, measure, power, scope in self]
        headline(self.figure, caption(self._measured, self._first, what))
        legend(self.figure, [*handles, open_handle(), *([exact_handle()] if any(exact) else [])])
        return self.figure

    def _draw_exact(self, axis: Axes, measure: Metric, power: int, scope: Scope, upright: bool) -> bool:
        """Whether there is a value of exact samples, and hence a line."""
        name = f"{measure.name}_exact"
        mean = self._measured.mean(self._first.dataset, scope, self._first.rows[0], name)
        exact = scaled(mean, power).estimate
        if math.isfinite(exact):
            (axis.axvline if upright else axis.axhline)(exact, zorder=1, **EXACT)
        return math.isfinite(exact)


def shown_measures(measured: Measured, groups: list[Group]) -> list[Metric]:
    """The measures of :data:`SHOWN` that any of a table's groups has, after those of :data:`TRUTH`."""
    present = {name for group in groups for name in measured.metrics(group)}
    wanted, samplers = SHOWN[groups[0].table], groups[0].table == "samplers"
    truth = [labels.measure(name) for name in TRUTH[: 2 if samplers else None] if name in present]
    if truth:
        room = BESIDE_TRUTH_OF_SAMPLERS if samplers else BESIDE_TRUTH
        wanted = {kind: room.get(kind, count) for kind, count in wanted.items()}
    return [*truth, *(shown for kind, n in wanted.items() for shown in labels.preferred(present, kind, count=n))]


def caption(measured: Measured, group: Group, what: str) -> str:
    """A figure's title: the dataset, ``what`` is shown, the sets' size, the intervals, what had no room."""
    n = f", N = {group.n}" if group.n else ""
    more = len(group.scopes()) - MOST_PANELS
    left = f"\n{more} more tasks are in the tables" if more > 0 and group.table != "samplers" else ""
    return f"{group.dataset}: {what}{n}; {measured.level:.0%} intervals over cases{left}"


def axis_label(shown: Metric) -> str:
    """An axis label of two lines: the measure, then unit and arrow with it."""
    words = shown.header.split(" ")
    if len(shown.header) < 18:
        return shown.header
    cuts = [(" ".join(words[:cut]), " ".join(words[cut:])) for cut in range(1, len(words))]
    return "\n".join(min(cuts, key=lambda pair: abs(len(pair[0]) - len(pair[1]))))


def power_of(measured: Measured, group: Group, panels: list[Scope], metric: str) -> int:
    """The power of ten that an axis is to be divided by: 0 unless its numbers are very small or very large."""
    values = [abs(measured.mean(group.dataset, scope, row, metric).estimate) for scope in panels for row in group.rows]
    largest = max((value for value in values if math.isfinite(value)), default=0)
    return 0 if largest == 0 or 1e-3 <= largest < 1e6 else math.floor(math.log10(largest))


def scaled(interval: Interval, power: int) -> Interval:
    """The interval divided by ten to that power."""
    factor = 10.0**-power
    return replace(
        interval, estimate=interval.estimate * factor, low=interval.low * factor, high=interval.high * factor
    )


def with_power(shown: Metric, power: int) -> Metric:
    """The measure, its label naming the power of ten by which :func:`scaled` divided; unchanged for 0."""
    return replace(shown, label=f"{shown.label} (×10{superscript(power)})") if power else shown


def unlike_plain(measured: Measured, group: Group, shown: list[Metric]) -> set[tuple[str, int, str]]:
    """(scope, row, metric) of what differs from plain after Holm's correction, or is plain itself."""
    names = [column.name for column in shown if column.name in measured.metrics(group)]
    return {
        (entry.scope.name, entry.position, entry.metric)
        for entry in (entries(measured, group, names) if names else [])
        if entry.significant or entry.row.plain
    }
