"""The repulsion between the restorations of a set: one definition for every sampler.

``guide(x0, weight)`` takes the clean estimates x0 (B, N, C, H, W) of B sets and gives the guided ones with a record of
neighbours and gates. It draws no noise and may be differentiated.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import NamedTuple

import torch
from torch import Tensor

from benchmark.errors import BenchmarkError

UNITS = ("rms", "repaint", "ddnm", "dps", "full")


class Repulsion(NamedTuple):
    """What the guidance did at one step; all (B, N)."""

    neighbour: Tensor  # index of the nearest neighbour
    distance: Tensor  # ||x0_i - x0_nn(i)||_2 over the whole image
    gate: Tensor  # whether the sample was moved


Guide = Callable[..., tuple[Tensor, Repulsion | None]]


def no_guidance(x0: Tensor, weight: float, **_: object) -> tuple[Tensor, None]:
    """The identity: plain sampling."""
    return x0, None


def nearest_neighbours(x0: Tensor, region: Tensor | None = None) -> Tensor:
    """nn(i) = argmin_{j != i} ||S (x0_i - x0_j)||^2 of every sample: (B, N, C, H, W) -> (B, N).

    ``region`` (broadcastable to x0, True = searched) is S; None searches the whole image.
    """
    with torch.no_grad():
        points = (x0 if region is None else x0 * region).flatten(2)
        squared = (points.unsqueeze(1) - points.unsqueeze(2)).square().sum(-1)
        squared.diagonal(dim1=1, dim2=2).fill_(math.inf)
        return squared.argmin(-1)


def nearest_neighbour_step(
    x0: Tensor, eta: Tensor, threshold: Tensor | None, weight: float, region: Tensor | None = None
) -> tuple[Tensor, Repulsion]:
    """x0_i + eta w 1[||r_i||_2 <= threshold] r_i with r_i = x0_i - x0_nn(i), all i at once.

    Args:
        x0: (B, N, C, H, W), N >= 2.
        eta, threshold: (B,); the threshold in the L2 norm over the whole image, None for no gate.
        weight: the time factor w.
        region: where neighbours are searched, broadcastable to x0; None = everywhere.

    Source: arXiv 2310.16047, section 4; the gate and the full-image step as in its released code.
    """
    neighbour = nearest_neighbours(x0, region)
    index = neighbour[:, :, None, None, None].expand_as(x0)
    r = x0 - x0.gather(1, index)
    distance = torch.linalg.vector_norm(r.detach(), dim=(2, 3, 4))
    gate = torch.ones_like(distance, dtype=torch.bool) if threshold is None else distance <= threshold[:, None]
    step = (eta[:, None] * weight * gate).to(x0.dtype)
    return x0 + step[:, :, None, None, None] * r, Repulsion(neighbour, distance, gate)


class NearestNeighbour:
    """The guidance of arXiv 2310.16047 for a batch of sets: eta and threshold may differ per set.

    Args:
        eta: (B,) step size. threshold: (B,) in the L2 norm. region: hole (B, 1, 1, H, W), or None.
    """

    def __init__(self, eta: Tensor, threshold: Tensor, region: Tensor | None = None):
        self.eta, self.threshold, self.region = eta, threshold, region

    def __call__(
        self, x0: Tensor, weight: float, *, whole: bool = False, gated: bool = True
    ) -> tuple[Tensor, Repulsion]:
        """Guided x0 and the record; ``whole`` searches the whole image, ``gated`` False ignores the threshold."""
        return nearest_neighbour_step(
            x0, self.eta, self.threshold if gated else None, weight, None if whole else self.region
        )


def threshold_norm(D: float, unit: str, n: int, shape: tuple[int, int, int], hole: Tensor | None) -> Tensor | float:
    """The L2 norm over the whole image that a distance ``D`` stands for, per set.

    With m = C |hole| unknown elements (C H W without a hole): ``rms``: D sqrt(m); ``repaint``: D N m; ``ddnm``: D m;
    ``dps``: D |hole|; ``full``: D C H W. Source: the divisors of the released samplers of arXiv 2310.16047.

    Args:
        hole: bool (B, 1, 1, H, W) or None.
    """
    if unit not in UNITS:
        raise BenchmarkError(f"D_unit: {unit!r} is not known; use one of {', '.join(UNITS)}")
    channels, height, width = shape
    pixels = height * width if hole is None else hole.flatten(1).sum(1).double()
    elements = channels * pixels
    if unit == "rms":
        return D * elements**0.5
    if unit == "full":
        return D * channels * height * width + 0.0 * pixels
    return D * {"repaint": n * elements, "ddnm": elements, "dps": pixels}[unit]


def rms_of(D: float, unit: str, n: int, shape: tuple[int, int, int], hole: Tensor | None) -> Tensor | float:
    """The RMS twin of a distance: its L2 norm divided by the square root of the number of unknown elements."""
    return threshold_norm(D, unit, n, shape, hole) / threshold_norm(1.0, "rms", n, shape, hole)


# ------------------------------------------------------------------------------------------------------------ registry
def _nearest_neighbour(eta: Tensor, threshold: Tensor, region: Tensor | None) -> Guide:
    return NearestNeighbour(eta, threshold, region)


GUIDANCE: dict[str, Callable[..., Guide]] = {"nearest_neighbour": _nearest_neighbour}


def build_guidance(settings: dict | None, problem, n: int, count: int, device, dtype) -> tuple[Guide, list[float]]:
    """The guide of ``{"name", "eta", "D", "D_unit", ...}`` for ``count`` sets of ``n``, and the RMS twin of D per set.

    Raises:
        BenchmarkError: unknown name or unit, negative eta or D, a finite D without unit, N = 1 with eta > 0.
    """
    if settings is None:
        return no_guidance, [0.0] * count
    options = dict(settings)
    name, eta, D = options.pop("name", None), options.pop("eta", None), options.pop("D", None)
    unit = options.pop("D_unit", None)
    if name not in GUIDANCE:
        raise BenchmarkError(f"guidance.name: {name!r} is not known; use one of {', '.join(GUIDANCE)}")
    if eta is None or not 0 <= eta < math.inf:
        raise BenchmarkError(f"guidance.eta: {eta} is out of range; give a step size of 0 or more")
    if D is None or not D >= 0:
        raise BenchmarkError(f"guidance.D: {D} is out of range; give a distance of 0 or more, or inf")
    if unit is None and 0 < D < math.inf:
        raise BenchmarkError(f"guidance.D_unit: D = {D} has no unit; give one of {', '.join(UNITS)}")
    if n < 2 and eta > 0 and D > 0:
        raise BenchmarkError(f"n: a set of {n} has no neighbours to repel with eta = {eta}; give n of 2 or more")
    norm = threshold_norm(D, unit or "rms", n, problem.image_shape, problem.hole) if math.inf > D else math.inf
    twin = rms_of(D, unit or "rms", n, problem.image_shape, problem.hole) if math.inf > D else math.inf
    threshold = torch.as_tensor(norm, dtype=torch.float64, device=device).expand(count)
    etas = torch.full((count,), float(eta), dtype=torch.float64, device=device)
    region = None if problem.hole is None else problem.hole.to(dtype)
    try:
        guide = GUIDANCE[name](etas, threshold, region, **options)
    except TypeError:
        raise BenchmarkError(f"guidance {name}: unknown option among {', '.join(options)}") from None
    return guide, torch.as_tensor(twin, dtype=torch.float64).cpu().expand(count).tolist()
