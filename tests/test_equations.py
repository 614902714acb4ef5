"""What no recorded run here shows: samplers under ``reference`` against their equations, with dense matrices.

DPS on super-resolution, with noise and fixed variances; DDNM+ beyond inpainting; DiffPIR with noise, and on noiseless
super-resolution, whose rho is 4e-11.
"""

import math
from itertools import pairwise

import numpy as np
import pytest
import torch

from benchmark.priors.protocol import Prediction, linear_alphas_cumprod
from benchmark.problems import build
from benchmark.sampling import SAMPLERS
from benchmark.sampling.guidance import NearestNeighbour, no_guidance
from benchmark.sampling.noise import Recorded
from tests.golden import golden
from tests.recorded import TinyNet

SHAPE, SIZE = (3, 16, 16), 768
BAR = linear_alphas_cumprod().numpy()


@pytest.fixture(scope="module")
def net():
    return TinyNet(golden("ddrm_srbicubic4"))  # three output channels


class Float64:
    """The network's answers in float64, its arithmetic in float32: both sides of a comparison call the same one."""

    def __init__(self, net):
        self.net, self.alphas_cumprod, self.learned_range = net, net.alphas_cumprod, net.learned_range

    def __call__(self, x, t):
        return Prediction(self.net(x.float(), t).eps.double(), None)


def draw(generator, *shape):
    return torch.randn(*shape, generator=generator, dtype=torch.float64)


def matrix_of(problem) -> torch.Tensor:
    """A as a dense (M, 768) matrix."""
    basis = torch.eye(SIZE, dtype=torch.float64).reshape(1, SIZE, *SHAPE)
    return problem.A(basis).flatten(2)[0].mT


def repel(x0, step):
    """x0_i + step (x0_i - x0_nn(i)), one sample after the other, neighbours over the whole image."""
    moved = []
    for i, one in enumerate(x0):
        others = [j for j in range(len(x0)) if j != i]
        nearest = min(others, key=lambda j: (x0[j] - one).detach().square().sum().item())
        moved.append(one + step * (one - x0[nearest]))
    return torch.stack(moved)


# ---------------------------------------------------------------------------------------------------------------- DPS
@pytest.mark.parametrize("kind", ["fixed_small", "fixed_large"])
@pytest.mark.parametrize(("sigma", "eta"), [(0.0, 0.0), (0.05, 0.3)])
def test_dps_on_super_resolution_with_fixed_variance_agrees(net, kind, sigma, eta):
    generator, n, scale, steps = torch.Generator().manual_seed(1), 4, 1.5, 8
    problem = build({"name": "super_resolution_bicubic", "factor": 4, "sigma": sigma}, SHAPE, dtype=torch.float64)
    A = matrix_of(problem)
    truth = draw(generator, SIZE).clamp(-1, 1)
    y = A @ truth + 2 * sigma * draw(generator, len(A))
    start, recorded = draw(generator, n, SIZE), [draw(generator, n, SIZE) for _ in range(steps)]
    kept = [round(k * 999 / (steps - 1)) for k in range(steps)]
    bar = [float(BAR[t]) for t in kept]
    beta = [1 - b / a for a, b in zip([1.0, *bar[:-1]], bar)]
    small = [b * (1 - a) / (1 - c) for b, a, c in zip(beta, [1.0, *bar[:-1]], bar)]
    variance = small if kind == "fixed_small" else [small[1], *beta[1:]]
    prior, x, xs = Float64(net), start, [start]
    for k in reversed(range(steps)):
        x = x.detach().requires_grad_()
        eps = prior(x.reshape(n, *SHAPE), kept[k]).eps.flatten(1)
        x0 = ((x - math.sqrt(1 - bar[k]) * eps) / math.sqrt(bar[k])).clamp(-1, 1)
        if k > 0 and eta > 0:
            x0 = repel(x0, eta * k / steps).clamp(-1, 1)
        loss = sum((y - A @ one).norm() for one in x0)
        (gradient,) = torch.autograd.grad(loss, x)
        before = bar[k - 1] if k > 0 else 1.0
        mean = (
            beta[k] * math.sqrt(before) / (1 - bar[k]) * x0 + (1 - before) * math.sqrt(1 - beta[k]) / (1 - bar[k]) * x
        )
        noise = math.sqrt(variance[k]) * recorded[steps - 1 - k] if k > 0 else 0.0
        x = (mean + noise - scale * gradient).detach()
        xs.append(x)
    shaped = [start, *(part for one in recorded for part in (one, one))]  # the second draw of a step is never used
    guide = no_guidance
    if eta > 0:
        guide = NearestNeighbour(torch.tensor([eta], dtype=torch.float64), torch.tensor([math.inf]), None)
    states = SAMPLERS["dps"](
        prior, problem, y.reshape(1, 1, 3, 4, 4), Recorded([d.reshape(1, n, *SHAPE) for d in shaped]), guide,
        preset="reference", steps=steps, scale=scale, variance=kind,
    )  # fmt: skip
    for state, wanted in zip(states, xs, strict=True):
        assert (state.x[0].flatten(1) - wanted).abs().max() < 1e-6


