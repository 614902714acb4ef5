"""Diversity against quality: which points of a dataset take part, on which axes, and which no other point beats."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from benchmark import statistics
from benchmark.jobs.publish import BLOCKS, PublishSettings, Row
from benchmark.metrics.registry import Metric
from benchmark.publish.labels import measure, rank
from benchmark.publish.results.measured import Group, Measured, Scope, scopes
from benchmark.statistics import Interval


@dataclass(frozen=True)
class Tradeoff:
    """The points (rows of blocks) of one dataset and scope, their two measures, and the front."""

    dataset: str
    scope: Scope
    diversity: Metric
    quality: Metric
    rows: list[Row]
    diversities: list[Interval]
    qualities: list[Interval]
    front: np.ndarray  # bool (P,)
    share: np.ndarray  # (P,), share of bootstrap resamples in which the point is on the front


def rows_of(settings: PublishSettings, dataset: str) -> dict[str, list[Row]]:
    """Every task's points, each once, over all tables."""
    found: dict[str, dict[tuple, Row]] = {}
    for table in BLOCKS:
        for block in settings.tables.get(table, []):
            if block.dataset == dataset:
                points = found.setdefault(block.task, {})
                for row in block.rows:
                    points.setdefault(row.key, row)
    return {task: list(points.values()) for task, points in found.items()}


def tradeoffs(settings: PublishSettings, measured: Measured, dataset: str) -> list[Tradeoff]:
    """Overall, then each task; the axes are the same for all. Empty where no measure of quality was made.

    The diversity and the quality measure are those that most points have; of equals the first of the catalogue, and
    for quality one that the settings give a margin for goes first.
    """
    by_task = rows_of(settings, dataset)
    margins = settings.margin
    counts = _counts(measured, dataset, by_task)
    diversity = _axis(counts, "diversity", {})
    quality = _axis(counts, "quality", margins)
    if diversity is None or quality is None:
        return []
    result = []
    for scope in scopes(list(by_task)):
        rows = [row for row in by_task[scope.tasks[0]] if all(_has(row, by_task[task]) for task in scope.tasks)]
        result.append(_tradeoff(measured, dataset, scope, rows, measure(diversity), measure(quality)))
    return result


def _has(row: Row, rows: list[Row]) -> bool:
    return any(row.key == other.key for other in rows)


def _counts(measured: Measured, dataset: str, by_task: dict[str, list[Row]]) -> dict[str, int]:
    """How many points have a metric."""
    counts: dict[str, int] = {}
    for task, rows in by_task.items():
        for row in rows:
            for name in measured.metrics(Group("", dataset, None, {}, (row,), (task,), 0)):
                counts[name] = counts.get(name, 0) + 1
    return counts


def _axis(counts: dict[str, int], group: str, margins: dict) -> str | None:
    names = [name for name in counts if measure(name).group == group and measure(name).better]
    return min(names, key=lambda name: (-counts[name], name not in margins, rank(name)), default=None)


def _tradeoff(
    measured: Measured, dataset: str, scope: Scope, rows: list[Row], diversity: Metric, quality: Metric
) -> Tradeoff:
    axes = (diversity, quality)
    higher = [axis.better > 0 for axis in axes]
    summaries = [[measured.mean(dataset, scope, row, axis.name) for row in rows] for axis in axes]
    points = np.array([[summary.estimate for summary in column] for column in summaries]).T
    by_case = [[measured.by_case(dataset, scope, row, axis.name).mean(axis=1) for row in rows] for axis in axes]
    known = np.isfinite(points).all(axis=1)
    share = np.full(len(rows), np.nan)
    if known.any():
        share[known] = statistics.pareto_membership(np.stack(by_case, axis=-1)[known], higher)
    front = statistics.pareto_front(points, higher)
    return Tradeoff(dataset, scope, diversity, quality, rows, *summaries, front, share)
