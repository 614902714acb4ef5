"""Properties of every registered sampler, under the exact prior of the digits."""

import math

import pytest
import torch

from benchmark.errors import BenchmarkError
from benchmark.priors.mixture import load_mixture
from benchmark.problems import PROBLEMS, build
from benchmark.sampling import SAMPLERS
from benchmark.sampling.guidance import GUIDANCE, build_guidance, no_guidance
from benchmark.sampling.noise import Streams, stream

OPTIONS = {
    "repaint": {"steps": 10, "jump_length": 2, "jump_n_sample": 2},
    "ddrm": {"steps": 10},
    "ddnm": {"steps": 10},
    "dps": {"steps": 20, "scale": 0.5},
    "diffpir": {"steps": 10},
    "drp": {"steps": 5},
}
GUIDED = {"name": "nearest_neighbour", "eta": 0.3, "D": 0.8, "D_unit": "rms"}
STOCHASTIC = [name for name in SAMPLERS if name != "drp"]
EVERY = pytest.mark.parametrize("name", SAMPLERS)
PRESET = pytest.mark.parametrize("preset", ["paper", "reference"])


@pytest.fixture(scope="module")
def prior():
    return load_mixture()


def truths(prior, cases):
    draws = prior.mixture.to("cpu", torch.float64).sample(8, torch.Generator().manual_seed(0))
    return draws.reshape(8, 1, *prior.shape)[cases].to(prior.dtype)


def restore(
    prior, name, guidance=GUIDED, cases=(0, 1, 2), n=5, order=None, problem=None, sigma=0.0, device="cpu", **extra
):
    """The last state's x for some cases; sample i of case c has the stream (0, "test", c, i)."""
    cases = list(cases)
    hole = torch.zeros(len(cases), 8, 8, dtype=torch.bool)
    hole[:, :, :4] = True
    operator = build(problem or {"name": "inpainting", "sigma": sigma}, prior.shape, hole, device, prior.dtype)
    x = truths(prior, cases).to(device)
    y = operator.A(x)
    if operator.sigma:
        y = operator.measure(
            x, torch.stack([torch.randn(y.shape[1:], generator=stream(0, "t", str(c), "m")) for c in cases])
        )
    keys = [[(0, "test", str(c), i) for i in (order if order is not None else range(n))] for c in cases]
    noise = Streams(keys, prior.shape, device, prior.dtype)
    guide, _ = build_guidance(guidance, operator, n, len(cases), device, prior.dtype)
    state = None
    with torch.no_grad():
        for state in SAMPLERS[name](prior, operator, y, noise, guide, **{**OPTIONS[name], **extra}):
            pass
    return state.x


@EVERY
@PRESET
def test_permuting_the_samples_permutes_the_result(prior, name, preset):
    order = [3, 0, 4, 1, 2]
    straight = restore(prior, name, preset=preset)
    assert (restore(prior, name, order=order, preset=preset) - straight[:, order]).abs().max() < 1e-10


@EVERY
@PRESET
def test_a_set_computed_alone_equals_the_same_set_in_a_batch(prior, name, preset):
    together = restore(prior, name, preset=preset)
    assert (restore(prior, name, cases=(1,), preset=preset) - together[1:2]).abs().max() < 1e-10


@EVERY
def test_sets_of_5_and_8_share_their_first_5_unguided_samples(prior, name):
    assert (restore(prior, name, None, n=8)[:, :5] - restore(prior, name, None)).abs().max() < 1e-10


@EVERY
def test_eta_0_equals_D_0_equals_no_guidance_exactly(prior, name):
    plain = restore(prior, name, None)
    assert torch.equal(restore(prior, name, {**GUIDED, "eta": 0.0}), plain)
    assert torch.equal(restore(prior, name, {**GUIDED, "D": 0.0}), plain)


@EVERY
@PRESET
def test_the_same_call_gives_the_same_bits(prior, name, preset):
    assert torch.equal(restore(prior, name, preset=preset), restore(prior, name, preset=preset))