# --------------------------------------------------------------------------------------------------------------- DDNM+
@pytest.mark.parametrize(
    "settings",
    [
        {"name": "super_resolution_bicubic", "factor": 4},
        {"name": "super_resolution_average", "factor": 2},
        {"name": "colorization"},
        {"name": "deblurring_gaussian", "std": 1.0},
        {"name": "denoising"},
    ],
    ids=lambda settings: settings["name"],
)
def test_noisy_ddnm_agrees_in_the_basis_of_a_dense_singular_value_decomposition(net, settings):
    generator, n, eta, sigma_y = torch.Generator().manual_seed(2), 3, 0.85, 0.2
    problem = build({**settings, "sigma": sigma_y / 2}, SHAPE, dtype=torch.float64)
    A = matrix_of(problem)
    _, s, Vt = torch.linalg.svd(A, full_matrices=True)
    s = torch.where(s < 1e-9, 0.0, s)
    s = torch.cat([s, torch.zeros(SIZE - len(s), dtype=torch.float64)])
    y = A @ draw(generator, SIZE).clamp(-1, 1) + sigma_y * draw(generator, len(A))
    pinv = torch.linalg.pinv(A, rtol=1e-9)
    times = [875, 750, 625, 500, 375, 250, 125, 0, -1]
    drawn = [draw(generator, n, SIZE) for _ in times]
    prior, x, xs = Float64(net), drawn[0], [drawn[0]]
    for (t, u), z in zip(pairwise(times), drawn[1:], strict=True):
        abar, a, sigma = float(BAR[t]), 1.0 if u < 0 else math.sqrt(BAR[u]), 0.0 if u < 0 else math.sqrt(1 - BAR[u])
        eps = prior(x.reshape(n, *SHAPE), t).eps.flatten(1)
        x0 = (x - math.sqrt(1 - abar) * eps) / math.sqrt(abar)
        lam, of_z, of_eps = torch.ones(SIZE), torch.zeros(SIZE), torch.zeros(SIZE)
        for i, value in enumerate(s.tolist()):
            if value == 0:
                of_z[i], of_eps[i] = sigma * eta, sigma * math.sqrt(1 - eta**2)
            elif sigma < a * sigma_y / value:
                lam[i], of_z[i] = value * sigma * math.sqrt(1 - eta**2) / (a * sigma_y), sigma * eta
            else:
                of_z[i] = math.sqrt(sigma**2 - (a * sigma_y / value) ** 2)
        correction = (x0 @ A.mT - y) @ pinv.mT @ Vt.mT * lam.double() @ Vt
        x = a * (x0 - correction) + (z @ Vt.mT * of_z.double() + eps @ Vt.mT * of_eps.double()) @ Vt
        xs.append(x)
    shape = problem.A(torch.zeros(1, 1, *SHAPE, dtype=torch.float64)).shape
    states = SAMPLERS["ddnm"](
        prior, problem, y.reshape(shape), Recorded([d.reshape(1, n, *SHAPE) for d in drawn]), no_guidance,
        preset="reference", steps=8, eta_ddim=eta,
    )  # fmt: skip
    for state, wanted in zip(states, xs, strict=True):
        assert (state.x[0].flatten(1) - wanted).abs().max() < 1e-4


# ------------------------------------------------------------------------------------------------------------- DiffPIR
def diffpir_written_out(net, solve, start, drawn, times, *, lam, zeta, eta, sigma):
    """The released loop in float64; ``solve(x0, rho)`` is its data step. The state after every step."""
    n = len(start)
    bar = np.cumprod(1 - np.linspace(1e-4, 0.02, 1000, dtype=np.float32), dtype=np.float32).astype(float)
    x, xs, drawn = start, [start], iter(drawn)
    for t, u in pairwise([*times, None]):
        eps = net(x.reshape(n, *SHAPE), t).eps.flatten(1)
        next(drawn)
        if u is None:
            return [*xs, x]
        x0 = ((x - math.sqrt(1 - bar[t]) * eps) / math.sqrt(bar[t])).clamp(-1, 1)
        x0 = solve(x0, lam * max(0.001, sigma) ** 2 * bar[t] / (1 - bar[t]))
        effective = (x - math.sqrt(bar[t]) * x0) / math.sqrt(1 - bar[t])
        eta_s = eta * math.sqrt(1 - bar[u]) / math.sqrt(1 - bar[t]) * math.sqrt(1 - bar[t] / bar[t - 1])
        x = math.sqrt(bar[u]) * x0 + math.sqrt(1 - zeta) * (
            math.sqrt(1 - bar[u] - eta_s**2) * effective + eta_s * next(drawn)
        )
        x = x + math.sqrt(zeta) * math.sqrt(1 - bar[u]) * next(drawn)
        xs.append(x)
    raise AssertionError


