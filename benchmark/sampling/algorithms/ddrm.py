"""DDRM: denoising diffusion restoration models (Kawar, Elad, Ermon, Song; NeurIPS 2022, arXiv 2201.11793)."""

from __future__ import annotations

import math
from collections.abc import Iterator
from itertools import pairwise
from typing import TYPE_CHECKING, Annotated

from benchmark.lazy import torch
from benchmark.options import Within
from benchmark.sampling.guidance import WHOLE
from benchmark.sampling.sampler import Asked, Clip, Paste, Preset, Steps, sampler
from benchmark.sampling.schedules import ddrm_timesteps, even_timesteps
from benchmark.sampling.state import State, abar_at, predict_eps, time_factor

if TYPE_CHECKING:
    from torch import Tensor

    from benchmark.priors.protocol import Prior
    from benchmark.problems.base import Problem
    from benchmark.sampling.guidance import Guide
    from benchmark.sampling.noise import Noise


def _evaluations(options: dict) -> int:
    return len(ddrm_timesteps(options["steps"])) if options["preset"] == "reference" else options["steps"]


def _refuses(problem: Asked, options: dict) -> str | None:
    if not problem.has_singular_system:
        return f"needs a singular system, which {problem.name} has not; use ddnm or diffpir"
    return None


@sampler({"steps": 2}, evaluations=_evaluations, refuses=_refuses)
def ddrm(
    prior: Prior,
    problem: Problem,
    y: Tensor,
    noise: Noise,
    guide: Guide,
    *,
    preset: Preset = "paper",
    steps: Steps = 20,
    eta: Annotated[float, Within(0, 1), "Share of fresh noise where little is measured."] = 0.85,
    eta_b: Annotated[float, Within(0, 1), "Weight of a measurement less noisy than the state."] = 1.0,
    clip: Clip = False,
    paste: Paste = False,
) -> Iterator[State]:
    """Diffuse in the spectral space of A = U S V^T, each coefficient by how well it was measured.

    With sigma_t = sqrt(1 - abar_t) / sqrt(abar_t), sigma_0 = 2 sigma, ybar = S^-1 U^T y, from t to the next u and
    s' = sigma_u (equations 4 to 8):

        x0 = (x - sqrt(1 - abar_t) e) / sqrt(abar_t);  guidance acts here, and e is recomputed from the guided x0
        s = 0:            zbar = V^T x0 + s' sqrt(1 - eta^2) V^T e + s' eta z
        s' <  sigma_0/s:  zbar = V^T x0 + s' sqrt(1 - eta^2) (ybar - V^T x0) s / sigma_0 + s' eta z
        s' >= sigma_0/s:  zbar = eta_b ybar + (1 - eta_b) V^T x0 + sqrt(s'^2 - eta_b^2 sigma_0^2 / s^2) z
        x = sqrt(abar_u) V zbar

    The noise z is drawn as coefficients. ``reference``: guidance reaches the null space alone, and neighbours are
    searched over the whole image; the time factor is u/1000; the last step returns the raw x0; the start is divided by
    sigma_T rather than scaled by sqrt(abar_T); three draws a step (all coefficients, those after, those before).

    Args:
        steps: K; the timesteps are floor(1000 k / K) (``reference``: all multiples of floor(1000 / K) below 1000, which
            are more than K where K does not divide 1000).
        eta, eta_b: how much of the noise is new, for coefficients measured worse and better than sigma_t.
        clip: clamp x0 to [-1, 1] before the guidance. paste: write the measured part into the result once more.

    Raises:
        BenchmarkError: a problem without a singular system, or options out of range.
    """
    reference = preset == "reference"
    s, inverse, measured = problem.singulars, problem.inverse_singulars, problem.singulars > 0
    sigma_0 = 2 * problem.sigma
    ybar = problem.Ut(y) * inverse
    times = [*(ddrm_timesteps(steps) if reference else even_timesteps(steps)), -1]

    def level(t: int) -> float:
        return math.sqrt(1 - abar_at(prior, t)) / math.sqrt(abar_at(prior, t))

    top = level(times[0])
    visible = s * top > sigma_0
    spread = torch.where(visible, (top**2 - (sigma_0 * inverse) ** 2).clamp_min(0).sqrt(), top)
    z = torch.where(visible, ybar, 0.0) + spread * noise()
    x = problem.V(z) * (1 / top if reference else math.sqrt(abar_at(prior, times[0])))
    nfe = 0
    yield State(times[0], x, None, None, None, nfe)
    for t, u in pairwise(times):
        abar, sigma = abar_at(prior, t), level(u)
        eps, _ = predict_eps(prior, x, t)
        nfe += 1
        x0 = (x - math.sqrt(1 - abar) * eps) / math.sqrt(abar)
        x0 = x0.clamp(-1, 1) if clip else x0
        x0_guided, repulsion = x0, None
        if u >= 0:
            x0_guided, repulsion = guide(x0, time_factor(preset, t, u / 1000), **(WHOLE if reference else {}))
            if repulsion is not None:
                # (x - sqrt(abar_t) x0_guided) / sqrt(1 - abar_t), written so that no movement changes no bit
                eps = eps - math.sqrt(abar / (1 - abar)) * (x0_guided - x0)
        z = noise()
        z_after, z_before = (noise(), noise()) if reference else (z, z)
        after = measured & (s * sigma < sigma_0)
        before = measured & (s * sigma > sigma_0 if reference else s * sigma >= sigma_0)
        free = problem.Vt(x0_guided)
        if u >= 0:
            free = free + sigma * (math.sqrt(1 - eta**2) * problem.Vt(eps) + eta * z)
        seen = problem.Vt(x0 if reference else x0_guided)
        zbar = free
        if sigma_0 > 0:
            drift = sigma * math.sqrt(1 - eta**2) / sigma_0 * (s * ybar - s * seen)
            zbar = torch.where(after, seen + drift + sigma * eta * z_after, zbar)
        width = (sigma**2 - (eta_b * sigma_0 * inverse) ** 2).clamp_min(0).sqrt()
        zbar = torch.where(before, eta_b * ybar + (1 - eta_b) * seen + width * z_before, zbar)
        x = math.sqrt(abar_at(prior, u)) * problem.V(zbar)
        if u < 0 and paste:
            x = problem.paste(x, y)
        yield State(u, x, x0, x0_guided, repulsion, nfe)
