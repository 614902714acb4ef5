"""Guidances that push every two samples of a set apart, by a coefficient of their distance."""

from __future__ import annotations

import copy
import math
from typing import TYPE_CHECKING

from benchmark.lazy import torch
from benchmark.sampling.guidance.base import Guidance, Repulsion

if TYPE_CHECKING:
    from torch import Tensor


class Pairwise(Guidance):
    """A guidance x0_i + eta sum_j c_ij (x0_i - x0_j), with coefficients c that a subclass takes from the distances.

    Distances are taken over the hole, where there is one: these papers restore nothing and know no hole. Pairs further
    apart than D are left alone, so that D = 0 is plain sampling here as well; D = inf is what the papers have. Since
    c_ij = c_ji and the gate is the pair's, these pushes conserve the set's mean. A sample whose squared norm is not
    finite stays as it is, and the others are pushed as if it were not in their set. ``search`` and ``norm`` are
    accepted for the samplers' sake and change nothing.
    """

    def coefficients(self, squared: Tensor) -> Tensor:
        """c (B, N, N), symmetric, 0 on the diagonal, from the squared distances (B, N, N)."""
        raise NotImplementedError

    def move(self, x0: Tensor, weight: float, search: str, norm: str | None) -> tuple[Tensor, Repulsion]:
        """Guided x0 and the record of nearest neighbours; a gate is open where the sample was pushed at all."""
        finite = x0.detach().flatten(2).square().sum(-1).isfinite()
        return self._step(x0, weight) if finite.all() else self._step_of_finite(x0, weight, finite)

    def _step(self, x0: Tensor, weight: float) -> tuple[Tensor, Repulsion]:
        difference = x0.unsqueeze(2) - x0.unsqueeze(1)  # (B, N, N, C, H, W)
        seen = difference if self.region is None else difference * self.region.unsqueeze(1)
        squared = seen.flatten(3).square().sum(-1)
        c = self.coefficients(squared) * (squared.detach() <= self.threshold[:, None, None] ** 2)
        step = self.eta[:, None, None] * weight * c
        push = torch.einsum("bij,bijchw->bichw", step.to(x0.dtype), difference)
        away = squared.detach() + torch.diag_embed(torch.full_like(squared[..., 0], math.inf))
        distance, neighbour = away.min(-1)
        return x0 + push, Repulsion(neighbour, distance.sqrt(), (c.abs().sum(-1) > 0) & (self.eta > 0)[:, None])

    def _step_of_finite(self, x0: Tensor, weight: float, finite: Tensor) -> tuple[Tensor, Repulsion]:
        """The same where some samples are not finite (``finite`` (B, N)): each set without them, and they stay."""
        moved = x0.clone()
        neighbour = torch.arange(x0.shape[1], device=x0.device).expand(x0.shape[:2]).clone()
        distance = torch.full(x0.shape[:2], math.inf, dtype=x0.dtype, device=x0.device)
        gate = torch.zeros_like(finite)
        for b, kept in enumerate(finite):
            rows = kept.nonzero().flatten()
            if len(rows) < 2:
                continue
            part, record = self._of_set(b)._step(x0[b : b + 1, rows], weight)
            moved[b, rows], neighbour[b, rows] = part[0], rows[record.neighbour[0]]
            distance[b, rows], gate[b, rows] = record.distance[0], record.gate[0]
        return moved, Repulsion(neighbour, distance, gate)

    def _of_set(self, b: int) -> Pairwise:
        """This guidance, its options included, for set b of the batch alone."""
        alone = copy.copy(self)
        alone.eta, alone.threshold = self.eta[b : b + 1], self.threshold[b : b + 1]
        alone.region = None if self.region is None else self.region[b : b + 1]
        return alone


def off_diagonal(squared: Tensor) -> Tensor:
    """Whether an entry of (B, N, N) is of two different samples: bool (N, N)."""
    return ~torch.eye(squared.shape[-1], dtype=torch.bool, device=squared.device)


def median_squared(squared: Tensor) -> Tensor:
    """The lower median of the squared distances of all pairs, (B, 1, 1), 1e-20 at least; no gradient."""
    median = squared.detach()[:, off_diagonal(squared)].median(dim=-1).values
    return median.clamp_min(1e-20)[:, None, None]
