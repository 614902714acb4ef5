"""Where a sweep over eta becomes worse than plain sampling: its knee (docs/metrics.md, "The knee")."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np

from benchmark import statistics
from benchmark.jobs.publish import Row
from benchmark.publish.results.comparison import Entry
from benchmark.publish.results.first_loss import FirstLoss, first_loss
from benchmark.publish.results.measured import Group, Measured, Scope
from benchmark.statistics import Interval

FINITE, PLAUSIBLE = "finite_share", "plausibility"


@dataclass(frozen=True)
class Step:
    """A step size of a sweep: what it has of the two shares, each None where it was not measured."""

    row: Row
    plausible: Entry
    finite: Entry | None
    margin: float | None

    @property
    def eta(self) -> float:
        """The step size; 0 for plain sampling."""
        return 0.0 if self.row.plain else float(self.row.eta)

    @property
    def worse(self) -> tuple[str, ...]:
        """In what it is worse than plain: the whole interval of the difference is on the worse side, and p is below."""
        named = {"unstable": self.finite, "implausible": self.plausible}
        return tuple(
            name
            for name, entry in named.items()
            if entry and entry.difference and entry.difference.high < 0 and not _by_chance(entry.difference)
        )

    @property
    def not_worse(self) -> bool | None:
        """Whether it is shown to be not worse by the margin; None for plain and without a margin."""
        if self.margin is None or self.plausible.difference is None:
            return None
        kept = statistics.non_inferior(self.plausible.difference, self.margin, lower_is_better=False)
        return kept and not self.worse


@dataclass(frozen=True)
class Sweep:
    """The steps of one dataset, sampler and scope, plain first, by rising eta, and the test of which loses first."""

    group: Group
    scope: Scope
    steps: tuple[Step, ...]
    test: FirstLoss

    @property
    def knee(self) -> float | None:
        """The eta of the first step that loses (:mod:`~benchmark.publish.results.first_loss`); None where none does."""
        return None if self.test.first is None else self.steps[self.test.first].eta

    @property
    def knee_earliest(self) -> float | None:
        """The smallest eta that may already lose half as much as the knee; None without a knee."""
        return None if self.test.earliest is None else self.steps[self.test.earliest].eta

    def p(self, step: Step) -> float | None:
        """The step-down test's p of a step: that it and all before it lose nothing; None for plain."""
        index = self.steps.index(step)
        return float(self.test.p[index - 1]) if index else None

    @property
    def largest(self) -> Step:
        """The step of the largest eta."""
        return self.steps[-1]

    @property
    def largest_not_worse(self) -> float | None:
        """The largest eta that is not worse by the margin; None where no step is."""
        return max((step.eta for step in self.steps if step.not_worse), default=None)


def sweeps(measured: Measured, found: list[tuple[Group, list[Entry]]], margin: float | None) -> list[Sweep]:
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
                values = sound_shares(measured, group.dataset, scope, [step.row for step in steps])
                result.append(Sweep(group, scope, tuple(steps), first_loss(values, measured.level)))
    return result


def sound_shares(measured: Measured, dataset: str, scope: Scope, rows: list[Row]) -> np.ndarray:
    """Share of restorations that are finite and plausible, (cases, rows), plain first; NaN for a case without any.

    A set with an unstable restoration is not read, and what of it is finite counts as plausible as the plain set of the
    same case, task and seed: finite share times plausibility. Sets that any row lacks are left out of all.
    """
    plain = measured.values(dataset, scope, rows[0], PLAUSIBLE)
    found = []
    for row in rows:
        plausible, finite = (measured.values(dataset, scope, row, name) for name in (PLAUSIBLE, FINITE))
        finite = np.where(np.isfinite(finite), finite, 1.0)
        found.append(finite * np.where(np.isnan(plausible) & (finite < 1), plain, plausible))
    values = np.stack(found, axis=-1)  # (tasks, cases, seeds, rows)
    known = np.isfinite(values).all(axis=-1, keepdims=True)
    count = known.sum(axis=(0, 2))
    total = np.where(known, values, 0.0).sum(axis=(0, 2))
    return np.where(count > 0, total / np.maximum(count, 1), math.nan)


def _by_chance(difference: Interval) -> bool:
    """Whether the test leaves a difference to chance though its interval excludes 0; an untested one is not left."""
    return difference.p >= 1 - difference.level


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
    return _turned(interval, 1.0)


def negated(interval: Interval) -> Interval:
    """The interval of the difference the other way round: of 1 - share from that of the share."""
    return _turned(interval, 0.0)


def _turned(interval: Interval, end: float) -> Interval:
    """The interval of end - value."""
    low, high, worst_low, worst_high = (
        end - value for value in (interval.high, interval.low, interval.worst_high, interval.worst_low)
    )
    estimate = end - interval.estimate
    return replace(interval, estimate=estimate, low=low, high=high, worst_low=worst_low, worst_high=worst_high)
