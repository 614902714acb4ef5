"""The repulsion between the restorations of a set: one definition for every sampler.

``guide(x0, weight)`` takes the clean estimates x0 (B, N, C, H, W) of B sets and gives the guided ones with a record of
neighbours and gates. It draws no noise and may be differentiated.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple

from benchmark.errors import BenchmarkError
from benchmark.lazy import torch

if TYPE_CHECKING:
    from torch import Tensor

    from benchmark.problems.base import Problem

UNITS = ("rms", "repaint", "ddnm", "dps", "full")


class Repulsion(NamedTuple):
    """What the guidance did at one step; all (B, N)."""

    neighbour: Tensor  # index of the nearest neighbour
    distance: Tensor  # ||x0_i - x0_nn(i)||_2 over the elements that the gate looks at
    gate: Tensor  # whether the sample was moved


# what the released samplers ask of a guide: neighbours over the hole or the image, the gate's norm over the image
HOLE_SEARCH = {"search": "hole", "norm": "image"}
WHOLE = {"search": "image", "norm": "image"}
UNGATED = {"search": "image", "norm": None}

Guide = Callable[..., "tuple[Tensor, Repulsion | None]"]


def no_guidance(x0: Tensor, weight: float, **_: object) -> tuple[Tensor, None]:
    """The identity: plain sampling."""
    return x0, None


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


class NearestNeighbour:
    """The guidance of arXiv 2310.16047 for a batch of sets: eta and threshold may differ per set.

    Args:
        eta: (B,) step size. threshold: (B,) in the L2 norm. region: hole (B, 1, 1, H, W), or None.
    """

    def __init__(self, eta: Tensor, threshold: Tensor, region: Tensor | None = None):
        self.eta, self.threshold, self.region = eta, threshold, region

    def __call__(
        self, x0: Tensor, weight: float, *, search: str = "hole", norm: str | None = "hole"
    ) -> tuple[Tensor, Repulsion]:
        """Guided x0 and the record.

        ``search`` ("hole" or "image") says where neighbours are looked for, ``norm`` where the gate measures (None: no
        gate). The defaults are the ``paper`` preset's: a distance over the same elements that D is divided by. The
        released samplers take the gate's norm over the image.
        """
        where = {"hole": self.region, "image": None, None: None}
        threshold = None if norm is None else self.threshold
        return nearest_neighbour_step(x0, self.eta, threshold, weight, where[search], where[norm])


def threshold_norm(D: float, unit: str, n: int, shape: tuple[int, int, int], hole: Tensor | None) -> Tensor | float:
    """The L2 norm that a distance ``D`` stands for, per set.

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


# --------------------------------------------------------------------------------------------- other joint guidances
class _Pairwise:
    """A guidance x0_i + eta sum_j c_ij (x0_i - x0_j), with coefficients c that a subclass takes from the distances.

    Distances are taken over the hole, where there is one: these papers restore nothing and know no hole. Pairs further
    apart than D are left alone, so that D = 0 is plain sampling here as well; D = inf is what the papers have. Since
    c_ij = c_ji and the gate is the pair's, these pushes conserve the set's mean. A sample whose squared norm is not
    finite stays as it is, and the others are pushed as if it were not in their set. ``search`` and ``norm`` are
    accepted for the samplers' sake and change nothing.
    """

    timed = True  # whether the time factor w applies
    needs_radius = False  # whether D must be finite

    def __init__(self, eta: Tensor, threshold: Tensor, region: Tensor | None = None):
        self.eta, self.threshold, self.region = eta, threshold, region

    def coefficients(self, squared: Tensor) -> Tensor:
        """c (B, N, N) from the squared distances (B, N, N)."""
        raise NotImplementedError

    def __call__(
        self, x0: Tensor, weight: float, *, search: str = "hole", norm: str | None = "hole"
    ) -> tuple[Tensor, Repulsion]:
        """Guided x0 and the record of nearest neighbours; a gate is open where the sample was pushed at all."""
        finite = x0.detach().flatten(2).square().sum(-1).isfinite()
        return self._step(x0, weight) if finite.all() else self._step_of_finite(x0, weight, finite)

    def _step(self, x0: Tensor, weight: float) -> tuple[Tensor, Repulsion]:
        difference = x0.unsqueeze(2) - x0.unsqueeze(1)  # (B, N, N, C, H, W)
        seen = difference if self.region is None else difference * self.region.unsqueeze(1)
        squared = seen.flatten(3).square().sum(-1)
        c = self.coefficients(squared) * (squared.detach() <= self.threshold[:, None, None] ** 2)
        step = self.eta[:, None, None] * (weight if self.timed else float(weight > 0)) * c
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
            region = None if self.region is None else self.region[b : b + 1]
            alone = type(self)(self.eta[b : b + 1], self.threshold[b : b + 1], region)
            part, record = alone._step(x0[b : b + 1, rows], weight)
            moved[b, rows], neighbour[b, rows] = part[0], rows[record.neighbour[0]]
            distance[b, rows], gate[b, rows] = record.distance[0], record.gate[0]
        return moved, Repulsion(neighbour, distance, gate)


