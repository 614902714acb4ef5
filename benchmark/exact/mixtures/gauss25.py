"""25 Gaussians on a grid, in any even dimension."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from benchmark.exact.mixtures.base import World, generators, mixture
from benchmark.lazy import torch
from benchmark.options import Within

if TYPE_CHECKING:
    from torch import Tensor

Dimension = Annotated[int, Within(2, step=2), "How many numbers a point has."]
Seed = Annotated[int, Within(0), "Of the Gaussians' weights."]
SCALE = 20.0  # 99.9 % of the numbers lie in [-1, 1]


@mixture
def gauss25(dimension: Dimension = 8, seed: Seed = 0) -> World:
    """25 Gaussians of covariance I about (8i, 8j), i, j in -2..2, tiled to ``dimension``, all divided by 20; (d, 1, 1).

    Weights are squares of normal draws of ``seed``, normalised. Truths are drawn from the mixture. Source: Cardoso et
    al., "Monte Carlo guided diffusion for Bayesian linear inverse problems" (ICLR 2024), whose grid this is.
    """
    from benchmark.priors.mixture import GaussianMixture, MixturePrior

    axis = 8 * torch.arange(-2.0, 3.0, dtype=torch.float64)
    means = torch.cartesian_prod(axis, axis).repeat(1, dimension // 2) / SCALE
    weights = torch.randn(25, generator=torch.Generator().manual_seed(seed), dtype=torch.float64).square()
    gaussians = GaussianMixture.isotropic(means, 1 / SCALE, weights)
    shape = (dimension, 1, 1)

    def truths(count: int, seed: int) -> Tensor:
        return torch.cat([gaussians.sample(1, g) for g in generators("gauss25", count, seed)]).reshape(count, *shape)

    return World(MixturePrior(gaussians, shape), truths)
