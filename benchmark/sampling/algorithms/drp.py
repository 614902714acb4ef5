"""DRP: a restoration network as an implicit prior (Hu, Delbracio, Milanfar, Kamilov; ICLR 2024, arXiv 2310.01391)."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Annotated

from benchmark.options import Within
from benchmark.problems.base import Problem
from benchmark.sampling.sampler import Paste, Preset, sampler
from benchmark.sampling.state import State, abar_at, predict_eps

if TYPE_CHECKING:
    from torch import Tensor

    from benchmark.priors.protocol import Prior
    from benchmark.problems.base import Problem
    from benchmark.sampling.guidance import Guide
    from benchmark.sampling.noise import Noise


@sampler({"steps": 2})
def drp(
    prior: Prior,
    problem: Problem,
    y: Tensor,
    noise: Noise,
    guide: Guide,
    *,
    preset: Preset = "paper",
    steps: Annotated[int, Within(1, 1000), "Iterations."] = 50,
    gamma: Annotated[float, Within(0, 1), "Step towards the restoration network's output."] = 0.1,
    lam: Annotated[float, Within(1e-12), "Weight of the prior in the data step."] = 0.04,
    t_restore: Annotated[int, Within(0, 999), "The timestep at which the prior denoises."] = 200,
    restore: Callable[[Tensor], Tensor] | None = None,
    degrade: Problem | None = None,
    paste: Paste = False,
) -> Iterator[State]:
    """A point estimate, no sampling: the N members of a set are one picture, the baseline with zero diversity.

    Per iteration, with a network R that restores what H degrades (algorithm 1, the scaled proximal step written out):

        z = (1 - gamma) x + gamma R(H x)
        x = (A^T A + lam H^T H)^-1 (A^T y + lam H^T H z) = argmin_x ||y - A x||^2 + lam ||H (x - z)||^2

    ``paper`` returns x, ``reference`` the last output of R, as the released code reports it. Without ``restore``, R is
    the prior's denoiser at the fixed level ``t_restore``, E[x0 | x_t = sqrt(abar_t) x]. Without ``degrade``, H is the
    identity and the step exact; with it, three conjugate gradient iterations from z. The start is A^+ y, with the hole
    grey. Draws nothing (one draw tells the number of samples) and takes no guidance.

    Args:
        gamma: step towards the restoration. lam: weight of the prior in the data step.
        restore: R, any callable from (B, 1, ...) as H gives it to (B, 1, C, H, W).
        degrade: H, a problem with A and At (:mod:`benchmark.problems`), as R was trained for.
        paste: write the measured part into the result once more.

    Raises:
        BenchmarkError: options out of range.
    """
    count = noise().shape[1]
    abar = abar_at(prior, t_restore)

    def denoise(x: Tensor) -> Tensor:
        eps, _ = predict_eps(prior, math.sqrt(abar) * x, t_restore)
        return x - math.sqrt(1 / abar - 1) * eps

    network = restore or denoise
    x = problem.pinv(y)
    for step in range(1, steps + 1):
        restored = network(x if degrade is None else degrade.A(x))
        z = (1 - gamma) * x + gamma * restored
        x = problem.proximal(z, y, lam) if degrade is None else _scaled_proximal(problem, degrade, y, z, lam)
        result = restored if step == steps and preset == "reference" else x
        if step == steps and paste:
            result = problem.paste(result, y)
        x0 = restored.expand(-1, count, -1, -1, -1)
        yield State(-1 if step == steps else t_restore, result.expand(-1, count, -1, -1, -1), x0, x0, None, step)


def _scaled_proximal(problem: Problem, degrade, y: Tensor, z: Tensor, lam: float, iterations: int = 3) -> Tensor:
    """z + d with (A^T A + lam H^T H) d = A^T (y - A z), d by conjugate gradients from 0."""
    d, r = 0 * z, problem.At(y - problem.A(z))
    p, old = r, r.flatten(2).square().sum(-1)[..., None, None, None]
    for _ in range(iterations):
        q = problem.At(problem.A(p)) + lam * degrade.At(degrade.A(p))
        alpha = old / (p * q).flatten(2).sum(-1)[..., None, None, None].clamp_min(1e-30)
        d, r = d + alpha * p, r - alpha * q
        new = r.flatten(2).square().sum(-1)[..., None, None, None]
        p, old = r + new / old.clamp_min(1e-30) * p, new
    return z + d
