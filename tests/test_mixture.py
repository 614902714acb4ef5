"""The exact prior and the exact posterior, against brute force."""

import math

import numpy as np
import pytest
import torch

from benchmark.errors import BenchmarkError
from benchmark.priors.mixture import GaussianMixture, MixturePrior, load_mixture, posterior_of, save_mixture
from benchmark.problems import PROBLEMS, build
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
    assert torch.allclose(m.denoised(x, abar), x0, atol=1e-9)
    reach = 8 * math.sqrt(1 / abar - 1)  # of the noise about x_t, in units of x0
    for i in range(5):
        points = grid()[0] if reach > 12 else x[i] / math.sqrt(abar) + grid(reach, 241)[0]
        log = m.log_prob(points) - (x[i] - math.sqrt(abar) * points).square().sum(1) / (2 * (1 - abar))
        assert torch.allclose(log.softmax(0) @ points, x0[i], atol=1e-5)


def test_the_score_is_the_gradient_of_the_log_density():
    m = mixture(4)
    x = torch.randn(6, 4, dtype=torch.float64).requires_grad_()
    noised = GaussianMixture(m.weights, 0.6 * m.means, 0.36 * m.covariances + 0.64 * torch.eye(4))
    (gradient,) = torch.autograd.grad(noised.log_prob(x).sum(), x)
    assert torch.allclose(m.score(x.detach(), 0.36), gradient, atol=1e-9)


def test_the_prior_can_be_differentiated():
    prior = MixturePrior(mixture(3), (3, 1, 1))
    x = torch.randn(2, 3, 1, 1, dtype=torch.float64, generator=torch.Generator().manual_seed(0)).requires_grad_()
    for t in (0, 300, 999):
        assert torch.autograd.gradcheck(lambda x, t=t: prior(x, t).eps, x)