class ParticleGuidance(_Pairwise):
    """Particle Guidance (Corso et al. 2024, arXiv 2310.13102) with its Gaussian kernel.

    The gradient of log Phi = -sum_ij k(x_i, x_j), k = exp(-||x_i - x_j||^2 / h), h = median^2 / log N, goes with
    sum_j k_ij (x_i - x_j), j != i; median^2 is the lower median of the squared distances of all pairs, 1e-20 at least.
    The factor 2/h and the strength alpha_t are eta and the time factor here. The paper moves the noisy state; moving
    the clean estimate, as every guidance here does, is this project's choice.
    """

    def coefficients(self, squared: Tensor) -> Tensor:
        n = squared.shape[-1]
        off = ~torch.eye(n, dtype=torch.bool, device=squared.device)
        median = squared.detach()[:, off].median(dim=-1).values.clamp_min(1e-20)
        return torch.exp(-squared * (math.log(n) / median)[:, None, None]) * off


class Spell(_Pairwise):
    """SPELL, sparse repellency (Kirchhof et al. 2025, arXiv 2410.06025) within the batch, D its radius r.

    x0_i + eta sum_j max(0, r / ||x0_i - x0_j|| - 1) (x0_i - x0_j): with eta = 1 a single close pair ends a radius apart
    from where the other was. Distances are taken to be 1e-6 at least, and equal samples do not part: there is no
    direction between them. No time factor.
    """

    timed = False
    needs_radius = True

    def coefficients(self, squared: Tensor) -> Tensor:
        n = squared.shape[-1]
        distance = squared.clamp_min(1e-12).sqrt()
        radius = self.threshold.to(squared.dtype)[:, None, None]
        return (radius / distance - 1).clamp_min(0) * (1 - torch.eye(n, dtype=squared.dtype, device=squared.device))


class DeterminantalGuidance(_Pairwise):
    """DiverseFlow's determinantal point process (Morshed and Boddeti 2025, arXiv 2504.07894), without its quality term.

    The gradient of log det(L + e I) - log det(L + I), L_ij = exp(-||x_i - x_j||^2 / median^2), with G = (L + e I)^-1 -
    (L + I)^-1 is -(4 / median^2) sum_j G_ij L_ij (x_i - x_j). e = 1e-4, which the paper has not, keeps the inverse
    finite where samples are equal; median^2 as in :class:`ParticleGuidance`. The factor 4 / median^2 is in eta. The
    paper differentiates through the network to the noisy state; the clean estimate is moved here.
    """

    def coefficients(self, squared: Tensor) -> Tensor:
        n = squared.shape[-1]
        off = ~torch.eye(n, dtype=torch.bool, device=squared.device)
        median = squared.detach()[:, off].median(dim=-1).values.clamp_min(1e-20)
        L = torch.exp(-squared / median[:, None, None]).double()
        eye = torch.eye(n, dtype=L.dtype, device=L.device)
        G = torch.linalg.inv(L + 1e-4 * eye) - torch.linalg.inv(L + eye)
        return (-G * L * off).to(squared.dtype)


# ------------------------------------------------------------------------------------------------------------ registry
GUIDANCE: dict[str, Callable[..., Guide]] = {
    "nearest_neighbour": NearestNeighbour,
    "particle": ParticleGuidance,
    "spell": Spell,
    "dpp": DeterminantalGuidance,
}


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def build_guidance(
    settings: dict | None, problem: Problem, n: int, count: int, device, dtype
) -> tuple[Guide, list[float]]:
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
    if not _is_number(eta) or not 0 <= eta < math.inf:
        raise BenchmarkError(f"guidance.eta: {eta} is out of range; give a step size of 0 or more")
    if not _is_number(D) or not D >= 0:
        raise BenchmarkError(f"guidance.D: {D} is out of range; give a distance of 0 or more, or inf")
    if getattr(GUIDANCE[name], "needs_radius", False) and math.isinf(D):
        raise BenchmarkError(f"guidance.D: {name} needs a finite radius; give D and D_unit")
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
