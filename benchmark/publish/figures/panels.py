"""The panels of a figure, a line for each measure and a column for each task: which, and what stands at them."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING

from benchmark.metrics.registry import Metric
from benchmark.publish import labels
from benchmark.publish.document import superscript
from benchmark.publish.figures.style import EXACT, exact_handle
from benchmark.publish.results.comparison import entries
from benchmark.publish.results.measured import Group, Measured, Scope
from benchmark.statistics import Interval

if TYPE_CHECKING:
    import numpy as np

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


def shown_measures(measured: Measured, found: list[Group]) -> list[Metric]:
    """The measures of :data:`SHOWN` that any of a table's groups has, after those of :data:`TRUTH`."""
    present = {name for group in found for name in measured.metrics(group)}
    wanted, samplers = SHOWN[found[0].table], found[0].table == "samplers"
    truth = [labels.measure(name) for name in TRUTH[: 2 if samplers else None] if name in present]
    if truth:
        room = BESIDE_TRUTH_OF_SAMPLERS if samplers else BESIDE_TRUTH
        wanted = {kind: room.get(kind, count) for kind, count in wanted.items()}
    return [*truth, *(shown for kind, n in wanted.items() for shown in labels.preferred(present, kind, count=n))]


def panels_of(found: list[Group]) -> list[Scope]:
    """The panels: overall and the tasks that all groups share, as many as fit."""
    return found[0].scopes()[:MOST_PANELS]


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


def draw_exact_sampling(
    axes: np.ndarray, measured: Measured, group: Group, shown: list[Metric], panels: list[Scope], upright: bool = False
) -> list:
    """A line in each panel at what exact samples of the posterior have in sets of the same size, where it is known.

    Returns:
        The legend's entry for it, in a list; an empty one where no panel has the line.
    """
    known = False
    for line, column in zip(axes, shown, strict=True):
        for axis, scope in zip(line, panels, strict=True):
            exact = measured.mean(group.dataset, scope, group.rows[0], f"{column.name}_exact").estimate
            if math.isfinite(exact):
                (axis.axvline if upright else axis.axhline)(exact, zorder=1, **EXACT)
                known = True
    return [exact_handle()] if known else []
