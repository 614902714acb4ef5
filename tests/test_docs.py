"""The worked examples of docs/extending.md run, and keep what they promise."""

import re
from pathlib import Path
from unittest.mock import patch

import torch

from benchmark.priors.loaders import PRIORS
from benchmark.priors.mixture import GaussianMixture, MixturePrior, load_mixture
from benchmark.problems import build
from benchmark.sampling.guidance import no_guidance
from benchmark.sampling.noise import Streams

DOCS = Path(__file__).resolve().parent.parent / "docs"
GUIDE = (DOCS / "extending.md").read_text()


def example(name: str):
    """The function of that name from the guide's tested blocks."""
    scope: dict = {}
    for block in re.findall(r"<!-- tested.*?-->\n```python\n(.*?)```", GUIDE, re.DOTALL):
        exec(compile(block, "docs/extending.md", "exec"), scope)
    return scope[name]


def left_half_of_a_digit(prior):
    hole = torch.zeros(1, 8, 8, dtype=torch.bool)
    hole[:, :, :4] = True
    truth = prior.mixture.sample(1, torch.Generator().manual_seed(0)).reshape(1, 1, 1, 8, 8)
    noise = Streams([[(0, "d", "c", i) for i in range(3)]], prior.shape, dtype=prior.dtype)
    return build({"name": "inpainting"}, prior.shape, hole, dtype=prior.dtype), truth, noise


def test_the_example_sampler_of_the_guide_restores_digits():
    prior = load_mixture()
    problem, truth, noise = left_half_of_a_digit(prior)
    with torch.no_grad():
        states = list(example("replacement")(prior, problem, problem.A(truth), noise, no_guidance, steps=20))
    assert states[-1].nfe == len(states) - 1
    assert (states[-1].x - truth)[..., 4:].abs().max() < 1e-9
    assert states[-1].x[..., :4].abs().max() < 2


def test_the_example_prior_of_the_guide_estimates_the_noise_as_a_mixture_of_one_gaussian_does():
    (block,) = [one for one in re.findall(r"```python\n(.*?)```", GUIDE, re.DOTALL) if "class Gaussian" in one]
    scope: dict = {}
    with patch.dict(PRIORS):
        exec(compile(block, "docs/extending.md", "exec"), scope)
    exact = MixturePrior(GaussianMixture.isotropic(torch.zeros(1, 64, dtype=torch.float64), 0.7), (1, 8, 8))
    x = torch.randn(3, 1, 8, 8, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    for t in (0, 400, 999):
        eps, variance = scope["gaussian"](s=0.7)(x, t)
        assert variance is None
        assert torch.allclose(eps, exact(x, t).eps, atol=1e-9)


def test_the_example_network_of_the_guide_is_called_on_what_it_was_trained_for():
    prior, seen = load_mixture(), []
    problem, truth, noise = left_half_of_a_digit(prior)

    def network(small):
        seen.append(tuple(small.shape))
        return torch.nn.functional.interpolate(small, scale_factor=2)

    x = example("restore_with")(network, prior, problem, problem.A(truth), noise)
    assert seen == [(1, 1, 4, 4)] * 20
    assert x.shape == (1, 3, 1, 8, 8)
    assert (x - truth)[..., 4:].abs().max() < 0.2
