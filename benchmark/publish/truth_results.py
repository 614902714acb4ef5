"""truth.parquet as the table and the figures want it: values by case, summarised with their intervals."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from benchmark import statistics, store
from benchmark.errors import BenchmarkError
from benchmark.statistics import Interval

RESAMPLES = 2000
DISTANCES = ("sliced_wasserstein", "energy", "mode_total_variation", "mean_error", "covariance_error")
PLAIN = "plain"
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
    def plain(self) -> Setting:
        """The same without guidance."""
        return Setting(self.sampler, self.steps)


class Results:
    """The values of a run: ``by_case(problems, setting, metric)`` and what follows from them.

    Args:
        settings: problems, samplers (in the order of the tables), compare, n, confidence.
        path: truth.parquet.

    Raises:
        BenchmarkError: settings without problems or samplers, a file without one of them.
    """

    def __init__(self, settings: dict, path: str):
        for key in ("problems", "samplers"):
            if not isinstance(settings.get(key), list) or not settings[key]:
                raise BenchmarkError(f"--settings: {key}: missing; give the {key} of the configuration's truth")
        self.settings, self.level = settings, settings.get("confidence", statistics.LEVEL)
        table = store.read_table(path, "truth").to_pandas()
        for column in ("problem", "world", "case", "sampler", "preset", "method", "D_unit", "metric"):
            table[column] = table[column].astype(str)
        for key, column in (("problems", "problem"), ("samplers", "sampler")):
            absent = [name for name in settings[key] if name not in set(table[column])]
            if absent:
                raise BenchmarkError(f"{path}: nothing of {column} {absent[0]} in it; run its jobs")
        self.problems, self.samplers = settings["problems"], settings["samplers"]
        self.worlds = dict(table.drop_duplicates("problem").set_index("problem")["world"])
        self.preset = dict(table.drop_duplicates("sampler").set_index("sampler")["preset"])
        self._groups = {
            key: group.pivot_table(index="case", columns="metric", values=["value", "exact"], dropna=False)
            for key, group in table.groupby(KEYS, sort=False)
        }
        self._nfe = {key: int(group["nfe"].iloc[0]) for key, group in table.groupby(KEYS, sort=False)}

    # ---------------------------------------------------------------------------------------------------- what there is
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
        """Values of all cases of these problems, one after the other; NaN where a sample was not finite.

        ``column``: ``value``, or ``exact`` for as many exact posterior samples.
        """
        parts = []
        for problem in problems:
            group = self._groups[self._key(problem, setting)]
            known = (column, metric) in group
            parts.append(group[column, metric].to_numpy(float) if known else np.full(len(group), np.nan))
        return np.concatenate(parts)

    def mean(self, problems: list[str], setting: Setting, metric: str, column: str = "value") -> Interval:
        """Mean over cases with its interval."""
        return self._mean(self.by_case(problems, setting, metric, column))

    def exact(self, problems: list[str], metric: str) -> Interval:
        """Mean over cases of what as many exact posterior samples give: the floor of a distance."""
        parts = [self.by_case([problem], self.of(problem, False)[0], metric, "exact") for problem in problems]
        return self._mean(np.concatenate(parts))

    def excess(self, problems: list[str], setting: Setting, metric: str) -> Interval:
        """Mean of value - exact over cases: of a distance, what lies above its floor."""
        values = (self.by_case(problems, setting, metric, column) for column in ("value", "exact"))
        return self._mean(np.subtract(*values))

    def times_floor(self, problems: list[str], setting: Setting, metric: str) -> Interval:
        """Mean of value / exact over cases."""
        value, exact = (self.by_case(problems, setting, metric, column) for column in ("value", "exact"))
        return self._mean(value / np.where(exact > 0, exact, np.nan))

    def difference(self, problems: list[str], setting: Setting, other: Setting, metric: str) -> Interval:
        """Mean of setting - other, paired by case, with the p-value of its sign-flip test."""
        return self.mean_difference(problems, [(setting, other)], metric)

    def mean_difference(self, problems: list[str], pairs: list[tuple[Setting, Setting]], metric: str) -> Interval:
        """:meth:`difference` of each case's mean over several pairs of settings."""
        a, b = (np.mean([self.by_case(problems, pair[side], metric) for pair in pairs], axis=0) for side in (0, 1))
        return statistics.paired_difference(a, b, self.level, RESAMPLES)

    def per_diversity(self, problems: list[str], setting: Setting, metric: str = "sliced_wasserstein") -> Interval:
        """(metric - metric of plain) / (diversity - diversity of plain), means over cases before they are divided.

        The interval is the percentile bootstrap's over cases. NaN where the gain of diversity is not above 0 in all but
        (1 - level) / 2 of the resamples: then nothing was bought.
        """
        bias, gain = (
            self.by_case(problems, setting, name) - self.by_case(problems, setting.plain, name)
            for name in (metric, "diversity")
        )
        known = np.isfinite(bias) & np.isfinite(gain)
        bias, gain = bias[known], gain[known]
        n, tail = len(bias), (1 - self.level) / 2
        nothing = Interval(np.nan, np.nan, np.nan, n, self.level)
        if n < 2 or gain.mean() <= 0:
            return nothing
        drawn = np.random.default_rng(0).integers(0, n, (RESAMPLES, n))
        gains = gain[drawn].mean(1)
        if np.quantile(gains, tail) <= 0:
            return nothing
        low, high = np.quantile(bias[drawn].mean(1) / gains, [tail, 1 - tail])
        return Interval(float(bias.mean() / gain.mean()), float(low), float(high), n, self.level)

    def _mean(self, values: np.ndarray) -> Interval:
        return statistics.mean_interval(values, self.level, RESAMPLES)

    @staticmethod
    def _key(problem: str, setting: Setting) -> tuple:
        return (problem, *(getattr(setting, name) for name in KEYS[1:]))


def most_steps(results: Results, problems: list[str], sampler: str) -> Setting | None:
    """A sampler's plain setting of most steps that all of these problems have; None where a problem lacks it."""
    common = None
    for problem in problems:
        steps = {setting.steps for setting in results.of(problem, guided=False) if setting.sampler == sampler}
        common = steps if common is None else common & steps
    return Setting(sampler, max(common)) if common else None
