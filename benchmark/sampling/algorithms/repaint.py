"""RePaint: inpainting by an unconditional diffusion model (Lugmayr et al.; CVPR 2022, arXiv 2201.09865)."""

from __future__ import annotations

import math
from collections.abc import Iterator
from itertools import pairwise
from typing import TYPE_CHECKING, Annotated

from benchmark.lazy import torch
from benchmark.options import Within
from benchmark.sampling.guidance import HOLE_SEARCH, UNGATED
from benchmark.sampling.sampler import Asked, Clip, Paste, Preset, StepsOrRespacing, Variance, count_steps, sampler
from benchmark.sampling.schedules import Schedule, jump_schedule
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


def _evaluations(options: dict) -> int:
    jumps = options["jump_length"], options["jump_n_sample"]
    walk = jump_schedule(count_steps(options), *jumps, start_resampling=options["start_resampling"])
    return sum(later < earlier for earlier, later in pairwise(walk))


def _refuses(problem: Asked, options: dict) -> str | None:
    if problem.name != "inpainting" or problem.sigma > 0:
        return "serves noiseless inpainting only; use ddnm, ddrm, dps or diffpir"
    return None


@sampler({"steps": 4, "jump_length": 2, "jump_n_sample": 2}, {"start_resampling": 4}, _evaluations, _refuses)
def repaint(
    prior: Prior,
    problem: Problem,
    y: Tensor,
    noise: Noise,
    guide: Guide,
    *,
    preset: Preset = "paper",
    steps: StepsOrRespacing = 250,
    jump_length: Annotated[int, Within(1), "Steps of one jump back."] = 10,
    jump_n_sample: Annotated[int, Within(1, 1000), "How often a stretch is sampled."] = 10,
    start_resampling: Annotated[int | None, Within(0), "The step from which on there are jumps."] = None,
    variance: Variance = None,
    clip: Clip = True,
    paste: Paste = False,
) -> Iterator[State]:
    """Ancestral steps on the hole, the noised known pixels around it, resampled by jumps back in time.

    Down, from step k to k - 1 of the respaced schedule, m = 1 on known pixels (algorithm 1):

        x0     = clip((x - sqrt(1 - abar_k) e) / sqrt(abar_k));  guidance acts here, then clip again
        x_unkn = [beta_k sqrt(abar_{k-1}) x0 + (1 - abar_{k-1}) sqrt(alpha_k) x] / (1 - abar_k) + sigma_k z
        x_know = sqrt(abar_{k-1}) y + sqrt(1 - abar_{k-1}) z
        x      = m x_know + (1 - m) x_unkn

    (no pixel sees both noises, so that one draw z serves; the paper prints abar_k in x_know, which would leave the
    known part a step noisier than the rest, and its code does not). Up, from k to k + 1: x = sqrt(1 - beta_{k+1}) x +
    sqrt(beta_{k+1}) z. ``reference`` injects the known pixels at the current noise level before the network
    instead, not on the first step, whose guidance searches the whole image without a gate; leaves known pixels as they
    come out; and weighs by k / T.

    Args:
        steps: T, or a respacing ("250", "ddim25", "10,15,20").
        jump_length, jump_n_sample: how far a jump back goes, and how often each stretch is walked.
        start_resampling: jumps happen below this step only; None = everywhere.
        variance: sigma_k^2: learned_range, fixed_small or fixed_large; by default what the prior has learned.
        clip: clamp x0 to [-1, 1] before and after the guidance. paste: write the known pixels into the result.

    Raises:
        BenchmarkError: a problem other than noiseless inpainting, or options out of range.
    """
    reference, push = preset == "reference", weighed(guide, preset)
    schedule = Schedule.respaced(prior.alphas_cumprod, steps)
    total, hole = len(schedule.timesteps), problem.hole
    assert hole is not None  # other problems are refused
    kind = variance or default_variance(prior)
    walk = jump_schedule(total, jump_length, jump_n_sample, start_resampling=start_resampling)
    x, first, nfe = noise(), True, 0
    yield State(int(schedule.timesteps[walk[0]]), x, None, None, None, nfe)
    for k, following in pairwise(walk):
        if following > k:
            beta = schedule.betas[following]
            x = math.sqrt(1 - beta) * x + math.sqrt(beta) * noise()
            yield State(int(schedule.timesteps[following]), x, None, None, None, nfe)
            continue
        t, abar, before = int(schedule.timesteps[k]), schedule.alphas_cumprod[k], schedule.alphas_cumprod_prev[k]
        z = noise()
        if reference and not first:
            x = torch.where(hole, x, math.sqrt(abar) * y + math.sqrt(1 - abar) * noise())
        eps, values = predict_eps(prior, x, t)
        nfe += 1
        x0 = math.sqrt(1 / abar) * x - math.sqrt(1 / abar - 1) * eps
        x0 = x0.clamp(-1, 1) if clip else x0
        x0_guided, repulsion = x0, None
        if k > 0:
            x0_guided, repulsion = push(x0, t, k / total, **(UNGATED if first else HOLE_SEARCH))
            x0_guided = x0_guided.clamp(-1, 1) if clip else x0_guided
        of_x0, of_x = (float(c[k]) for c in schedule.posterior_mean_coefficients)
        x = of_x0 * x0_guided + of_x * x
        if k > 0:
            x = x + gaussian_sd(reverse_log_variance(schedule, k, kind, values)) * z
        if not reference:
            x = torch.where(hole, x, math.sqrt(before) * y + math.sqrt(1 - before) * z)
        elif paste and following < 0:
            x = problem.paste(x, y)
        first = False
        yield State(int(schedule.timesteps[following]) if following >= 0 else -1, x, x0, x0_guided, repulsion, nfe)
