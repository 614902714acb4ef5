"""Where a sweep over eta becomes worse than plain sampling: its knee (docs/metrics.md, "The knee")."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

from benchmark import statistics
from benchmark.publish import labels
from benchmark.publish.comparison import Entry
from benchmark.publish.measured import Group, Scope
from benchmark.statistics import Interval

FINITE, PLAUSIBLE = "finite_share", "plausibility"


@dataclass(frozen=True)
class Step:
    """A step size of a sweep: what it has of the two shares, each None where it was not measured."""

    row: dict
    plausible: Entry
    finite: Entry | None
    margin: float | None

    @property
    def eta(self) -> float:
        """The step size; 0 for plain sampling."""
        return 0.0 if labels.is_plain(self.row) else float(self.row["eta"])

    @property
    def worse(self) -> tuple[str, ...]:
        """In what it is worse than plain: the whole interval of the paired difference is on the worse side."""
        named = {"unstable": self.finite, "implausible": self.plausible}
        return tuple(name for name, entry in named.items() if entry and entry.difference and entry.difference.high < 0)

    @property
    def not_worse(self) -> bool | None:
        """Whether it is shown to be not worse by the margin; None for plain and without a margin."""
        if self.margin is None or self.plausible.difference is None:
            return None
        kept = statistics.non_inferior(self.plausible.difference, self.margin, lower_is_better=False)
        return kept and not self.worse


@dataclass(frozen=True)
class Sweep:
    """The steps of one dataset, sampler and scope, plain first, by rising eta."""

    group: Group
    scope: Scope
    steps: tuple[Step, ...]

    @property
    def knee(self) -> float | None:
        """The smallest eta from which on this and every larger step is worse than plain; None where the largest is not.

        A step that is worse while a larger one is not is no knee.
        """
        found = None
        for step in reversed(self.steps):
            if not step.worse:
                break
            found = step.eta
        return found

    @property
    def largest(self) -> Step:
        """The step of the largest eta."""
        return self.steps[-1]

    @property
    def largest_not_worse(self) -> float | None:
        """The largest eta that is not worse by the margin; None where no step is."""
        return max((step.eta for step in self.steps if step.not_worse), default=None)


def sweeps(found: list[tuple[Group, list[Entry]]], margin: float | None) -> list[Sweep]:
    """The sweeps over eta whose plausibility was measured, plain and guided: for each group overall, then each task.

    Args:
        found: the groups of the table ``eta_sweep``, each with its entries.
        margin: how much less plausibility counts as not worse, or None.
    """
    result = []
    for group, part in found:
        for scope in group.scopes():
            entries = {(entry.position, entry.metric): entry for entry in part if entry.scope == scope}
            steps = [
                Step(row, entries[position, PLAUSIBLE], entries.get((position, FINITE)), margin)
                for position, row in enumerate(group.rows)
                if (position, PLAUSIBLE) in entries
            ]
            steps.sort(key=lambda step: step.eta)
            known = steps and steps[0].eta == 0 and math.isfinite(steps[0].plausible.mean.estimate)
            if known and len(steps) > 1:
                result.append(Sweep(group, scope, tuple(steps)))
    return result


def loss_allowed(entry: Entry | None) -> float | None:
    """The largest loss of a share that the interval of a step's paired difference still allows, 0 to 1.

    None where there is no such bound: not measured, one case, or no case that differs from plain.
    """
    difference = entry.difference if entry else None
    if difference is None or not math.isfinite(difference.low) or difference.low == difference.high == 0:
        return None
    return min(max(0.0, -difference.low), 1.0)


def complement(interval: Interval) -> Interval:
    """The interval of 1 - share."""
    return replace(interval, estimate=1 - interval.estimate, low=1 - interval.high, high=1 - interval.low)


def negated(interval: Interval) -> Interval:
    """The interval of the difference the other way round: of 1 - share from that of the share."""
    return replace(interval, estimate=0 - interval.estimate, low=0 - interval.high, high=0 - interval.low)
