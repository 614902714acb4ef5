"""DiverseFlow's determinantal point process (Morshed and Boddeti; CVPR 2025, arXiv 2504.07894)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from benchmark.lazy import torch
from benchmark.sampling.guidance.base import guidance
from benchmark.sampling.guidance.pairwise import Pairwise, median_squared, off_diagonal

if TYPE_CHECKING:
    from torch import Tensor


@guidance("dpp")
class DeterminantalGuidance(Pairwise):
    """DiverseFlow's determinantal point process (Morshed and Boddeti 2025, arXiv 2504.07894), without its quality term.

    The gradient of log det(L + e I) - log det(L + I), L_ij = exp(-||x_i - x_j||^2 / median^2), with G = (L + e I)^-1 -
    (L + I)^-1 is -(4 / median^2) sum_j G_ij L_ij (x_i - x_j). e = 1e-4, which the paper has not, keeps the inverse
    finite where samples are equal; median^2 as in Particle Guidance. The factor 4 / median^2 is in eta. The paper
    differentiates through the network to the noisy state; the clean estimate is moved here.
    """

    def coefficients(self, squared: Tensor) -> Tensor:
        L = torch.exp(-squared / median_squared(squared)).double()
        eye = torch.eye(squared.shape[-1], dtype=L.dtype, device=L.device)
        G = torch.linalg.inv(L + 1e-4 * eye) - torch.linalg.inv(L + eye)
        return (-G * L * off_diagonal(squared)).to(squared.dtype)
