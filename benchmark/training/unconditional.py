"""Unconditional samples of a prior: DDIM over evenly spaced timesteps."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor

from benchmark.priors.protocol import Prior


@torch.no_grad()
def ddim(
    prior: Prior, x: Tensor, steps: int = 50, eta: float = 0.0, randn: Callable[[torch.Size], Tensor] = torch.randn
) -> Tensor:
    """From noise x (M, C, H, W) at t = 999 to samples (M, C, H, W), by ``steps`` evaluations of the prior.

        x' = sqrt(abar') x0 + sqrt(1 - abar' - sigma^2) eps + sigma n,
        sigma = eta sqrt((1 - abar') / (1 - abar)) sqrt(1 - abar / abar')

    eta = 0 is deterministic, eta = 1 has the variance of ancestral sampling. The last estimate of x0 is clamped to
    [-1, 1] and returned.

    Source: Song, Meng and Ermon, "Denoising Diffusion Implicit Models" (2021), equations 12 and 16.
    """
    alphas_cumprod = prior.alphas_cumprod.tolist()
    timesteps = np.linspace(len(alphas_cumprod) - 1, 0, steps).round().astype(int).tolist()
    for t, t_next in zip(timesteps, [*timesteps[1:], -1]):
        abar = alphas_cumprod[t]
        abar_next = alphas_cumprod[t_next] if t_next >= 0 else 1.0
        eps = prior(x, t).eps
        x0 = (x - (1 - abar) ** 0.5 * eps) / abar**0.5
        if t_next < 0:
            return x0.clamp(-1, 1)
        sigma = eta * ((1 - abar_next) / (1 - abar) * (1 - abar / abar_next)) ** 0.5
        x = abar_next**0.5 * x0 + (1 - abar_next - sigma**2) ** 0.5 * eps
        if sigma > 0:
            x = x + sigma * randn(x.shape).to(x)
    return x


def draw_samples(
    prior: Prior,
    count: int,
    steps: int = 50,
    eta: float = 0.0,
    seed: int = 0,
    batch: int = 100,
    progress: Callable[[int], object] = lambda done: None,
) -> Tensor:
    """``count`` unconditional samples (count, C, H, W) in [-1, 1], on the CPU, ``batch`` at a time.

    ``progress`` is called with the number of samples that each batch adds.
    """
    generator = torch.Generator().manual_seed(seed)

    def randn(shape: torch.Size) -> Tensor:
        return torch.randn(shape, generator=generator)

    parts = []
    for start in range(0, count, batch):
        x = randn(torch.Size((min(batch, count - start), *prior.shape))).to(prior.device, prior.dtype)
        parts.append(ddim(prior, x, steps, eta, randn).cpu())
        progress(len(x))
    return torch.cat(parts)
