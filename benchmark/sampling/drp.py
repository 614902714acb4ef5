"""DRP: a restoration network as an implicit prior (Hu, Delbracio, Milanfar, Kamilov; ICLR 2024, arXiv 2310.01391)."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator

from torch import Tensor

from benchmark.errors import BenchmarkError
from benchmark.sampling.state import State, abar_at, check_options, predict_eps


def drp(
    prior,
    problem,
    y: Tensor,
    noise,
    guide,
    *,
    preset: str = "paper",
    steps: int = 50,
    gamma: float = 0.1,
    lam: float = 0.04,
    t_restore: int = 200,
    restore: Callable[[Tensor], Tensor] | None = None,
) -> Iterator[State]:
    """A point estimate, no sampling: the N members of a set are one picture, the baseline with zero diversity.

    Per iteration, with a restoration network R:

        z = (1 - gamma) x + gamma R(x)
        x = (A^T A + lam I)^-1 (A^T y + lam z) = argmin_x ||y - A x||^2 + lam ||x - z||^2

    and the restoration is R's last output made to agree with the data by the same step. R is the prior's denoiser at
    the fixed level ``t_restore``, R(x) = E[x0 | x_t = sqrt(abar_t) x], or any ``restore`` (B, 1, C, H, W) -> the same.
    The start is A^+ y, with the hole grey. Draws no noise and takes no guidance.

    Raises:
        BenchmarkError: options out of range.
    """
    check_options(preset=preset, steps=steps)
    if not 0 < gamma <= 1 or lam <= 0 or not 0 <= t_restore < 1000:
        raise BenchmarkError(
            f"drp: gamma {gamma}, lam {lam}, t_restore {t_restore}; need 0 < gamma <= 1, lam > 0, 0..999"
        )
    count = noise().shape[1]
    abar = abar_at(prior, t_restore)

    def denoise(x: Tensor) -> Tensor:
        eps, _ = predict_eps(prior, math.sqrt(abar) * x, t_restore)
        return x - math.sqrt(1 / abar - 1) * eps

    network = restore or denoise
    x = problem.pinv(y)
    for step in range(1, steps + 1):
        restored = network(x)
        z = (1 - gamma) * x + gamma * restored
        x = problem.proximal(z, y, lam)
        final = problem.proximal(restored, y, lam) if step == steps else x
        x0 = restored.expand(-1, count, -1, -1, -1)
        yield State(-1 if step == steps else t_restore, final.expand(-1, count, -1, -1, -1), x0, x0, None, step)
