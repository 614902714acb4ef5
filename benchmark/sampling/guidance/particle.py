"""Particle Guidance (Corso et al.; ICLR 2024, arXiv 2310.13102)."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from benchmark.lazy import torch
from benchmark.sampling.guidance.base import guidance
from benchmark.sampling.guidance.pairwise import Pairwise, median_squared, off_diagonal

if TYPE_CHECKING:
    from torch import Tensor


@guidance("particle")
class ParticleGuidance(Pairwise):
    """Particle Guidance (Corso et al. 2024, arXiv 2310.13102) with its Gaussian kernel.

    The gradient of log Phi = -sum_ij k(x_i, x_j), k = exp(-||x_i - x_j||^2 / h), h = median^2 / log N, goes with
    sum_j k_ij (x_i - x_j), j != i; median^2 is the lower median of the squared distances of all pairs, 1e-20 at least.
    The factor 2/h and the strength alpha_t are eta and the time factor here. The paper moves the noisy state; moving
    the clean estimate, as every guidance here does, is this project's choice.
    """

    def coefficients(self, squared: Tensor) -> Tensor:
        n = squared.shape[-1]
        return torch.exp(-squared * (math.log(n) / median_squared(squared))) * off_diagonal(squared)
