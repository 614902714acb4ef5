"""DPS: diffusion posterior sampling (Chung, Kim, McCann, Klasky, Ye; ICLR 2023, arXiv 2209.14687)."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated

from benchmark.lazy import torch
from benchmark.options import Within
from benchmark.sampling.guidance import HOLE_SEARCH
from benchmark.sampling.sampler import Clip, Paste, Preset, StepsOrRespacing, Variance, sampler
from benchmark.sampling.schedules import Schedule
from benchmark.sampling.state import (
    State,
    default_variance,
    gaussian_sd,
    predict_eps,
    reverse_log_variance,
    weighed,
)

if TYPE_CHECKING:
    from torch import Tensor

    from benchmark.priors.protocol import Prior
    from benchmark.problems.base import Problem
    from benchmark.sampling.guidance import Guide
    from benchmark.sampling.noise import Noise


@sampler({"steps": 3})
def dps(
    prior: Prior,
    problem: Problem,
    y: Tensor,
    noise: Noise,
    guide: Guide,
    *,
    preset: Preset = "paper",
    steps: StepsOrRespacing = 1000,
    scale: Annotated[float, Within(0), "Step size of the measurement's gradient."] = 2.0,
    variance: Variance = None,
    clip: Clip = True,
    paste: Paste = False,
) -> Iterator[State]:
    """Ancestral sampling with a gradient step on the measurement's residual.

    From step k to k - 1 (algorithm 1; scale = 2 zeta', since zeta' grad ||r||^2 / ||r|| = 2 zeta' grad ||r||):

        x0 = clip((x - sqrt(1 - abar_k) e) / sqrt(abar_k));  guidance acts here, inside the gradient, then clip again
        x' = [beta_k sqrt(abar_{k-1}) x0 + (1 - abar_{k-1}) sqrt(alpha_k) x] / (1 - abar_k) + sigma_k z
        x  = x' - scale grad_x sum_i ||y - A x0_i||_2

    The norm is taken per image. The gradient passes through the guidance, the neighbour's part included, so that guided
    samples of a set are coupled. ``reference`` weighs by k / T and makes one further draw that it never uses.

    Args:
        steps: T, or a respacing ("250", "ddim25", "10,15,20"). scale: the step along the gradient of the norm.
        variance: sigma_k^2: learned_range, fixed_small or fixed_large; by default what the prior has learned.
        clip: clamp x0 to [-1, 1] before and after the guidance. paste: write the measured part into the result.

    Raises:
        BenchmarkError: options out of range, learned range asked of a network without it.
    """
    reference, push = preset == "reference", weighed(guide, preset)
    schedule = Schedule.respaced(prior.alphas_cumprod, steps)
    total = len(schedule.timesteps)
    kind = variance or default_variance(prior)
    x, nfe = noise(), 0
    yield State(int(schedule.timesteps[-1]), x, None, None, None, nfe)
    for k in reversed(range(total)):
        t, abar = int(schedule.timesteps[k]), schedule.alphas_cumprod[k]
        with torch.enable_grad():
            x = x.detach().requires_grad_()
            eps, values = predict_eps(prior, x, t)
            nfe += 1
            x0 = math.sqrt(1 / abar) * x - math.sqrt(1 / abar - 1) * eps
            x0 = x0.clamp(-1, 1) if clip else x0
            x0_guided, repulsion = x0, None
            if k > 0:
                x0_guided, repulsion = push(x0, t, k / total, **HOLE_SEARCH)
                x0_guided = x0_guided.clamp(-1, 1) if clip else x0_guided
            norm = torch.linalg.vector_norm((y - problem.A(x0_guided)).flatten(2), dim=-1)
            (gradient,) = torch.autograd.grad(norm.sum(), x)
        with torch.no_grad():
            of_x0, of_x = (float(c[k]) for c in schedule.posterior_mean_coefficients)
            ancestral = of_x0 * x0_guided + of_x * x
            z = noise()
            if k > 0:
                log_variance = reverse_log_variance(schedule, k, kind, None if values is None else values.detach())
                ancestral = ancestral + gaussian_sd(log_variance) * z
            if reference:
                noise()
            x = ancestral - scale * gradient
            if k == 0 and paste:
                x = problem.paste(x, y)
        extra = {"gradient": gradient, "norm": norm.detach(), "before": ancestral}
        following = int(schedule.timesteps[k - 1]) if k > 0 else -1
        yield State(following, x, x0.detach(), x0_guided.detach(), repulsion, nfe, extra)
