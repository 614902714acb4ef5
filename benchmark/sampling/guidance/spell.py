"""SPELL, sparse repellency (Kirchhof et al.; 2025, arXiv 2410.06025)."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from benchmark.lazy import torch
from benchmark.sampling.guidance.base import guidance
from benchmark.sampling.guidance.pairwise import Pairwise

if TYPE_CHECKING:
    from torch import Tensor


def needs_a_radius(D: float, options: Mapping[str, Any]) -> str | None:
    return "needs a finite radius; give D and D_unit" if math.isinf(D) else None


@guidance("spell", timed=False, refuses=needs_a_radius)
class Spell(Pairwise):
    """SPELL, sparse repellency (Kirchhof et al. 2025, arXiv 2410.06025) within the batch, D its radius r.

    x0_i + eta sum_j max(0, r / ||x0_i - x0_j|| - 1) (x0_i - x0_j): with eta = 1 a single close pair ends a radius apart
    from where the other was. Distances are taken to be 1e-6 at least, and equal samples do not part: there is no
    direction between them. No time factor.
    """

    def coefficients(self, squared: Tensor) -> Tensor:
        n = squared.shape[-1]
        distance = squared.clamp_min(1e-12).sqrt()
        radius = self.threshold.to(squared.dtype)[:, None, None]
        return (radius / distance - 1).clamp_min(0) * (1 - torch.eye(n, dtype=squared.dtype, device=squared.device))
