"""The exact prior and the exact posterior, against brute force."""

import math

import numpy as np
import pytest
import torch

from benchmark.errors import BenchmarkError
from benchmark.priors.mixture import GaussianMixture, MixturePrior, load_mixture, posterior_of, save_mixture
from benchmark.problems import build
from benchmark.sampling import SAMPLERS
from benchmark.sampling.guidance import no_guidance
from benchmark.sampling.noise import Streams


def mixture(d=2, k=3, seed=0):
    g = torch.Generator().manual_seed(seed)
    roots = torch.randn(k, d, d, generator=g, dtype=torch.float64)
    weights = torch.rand(k, generator=g, dtype=torch.float64)
    means = 2 * torch.randn(k, d, generator=g, dtype=torch.float64)
    return GaussianMixture(weights / weights.sum(), means, 0.3 * roots @ roots.mT + 0.1 * torch.eye(d))


def grid(half_width=12.0, count=481):
    axis = torch.linspace(-half_width, half_width, count, dtype=torch.float64)
    points = torch.stack(torch.meshgrid(axis, axis, indexing="ij"), -1).reshape(-1, 2)
    return points, float(axis[1] - axis[0]) ** 2


def test_the_density_integrates_to_one_and_has_the_stated_moments():
    m = mixture()
    points, area = grid()
    p = m.log_prob(points).exp() * area
    assert float(p.sum()) == pytest.approx(1, abs=1e-6)
    assert torch.allclose(p @ points, m.mean(), atol=1e-5)
    centred = points - m.mean()
    assert torch.allclose((p[:, None] * centred).mT @ centred, m.covariance(), atol=1e-4)


@pytest.mark.parametrize("t", [0, 10, 200, 600, 999])
def test_the_denoiser_is_the_conditional_mean(t):
    m = mixture()
    prior = MixturePrior(m, (2, 1, 1))
    abar = float(prior.alphas_cumprod[t])
    clean = m.sample(5, torch.Generator().manual_seed(1))
    x = math.sqrt(abar) * clean + math.sqrt(1 - abar) * torch.randn(5, 2, generator=torch.Generator().manual_seed(2))
    eps = prior(x.reshape(5, 2, 1, 1), t).eps.reshape(5, 2)
    x0 = (x - math.sqrt(1 - abar) * eps) / math.sqrt(abar)
    points, _ = grid(count=4001 if t == 0 else 961) if t < 200 else grid()
    for i in range(5):
        near = points[((math.sqrt(abar) * points - x[i]).abs() < 8 * math.sqrt(1 - abar)).all(1)]
        log = m.log_prob(near) - (x[i] - math.sqrt(abar) * near).square().sum(1) / (2 * (1 - abar))
        assert torch.allclose(log.softmax(0) @ near, x0[i], atol=2e-3)


def test_the_score_is_the_gradient_of_the_log_density():
    m = mixture(4)
    x = torch.randn(6, 4, dtype=torch.float64).requires_grad_()
    values, vectors = m.eigen
    noised = GaussianMixture(m.weights, 0.6 * m.means, 0.36 * m.covariances + 0.64 * torch.eye(4))
    (gradient,) = torch.autograd.grad(noised.log_prob(x).sum(), x)
    assert torch.allclose(m.score(x.detach(), 0.36), gradient, atol=1e-9)


@pytest.mark.parametrize("noise", [0.3, 1.0])
def test_the_posterior_of_a_noisy_measurement_is_the_normalised_product(noise):
    m = mixture()
    A, y = torch.tensor([[1.0, -0.5]], dtype=torch.float64), torch.tensor([0.7], dtype=torch.float64)
    posterior = m.posterior(A, y, noise)
    points, area = grid()
    log = m.log_prob(points) - (y - points @ A.mT).square().sum(1) / (2 * noise**2)
    p = log.softmax(0)
    assert torch.allclose(posterior.log_prob(points).exp() * area, p, atol=1e-8)
    assert torch.allclose(posterior.mean(), p @ points, atol=1e-4)
    draws = posterior.sample(40000, torch.Generator().manual_seed(0))
    assert torch.allclose(draws.mean(0), posterior.mean(), atol=0.05)
    assert torch.allclose(torch.cov(draws.mT), posterior.covariance(), atol=0.1)


