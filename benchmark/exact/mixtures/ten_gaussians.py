"""The 10 Gaussians of the source paper's Figure 1."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from benchmark.exact.mixtures.base import World, generators, mixture
from benchmark.lazy import torch
from benchmark.selection.toy import CENTRAL_SHARE, GAUSSIANS, RADIUS, SPREAD

if TYPE_CHECKING:
    from torch import Tensor

SCALE = 6.0  # 99.9 % of the numbers lie in [-1, 1]


@mixture
def ten_gaussians() -> World:
    """The 10 Gaussians of the source paper's Figure 1, 95 % of the mass in the central one, divided by 6; (1, 1, 2).

    Truth i is drawn from Gaussian (i + 1) mod 10, not by the Gaussians' shares: of 8 truths hardly one would else be
    rare, and with a truth in the middle the measurement leaves no doubt. The posterior has the true shares.
    """
    from benchmark.priors.mixture import GaussianMixture, MixturePrior

    angle = 2 * math.pi * torch.arange(GAUSSIANS - 1, dtype=torch.float64) / (GAUSSIANS - 1) + math.pi / 2
    ring = RADIUS * torch.stack([angle.cos(), angle.sin()], dim=1)
    means = torch.cat([torch.zeros(1, 2, dtype=torch.float64), ring]) / SCALE
    weights = torch.full((GAUSSIANS,), (1 - CENTRAL_SHARE) / (GAUSSIANS - 1), dtype=torch.float64)
    weights[0] = CENTRAL_SHARE
    spread = SPREAD / SCALE
    prior = MixturePrior(GaussianMixture.isotropic(means, spread, weights))

    def truths(count: int, seed: int) -> Tensor:
        chosen = means[(torch.arange(count) + 1) % GAUSSIANS]
        noise = [torch.randn(2, generator=g, dtype=torch.float64) for g in generators("ten_gaussians", count, seed)]
        return (chosen + spread * torch.stack(noise)).reshape(count, 1, 1, 2)

    return World(prior, truths)
