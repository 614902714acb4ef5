"""Options of samplers, chosen for each number of steps on measurements that no table sees.

For options o at s steps the score is the geometric mean, over the tuning problems that the sampler serves, of

    1 + max(0, mean over measurements of the squared excess) / mean over measurements of floor^2

with the floor of sliced W2: 1 for a sampler of the posterior, whatever the unit of a problem; the options of the least
score are taken. A problem counts at the numbers of steps that it has in the tables (``most_steps``). The truths,
operators and noise are those of the seed ``seed + TUNING_SEED``; digits are drawn from the model, because the real ones
are the tables'.
"""

from __future__ import annotations

import itertools
import math
import statistics
from collections.abc import Iterator
from dataclasses import dataclass

from benchmark import __version__
from benchmark.errors import BenchmarkError
from benchmark.exact.distances import Reference
from benchmark.exact.measurements import Measurements, measure
from benchmark.exact.run import draw, references
from benchmark.exact_jobs import problem_settings, tuned_on
from benchmark.jobs import algorithm_at
from benchmark.jobs.exact import Run

TUNING_SEED = 104_729


@dataclass(frozen=True)
class Score:
    """One point of a grid at some steps: the less, the nearer to the posterior; ``ratios`` by problem."""

    sampler: str
    steps: int
    options: dict
    ratios: dict[str, float]

    @property
    def score(self) -> float:
        """The geometric mean of the ratios; infinite where a sample was not finite."""
        finite = all(map(math.isfinite, self.ratios.values()))
        return statistics.geometric_mean(self.ratios.values()) if finite else math.inf


def tuning_measurements(config: dict, name: str) -> Measurements:
    """The measurements of a problem that options are chosen on."""
    section = config["truth"]
    settings = problem_settings(config, name, section["problems"][name])
    world = dict(settings["world"])
    world |= {"truths": "model"} if world["name"] == "digits" else {}
    seed, count = settings["seed"] + TUNING_SEED, section["tune"]["measurements"]
    return measure(name, world, settings["operator"], settings["mask"], count, seed)


def scores(config: dict, samplers: list[str] | None = None) -> Iterator[Score]:
    """Every point of every grid of ``truth.tune``, at every number of steps of its sampler."""
    section = config["truth"]
    tune, n = section["tune"], config["n"]
    problems = {name: tuning_measurements(config, name) for name in tune["problems"]}
    held_against = {name: list(references(of, n, tune["sets"])) for name, of in problems.items()}
    for sampler, grid in tune["grids"].items():
        if samplers and sampler not in samplers:
            continue
        algorithm = algorithm_at(config["samplers"][sampler])
        for steps in section["samplers"][sampler]:
            served = tuned_on(section, sampler, steps)
            for values in itertools.product(*grid.values()):
                options = dict(zip(grid, values, strict=True))
                one = Run(steps=steps, options=options)
                ratios = {p: _ratio(problems[p], held_against[p], algorithm, one, n, tune["sets"]) for p in served}
                yield Score(sampler, steps, options, ratios)


def chosen(tried: list[Score]) -> dict[str, dict[str, dict]]:
    """Sampler -> steps -> the options of the least score; of equals the first of the grid."""
    best: dict[tuple, Score] = {}
    for score in tried:
        key = (score.sampler, score.steps)
        if key not in best or score.score < best[key].score:
            best[key] = score
    result: dict[str, dict[str, dict]] = {}
    for (sampler, steps), score in best.items():
        result.setdefault(sampler, {})[str(steps)] = score.options
    return result


def check(config: dict, samplers: list[str] | None, source: str) -> None:
    """Refuse a configuration without grids to choose from, or without those of ``samplers``.

    Raises:
        BenchmarkError: no section ``truth.tune`` in ``source``, a sampler that has no grid.
    """
    if not config["truth"] or not config["truth"]["tune"]:
        raise BenchmarkError(f"{source}: truth.tune: missing; it says which options are tried on which problems")
    grids = config["truth"]["tune"]["grids"]
    for name in samplers or []:
        if name not in grids:
            raise BenchmarkError(f"--samplers: {name} is none of truth.tune.grids: {', '.join(grids)}")


def record(config: dict, tried: list[Score], source: str) -> dict:
    """The choice, every score and what they were made from, to be written beside the experiments."""
    section = config["truth"]["tune"]
    return {
        "chosen_by": f"python -m benchmark tune --config {source}",
        "package": __version__,
        **{key: section[key] for key in ("measurements", "sets", "problems", "held_out", "grids")},
        "by_steps": {name: {steps: dict(o) for steps, o in by.items()} for name, by in chosen(tried).items()},
        "scores": [
            {"sampler": one.sampler, "steps": one.steps, "options": one.options, "score": round(one.score, 4)}
            | {"ratios": {name: round(ratio, 4) for name, ratio in one.ratios.items()}}
            for one in tried
        ],
    }


def _ratio(
    measurements: Measurements, held_against: list[Reference], algorithm: dict, one: Run, n: int, sets: int
) -> float:
    samples, _ = draw(measurements, algorithm, one, n, sets)
    excess = statistics.mean(t.measure(x)["squared_excess"] for t, x in zip(held_against, samples, strict=True))
    floor = statistics.mean(t.exact["sliced_wasserstein"] ** 2 for t in held_against)
    return 1 + max(0.0, excess) / floor
