"""What every sampler shares: the state that it yields, the call of the prior, the reverse variance."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from benchmark.errors import BenchmarkError
from benchmark.lazy import torch
from benchmark.sampling.guidance import Guide, Repulsion

if TYPE_CHECKING:
    from torch import Tensor

    from benchmark.priors.protocol import Prior

VARIANCES = ("learned_range", "fixed_small", "fixed_large")


@dataclass(frozen=True)
class State:
    """A sampler's state after one step; images are (B, N, C, H, W).

    Attributes:
        t: the original timestep of ``x``; -1 = clean.
        x: the state; of the last State it is the restoration.
        x0, x0_guided: the clean estimate before and after guidance; None for a step back in time.
        repulsion: neighbours and gates; None where guidance did not act.
        nfe: network evaluations so far, per sample.
        extra: what a sampler shows beside (the projected estimate, a gradient, the result of its data step).
    """

    t: int
    x: Tensor
    x0: Tensor | None
    x0_guided: Tensor | None
    repulsion: Repulsion | None
    nfe: int
    extra: dict | None = None


def abar_at(prior: Prior, t: int) -> float:
    """abar_t of the prior's schedule; abar_{-1} = 1."""
    return 1.0 if t < 0 else float(prior.alphas_cumprod[t])


def predict_eps(prior: Prior, x: Tensor, t: int) -> tuple[Tensor, Tensor | None]:
    """eps and variance values for a batch of sets (B, N, C, H, W) at original timestep t."""
    eps, variance = prior(x.flatten(0, 1), int(t))
    return eps.unflatten(0, x.shape[:2]), None if variance is None else variance.unflatten(0, x.shape[:2])


def reverse_log_variance(schedule, k: int, kind: str, variance: Tensor | None) -> Tensor | float:
    """log sigma_k^2 of the ancestral step.

    ``fixed_small``: log beta~_k; ``fixed_large``: log beta_k (beta~_1 at k = 0); ``learned_range``:
    f log beta_k + (1 - f) log beta~_k (clipped), f = (v + 1) / 2 (Nichol and Dhariwal 2021, equation 15).

    Raises:
        BenchmarkError: learned range of a network that gives no variance values.
    """
    low, high = schedule.posterior_log_variance_clipped[k], math.log(schedule.betas[k])
    if kind == "learned_range":
        if variance is None:
            raise BenchmarkError(
                "variance: learned_range needs a network with 2C output channels; this one gives eps only: "
                "use fixed_small or fixed_large"
            )
        f = (variance + 1) / 2
        return f * high + (1 - f) * low
    if kind == "fixed_large":
        return low if k == 0 else high
    if kind == "fixed_small":
        return low
    raise BenchmarkError(f"variance: {kind!r} is not known; use learned_range, fixed_small or fixed_large")


def default_variance(prior: Prior) -> str:
    """learned_range where the network gives it, fixed_small elsewhere."""
    return "learned_range" if prior.learned_range else "fixed_small"


def gaussian_sd(log_variance: Tensor | float) -> Tensor | float:
    """exp(log sigma^2 / 2), for a number or a tensor."""
    return torch.exp(0.5 * log_variance) if isinstance(log_variance, torch.Tensor) else math.exp(0.5 * log_variance)


def weighed(guide: Guide, preset: str) -> Guide:
    """``push(x0, t, own, **search)``: the guide with its weight and its search bound by the preset.

    The weight is t/1000 of the current original timestep (``paper``), or ``own``, the released sampler's; ``search`` is
    the released sampler's too, and ``paper`` takes the guide's defaults.
    """
    if preset == "reference":
        return lambda x0, t, own, **search: guide(x0, own, **search)
    return lambda x0, t, own, **_: guide(x0, t / 1000)
