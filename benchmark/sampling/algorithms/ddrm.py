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
from benchmark.sampling.state import State, abar_at, predict_eps

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

    The noise z is drawn as coefficients. This is ``paper``, :func:`published`; ``reference`` is :func:`released`.

    Args:
        steps: K; the timesteps are floor(1000 k / K) (``reference``: all multiples of floor(1000 / K) below 1000, which
            are more than K where K does not divide 1000).
        eta, eta_b: how much of the noise is new, for coefficients measured worse and better than sigma_t.
        clip: clamp x0 to [-1, 1] before the guidance. paste: write the measured part into the result once more.

    Raises:
        BenchmarkError: a problem without a singular system, or options out of range.
    """
    run = released if preset == "reference" else published
    return run(prior, problem, y, noise, guide, steps=steps, eta=eta, eta_b=eta_b, clip=clip, paste=paste)


def published(
    prior: Prior, problem: Problem, y: Tensor, noise: Noise, guide: Guide, *,
    steps: int, eta: float, eta_b: float, clip: bool, paste: bool,
) -> Iterator[State]:  # fmt: skip
    """Equations 4 to 8; one draw a step. Options as those of :func:`ddrm`."""
    s, inverse, measured = problem.singulars, problem.inverse_singulars, problem.singulars > 0
    sigma_0, ybar = 2 * problem.sigma, problem.Ut(y) * problem.inverse_singulars
    times = [*even_timesteps(steps), -1]
    x = math.sqrt(abar_at(prior, times[0])) * _start(problem, ybar, noise(), _level(prior, times[0]))
    yield State(times[0], x, None, None, None, 0)
    for nfe, (t, u) in enumerate(pairwise(times), start=1):
        sigma = _level(prior, u)
        x0, eps = _clean(prior, x, t, clip)
        x0_guided, repulsion = guide(x0, t / 1000) if u >= 0 else (x0, None)
        eps = eps if repulsion is None else _moved(eps, x0_guided - x0, abar_at(prior, t))
        z, zbar = noise(), problem.Vt(x0_guided)
        seen = zbar
        if u >= 0:
            zbar = zbar + sigma * (math.sqrt(1 - eta**2) * problem.Vt(eps) + eta * z)
        if sigma_0 > 0:
            drift = sigma * math.sqrt(1 - eta**2) / sigma_0 * (s * ybar - s * seen)
            zbar = torch.where(measured & (s * sigma < sigma_0), seen + drift + sigma * eta * z, zbar)
        well = eta_b * ybar + (1 - eta_b) * seen + _width(sigma, eta_b * sigma_0 * inverse) * z
        zbar = torch.where(measured & (s * sigma >= sigma_0), well, zbar)
        x = math.sqrt(abar_at(prior, u)) * problem.V(zbar)
        yield State(u, problem.paste(x, y) if u < 0 and paste else x, x0, x0_guided, repulsion, nfe)


def released(
    prior: Prior, problem: Problem, y: Tensor, noise: Noise, guide: Guide, *,
    steps: int, eta: float, eta_b: float, clip: bool, paste: bool,
) -> Iterator[State]:  # fmt: skip
    """The authors' code with guidance: what it does beside the equations, under the options of :func:`ddrm`.

    Guidance reaches the null space alone, and neighbours are searched over the whole image; the time factor is u/1000;
    no coefficient is set where s' = sigma_0/s, so that the last step returns the raw x0 where there is no noise; the
    start is divided by sigma_T rather than scaled by sqrt(abar_T); three draws a step (all coefficients, those after,
    those before).
    """
    s, inverse, measured = problem.singulars, problem.inverse_singulars, problem.singulars > 0
    sigma_0, ybar = 2 * problem.sigma, problem.Ut(y) * problem.inverse_singulars
    times = [*ddrm_timesteps(steps), -1]
    top = _level(prior, times[0])
    x = 1 / top * _start(problem, ybar, noise(), top)
    yield State(times[0], x, None, None, None, 0)
    for nfe, (t, u) in enumerate(pairwise(times), start=1):
        sigma = _level(prior, u)
        x0, eps = _clean(prior, x, t, clip)
        x0_guided, repulsion = guide(x0, u / 1000, **WHOLE) if u >= 0 else (x0, None)
        eps = eps if repulsion is None else _moved(eps, x0_guided - x0, abar_at(prior, t))
        z, z_after, z_before = noise(), noise(), noise()
        zbar, seen = problem.Vt(x0_guided), problem.Vt(x0)
        if u >= 0:
            zbar = zbar + sigma * (math.sqrt(1 - eta**2) * problem.Vt(eps) + eta * z)
        if sigma_0 > 0:
            drift = sigma * math.sqrt(1 - eta**2) / sigma_0 * (s * ybar - s * seen)
            zbar = torch.where(measured & (s * sigma < sigma_0), seen + drift + sigma * eta * z_after, zbar)
        well = eta_b * ybar + (1 - eta_b) * seen + _width(sigma, eta_b * sigma_0 * inverse) * z_before
        zbar = torch.where(measured & (s * sigma > sigma_0), well, zbar)
        x = math.sqrt(abar_at(prior, u)) * problem.V(zbar)
        yield State(u, problem.paste(x, y) if u < 0 and paste else x, x0, x0_guided, repulsion, nfe)


def _level(prior: Prior, t: int) -> float:
    """sigma_t = sqrt(1 - abar_t) / sqrt(abar_t)."""
    return math.sqrt(1 - abar_at(prior, t)) / math.sqrt(abar_at(prior, t))


def _width(sigma: float, of_y: Tensor) -> Tensor:
    """sqrt(sigma^2 - of_y^2), 0 where that is negative: the noise that a measured coefficient still lacks."""
    return (sigma**2 - of_y**2).clamp_min(0).sqrt()


def _start(problem: Problem, ybar: Tensor, z: Tensor, sigma: float) -> Tensor:
    """V zbar_T (equation 7): ybar and the noise that it lacks where s sigma_T > sigma_0, noise of sigma_T elsewhere."""
    s, sigma_0 = problem.singulars, 2 * problem.sigma
    visible = s * sigma > sigma_0
    spread = torch.where(visible, _width(sigma, sigma_0 * problem.inverse_singulars), sigma)
    return problem.V(torch.where(visible, ybar, 0.0) + spread * z)


def _clean(prior: Prior, x: Tensor, t: int, clip: bool) -> tuple[Tensor, Tensor]:
    """x0 = (x - sqrt(1 - abar_t) e) / sqrt(abar_t), and e."""
    abar = abar_at(prior, t)
    eps, _ = predict_eps(prior, x, t)
    x0 = (x - math.sqrt(1 - abar) * eps) / math.sqrt(abar)
    return x0.clamp(-1, 1) if clip else x0, eps


def _moved(eps: Tensor, push: Tensor, abar: float) -> Tensor:
    """(x - sqrt(abar_t) x0_guided) / sqrt(1 - abar_t), written so that no movement changes no bit."""
    return eps - math.sqrt(abar / (1 - abar)) * push
