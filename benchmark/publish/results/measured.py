"""The measured values of a run, as arrays that the statistics take, and their summaries.

The unit is the case: where several tasks (masks) are taken together, a case's values are averaged over them first.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from benchmark import statistics, store
from benchmark.errors import BenchmarkError
from benchmark.jobs.publish import Block, PublishSettings, Row
from benchmark.publish.labels import measure, rank
from benchmark.statistics import Interval

if TYPE_CHECKING:
    import pandas as pd

POINT_KEYS = ["dataset", "task", "sampler", "method", "eta", "D", "D_unit"]
OVERALL = "overall"


@dataclass(frozen=True)
class Scope:
    """One task, or several taken together (``name`` is then "overall")."""

    name: str
    tasks: tuple[str, ...]

    @property
    def title(self) -> str:
        """The task's name, or over how many tasks the mean is."""
        return f"mean over {len(self.tasks)} tasks" if len(self.tasks) > 1 else self.name


def scopes(tasks: list[str]) -> list[Scope]:
    """The overall view first, then each task; a single task is its own overall view."""
    each = [Scope(task, (task,)) for task in tasks]
    return [Scope(OVERALL, tuple(tasks)), *each] if len(tasks) > 1 else each


@dataclass(frozen=True)
class Group:
    """Blocks of one table that differ in their task alone: a dataset, its sampler and the rows that all tasks share."""

    table: str
    dataset: str
    sampler: str | None
    fixed: dict
    rows: tuple[Row, ...]
    tasks: tuple[str, ...]
    n: int

    def scopes(self) -> list[Scope]:
        """The overall view first, then each task."""
        return scopes(list(self.tasks))


def groups(settings: PublishSettings, table: str) -> list[Group]:
    """The blocks of a table put together by dataset, sampler and rows, in the order of the settings."""
    found: dict[tuple, list[Block]] = {}
    for block in settings.tables.get(table, []):
        shared = (block.dataset, block.sampler, store.canonical(block.fixed), tuple(block.rows), block.n)
        found.setdefault(shared, []).append(block)
    return [
        Group(
            table,
            blocks[0].dataset,
            blocks[0].sampler,
            blocks[0].fixed,
            tuple(blocks[0].rows),
            tuple(block.task for block in blocks),
            blocks[0].n,
        )
        for blocks in found.values()
    ]


def samples_of(settings: PublishSettings) -> int | None:
    """N of the sets that the tables of some settings are about; None where they do not say."""
    return max((block.n for blocks in settings.tables.values() for block in blocks), default=0) or None