def diffpir_states(net, problem, y, noise, dtype, **options):
    prior = Float64(net)
    if dtype == torch.float32:
        prior = net
    return SAMPLERS["diffpir"](
        prior, problem, y.to(dtype), Recorded([d.reshape(1, -1, *SHAPE).to(dtype) for d in noise]), no_guidance,
        preset="reference", **options,
    )  # fmt: skip


@pytest.mark.parametrize("sigma", [0.0, 0.05])
def test_noisy_diffpir_inpainting_agrees(net, sigma):
    generator, n, times = torch.Generator().manual_seed(3), 3, [999, 552, 367, 225, 105, 0]
    hole = torch.rand(1, 16, 16, generator=generator) < 0.3
    problem = build({"name": "inpainting", "sigma": sigma}, SHAPE, hole, dtype=torch.float64)
    keep = (~hole).double().expand(3, 16, 16).reshape(-1)
    y = keep * (draw(generator, SIZE).clamp(-1, 1) + 2 * sigma * draw(generator, SIZE))
    bar = np.cumprod(1 - np.linspace(1e-4, 0.02, 1000, dtype=np.float32), dtype=np.float32).astype(float)
    level = np.sqrt((1 - bar) / bar)
    abar_y = bar[np.abs(level - 2 * sigma).argmin()]
    z = draw(generator, n, SIZE)
    spread = math.sqrt(1 - bar[999] - bar[999] / abar_y * (1 - abar_y))
    start = math.sqrt(bar[999] / abar_y) * torch.where(keep > 0, y, -1.0) + spread * z
    drawn = [draw(generator, n, SIZE) for _ in range(3 * len(times))]
    options = {"lam": 2.0, "zeta": 0.4, "eta": 0.3}
    wanted = diffpir_written_out(
        Float64(net), lambda x0, rho: (keep * y + rho * x0) / (keep + rho), start, drawn, times, sigma=sigma, **options
    )
    y = y.reshape(1, 1, *SHAPE)
    states = diffpir_states(net, problem, y, [z, *drawn], torch.float64, steps=len(times), skip_type="quad", **options)
    for state, x in zip(states, wanted, strict=True):
        assert (state.x[0].flatten(1) - x).abs().max() < 1e-4


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("sigma", [0.0, 0.05])
def test_diffpir_super_resolution_agrees_without_noise_too(net, sigma, dtype):
    generator, n, times = torch.Generator().manual_seed(4), 2, [999, 552, 367, 225, 105, 0]
    settings = {"name": "super_resolution_blur", "factor": 4, "sigma": sigma}
    problem = build(settings, SHAPE, dtype=dtype)
    A = matrix_of(build(settings, SHAPE, dtype=torch.float64))
    y = A @ draw(generator, SIZE).clamp(-1, 1) + 2 * sigma * draw(generator, len(A))
    small, z = y.reshape(1, 1, 3, 4, 4), draw(generator, n, SIZE)
    drawn = [draw(generator, n, SIZE) for _ in range(3 * len(times))]
    bar = float(np.cumprod(1 - np.linspace(1e-4, 0.02, 1000, dtype=np.float32), dtype=np.float32)[999])
    enlarged = torch.nn.functional.interpolate(small[0], size=(16, 16), mode="bicubic").reshape(SIZE)
    gram = A @ A.mT

    def solve(x0, rho):
        """argmin_z ||y01 - A z||^2 + rho ||z - x01||^2 on [0, 1], back on [-1, 1]."""
        x01, y01 = (x0 + 1) / 2, (y + 1) / 2
        shift = torch.linalg.solve(gram + rho * torch.eye(len(A), dtype=torch.float64), (y01 - x01 @ A.mT).mT).mT @ A
        return 2 * (x01 + shift) - 1

    options = {"lam": 2.0, "zeta": 0.25, "eta": 0.0}
    start = math.sqrt(bar) * enlarged + math.sqrt(1 - bar) * z
    wanted = diffpir_written_out(Float64(net), solve, start, drawn, times, sigma=sigma, **options)
    states = diffpir_states(net, problem, small, [z, *drawn], dtype, steps=len(times), skip_type="quad", **options)
    for state, x in zip(states, wanted, strict=True):
        assert (state.x[0].flatten(1).double() - x).abs().max() < 1e-4
