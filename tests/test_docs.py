"""The worked example of docs/extending.md runs, and keeps the invariances that it promises."""

import re
from pathlib import Path

import torch

from benchmark.priors.mixture import load_mixture
from benchmark.problems import build
from benchmark.sampling.guidance import no_guidance
from benchmark.sampling.noise import Streams

DOCS = Path(__file__).resolve().parent.parent / "docs"


def test_the_example_sampler_of_the_guide_restores_digits():
    text = (DOCS / "extending.md").read_text()
    block = re.search(r"<!-- tested.*?-->\n```python\n(.*?)```", text, re.DOTALL)[1]
    scope: dict = {}
    exec(compile(block, "docs/extending.md", "exec"), scope)
    prior = load_mixture()
    hole = torch.zeros(1, 8, 8, dtype=torch.bool)
    hole[:, :, :4] = True
    problem = build({"name": "inpainting"}, prior.shape, hole, dtype=prior.dtype)
    truth = prior.mixture.sample(1, torch.Generator().manual_seed(0)).reshape(1, 1, 1, 8, 8)
    noise = Streams([[(0, "d", "c", i) for i in range(3)]], prior.shape, dtype=prior.dtype)
    with torch.no_grad():
        states = list(scope["replacement"](prior, problem, problem.A(truth), noise, no_guidance, steps=20))
    assert states[-1].nfe == len(states) - 1
    assert (states[-1].x - truth)[..., 4:].abs().max() < 1e-9
    assert states[-1].x[..., :4].abs().max() < 2