@pytest.mark.parametrize("name", STOCHASTIC)
@pytest.mark.parametrize("guidance", GUIDANCE)
def test_guidance_spreads_the_set(prior, name, guidance):
    def spread(x):
        return torch.cdist(x.flatten(2), x.flatten(2)).mean()

    settings = {"name": guidance, "eta": 0.5, "D": 0.8 if guidance == "spell" else math.inf, "D_unit": "rms"}
    assert spread(restore(prior, name, settings, steps=20)) > spread(restore(prior, name, None, steps=20))


@pytest.mark.parametrize("name", ["ddnm", "ddrm", "repaint"])
def test_noiseless_inpainting_keeps_known_pixels(prior, name):
    known = restore(prior, name)[..., 4:]
    assert (known - truths(prior, [0, 1, 2])[..., 4:]).abs().max() < 1e-5


def test_drp_is_a_point_estimate(prior):
    assert torch.equal(*restore(prior, "drp")[:, :2].unbind(1))


def test_drp_takes_any_restoration_network(prior):
    seen = []

    def restore_network(x):
        seen.append(x.shape)
        return x.clamp(-1, 1)

    restore(prior, "drp", restore=restore_network)
    assert seen == [(3, 1, 1, 8, 8)] * 5


@EVERY
@pytest.mark.parametrize("problem", [name for name in PROBLEMS if name != "inpainting"])
@pytest.mark.parametrize("sigma", [0.0, 0.05])
def test_a_sampler_serves_a_problem_or_says_which_can(prior, name, problem, sigma):
    settings = {"name": problem, "sigma": sigma, **({"factor": 2} if "super" in problem else {})}
    if name == "repaint" or (name == "ddrm" and not PROBLEMS[problem].has_singular_system):
        with pytest.raises(BenchmarkError, match="use "):
            restore(prior, name, problem=settings)
    elif name == "ddnm" and sigma > 0 and not PROBLEMS[problem].has_singular_system:
        with pytest.raises(BenchmarkError, match="use "):
            restore(prior, name, problem=settings)
    else:
        assert restore(prior, name, problem=settings).isfinite().all()


@pytest.mark.parametrize("name", [name for name in SAMPLERS if name != "repaint"])
def test_noisy_inpainting_comes_as_close_as_the_noise(prior, name):
    x = restore(prior, name, None, sigma=0.05, **({"steps": 100, "scale": 1.0} if name == "dps" else {}))
    rms = (x - truths(prior, [0, 1, 2]))[..., 4:].square().mean().sqrt()
    assert rms < 0.25


def test_the_known_part_can_be_pasted(prior):
    for name in ("dps", "repaint"):
        x = restore(prior, name, paste=True, preset="reference")
        assert torch.equal(x[..., 4:], truths(prior, [0, 1, 2])[..., 4:].expand(-1, 5, -1, -1, -1))


def test_learned_range_of_a_network_without_it_is_refused(prior):
    for name in ("repaint", "dps"):
        with pytest.raises(BenchmarkError, match="learned_range needs a network with 2C output channels"):
            restore(prior, name, variance="learned_range")
        assert restore(prior, name, variance="fixed_large").isfinite().all()


@EVERY
def test_options_out_of_range_are_refused(prior, name):
    with pytest.raises(BenchmarkError, match="preset"):
        restore(prior, name, preset="published")
    with pytest.raises(BenchmarkError, match="steps"):
        restore(prior, name, steps=0)


def test_no_sampler_needs_a_guidance_that_records_anything(prior):
    assert no_guidance(torch.ones(1), 0.5)[1] is None


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no GPU here")
@EVERY
def test_cpu_and_gpu_agree(prior, name):
    gpu = prior.to("cuda")
    there = restore(gpu, name, device="cuda").cpu()
    assert (there - restore(prior, name)).abs().max() < 1e-8