def test_one_covariance_for_all_components_is_that_covariance_for_each():
    means = 8 * torch.cartesian_prod(*[torch.arange(-2.0, 3.0, dtype=torch.float64)] * 2).repeat(1, 4)  # 25 in 8-D
    weights = torch.rand(25, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    shared = GaussianMixture.isotropic(means, 1.5, weights)
    each = GaussianMixture(shared.weights, means, shared.covariances.expand(25, -1, -1).clone())
    assert torch.allclose(shared.covariances[0], 2.25 * torch.eye(8, dtype=torch.float64))
    x = 10 * torch.randn(6, 8, dtype=torch.float64, generator=torch.Generator().manual_seed(1))
    assert torch.allclose(shared.covariance(), each.covariance())
    assert torch.allclose(shared.log_prob(x), each.log_prob(x))
    assert torch.allclose(shared.responsibilities(x), each.responsibilities(x))
    assert torch.allclose(shared.score(x, 0.3), each.score(x, 0.3))
    assert torch.allclose(shared.denoised(x, 0.3), each.denoised(x, 0.3))
    A = torch.randn(2, 8, dtype=torch.float64, generator=torch.Generator().manual_seed(2))
    for noise in (0.0, 0.7):
        ours, theirs = (m.posterior(A, torch.ones(2), noise) for m in (shared, each))
        assert torch.allclose(ours.weights, theirs.weights)
        assert torch.allclose(ours.mean(), theirs.mean())
        assert torch.allclose(ours.covariance(), theirs.covariance())
        u = theirs.sample(5, torch.Generator().manual_seed(3))
        assert torch.allclose(ours.log_prob(u), theirs.log_prob(u))


def test_the_worlds_of_gaussians_in_many_dimensions_are_priors_too():
    means = 8 * torch.cartesian_prod(*[torch.arange(-2.0, 3.0, dtype=torch.float64)] * 2).repeat(1, 100)  # 25 in 200-D
    prior = MixturePrior(GaussianMixture.isotropic(means, 1.0))
    assert prior.shape == (1, 1, 200)
    A = torch.randn(4, 200, dtype=torch.float64, generator=torch.Generator().manual_seed(0)) / 200**0.5
    x = prior.mixture.sample(1, torch.Generator().manual_seed(1))[0]
    posterior = prior.mixture.posterior(A, A @ x, 0.1)
    draws = posterior.sample(2000, torch.Generator().manual_seed(2))
    assert (draws @ A.mT - A @ x).std() == pytest.approx(0.1, rel=0.1)
    assert (draws.mean(0) - posterior.mean()).abs().max() < 0.2
    with pytest.raises(BenchmarkError, match=r"images of shape \(1, 8, 8\) are not its vectors of dimension 200"):
        MixturePrior(prior.mixture, (1, 8, 8))


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


def test_the_posterior_of_a_noisy_measurement_is_the_prior_weighted_by_its_likelihood():
    m = mixture(4)
    A = torch.randn(2, 4, dtype=torch.float64, generator=torch.Generator().manual_seed(3))
    y = A @ m.sample(1, torch.Generator().manual_seed(4))[0]
    posterior, draws = m.posterior(A, y, 0.8), m.sample(400_000, torch.Generator().manual_seed(5))
    weight = (-(y - draws @ A.mT).square().sum(1) / (2 * 0.8**2)).softmax(0)
    assert torch.allclose(weight @ draws, posterior.mean(), atol=0.03)
    assert torch.allclose(weight @ m.responsibilities(draws), posterior.weights, atol=0.01)


def test_the_density_on_the_null_space_is_the_prior_along_the_line_normalised():
    m = mixture()
    A, y = torch.tensor([[0.6, -0.8]], dtype=torch.float64), torch.tensor([0.5], dtype=torch.float64)
    posterior = m.posterior(A, y)
    along = torch.linspace(-20, 20, 20001, dtype=torch.float64)
    line = y * A + along[:, None] * torch.tensor([[0.8, 0.6]], dtype=torch.float64)
    p = m.log_prob(line).softmax(0)
    assert torch.allclose(posterior.log_prob(line).exp() * (along[1] - along[0]), p, atol=1e-9)
    assert torch.allclose(posterior.mean(), p @ line, atol=1e-9)


def test_measuring_nothing_leaves_the_prior_and_measuring_everything_leaves_the_truth():
    m = mixture(3)
    x = m.sample(7, torch.Generator().manual_seed(0))
    for noise in (0.0, 0.5):
        posterior = m.posterior(torch.zeros(2, 3, dtype=torch.float64), torch.zeros(2), noise)
        assert torch.allclose(posterior.log_prob(x), m.log_prob(x))
        assert torch.allclose(posterior.mean(), m.mean())
    posterior = m.posterior(torch.eye(3, dtype=torch.float64), x[0])
    assert torch.allclose(posterior.mean(), x[0])
    assert torch.allclose(posterior.sample(2, torch.Generator().manual_seed(1)), x[0].expand(2, 3))


def test_singular_values_that_are_rounding_error_measure_nothing():
    m = mixture(6)
    measured = torch.randn(2, 6, generator=torch.Generator().manual_seed(0))
    A = torch.randn(5, 2, generator=torch.Generator().manual_seed(1)) @ measured  # float32, of rank 2
    truth = m.sample(1, torch.Generator().manual_seed(2))[0]
    posterior = m.posterior(A, A.double() @ truth)
    expected = m.posterior(measured, measured.double() @ truth)
    assert posterior.basis.shape == (4, 6)
    assert torch.allclose(posterior.mean(), expected.mean(), atol=1e-3)


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


@pytest.mark.parametrize("sigma", [0.0, 0.1])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("name", [name for name in PROBLEMS if name != "inpainting"])
def test_every_problem_has_an_exact_posterior_on_digits(name, dtype, sigma):
    prior = load_mixture()
    problem = build({"name": name, "sigma": sigma}, prior.shape, dtype=dtype)
    x = prior.mixture.sample(1, torch.Generator().manual_seed(0)).reshape(1, 1, 1, 8, 8).to(dtype)
    y = problem.A(x)
    y = problem.measure(x, torch.randn(y.shape, generator=torch.Generator().manual_seed(1)).to(dtype))
    posterior = posterior_of(prior, problem, y)
    draws = posterior.sample(200, torch.Generator().manual_seed(2)).reshape(1, 200, 1, 8, 8).to(dtype)
    if sigma == 0:
        assert problem.consistency(draws, y).max() < (1e-8 if dtype == torch.float64 else 1e-3)
    error = (posterior.mean() - x.flatten()).square().mean()
    assert error <= (prior.mixture.mean() - x.flatten()).square().mean()


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no GPU")
def test_a_gpu_gives_the_same():
    prior = load_mixture()
    x = torch.randn(4, 1, 8, 8, dtype=torch.float64)
    assert torch.allclose(prior.to("cuda")(x.cuda(), 300).eps.cpu(), prior(x, 300).eps, atol=1e-9)
    assert prior.to("cuda").mixture.sample(3, torch.Generator().manual_seed(0)).shape == (3, 64)


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
