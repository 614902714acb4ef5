"""Every measure of every row of a table: its mean, and its change from the plain set of the same sampler."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from benchmark import statistics
from benchmark.jobs.publish import Row
from benchmark.publish import labels
from benchmark.publish.results.measured import Group, Measured, Scope, plain_of
from benchmark.statistics import Interval


@dataclass(frozen=True)
class Entry:
    """One cell: what a row of a group has of a metric within a scope. A plain row has no ``difference``."""

    group: Group
    scope: Scope
    position: int  # of the row in the group
    metric: str
    mean: Interval
    sets: int  # sets with a value, over tasks, cases and seeds
    missing: int  # sets without one
    D_rms: float
    difference: Interval | None = None
    p_holm: float = np.nan
    improvement: Interval | None = None
    family: int = 0  # tests that Holm's correction counts, this one among them

    @property
    def row(self) -> Row:
        return self.group.rows[self.position]

    @property
    def significant(self) -> bool:
        """Whether the change from plain stands after Holm's correction."""
        return bool(self.p_holm < 1 - self.mean.level)


def entries(measured: Measured, group: Group, metrics: list[str] | None = None) -> list[Entry]:
    """All entries of a group. For Holm, the tests of one sampler, metric and scope are a family.

    What has no direction, what is a cost and what no case differs in is not tested and in no family.

    Args:
        metrics: those wanted; by default all that the group has.
    """
    metrics, found = metrics or measured.metrics(group), []
    for scope in group.scopes():
        for position, row in enumerate(group.rows):
            sets, D_rms = measured.sets(group.dataset, scope, row), measured.D_rms(group.dataset, scope, row)
            found += [_entry(measured, group, scope, position, metric, sets, D_rms) for metric in metrics]
    families: dict[tuple, list[int]] = {}
    for index, entry in enumerate(found):
        if entry.difference is not None:
            families.setdefault((entry.scope.name, entry.row.sampler, entry.metric), []).append(index)
    for members in families.values():
        adjusted = statistics.holm([found[index].difference.p for index in members])
        family = int(np.isfinite(adjusted).sum())
        for index, p in zip(members, adjusted, strict=True):
            found[index] = replace(found[index], p_holm=float(p), family=family)
    return found


def _entry(
    measured: Measured, group: Group, scope: Scope, position: int, metric: str, wanted: int, D_rms: float
) -> Entry:
    row, dataset = group.rows[position], group.dataset
    sets = int(np.isfinite(measured.values(dataset, scope, row, metric)).sum())
    mean = measured.mean(dataset, scope, row, metric)
    entry = Entry(group, scope, position, metric, mean, sets, wanted - sets, D_rms)
    plain = plain_of(group.rows, row)
    if row.plain or plain is None:
        return entry
    difference = measured.difference(dataset, scope, row, plain, metric)
    better = labels.measure(metric).better
    if not labels.measure(metric).tested:
        difference = replace(difference, p=np.nan)
    improvement = measured.improvement(dataset, scope, row, plain, metric, better) if better else None
    return replace(entry, difference=difference, improvement=improvement)
