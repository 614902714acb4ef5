"""truth.parquet as the table and the figures want it: values by case, summarised with their intervals.

A case is a truth: what several problems of a group measure of it is averaged before anything else, because the truth is
the same in all of them and they are no independent replicates.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from benchmark import statistics, store
from benchmark.errors import BenchmarkError
from benchmark.jobs.publish import ExactReportSettings
from benchmark.publish.document import Value
from benchmark.statistics import Interval

RESAMPLES = 2000
SQUARED = "squared_excess"
DISTANCES = (SQUARED, "energy", "mode_total_variation", "mean_error", "covariance_error")
PLAIN = "plain"
EXACT = "exact"  # the sampler that draws from the posterior itself
RANK = "truth_rank"
LABELS = {
    SQUARED: "W2 excess²",
    "sliced_wasserstein": "Sliced W2",
    "energy": "Energy",
    "mode_total_variation": "Modes' TV",
    "mean_error": "Mean error",
    "covariance_error": "Cov. error",
    "diversity": "Diversity",
    "modes": "Modes a set",
    "consistency": "Consistency",
    "finite": "Finite",
}
RANGES = {  # others are not negative
    SQUARED: statistics.UNBOUNDED,
    "energy": statistics.UNBOUNDED,
    "mode_total_variation": (0.0, 1.0),
    "finite": (0.0, 1.0),
    "modes": (1.0, np.inf),
}
SHOWN = ("sliced_wasserstein", *DISTANCES[1:], "diversity", "modes", "consistency")
KEYS = ["problem", "sampler", "steps", "method", "eta", "D", "D_unit"]


@dataclass(frozen=True)
class Setting:
    """What one row of the tables is about: a sampler at some steps, plain or guided."""

    sampler: str
    steps: int
    method: str = PLAIN
    eta: float = 0.0
    D: float = 0.0
    D_unit: str = "rms"

    @property
    def point(self) -> tuple:
        """The guidance's point, whatever the sampler."""
        return self.method, self.eta, self.D, self.D_unit

    @property
    def reach(self) -> str:
        """Its D in words: ``0.3 rms``, ``∞``."""
        return "∞" if math.isinf(self.D) else f"{self.D:g} {self.D_unit}"

    @property
    def plain(self) -> Setting:
        """The same without guidance."""
        return Setting(self.sampler, self.steps)


