"""Measurements of a world: what was seen of each truth, by which operator, and the exact posterior given it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import torch
from torch import Tensor

from benchmark.data.masks import make_hole
from benchmark.exact.mixtures import build_world
from benchmark.priors.mixture import MixturePrior, Posterior, posterior_of
from benchmark.problems import build
from benchmark.problems.base import Problem
from benchmark.problems.noise import stream


@dataclass(frozen=True)
class Measurements:
    """The truths of one problem (count, C, H, W), and how they are measured.

    Attributes:
        name: of the problem; it keys every random number.
        operator: settings of :func:`benchmark.problems.build`; for random projections with a seed per truth.
        hole: bool (H, W), True = unknown; None for operators without a mask.
    """

    name: str
    seed: int
    prior: MixturePrior
    truths: Tensor
    operator: dict
    hole: Tensor | None

    @property
    def count(self) -> int:
        """How many truths there are."""
        return len(self.truths)

    def problem(self, sets: int = 1, case: int | None = None) -> Problem:
        """The operator for a batch of ``sets`` sets of each truth, sets of one truth side by side; or of one truth."""
        cases = range(self.count) if case is None else [case]
        operator = dict(self.operator)
        if isinstance(operator.get("seed"), list):
            operator["seed"] = [operator["seed"][case] for case in cases for _ in range(sets)]
        holes = None if self.hole is None else self.hole.expand(len(cases) * sets, *self.hole.shape)
        return build(operator, self.prior.shape, holes, dtype=self.prior.dtype)

    @cached_property
    def y(self) -> Tensor:
        """What was measured, (count, 1, ...): A x + 2 sigma n."""
        problem, x = self.problem(), self.truths[:, None].to(self.prior.dtype)
        shape = problem.A(x).shape[1:]
        generators = [self.generator(case, "measurement") for case in range(self.count)]
        noise = torch.stack([torch.randn(shape, generator=g, dtype=torch.float64) for g in generators])
        return problem.measure(x, noise.to(self.prior.dtype))

    @cached_property
    def posteriors(self) -> list[Posterior]:
        """The exact posterior of each truth's measurement."""
        each = ((self.problem(case=case), self.y[case : case + 1]) for case in range(self.count))
        return [posterior_of(self.prior, problem, y) for problem, y in each]

    def generator(self, case: int, purpose: str) -> torch.Generator:
        """The random numbers of one truth for one purpose, apart from all others."""
        return stream(self.seed, self.name, str(case), purpose)


class SetNoise:
    """Draws (count * sets, n, C, H, W), each truth's from a stream of its own, the same for every sampler and point."""

    def __init__(self, measurements: Measurements, sets: int, n: int):
        self.generators = [measurements.generator(case, "sampling") for case in range(measurements.count)]
        self.size, self.dtype = (sets, n, *measurements.prior.shape), measurements.prior.dtype

    def __call__(self) -> Tensor:
        """A fresh draw."""
        return torch.cat([torch.randn(self.size, generator=g, dtype=self.dtype) for g in self.generators])


def measure(name: str, world: dict, operator: dict, mask: dict | None, count: int, seed: int) -> Measurements:
    """``count`` truths of a world, measured.

    Args:
        operator: {"name", "sigma", ...}; a random projection draws one operator for each truth.
        mask: a recipe, for inpainting; None hides everything, so that the posterior is the prior.

    Raises:
        BenchmarkError: an unknown world, operator, recipe or option.
    """
    built = build_world(world)
    operator, hole = dict(operator), None
    if operator.get("name") == "inpainting":
        size = built.prior.shape[1:]
        hole = torch.ones(size, dtype=torch.bool) if mask is None else make_hole(mask, size, dataset=name, seed=seed)
    if operator.get("name") == "random_projection":
        first = operator.get("seed", seed)
        operator["seed"] = [1000 * first + case for case in range(count)]
    return Measurements(name, seed, built.prior, built.truths(count, seed), operator, hole)