def test_the_posterior_of_a_noiseless_measurement_is_the_limit_of_little_noise():
    m = mixture(5)
    A = torch.randn(2, 5, dtype=torch.float64, generator=torch.Generator().manual_seed(3))
    y = A @ m.sample(1, torch.Generator().manual_seed(4))[0]
    exact, nearly = m.posterior(A, y), m.posterior(A, y, 1e-5)
    draws = exact.sample(100, torch.Generator().manual_seed(5))
    assert (draws @ A.mT - y).abs().max() < 1e-9
    assert torch.allclose(exact.mean(), nearly.mean(), atol=1e-5)
    assert torch.allclose(exact.covariance(), nearly.covariance(), atol=1e-5)
    assert torch.allclose(exact.mixture.weights, nearly.mixture.weights, atol=1e-5)
    assert exact.log_prob(draws).isfinite().all()


def test_a_measurement_that_the_prior_cannot_give_is_refused():
    flat = GaussianMixture(
        torch.ones(1).double(), torch.zeros(1, 2).double(), torch.diag(torch.tensor([1.0, 0.0])).double()[None]
    )
    with pytest.raises(BenchmarkError, match="no variance along a measured direction"):
        flat.posterior(torch.tensor([[0.0, 1.0]]).double(), torch.ones(1).double())


def test_the_posterior_of_an_inpainting_problem_keeps_the_known_pixels():
    prior = load_mixture()
    hole = torch.zeros(2, 8, 8, dtype=torch.bool)
    hole[:, :, :4] = True
    problem = build({"name": "inpainting"}, prior.shape, hole, dtype=torch.float64)
    x = prior.mixture.sample(2, torch.Generator().manual_seed(0)).reshape(2, 1, 1, 8, 8)
    posterior = posterior_of(prior, problem, problem.A(x), 1)
    draws = posterior.sample(50, torch.Generator().manual_seed(1)).reshape(50, 1, 8, 8)
    assert (draws[..., 4:] - x[1, 0][..., 4:]).abs().max() < 1e-9
    assert draws[..., :4].std(0).mean() > 0.05


@pytest.mark.slow
def test_ancestral_sampling_with_the_exact_score_approaches_the_posterior_as_steps_grow():
    """RePaint's resampling is left out (jump_n_sample 1); with an empty mask DDPM must give the prior itself."""
    m = mixture()
    prior = MixturePrior(m, (2, 1, 1))
    hole = torch.ones(1, 1, 1, dtype=torch.bool)
    problem = build({"name": "inpainting"}, prior.shape, hole, dtype=torch.float64)
    y = torch.zeros(1, 1, 2, 1, 1, dtype=torch.float64)
    errors = []
    for steps in (10, 250):
        noise = Streams([[(0, "t", "c", i) for i in range(4000)]], prior.shape, dtype=torch.float64)
        options = {"steps": steps, "clip": False, "jump_n_sample": 1, "jump_length": 1, "variance": "fixed_large"}
        with torch.no_grad():
            *_, state = SAMPLERS["repaint"](prior, problem, y, noise, no_guidance, **options)
        x = state.x.reshape(-1, 2)
        errors.append(float((torch.cov(x.mT) - m.covariance()).norm() / m.covariance().norm()))
    assert errors[1] < 0.1
    assert errors[1] < errors[0]


def test_a_saved_mixture_comes_back_and_a_damaged_one_does_not(tmp_path):
    m = mixture(4)
    path = tmp_path / "m.safetensors"
    save_mixture(path, m, (1, 2, 2))
    back = load_mixture(path)
    assert back.shape == (1, 2, 2)
    assert torch.allclose(back.mixture.means, m.means, atol=1e-6)
    path.write_bytes(path.read_bytes()[:-50])
    with pytest.raises(BenchmarkError, match=r"m\.safetensors: not a mixture prior"):
        load_mixture(path)
    with pytest.raises(BenchmarkError, match="no such weights file"):
        load_mixture(tmp_path / "none.safetensors")


def test_float32_agrees_with_float64():
    prior = load_mixture()
    x = torch.randn(4, 1, 8, 8, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    single = prior.to(dtype=torch.float32)
    for t in (0, 100, 999):
        assert np.allclose(single(x.float(), t).eps, prior(x, t).eps, atol=1e-3)
