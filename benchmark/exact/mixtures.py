"""Worlds whose distribution is a Gaussian mixture, so that every posterior of a linear measurement is known."""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

from benchmark.data.sources import pictures
from benchmark.errors import BenchmarkError
from benchmark.lazy import torch
from benchmark.options import OneOf, Within
from benchmark.problems.noise import stream
from benchmark.selection.toy import CENTRAL_SHARE, GAUSSIANS, RADIUS, SPREAD

if TYPE_CHECKING:
    from torch import Tensor

    from benchmark.priors.mixture import MixturePrior

# Data are divided by these, so that nearly all of them lie in [-1, 1], to which samplers clip: 99.9 % of the numbers of
# the Gaussians, 98 % of the digits'. (Divided by more, digits would come nearer to the noise of the last step, 0.01.)
TEN_GAUSSIANS_SCALE = 6.0
GAUSS25_SCALE = 20.0
DIGITS_SCALE = 1.5


@dataclass(frozen=True)
class World:
    """A mixture as a diffusion prior, and ``truths(count, seed)``: what is measured, (count, C, H, W) float64."""

    prior: MixturePrior
    truths: Callable[[int, int], Tensor]


def ten_gaussians() -> World:
    """The 10 Gaussians of the source paper's Figure 1, 95 % of the mass in the central one, divided by 6; (1, 1, 2).

    Truth i is drawn from Gaussian (i + 1) mod 10, not by the Gaussians' shares: of 8 truths hardly one would else be
    rare, and with a truth in the middle the measurement leaves no doubt. The posterior has the true shares.
    """
    from benchmark.priors.mixture import GaussianMixture, MixturePrior

    angle = 2 * math.pi * torch.arange(GAUSSIANS - 1, dtype=torch.float64) / (GAUSSIANS - 1) + math.pi / 2
    ring = RADIUS * torch.stack([angle.cos(), angle.sin()], dim=1)
    means = torch.cat([torch.zeros(1, 2, dtype=torch.float64), ring]) / TEN_GAUSSIANS_SCALE
    weights = torch.full((GAUSSIANS,), (1 - CENTRAL_SHARE) / (GAUSSIANS - 1), dtype=torch.float64)
    weights[0] = CENTRAL_SHARE
    spread = SPREAD / TEN_GAUSSIANS_SCALE
    prior = MixturePrior(GaussianMixture.isotropic(means, spread, weights))

    def truths(count: int, seed: int) -> Tensor:
        chosen = means[(torch.arange(count) + 1) % GAUSSIANS]
        noise = [torch.randn(2, generator=g, dtype=torch.float64) for g in _generators("ten_gaussians", count, seed)]
        return (chosen + spread * torch.stack(noise)).reshape(count, 1, 1, 2)

    return World(prior, truths)


def gauss25(dimension: Annotated[int, Within(2), "An even number."] = 8, seed: int = 0) -> World:
    """25 Gaussians of covariance I about (8i, 8j), i, j in -2..2, tiled to ``dimension``, all divided by 20; (d, 1, 1).

    Weights are squares of normal draws of ``seed``, normalised. Truths are drawn from the mixture. Source: Cardoso et
    al., "Monte Carlo guided diffusion for Bayesian linear inverse problems" (ICLR 2024), whose grid this is.

    Raises:
        BenchmarkError: a dimension that is not a whole multiple of 2.
    """
    from benchmark.priors.mixture import GaussianMixture, MixturePrior

    if type(dimension) is not int or dimension < 2 or dimension % 2:
        raise BenchmarkError(f"world gauss25: dimension {dimension!r} is no even number; give 2, 8, 80, ...")
    axis = 8 * torch.arange(-2.0, 3.0, dtype=torch.float64)
    means = torch.cartesian_prod(axis, axis).repeat(1, dimension // 2) / GAUSS25_SCALE
    weights = torch.randn(25, generator=torch.Generator().manual_seed(seed), dtype=torch.float64).square()
    mixture = GaussianMixture.isotropic(means, 1 / GAUSS25_SCALE, weights)
    shape = (dimension, 1, 1)

    def truths(count: int, seed: int) -> Tensor:
        return torch.cat([mixture.sample(1, g) for g in _generators("gauss25", count, seed)]).reshape(count, *shape)

    return World(MixturePrior(mixture, shape), truths)


def digits(truths: Annotated[str, OneOf("real", "model"), "Test digits, or draws of the mixture."] = "real") -> World:
    """The digits' fitted mixture divided by 1.5, (1, 8, 8).

    ``truths``: ``real`` are test digits, which it was not fitted on and of which many are unlikely under it; ``model``
    are drawn from the mixture, so that the posterior is that of what was measured.

    Raises:
        BenchmarkError: other truths.
    """
    from benchmark.priors.mixture import GaussianMixture, MixturePrior, load_mixture

    if truths not in ("real", "model"):
        raise BenchmarkError(f"world digits: truths {truths!r} is neither real nor model")
    fitted = load_mixture()
    means, covariances = fitted.mixture.means / DIGITS_SCALE, fitted.mixture.covariances / DIGITS_SCALE**2
    mixture = GaussianMixture(fitted.mixture.weights, means, covariances)

    def real(count: int, seed: int) -> Tensor:
        found = [torch.from_numpy(picture.image) for picture in pictures({"name": "digits"}, count, seed)]
        return torch.stack(found).double() / DIGITS_SCALE

    def of_the_model(count: int, seed: int) -> Tensor:
        drawn = [mixture.sample(1, generator) for generator in _generators("digits", count, seed)]
        return torch.cat(drawn).reshape(count, *fitted.shape)

    return World(MixturePrior(mixture, fitted.shape), real if truths == "real" else of_the_model)


def _generators(world: str, count: int, seed: int) -> list[torch.Generator]:
    """Random numbers of each truth, so that more truths leave the first ones as they are."""
    return [stream(seed, world, str(case), "truth") for case in range(count)]


WORLDS: dict[str, Callable[..., World]] = {"ten_gaussians": ten_gaussians, "gauss25": gauss25, "digits": digits}


def build_world(settings: dict) -> World:
    """The world of ``{"name": ..., options}``.

    Raises:
        BenchmarkError: unknown name or option, an option out of range.
    """
    options = dict(settings)
    name = options.pop("name", None)
    if name not in WORLDS:
        raise BenchmarkError(f"world.name: {name!r} is not known; use one of {', '.join(WORLDS)}")
    known = list(inspect.signature(WORLDS[name]).parameters)
    for option in options:
        if option not in known:
            raise BenchmarkError(
                f"world.{option}: {name} has no such option; it has {', '.join(known) if known else 'none'}"
            )
    return WORLDS[name](**options)
