"""The guidance of the source paper: away from the nearest neighbour (Cohen et al.; ICLR 2024, arXiv 2310.16047)."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from benchmark.lazy import torch
from benchmark.sampling.guidance.base import Guidance, Repulsion, guidance

if TYPE_CHECKING:
    from torch import Tensor


def nearest_neighbours(x0: Tensor, region: Tensor | None = None) -> Tensor:
    """nn(i) = argmin_{j != i} ||S (x0_i - x0_j)||^2 of every sample: (B, N, C, H, W) -> (B, N).

    ``region`` (broadcastable to x0, True = searched) is S; None searches the whole image. Distances are taken from
    differences, not from inner products, so that equal samples are at 0 and a sample never finds itself; a sample that
    is not finite is nobody's neighbour.
    """
    with torch.no_grad():
        points = (x0 if region is None else x0 * region).flatten(2)
        distance = torch.cdist(points, points, compute_mode="donot_use_mm_for_euclid_dist")
        distance = torch.where(distance.isfinite(), distance, torch.finfo(distance.dtype).max)
        distance.diagonal(dim1=1, dim2=2).fill_(math.inf)
        return distance.argmin(-1)


def nearest_neighbour_step(
    x0: Tensor,
    eta: Tensor,
    threshold: Tensor | None,
    weight: float,
    search: Tensor | None = None,
    measured: Tensor | None = None,
) -> tuple[Tensor, Repulsion]:
    """x0_i + eta w 1[||P r_i||_2 <= threshold] r_i with r_i = x0_i - x0_nn(i), all i at once.

    Args:
        x0: (B, N, C, H, W), N >= 2.
        eta, threshold: (B,); the threshold in the L2 norm, None for no gate.
        weight: the time factor w.
        search: where neighbours are searched, broadcastable to x0; None = everywhere.
        measured: P, where the gate's norm is taken; None = everywhere, as in the released code.

    The push does not conserve the set's mean, for neighbours are not mutual: with a_i the gate and d_j = #{i: a_i,
    nn(i) = j} the samples that are pushed away from j,

        mean_i x0'_i - mean_i x0_i = (eta w / N) sum_i a_i (x0_i - x0_nn(i)) = (eta w / N) sum_j (a_j - d_j) x0_j,

    which is 0 where the gated samples are pairs of mutual neighbours (always at N = 2), and in general leads away from
    the samples that are nearest to several others, which lie in the set's middle, and towards those nearest to none.

    Source: arXiv 2310.16047, section 4; the step is on the whole image, as in its released code.
    """
    neighbour = nearest_neighbours(x0, search)
    index = neighbour[:, :, None, None, None].expand_as(x0)
    r = x0 - x0.gather(1, index)
    seen = r.detach() if measured is None else r.detach() * measured
    distance = torch.linalg.vector_norm(seen, dim=(2, 3, 4))
    # Where no neighbour is finite there is none, and nothing moves.
    known = r.detach().isfinite().flatten(2).all(-1)
    r = torch.where(known[:, :, None, None, None], r, 0)
    gate = known if threshold is None else known & (distance <= threshold[:, None])
    step = (eta[:, None] * weight * gate).to(x0.dtype)
    return x0 + step[:, :, None, None, None] * r, Repulsion(neighbour, distance, gate)


@guidance("nearest_neighbour")
class NearestNeighbour(Guidance):
    """The guidance of arXiv 2310.16047: x0_i + eta w (x0_i - x0_nn(i)) where its neighbour is within D."""

    def move(self, x0: Tensor, weight: float, search: str, norm: str | None) -> tuple[Tensor, Repulsion]:
        where = {"hole": self.region, "image": None, None: None}
        threshold = None if norm is None else self.threshold
        return nearest_neighbour_step(x0, self.eta, threshold, weight, where[search], where[norm])