class Measured:
    """The metrics of a run. ``values(...)`` gives (tasks, cases, seeds) arrays, NaN where there is no value.

    ``n``: samples of a set, where counts of them end; None where that is not known.
    """

    def __init__(self, path: str, level: float = statistics.LEVEL, n: int | None = None):
        self.path, self.level, self.n = str(path), level, n
        frame = store.read_table(path, "metrics").to_pandas()
        frame = frame[frame["index"].isna() & frame["case"].notna()]
        if frame.empty:
            raise BenchmarkError(f"{path}: holds no value of a set; run `python -m benchmark collect` again")
        self._axes = {
            dataset: (sorted(part["case"].unique()), sorted(part["seed"].unique()))
            for dataset, part in frame.groupby("dataset", observed=True)
        }
        self._frames = dict(list(frame.groupby(POINT_KEYS, observed=True, sort=False)))
        self._arrays: dict[tuple, dict[str, np.ndarray]] = {}
        self._summaries: dict[tuple, Interval] = {}

    def metrics(self, group: Group, rows: list[Row] | None = None) -> list[str]:
        """The metrics with a finite value anywhere in a group (or in some of its rows), in the catalogue's order; the
        shares of single values (:meth:`shares`) have a table of their own and are left out."""
        found = self._present(group, rows or group.rows, group.tasks)
        return [name for name in found if measure(name).group != "shares"]

    def shares(self, group: Group, scope: Scope) -> list[str]:
        """The metrics ``attribute_share...`` with a finite value in a group's tasks of a scope."""
        found = self._present(group, group.rows, scope.tasks)
        return [name for name in found if measure(name).group == "shares"]

    def _present(self, group: Group, rows: Iterable[Row], tasks: Iterable[str]) -> list[str]:
        present = {
            name
            for row in rows
            for task in tasks
            for name, values in self._point(group.dataset, task, row).items()
            if np.isfinite(values).any()
        }
        return sorted(present, key=rank)

    def values(self, dataset: str, scope: Scope, row: Row, metric: str) -> np.ndarray:
        """Values (tasks, cases, seeds) of a metric at a point.

        Raises:
            BenchmarkError: the metrics file has no row for the point.
        """
        empty = np.full([len(axis) for axis in self._axes.get(dataset, ((), ()))], np.nan)
        return np.stack([self._point(dataset, task, row).get(metric, empty) for task in scope.tasks])

    def by_case(self, dataset: str, scope: Scope, row: Row, metric: str) -> np.ndarray:
        """Values (cases, seeds), averaged over the scope's tasks."""
        return _mean(self.values(dataset, scope, row, metric), axis=0)

    def mean(self, dataset: str, scope: Scope, row: Row, metric: str) -> Interval:
        """Mean over cases with its interval, inside the range that the metric declares."""
        key = ("mean", dataset, scope, row.key, metric)
        if key not in self._summaries:
            values = self.by_case(dataset, scope, row, metric)
            bounds = measure(metric).bounds(self.n)
            self._summaries[key] = statistics.mean_interval(values, self.level, bounds=bounds)
        return self._summaries[key]

    def difference(self, dataset: str, scope: Scope, row: Row, plain: Row, metric: str) -> Interval:
        """Mean over cases of (row - plain), paired by task, case and seed, with interval and p-value."""
        key = ("difference", dataset, scope, row.key, plain.key, metric)
        if key not in self._summaries:
            here, there = (self.values(dataset, scope, at, metric) for at in (row, plain))
            self._summaries[key] = self._paired(here, there, metric)
        return self._summaries[key]

    def excess(self, dataset: str, scope: Scope, row: Row, metric: str, reference: str) -> Interval:
        """Mean over cases of (metric - reference) at a point, paired by task, case and seed, with its interval."""
        key = ("excess", dataset, scope, row.key, metric, reference)
        if key not in self._summaries:
            here, there = (self.values(dataset, scope, row, name) for name in (metric, reference))
            self._summaries[key] = self._paired(here, there, metric)
        return self._summaries[key]

    def candidates(
        self, dataset: str, scope: Scope, row: Row, shares: str, exact: str, counted: str
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Counts of candidates with a value, their exact shares, and how many candidates there are: (sets,) each.

        ``shares``, ``exact`` and ``counted`` are metrics; sets that lack one of them are left out.
        """
        found = [self.values(dataset, scope, row, name).ravel() for name in (shares, exact, counted)]
        known = np.isfinite(found).all(axis=0)
        share, posterior, draws = (values[known] for values in found)
        draws = np.rint(draws).astype(int)
        return np.rint(share * draws), posterior, draws

    def _paired(self, here: np.ndarray, there: np.ndarray, metric: str) -> Interval:
        """The difference of values (tasks, cases, seeds) that both have, its range that of the metric."""
        both = np.isfinite(here) & np.isfinite(there)
        here, there = (_mean(np.where(both, values, np.nan), axis=0) for values in (here, there))
        return statistics.paired_difference(here, there, self.level, bounds=measure(metric).bounds(self.n))

    def improvement(self, dataset: str, scope: Scope, row: Row, plain: Row, metric: str, better: int) -> Interval:
        """Probability that the row is better than plain, over cases."""
        here, there = (self.values(dataset, scope, at, metric) for at in (row, plain))
        known = np.isfinite(here) & np.isfinite(there)
        here, there = (_mean(np.where(known, values, np.nan), axis=0) for values in (here, there))
        return statistics.probability_of_improvement(here, there, better < 0, self.level)

    def trend(self, dataset: str, scope: Scope, rows: list[Row], metric: str) -> tuple[float, float]:
        """One-sided p-values of a rise and of a fall over the rows, in their order (Page's statistic)."""
        levels = np.stack([_mean(self.by_case(dataset, scope, row, metric), axis=1) for row in rows], axis=1)
        return statistics.trend_test(levels, True), statistics.trend_test(levels, False)

    def D_rms(self, dataset: str, scope: Scope, row: Row) -> float:
        """The mean over tasks and cases of the RMS twin of a row's D."""
        return float(np.mean([self._frame(dataset, task, row)["D_rms"].mean() for task in scope.tasks]))

    def sets(self, dataset: str, scope: Scope, row: Row) -> int:
        """How many sets (tasks, cases and seeds) a point has rows for."""
        return sum(len(self._frame(dataset, task, row).drop_duplicates(["case", "seed"])) for task in scope.tasks)

    def _frame(self, dataset: str, task: str, row: Row) -> pd.DataFrame:
        key = (dataset, task, *row.key)
        if key not in self._frames:
            sampler, method, eta, reach, unit = row.key
            raise BenchmarkError(
                f"{self.path}: no row for dataset {dataset}, task {task}, sampler {sampler}, method {method}, "
                f"eta {eta:g}, D {reach:g} {unit}, which the tables need; run the workflow again to measure it"
            )
        return self._frames[key]

    def _point(self, dataset: str, task: str, row: Row) -> dict[str, np.ndarray]:
        key = (dataset, task, *row.key)
        if key not in self._arrays:
            frame = self._frame(dataset, task, row)
            self._arrays[key] = dict(self._columns(dataset, frame))
        return self._arrays[key]

    def _columns(self, dataset: str, frame: pd.DataFrame) -> Iterator[tuple[str, np.ndarray]]:
        import pandas as pd

        cases, seeds = self._axes[dataset]
        for name, part in frame.groupby("metric", observed=True):
            at = pd.Index(cases).get_indexer(part["case"]), pd.Index(seeds).get_indexer(part["seed"])
            if len(set(zip(*at))) < len(part):
                where = ", ".join(str(frame[key].iloc[0]) for key in POINT_KEYS)
                raise BenchmarkError(
                    f"{self.path}: {name} stands twice for one set of {where}; collect the metrics again"
                )
            values = np.full((len(cases), len(seeds)), np.nan)
            values[at] = part["value"]
            yield name, values


def plain_of(rows: tuple[Row, ...], row: Row) -> Row | None:
    """The plain row of a row's sampler, if it is among the rows."""
    same = (other for other in rows if other.plain and other.sampler == row.sampler)
    return next(same, None)


def _mean(values: np.ndarray, axis: int) -> np.ndarray:
    """Mean over the finite values; NaN, without a warning, where there is none."""
    finite = np.isfinite(values)
    count = finite.sum(axis)
    return np.where(count > 0, np.where(finite, values, 0.0).sum(axis) / np.maximum(count, 1), math.nan)
