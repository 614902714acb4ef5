"""DiffPIR: denoising diffusion models for plug-and-play restoration (Zhu et al.; CVPRW 2023, arXiv 2305.08995)."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated

import numpy as np

from benchmark.lazy import torch
from benchmark.options import OneOf, Within
from benchmark.sampling.sampler import Asked, Paste, Preset, sampler
from benchmark.sampling.schedules import diffpir_timesteps, linear_betas
from benchmark.sampling.state import State, predict_eps, time_factor

if TYPE_CHECKING:
    from torch import Tensor

    from benchmark.priors.protocol import Prior
    from benchmark.problems.base import Problem
    from benchmark.sampling.guidance import Guide
    from benchmark.sampling.noise import Noise


def float32_schedule() -> np.ndarray:
    """abar_t accumulated in float32, as the released code does; its rho differs from the exact one by up to 1e-4."""
    return np.cumprod(1 - linear_betas(dtype=np.float32), dtype=np.float32)


def _evaluations(options: dict) -> int:
    return len(diffpir_timesteps(options["steps"], options["skip_type"]))


def _refuses(problem: Asked, options: dict) -> str | None:
    if options["preset"] == "reference" and not problem.keeps_constants:
        return (
            "solves the data step of the preset reference on [0, 1], which holds for operators that keep constants; "
            f"{problem.name} does not: use the preset paper"
        )
    return None


@sampler({"steps": 3}, evaluations=_evaluations, refuses=_refuses)
def diffpir(
    prior: Prior,
    problem: Problem,
    y: Tensor,
    noise: Noise,
    guide: Guide,
    *,
    preset: Preset = "paper",
    steps: Annotated[int, Within(2, 1000), "Sampling steps, one more where they are uniform."] = 20,
    lam: Annotated[float, Within(1e-12), "Weight of the prior in the data step."] = 1.0,
    zeta: Annotated[float, Within(0, 1), "Share of fresh noise in a step."] = 1.0,
    eta: Annotated[float, Within(0, 1), "Noise of DDIM in what is not fresh."] = 0.0,
    skip_type: Annotated[str, OneOf("quad", "uniform"), "Spacing of the timesteps."] = "quad",
    data_scale: Annotated[float, Within(0), "Share of the data step that is taken."] = 1.0,
    use_last: Annotated[bool | None, "Use the last evaluation rather than throw it away."] = None,
    exact_data_step: Annotated[bool | None, "The data step without cancellation."] = None,
    x_init: Tensor | None = None,
    paste: Paste = False,
) -> Iterator[State]:
    """Half-quadratic splitting: denoise, solve the data term, take a (partly stochastic) diffusion step.

    With sigma~_t = sqrt(1 - abar_t) / sqrt(abar_t), rho_t = lam max(.001, sigma_n)^2 / sigma~_t^2, from x_T ~ N(0, I)
    and t to the next u (algorithm 1):

        x0 = clip((x - sqrt(1 - abar_t) e) / sqrt(abar_t));  guidance acts here, then clip again
        x0 = x0 + data_scale (argmin_z ||y - A z||^2 + rho ||z - x0||^2 - x0)
        e^ = (x - sqrt(abar_t) x0) / sqrt(1 - abar_t)
        x  = sqrt(abar_u) x0 + sqrt(1 - zeta) (sqrt(1 - abar_u - eta_s^2) e^ + eta_s z1) + sqrt(zeta (1 - abar_u)) z2

    with eta_s = eta sqrt(1 - abar_u) / sqrt(1 - abar_t) sqrt(beta_t). **The guidance is this project's own choice**:
    the method has none. It acts on all steps but the last two.

    ``reference``: sigma_n is on the [0, 1] scale though y is on [-1, 1] (``paper``: 2 sigma, y's own units); the start
    carries the measurement (:func:`_start`); the last evaluation is thrown away; the data step for inpainting is solved
    as written, the others on [0, 1]; three draws a step.

    Args:
        steps: network evaluations, one more where ``skip_type`` is uniform. lam: weight of the prior. zeta: share of
            new noise. eta: DDIM's noise in the rest.
        skip_type: timesteps at quad(ratic) or uniform distances. data_scale: how far to go towards the data step.
        use_last: return the data step's result of the last evaluation; by default under ``paper`` alone.
        exact_data_step: for inpainting, the correction form x0 + s (y - s x0) / (s^2 + rho), in which nothing cancels,
            or (A^T y + rho x0) / (A^T A + rho) as written; by default the former under ``paper`` alone.
        x_init: start image in [-1, 1] of ``reference``. paste: write the measured part into the result once more.

    Raises:
        BenchmarkError: options out of range.
    """
    reference = preset == "reference"
    use_last = not reference if use_last is None else use_last
    exact_data_step = not reference if exact_data_step is None else exact_data_step
    times = diffpir_timesteps(steps, skip_type)
    sigma_n = max(0.001, problem.sigma if reference else 2 * problem.sigma)
    abars = float32_schedule() if reference else prior.alphas_cumprod
    x = _start(problem, y, noise(), abars, times[0], x_init) if reference else noise()
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
        x0_data = x0_guided + data_scale * (_solve(problem, y, x0_guided, rho, reference, exact_data_step) - x0_guided)
        extra = {"x0_data": x0_data, "rho": rho}
        if last:
            x = problem.paste(x0_data, y) if paste else x0_data
            yield State(-1, x, x0, x0_guided, None, nfe, extra)
            return
        abar_u = float(abars[u := times[index + 1]])
        effective = (x - math.sqrt(abar) * x0_data) / math.sqrt(1 - abar)
        beta = 1 - abar / (float(abars[t - 1]) if t > 0 else 1.0)
        eta_s = eta * math.sqrt(1 - abar_u) / math.sqrt(1 - abar) * math.sqrt(beta)
        x = math.sqrt(abar_u) * x0_data
        x = x + math.sqrt(1 - zeta) * math.sqrt(1 - abar_u - eta_s**2) * effective
        if reference or (eta_s > 0 and zeta < 1):
            x = x + math.sqrt(1 - zeta) * eta_s * noise()
        if reference or zeta > 0:
            x = x + math.sqrt(zeta * (1 - abar_u)) * noise()
        yield State(u, x, x0, x0_guided, repulsion, nfe, extra)


def _solve(problem: Problem, y: Tensor, x0: Tensor, rho: float, on_unit_scale: bool, exact: bool) -> Tensor:
    """argmin_z ||y - A z||^2 + rho ||z - x0||^2; the released code solves all but inpainting on [0, 1]."""
    if problem.name == "inpainting":
        keep = problem.singulars
        return problem.proximal(x0, y, rho) if exact else (keep * y + rho * x0) / (keep + rho)
    if on_unit_scale:
        return 2 * problem.proximal((x0 + 1) / 2, (y + 1) / 2, rho) - 1
    return problem.proximal(x0, y, rho)


def _start(problem: Problem, y: Tensor, z: Tensor, abars, t: int, x_init: Tensor | None) -> Tensor:
    """The released code's start: sqrt(abar_T) x_init + sqrt(1 - abar_T) z.

    x_init is y with the hole at -1 (inpainting), y's bicubic enlargement (super-resolution), y where it has the image's
    size, A^+ y else. Inpainting counts the noise that y has: with abar_y of the timestep whose sigma~ is nearest to
    2 sigma, sqrt(abar_T / abar_y) x_init + sqrt(1 - abar_T - (abar_T / abar_y) (1 - abar_y)) z.
    """
    shape, abar = problem.image_shape, float(abars[t])
    if problem.name == "inpainting":
        assert problem.hole is not None
        start = torch.where(problem.hole, -1.0, y) if x_init is None else x_init
        bars = np.asarray(abars, np.float64)
        abar_y = bars[np.abs(np.sqrt((1 - bars) / bars) - 2 * problem.sigma).argmin()]
        return math.sqrt(abar / abar_y) * start + math.sqrt(1 - abar - abar / abar_y * (1 - abar_y)) * z
    if x_init is not None:
        start = x_init
    elif y.shape[2:] == shape:
        start = y
    elif y.shape[2] == shape[0]:
        enlarged = torch.nn.functional.interpolate(y.flatten(0, 1), size=shape[1:], mode="bicubic")
        start = enlarged.unflatten(0, y.shape[:2])
    else:
        start = problem.pinv(y)
    return math.sqrt(abar) * start + math.sqrt(1 - abar) * z
