"""One job: a sampler on one problem, at all its steps and guidances, held against the exact posterior."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Iterator
from pathlib import Path

import torch
from torch import Tensor

from benchmark import __version__, store
from benchmark.exact.distances import Reference
from benchmark.exact.measurements import Measurements, SetNoise, measure
from benchmark.exact_jobs import EXACT
from benchmark.jobs.exact import ExactSettings, Run
from benchmark.sampling import SAMPLERS
from benchmark.sampling.guidance import build_guidance
from benchmark.sampling.run import set_threads
from benchmark.sampling.settings import algorithm_of

PLAIN = {"name": "plain", "eta": 0.0, "D": 0.0, "D_unit": "rms"}
RANK_DRAWS = 2000


def run(settings: ExactSettings, output: str | Path, threads: int | None = None) -> None:
    """Sample, measure and write the table ``truth`` of one job: one row for each run, measurement and measure.

    The sampler ``exact`` draws from the posterior itself, with the noise stream, number and measures of every other.

    Raises:
        BenchmarkError: an unknown name or option, a problem that the sampler does not serve, threads below 1.
    """
    set_threads(threads)
    measurements = measure(
        settings.problem, settings.world, settings.operator, settings.mask, settings.measurements, settings.seed
    )
    held_against = list(references(measurements, settings.n, settings.sets))
    rows = []
    for one in settings.runs:
        samples, nfe = draw(measurements, settings.algorithm, one, settings.n, settings.sets)
        for case, (reference, x) in enumerate(zip(held_against, samples, strict=True)):
            rows += _rows(settings, one, nfe, case, reference.measure(x), reference.exact)
    if settings.algorithm.get("name") == EXACT and measurements.operator.get("sigma", 0) == 0:
        rows += _ranks(settings, measurements)
    store.write_table(output, "truth", rows, settings.json, {"package": __version__, "torch": torch.__version__})


def references(measurements: Measurements, n: int, sets: int) -> Iterator[Reference]:
    """For each measurement what samples are held against."""
    mixture = measurements.prior.mixture
    for case, posterior in enumerate(measurements.posteriors):
        problem, y = measurements.problem(case=case), measurements.y[case : case + 1]

        def consistency(x: Tensor, problem=problem, y: Tensor = y) -> float:
            rms = problem.consistency(x.reshape(1, -1, *problem.image_shape), y)
            return float(rms.square().mean().sqrt())

        yield Reference(mixture, posterior, consistency, n, sets, measurements.generator(case, "exact"))


def draw(measurements: Measurements, algorithm: dict, one: Run, n: int, sets: int) -> tuple[Tensor, int]:
    """A run's samples (count, sets * n, d), and its network evaluations per sample.

    Args:
        algorithm: the sampler's name and its options but the steps; ``exact`` has none.
        one: steps, guidance, and options at this number of steps.
    """
    if algorithm.get("name") == EXACT:
        posteriors = enumerate(measurements.posteriors)
        drawn = [p.sample(sets * n, measurements.generator(case, "sampling")) for case, p in posteriors]
        return torch.stack(drawn), 0
    name, options = algorithm_of({**algorithm, **one.options, "steps": one.steps})
    problem, prior = measurements.problem(sets), measurements.prior
    y = measurements.y.repeat_interleave(sets, dim=0)
    guide, _ = build_guidance(one.guidance, problem, n, len(y), "cpu", prior.dtype)
    if one.uncoupled:
        guide = uncoupled(guide)
    with torch.no_grad():
        states = SAMPLERS[name](prior, problem, y, SetNoise(measurements, sets, n), guide, **options)
        state = deque(states, maxlen=1).pop()
    return state.x.reshape(measurements.count, sets * n, math.prod(prior.shape)), state.nfe


def uncoupled(guide):
    """A guide whose push is a constant: a gradient through it sees each sample's own x0 alone, not its neighbours'."""

    def constant_push(x0: Tensor, weight: float, **how):
        guided, record = guide(x0.detach(), weight, **how)
        return x0 + (guided - x0.detach()), record

    return constant_push


def _ranks(settings: ExactSettings, measurements: Measurements) -> list[dict]:
    """``truth_rank`` of each truth: the share of exact samples that are less likely than it, uniform where the truths
    are of the model. Without noise the posterior's density of x is the prior's up to a constant."""
    rows = []
    mixture, one = measurements.prior.mixture, settings.runs[0]
    for case, posterior in enumerate(measurements.posteriors):
        drawn = mixture.log_prob(posterior.sample(RANK_DRAWS, measurements.generator(case, "rank")))
        density = mixture.log_prob(measurements.truths[case].reshape(1, -1))
        rank = float((drawn < density).double().mean())
        rows += _rows(settings, one, 0, case, {"truth_rank": rank}, {"truth_rank": 0.5})
    return rows


def _rows(settings: ExactSettings, one: Run, nfe: int, case: int, values: dict, exact: dict) -> Iterator[dict]:
    guidance = one.guidance or PLAIN
    preset = settings.algorithm.get("preset", "paper")
    for metric, value in values.items():
        floor = exact[metric]
        yield {
            "problem": settings.problem,
            "world": settings.world["name"],
            "case": str(case),
            "sampler": settings.sampler,
            "preset": EXACT if settings.algorithm["name"] == EXACT else preset,
            "steps": one.steps,
            "nfe": nfe,
            "method": guidance["name"] + ("_uncoupled" if one.uncoupled else ""),
            "eta": float(guidance["eta"]),
            "D": float(guidance["D"]),
            "D_unit": guidance.get("D_unit") or "rms",
            "metric": metric,
            "value": value if math.isfinite(value) else None,
            "exact": floor if math.isfinite(floor) else None,
        }
