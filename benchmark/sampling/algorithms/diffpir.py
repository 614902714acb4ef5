"""DiffPIR: denoising diffusion models for plug-and-play restoration (Zhu et al.; CVPRW 2023, arXiv 2305.08995)."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import TYPE_CHECKING, Annotated, Any

import numpy as np

from benchmark.lazy import torch
from benchmark.options import OneOf, Within
from benchmark.sampling.sampler import Asked, Paste, Preset, sampler
from benchmark.sampling.schedules import diffpir_timesteps, linear_betas
from benchmark.sampling.state import State, predict_eps

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

    This is ``paper``, :func:`published`; ``reference`` is :func:`released`.

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
    times = diffpir_timesteps(steps, skip_type)
    options: dict[str, Any] = {"lam": lam, "zeta": zeta, "eta": eta, "data_scale": data_scale}
    options |= {"use_last": use_last, "exact_data_step": exact_data_step, "paste": paste}
    if preset == "reference":
        return released(prior, problem, y, noise, guide, times, **options, x_init=x_init)
    return published(prior, problem, y, noise, guide, times, **options)


def published(
    prior: Prior, problem: Problem, y: Tensor, noise: Noise, guide: Guide, times: Sequence[int], *,
    lam: float, zeta: float, eta: float, data_scale: float,
    use_last: bool | None, exact_data_step: bool | None, paste: bool,
) -> Iterator[State]:  # fmt: skip
    """Algorithm 1 at ``times``, in y's own units: sigma_n = 2 sigma. Options as those of :func:`diffpir`."""
    abars, sigma_n = prior.alphas_cumprod, max(0.001, 2 * problem.sigma)
    solve = _solve_as_written if problem.name == "inpainting" and exact_data_step is False else _solve
    x = noise()
    yield State(times[0], x, None, None, None, 0)
    for nfe, (t, u) in enumerate(pairwise([*times, -1]), start=1):
        abar = float(abars[t])
        eps, _ = predict_eps(prior, x, t)
        x0 = _clean(x, eps, abar)
        if u < 0 and use_last is False:
            yield _end(problem, y, x, x0, x0, nfe, paste)
            return
        x0_guided, repulsion = guide(x0, t / 1000) if nfe < len(times) - 1 else (x0, None)
        x0_guided = x0_guided.clamp(-1, 1)
        rho = lam * sigma_n**2 * abar / (1 - abar)
        x0_data = x0_guided + data_scale * (solve(problem, y, x0_guided, rho) - x0_guided)
        extra = {"x0_data": x0_data, "rho": rho}
        if u < 0:
            yield _end(problem, y, x0_data, x0, x0_guided, nfe, paste, extra)
            return
        x, eta_s = _diffused(x, x0_data, abars, t, u, zeta, eta)
        if eta_s > 0 and zeta < 1:
            x = x + math.sqrt(1 - zeta) * eta_s * noise()
        if zeta > 0:
            x = x + math.sqrt(zeta * (1 - float(abars[u]))) * noise()
        yield State(u, x, x0, x0_guided, repulsion, nfe, extra)


def released(
    prior: Prior, problem: Problem, y: Tensor, noise: Noise, guide: Guide, times: Sequence[int], *,
    lam: float, zeta: float, eta: float, data_scale: float,
    use_last: bool | None, exact_data_step: bool | None, paste: bool, x_init: Tensor | None,
) -> Iterator[State]:  # fmt: skip
    """The authors' code: what it does beside algorithm 1, under the options of :func:`diffpir`.

    abar is accumulated in float32; sigma_n is on the [0, 1] scale though y is on [-1, 1]; the start carries the
    measurement (:func:`_start`); the last evaluation is thrown away; the data step for inpainting is solved as written,
    the others on [0, 1]; the guidance's time factor is that of the next timestep; three draws a step.
    """
    abars, sigma_n = float32_schedule(), max(0.001, problem.sigma)
    of_inpainting = _solve if exact_data_step else _solve_as_written
    solve = of_inpainting if problem.name == "inpainting" else _solve_on_unit_scale
    x = _start(problem, y, noise(), abars, times[0], x_init)
    yield State(times[0], x, None, None, None, 0)
    for nfe, (t, u) in enumerate(pairwise([*times, -1]), start=1):
        abar = float(abars[t])
        eps, _ = predict_eps(prior, x, t)
        noise()
        x0 = _clean(x, eps, abar)
        if u < 0 and not use_last:
            yield _end(problem, y, x, x0, x0, nfe, paste)
            return
        x0_guided, repulsion = guide(x0, u / 1000) if nfe < len(times) - 1 else (x0, None)
        x0_guided = x0_guided.clamp(-1, 1)
        rho = lam * sigma_n**2 * abar / (1 - abar)
        x0_data = x0_guided + data_scale * (solve(problem, y, x0_guided, rho) - x0_guided)
        extra = {"x0_data": x0_data, "rho": rho}
        if u < 0:
            yield _end(problem, y, x0_data, x0, x0_guided, nfe, paste, extra)
            return
        x, eta_s = _diffused(x, x0_data, abars, t, u, zeta, eta)
        x = x + math.sqrt(1 - zeta) * eta_s * noise()
        x = x + math.sqrt(zeta * (1 - float(abars[u]))) * noise()
        yield State(u, x, x0, x0_guided, repulsion, nfe, extra)


def _clean(x: Tensor, eps: Tensor, abar: float) -> Tensor:
    """clip((x - sqrt(1 - abar) e) / sqrt(abar))."""
    return (math.sqrt(1 / abar) * x - math.sqrt(1 / abar - 1) * eps).clamp(-1, 1)


def _diffused(x: Tensor, x0: Tensor, abars, t: int, u: int, zeta: float, eta: float) -> tuple[Tensor, float]:
    """sqrt(abar_u) x0 + sqrt(1 - zeta) sqrt(1 - abar_u - eta_s^2) e^ before the draws z1 and z2, and eta_s."""
    abar, abar_u = float(abars[t]), float(abars[u])
    effective = (x - math.sqrt(abar) * x0) / math.sqrt(1 - abar)
    beta = 1 - abar / (float(abars[t - 1]) if t > 0 else 1.0)
    eta_s = eta * math.sqrt(1 - abar_u) / math.sqrt(1 - abar) * math.sqrt(beta)
    return math.sqrt(abar_u) * x0 + math.sqrt(1 - zeta) * math.sqrt(1 - abar_u - eta_s**2) * effective, eta_s


def _end(
    problem: Problem, y: Tensor, x: Tensor, x0: Tensor, x0_guided: Tensor, nfe: int, paste: bool,
    extra: dict | None = None,
) -> State:  # fmt: skip
    """The last state: x, with its measured part written in where that is wanted."""
    return State(-1, problem.paste(x, y) if paste else x, x0, x0_guided, None, nfe, extra)


def _solve(problem: Problem, y: Tensor, x0: Tensor, rho: float) -> Tensor:
    """argmin_z ||y - A z||^2 + rho ||z - x0||^2."""
    return problem.proximal(x0, y, rho)


def _solve_as_written(problem: Problem, y: Tensor, x0: Tensor, rho: float) -> Tensor:
    """The same for inpainting: (A^T y + rho x0) / (A^T A + rho), in which float32 cancels where rho is small."""
    keep = problem.singulars
    return (keep * y + rho * x0) / (keep + rho)


def _solve_on_unit_scale(problem: Problem, y: Tensor, x0: Tensor, rho: float) -> Tensor:
    """The same with all images on [0, 1], which holds for operators that keep constants."""
    return 2 * problem.proximal((x0 + 1) / 2, (y + 1) / 2, rho) - 1


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
