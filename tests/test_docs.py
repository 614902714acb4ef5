"""The worked examples of docs/extending.md run, and keep what they promise."""

import re
from pathlib import Path

import torch

from benchmark.priors.mixture import load_mixture
from benchmark.problems import build
from benchmark.sampling.guidance import no_guidance
from benchmark.sampling.noise import Streams

DOCS = Path(__file__).resolve().parent.parent / "docs"


def example(name: str):
    """The function of that name from the guide's tested blocks."""
    scope: dict = {}
    for block in re.findall(r"<!-- tested.*?-->\n```python\n(.*?)```", (DOCS / "extending.md").read_text(), re.DOTALL):
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