class Results:
    """The values of a run: ``by_case(problems, setting, metric)`` and what follows from them.

    Args:
        path: truth.parquet.

    Raises:
        BenchmarkError: a file without one of its problems or samplers.
    """

    def __init__(self, settings: ExactReportSettings, path: str):
        self.settings, self.level = settings, settings.confidence or statistics.LEVEL
        table = store.read_table(path, "truth").to_pandas()
        for column in ("problem", "world", "case", "sampler", "preset", "method", "D_unit", "metric"):
            table[column] = table[column].astype(str)
        for names, column in ((settings.problems, "problem"), (settings.samplers, "sampler")):
            absent = [name for name in names if name not in set(table[column])]
            if absent:
                raise BenchmarkError(f"{path}: nothing of {column} {absent[0]} in it; run its jobs")
        self.problems, self.samplers = settings.problems, settings.samplers
        self.worlds = dict(table.drop_duplicates("problem").set_index("problem")["world"])
        self.preset = dict(table.drop_duplicates("sampler").set_index("sampler")["preset"])
        self._groups = {
            key: group.pivot_table(index="case", columns="metric", values=["value", "exact"], dropna=False)
            for key, group in table.groupby(KEYS, sort=False)
        }
        self._nfe = {key: int(group["nfe"].iloc[0]) for key, group in table.groupby(KEYS, sort=False)}

    # ---------------------------------------------------------------------------------------------------- what there is
    def groups(self) -> dict[str, list[str]]:
        """Problems that may be averaged over, by their group's name; those that are held out of every choice last."""
        of, held_out = self.settings.groups, self.settings.held_out
        found: dict[str, list[str]] = {}
        for problem in sorted(self.problems, key=lambda name: name in held_out):
            found.setdefault(of.get(problem, self.worlds[problem]), []).append(problem)
        return found

    def problems_of(self, world: str) -> list[str]:
        """The problems of a world, in the order of the configuration."""
        return [problem for problem in self.problems if self.worlds[problem] == world]

    def world_names(self) -> list[str]:
        """The worlds, in the order of their first problem."""
        return list(dict.fromkeys(self.worlds[problem] for problem in self.problems))

    def of(self, problem: str, guided: bool) -> list[Setting]:
        """The settings of a problem, plain or guided: by sampler in the configuration's order, then as they came."""
        found = [Setting(*key[1:]) for key in self._groups if key[0] == problem and (key[3] != PLAIN) == guided]
        if not guided:
            found.sort(key=lambda setting: setting.steps)
        return sorted(found, key=lambda setting: self.samplers.index(setting.sampler))

    def with_sampler(self, problems: list[str], *samplers: str) -> list[str]:
        """Those of the problems on which each of the samplers was run without guidance."""
        return [p for p in problems if set(samplers) <= {setting.sampler for setting in self.of(p, guided=False)}]

    def served(self, problems: list[str], setting: Setting) -> list[str]:
        """Those of the problems that have this setting."""
        return [problem for problem in problems if self._key(problem, setting) in self._groups]

    def guided_of(self, problems: list[str], sampler: str) -> list[Setting]:
        """A sampler's guided settings that are there on all of these problems where it is guided at all."""
        found = [[s for s in self.of(problem, guided=True) if s.sampler == sampler] for problem in problems]
        found = [settings for settings in found if settings]
        return [setting for setting in found[0] if all(setting in others for others in found)] if found else []

    def nfe(self, problem: str, setting: Setting) -> int:
        """Network evaluations of a sample."""
        return self._nfe[self._key(problem, setting)]

    # ----------------------------------------------------------------------------------------------------------- values
    def by_case(self, problems: list[str], setting: Setting, metric: str, column: str = "value") -> np.ndarray:
        """A value for each case of these problems, their mean where several measure it; NaN where a sample of one of
        them was not finite.

        ``column``: ``value``, or ``exact`` for as many exact posterior samples.
        """
        found: dict[str, list[float]] = {}
        for problem in problems:
            group = self._groups[self._key(problem, setting)]
            values = group[column, metric] if (column, metric) in group else np.full(len(group), np.nan)
            for case, value in zip(group.index, values, strict=True):
                found.setdefault(case, []).append(value)
        return np.array([np.mean(values) for values in found.values()])

    def mean(self, problems: list[str], setting: Setting, metric: str, column: str = "value") -> Interval:
        """Mean over cases with its interval."""
        return self._mean(self.by_case(problems, setting, metric, column), RANGES.get(metric, (0.0, np.inf)))

    def exact(self, problems: list[str], metric: str) -> Interval:
        """Mean over cases of what as many exact posterior samples give: the floor of a distance."""
        return self.mean(problems, self.of(problems[0], False)[0], metric, "exact")

    def ranks(self, problem: str) -> np.ndarray:
        """Each truth's rank among the samples of its own posterior, 0 to 1; empty where it was not measured."""
        known = [s for s in self.of(problem, False) if s.sampler == EXACT]
        values = self.by_case([problem], known[0], RANK) if known else np.empty(0)
        return values[np.isfinite(values)]

    def share_of_ranks_below(self, problem: str, level: float) -> Interval:
        """The share of truths of a rank below ``level``, with its interval."""
        below = (self.ranks(problem) < level).astype(float)
        return statistics.mean_interval(below, self.level, RESAMPLES, bounds=(0.0, 1.0))

    def excess(self, problems: list[str], setting: Setting) -> Interval:
        """The root of the mean of :data:`SQUARED`, signed: 0 in expectation, before the root, for exact samples alone;
        its interval is that of the mean, the ends rooted."""
        return statistics.rooted(self.mean(problems, setting, SQUARED))

    def beyond_exact(self, problems: list[str], setting: Setting, metric: str) -> Interval:
        """The mean of value - what as many exact samples have."""
        value, exact = (self.by_case(problems, setting, metric, column) for column in ("value", "exact"))
        return self._mean(value - exact)

    def times_floor(self, problems: list[str], setting: Setting, metric: str) -> float:
        """Mean of value over mean of exact: no effect size, since it grows with the number of samples."""
        value, exact = (self.by_case(problems, setting, metric, column) for column in ("value", "exact"))
        known = np.isfinite(value) & np.isfinite(exact)
        return float(value[known].mean() / exact[known].mean()) if known.any() else np.nan

    def difference(self, problems: list[str], setting: Setting, other: Setting, metric: str) -> Interval:
        """Mean of setting - other, paired by case, with the p-value of its sign-flip test."""
        return self.mean_difference(problems, [(setting, other)], metric)

    def mean_difference(self, problems: list[str], pairs: list[tuple[Setting, Setting]], metric: str) -> Interval:
        """:meth:`difference` of each case's mean over several pairs of settings."""
        a, b = (np.mean([self.by_case(problems, pair[side], metric) for pair in pairs], axis=0) for side in (0, 1))
        return statistics.paired_difference(a, b, self.level, RESAMPLES, bounds=RANGES.get(metric, (0.0, np.inf)))

    def _mean(self, values: np.ndarray, bounds: tuple[float, float] = statistics.UNBOUNDED) -> Interval:
        return statistics.mean_interval(values, self.level, RESAMPLES, bounds=bounds)

    @staticmethod
    def _key(problem: str, setting: Setting) -> tuple:
        return (problem, *(getattr(setting, name) for name in KEYS[1:]))


def common_steps(results: Results, problems: list[str], *samplers: str) -> list[int]:
    """The numbers of steps at which all of these samplers were run plainly on all of these problems, rising."""
    common = None
    for problem in problems:
        for sampler in samplers:
            steps = {s.steps for s in results.of(problem, guided=False) if s.sampler == sampler}
            common = steps if common is None else common & steps
    return sorted(common or ())


def or_nothing(interval: Interval, signed: bool = False) -> Value | None:
    """A cell, or none where there is no estimate."""
    return None if np.isnan(interval.estimate) else Value(interval, signed=signed)
