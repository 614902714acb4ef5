"""DDNM and DDNM+: denoising diffusion null-space models (Wang, Yu, Zhang; ICLR 2023, arXiv 2212.00490)."""

from __future__ import annotations

import math
from collections.abc import Iterator
from itertools import pairwise
from typing import TYPE_CHECKING, Annotated

from benchmark.lazy import torch
from benchmark.options import Within
from benchmark.sampling.guidance import HOLE_SEARCH
from benchmark.sampling.sampler import Asked, Clip, Paste, Preset, Steps, sampler
from benchmark.sampling.schedules import even_timesteps, travel_schedule
from benchmark.sampling.state import State, abar_at, predict_eps, weighed

if TYPE_CHECKING:
    from torch import Tensor

    from benchmark.priors.protocol import Prior
    from benchmark.problems.base import Problem
    from benchmark.sampling.guidance import Guide
    from benchmark.sampling.noise import Noise


def _evaluations(options: dict) -> int:
    walk = travel_schedule(options["steps"], options["travel_length"], options["travel_repeat"])
    return sum(later < earlier for earlier, later in pairwise(walk))


def _refuses(problem: Asked, options: dict) -> str | None:
    if problem.sigma > 0 and not problem.has_singular_system:
        return f"needs a singular system for noise, which {problem.name} has not; use diffpir or dps"
    return None


@sampler({"steps": 3}, {"travel_length": 1, "travel_repeat": 1}, _evaluations, _refuses)
def ddnm(
    prior: Prior,
    problem: Problem,
    y: Tensor,
    noise: Noise,
    guide: Guide,
    *,
    preset: Preset = "paper",
    steps: Steps = 100,
    eta_ddim: Annotated[float, Within(0, 1), "Share of fresh noise in a step."] = 0.85,
    travel_length: Annotated[int, Within(1), "Steps of one travel back."] = 1,
    travel_repeat: Annotated[int, Within(1, 1000), "How often a stretch is travelled."] = 1,
    clip: Clip = False,
    recompute_eps: Annotated[bool, "Take the noise estimate from the guided clean estimate."] = False,
    paste: Paste = False,
) -> Iterator[State]:
    """Replace the range-space part of every clean estimate by the measurement's.

    From t to the next timestep u, with e = eps(x, t):

        x0    = (x - sqrt(1 - abar_t) e) / sqrt(abar_t);  guidance acts here
        x0hat = x0 - A^+ (A x0 - y)                                                     (equation 13)
        x     = sqrt(abar_u) x0hat + sqrt(1 - abar_u) (eta z + sqrt(1 - eta^2) e)

    With measurement noise (DDNM+, equations 17-19) the correction and the noise are scaled per singular value, see
    :func:`noisy_update`. A step back in time travel, u > t, draws from q(x_u | x_t) (algorithm 2):

        x = sqrt(abar_u / abar_t) x + sqrt(1 - abar_u / abar_t) z

    ``reference`` draws it as sqrt(abar_u) x0 + sqrt(1 - abar_u) z from the guided, not projected estimate instead, and
    takes the guidance's time factor from the next timestep, u/1000 (``paper``: t/1000).

    Args:
        steps: T; the timesteps are floor(1000 k / T) (``reference``: k floor(1000 / T), which where T does not divide
            1000 begins below the noise that it starts from). eta_ddim: eta, 0 = deterministic beside the correction.
        travel_length, travel_repeat: how far and how often time travel steps back; 1, 1 = not at all.
        clip: clamp x0 to [-1, 1] before the guidance. paste: write the measured part into the result once more.
        recompute_eps: e from the guided (and clipped) x0, (x - sqrt(abar_t) x0) / sqrt(1 - abar_t), as DDRM does.

    Raises:
        BenchmarkError: options out of range.
    """
    reference, push = preset == "reference", weighed(guide, preset)
    even = [k * (1000 // steps) for k in range(steps)] if reference else even_timesteps(steps)[::-1]
    times = [even[k] if k >= 0 else -1 for k in travel_schedule(steps, travel_length, travel_repeat)]
    x, nfe = noise(), 0
    x0_guided = x  # no walk begins with a step back
    yield State(times[0], x, None, None, None, nfe)
    for t, u in pairwise(times):
        abar, abar_u = abar_at(prior, t), abar_at(prior, u)
        if u > t:
            source, kept = (x0_guided, abar_u) if reference else (x, abar_u / abar)
            x = math.sqrt(kept) * source + math.sqrt(1 - kept) * noise()
            yield State(u, x, None, None, None, nfe)
            continue
        eps, _ = predict_eps(prior, x, t)
        nfe += 1
        x0 = raw = (x - math.sqrt(1 - abar) * eps) / math.sqrt(abar)
        if clip:
            x0 = x0.clamp(-1, 1)
        x0_guided, repulsion = x0, None
        if u >= 0:
            x0_guided, repulsion = push(x0, t, u / 1000, **HOLE_SEARCH)
        if recompute_eps and x0_guided is not raw:
            eps = eps - math.sqrt(abar / (1 - abar)) * (x0_guided - raw)
        z, extra = noise(), None
        if problem.sigma == 0:
            x0_projected = x0_guided - problem.pinv(problem.A(x0_guided) - y)
            x, extra = math.sqrt(abar_u) * x0_projected, {"x0_projected": x0_projected}
            if u >= 0:
                x = x + math.sqrt(1 - abar_u) * (eta_ddim * z + math.sqrt(1 - eta_ddim**2) * eps)
        else:
            x = noisy_update(problem, y, x0_guided, eps, z, math.sqrt(abar_u), math.sqrt(1 - abar_u), eta_ddim)
        if u < 0 and paste:
            x = problem.paste(x, y)
        yield State(u, x, x0, x0_guided, repulsion, nfe, extra)


def noisy_update(
    problem: Problem, y: Tensor, x0: Tensor, eps: Tensor, z: Tensor, a: float, sigma: float, eta: float
) -> Tensor:
    """DDNM+ (section 3.3): per singular value s, with a = sqrt(abar_u), sigma = sqrt(1 - abar_u), sigma_y in [-1, 1]:

    lambda = 1 if sigma >= a sigma_y / s, else s sigma sqrt(1 - eta^2) / (a sigma_y);
    noise  = eta sigma z + sigma sqrt(1 - eta^2) e where s = 0; sqrt(sigma^2 - (a sigma_y / s)^2) z where lambda = 1;
    eta sigma z elsewhere. All in the basis V, rotated there and back.
    """
    s, sigma_y = problem.singulars, 2 * problem.sigma
    measured = s > 0
    inverse = torch.where(measured, 1 / torch.where(measured, s, 1.0), 0.0)
    exact = sigma >= a * sigma_y * inverse
    shrink = s * (sigma * math.sqrt(1 - eta**2) / (a * sigma_y))
    lam = torch.where(exact, torch.ones_like(shrink), shrink)
    residual = problem.Vt(x0) - problem.Ut(y) * inverse
    x0_hat = x0 - problem.V(torch.where(measured, lam * residual, torch.zeros_like(residual)))
    from_z = torch.where(exact, (sigma**2 - (a * sigma_y * inverse) ** 2).clamp_min(0).sqrt(), eta * sigma + 0 * s)
    from_z = torch.where(measured, from_z, eta * sigma)
    from_eps = torch.where(measured, 0.0, sigma * math.sqrt(1 - eta**2))
    return a * x0_hat + problem.V(from_z * problem.Vt(z) + from_eps * problem.Vt(eps))
