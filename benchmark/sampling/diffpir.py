"""DiffPIR: denoising diffusion models for plug-and-play restoration (Zhu et al.; CVPRW 2023, arXiv 2305.08995)."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np
import torch
from torch import Tensor

from benchmark.priors.schedule import diffpir_timesteps
from benchmark.sampling.state import State, check_options, predict_eps, time_factor


def float32_schedule() -> np.ndarray:
    """abar_t accumulated in float32, as the released code does; its rho differs from the exact one by up to 1e-4."""
    return np.cumprod(1 - np.linspace(1e-4, 0.02, 1000, dtype=np.float32), dtype=np.float32)


def diffpir(
    prior,
    problem,
    y: Tensor,
    noise,
    guide,
    *,
    preset: str = "paper",
    steps: int = 20,
    lam: float = 1.0,
    zeta: float = 1.0,
    eta: float = 0.0,
    skip_type: str = "quad",
    data_scale: float = 1.0,
    use_last: bool | None = None,
    exact_data_step: bool = True,
    x_init: Tensor | None = None,
    paste: bool = False,
) -> Iterator[State]:
    """Half-quadratic splitting: denoise, solve the data term, take a (partly stochastic) diffusion step.

    With sigma~_t = sqrt(1 - abar_t) / sqrt(abar_t), rho_t = lam max(.001, sigma)^2 / sigma~_t^2, from t to the next u
    (algorithm 1):

        x0 = clip((x - sqrt(1 - abar_t) e) / sqrt(abar_t));  guidance acts here, then clip again
        x0 = x0 + data_scale (argmin_z ||y - A z||^2 + rho ||z - x0||^2 - x0)
        e^ = (x - sqrt(abar_t) x0) / sqrt(1 - abar_t)
        x  = sqrt(abar_u) x0 + sqrt(1 - zeta) (sqrt(1 - abar_u - eta_s^2) e^ + eta_s z1) + sqrt(zeta (1 - abar_u)) z2

    with eta_s = eta sqrt(1 - abar_u) / sqrt(1 - abar_t) sqrt(beta_t). **The guidance is this project's own choice**:
    the method has none. It acts on all steps but the last two.

    Args:
        use_last: return the data step's result of the last evaluation; by default so under ``paper``. The released code
            throws that evaluation away and returns the state before it.
        exact_data_step: the correction form, in which nothing cancels; False solves (A^T y + rho x0) / (A^T A + rho) as
            written, for inpainting.
        x_init: start image in [-1, 1]; by default the measurement with the hole at -1, or A^+ y.

    Raises:
        BenchmarkError: options out of range.
    """
    check_options(preset=preset, steps=steps)
    reference = preset == "reference"
    use_last = not reference if use_last is None else use_last
    times = diffpir_timesteps(steps, skip_type)
    sigma_n = max(0.001, problem.sigma)
    if x_init is None:
        x_init = torch.where(problem.hole, -1.0, y) if problem.name == "inpainting" else problem.pinv(y)
    abars = float32_schedule() if reference else prior.alphas_cumprod
    top = float(abars[times[0]])
    x = math.sqrt(top) * x_init + math.sqrt(1 - top) * noise()
    nfe = 0
    yield State(times[0], x, None, None, None, nfe)
    for index, t in enumerate(times):
        last = index == len(times) - 1
        abar = float(abars[t])
        eps, _ = predict_eps(prior, x, t)
        nfe += 1
        if reference:
            noise()
        x0 = (math.sqrt(1 / abar) * x - math.sqrt(1 / abar - 1) * eps).clamp(-1, 1)
        if last and not use_last:
            if paste:
                x = problem.paste(x, y)
            yield State(-1, x, x0, x0, None, nfe)
            return
        x0_guided, repulsion = x0, None
        if index < len(times) - 2:
            u = times[index + 1]
            x0_guided, repulsion = guide(x0, time_factor(preset, t, u / 1000))
            x0_guided = x0_guided.clamp(-1, 1)
        rho = lam * sigma_n**2 * abar / (1 - abar)
        if reference and problem.name != "inpainting":  # the released code solves on [0, 1]
            solved = 2 * problem.proximal((x0_guided + 1) / 2, (y + 1) / 2, rho) - 1
        elif exact_data_step or problem.name != "inpainting":
            solved = problem.proximal(x0_guided, y, rho)
        else:
            keep = problem.singulars
            solved = (keep * y + rho * x0_guided) / (keep + rho)
        x0_data = x0_guided + data_scale * (solved - x0_guided)
        extra = {"x0_data": x0_data, "rho": rho}
        if last:
            x = problem.paste(x0_data, y) if paste else x0_data
            yield State(-1, x, x0, x0_guided, None, nfe, extra)
            return
        abar_u = float(abars[u := times[index + 1]])
        effective = (x - math.sqrt(abar) * x0_data) / math.sqrt(1 - abar)
        beta = 1 - abar / float(abars[t - 1])
        eta_s = eta * math.sqrt(1 - abar_u) / math.sqrt(1 - abar) * math.sqrt(beta)
        x = math.sqrt(abar_u) * x0_data
        x = x + math.sqrt(1 - zeta) * math.sqrt(1 - abar_u - eta_s**2) * effective
        if reference or eta_s > 0:
            x = x + math.sqrt(1 - zeta) * eta_s * noise()
        if reference or zeta > 0:
            x = x + math.sqrt(zeta * (1 - abar_u)) * noise()
        yield State(u, x, x0, x0_guided, repulsion, nfe, extra)
