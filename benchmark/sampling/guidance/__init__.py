"""The repulsion between the restorations of a set: one definition for every sampler, a file for every guidance.

``guide(x0, weight)`` takes the clean estimates x0 (B, N, C, H, W) of B sets and gives the guided ones with a record of
neighbours and gates. It draws no noise and may be differentiated. A new one is a class under ``@guidance`` in a file of
its own here, which says all that there is to say of it.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from benchmark.discovery import modules_of
from benchmark.errors import BenchmarkError
from benchmark.lazy import torch
from benchmark.options import is_kind, option_faults, options_of
from benchmark.sampling.guidance.base import (
    GUIDANCE,
    HOLE_SEARCH,
    UNGATED,
    WHOLE,
    Guidance,
    Guide,
    Repulsion,
    guidance,
    no_guidance,
)
from benchmark.sampling.guidance.nearest_neighbour import NearestNeighbour, nearest_neighbours
from benchmark.sampling.guidance.units import UNITS, rms_of, threshold_norm

if TYPE_CHECKING:
    from benchmark.problems.base import Problem

modules_of(__name__, __path__)  # each enters its guidances
__all__ = [
    "GUIDANCE",
    "HOLE_SEARCH",
    "UNGATED",
    "UNITS",
    "WHOLE",
    "Guidance",
    "Guide",
    "NearestNeighbour",
    "Repulsion",
    "build_guidance",
    "guidance",
    "nearest_neighbours",
    "no_guidance",
    "rms_of",
    "threshold_norm",
]


def build_guidance(
    settings: dict | None, problem: Problem, n: int, count: int, device, dtype
) -> tuple[Guide, list[float]]:
    """The guide of ``{"name", "eta", "D", "D_unit", ...}`` for ``count`` sets of ``n``, and the RMS twin of D per set.

    Raises:
        BenchmarkError: unknown name, unit or option, a value out of range, a distance that the guidance refuses,
            negative eta or D, a finite D without unit, N = 1 with eta > 0.
    """
    if settings is None:
        return no_guidance, [0.0] * count
    options = dict(settings)
    name, eta, D = options.pop("name", None), options.pop("eta", None), options.pop("D", None)
    unit = options.pop("D_unit", None)
    if name not in GUIDANCE:
        raise BenchmarkError(f"guidance.name: {name!r} is not known; use one of {', '.join(GUIDANCE)}")
    if not is_kind(eta, "float") or not 0 <= eta < math.inf:
        raise BenchmarkError(f"guidance.eta: {eta} is out of range; give a step size of 0 or more")
    if not is_kind(D, "float") or not D >= 0:
        raise BenchmarkError(f"guidance.D: {D} is out of range; give a distance of 0 or more, or inf")
    if reason := GUIDANCE[name].refuses(D, options):
        raise BenchmarkError(f"guidance.D: {name} {reason}")
    if unit is None and 0 < D < math.inf:
        raise BenchmarkError(f"guidance.D_unit: D = {D} has no unit; give one of {', '.join(UNITS)}")
    if n < 2 and eta > 0 and D > 0:
        raise BenchmarkError(f"n: a set of {n} has no neighbours to repel with eta = {eta}; give n of 2 or more")
    for fault in option_faults(options_of(GUIDANCE[name]), options, "guidance"):
        raise BenchmarkError(fault)
    norm = threshold_norm(D, unit or "rms", n, problem.image_shape, problem.hole) if math.inf > D else math.inf
    twin = rms_of(D, unit or "rms", n, problem.image_shape, problem.hole) if math.inf > D else math.inf
    threshold = torch.as_tensor(norm, dtype=torch.float64, device=device).expand(count)
    etas = torch.full((count,), float(eta), dtype=torch.float64, device=device)
    region = None if problem.hole is None else problem.hole.to(dtype)
    guide = GUIDANCE[name](etas, threshold, region, **options)
    return guide, torch.as_tensor(twin, dtype=torch.float64).cpu().expand(count).tolist()
