"""Properties of every registered sampler, under the exact prior of the digits."""

import math
from itertools import pairwise

import pytest
import torch

from benchmark.data.sources import pictures
from benchmark.errors import BenchmarkError
from benchmark.priors.load import load_prior
from benchmark.priors.mixture import load_mixture
from benchmark.problems import PROBLEMS, build
from benchmark.sampling import SAMPLERS
from benchmark.sampling.guidance import GUIDANCE, NearestNeighbour, build_guidance, no_guidance
from benchmark.sampling.noise import Streams, stream
from benchmark.sampling.sampler import Task
from benchmark.sampling.schedules import ddrm_timesteps, even_timesteps

OPTIONS = {name: sampler.rehearsal for name, sampler in SAMPLERS.items()} | {
    "repaint": {"steps": 10, "jump_length": 2, "jump_n_sample": 2},
    "ddrm": {"steps": 10},
    "ddnm": {"steps": 10},
    "dps": {"steps": 20, "scale": 0.5},
    "diffpir": {"steps": 10},
    "drp": {"steps": 5},
}
GUIDED = {"name": "nearest_neighbour", "eta": 0.3, "D": 0.8, "D_unit": "rms"}
STOCHASTIC = [name for name in SAMPLERS if name != "drp"]
NOISY = Task.of({"name": "inpainting", "sigma": 0.05})
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
    with torch.no_grad():
        *_, state = SAMPLERS[name](prior, operator, y, noise, guide, **{**OPTIONS[name], **extra})
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


@pytest.fixture(scope="module")
def faces():
    """The network of the faces, two of its pictures and their holes."""
    prior = load_prior({"name": "faces_unet"})
    truth = torch.stack([torch.from_numpy(picture.image) for picture in pictures({"name": "faces"}, 2, 0)])
    hole = torch.zeros(2, *prior.shape[1:], dtype=torch.bool)
    hole[0, :, :32], hole[1, 16:48, 16:48] = True, True
    return prior, truth[:, None], hole


@EVERY
@PRESET
def test_with_a_network_a_set_alone_is_the_same_picture_as_in_a_batch(faces, name, preset):
    prior, truth, hole = faces

    def last(cases):
        problem = build({"name": "inpainting"}, prior.shape, hole[cases])
        noise = Streams([[(0, "test", str(c), i) for i in range(3)] for c in cases], prior.shape)
        guide, _ = build_guidance({**GUIDED, "D": math.inf}, problem, 3, len(cases), "cpu", prior.dtype)
        options = {**OPTIONS[name], "preset": preset, "steps": 5}
        with torch.no_grad():
            *_, state = SAMPLERS[name](prior, problem, problem.A(truth[cases]), noise, guide, **options)
        return state.x

    together, alone = last([0, 1]), last([1])
    assert together.isfinite().all()
    assert (together[1:] - alone).abs().max() / 2 < 1 / 255  # on the scale [0, 1]


@EVERY
@PRESET
def test_sets_of_5_and_8_share_their_first_5_unguided_samples(prior, name, preset):
    eight, five = restore(prior, name, None, n=8, preset=preset), restore(prior, name, None, preset=preset)
    assert (eight[:, :5] - five).abs().max() < 1e-10


@EVERY
def test_eta_0_equals_D_0_equals_no_guidance_exactly(prior, name):
    plain = restore(prior, name, None)
    assert torch.equal(restore(prior, name, {**GUIDED, "eta": 0.0}), plain)
    assert torch.equal(restore(prior, name, {**GUIDED, "D": 0.0}), plain)


@pytest.mark.parametrize("guidance", GUIDANCE)
def test_D_0_is_no_guidance_for_every_guidance(prior, guidance):
    plain = restore(prior, "ddnm", None)
    assert torch.equal(restore(prior, "ddnm", {**GUIDED, "name": guidance, "D": 0.0}), plain)


def states_of(prior, name, noise, guide=no_guidance, **options):
    hole = torch.zeros(1, 8, 8, dtype=torch.bool)
    hole[:, :, :4] = True
    problem = build({"name": "inpainting", "sigma": options.pop("sigma", 0.0)}, prior.shape, hole, dtype=prior.dtype)
    with torch.no_grad():
        return list(SAMPLERS[name](prior, problem, problem.A(truths(prior, [0])), noise, guide, **options))


def streams(prior, n=5):
    return Streams([[(0, "test", "0", i) for i in range(n)]], prior.shape, dtype=prior.dtype)


def test_time_travel_noises_the_state_itself_and_in_the_released_code_the_clean_estimate(prior):
    bar, drawn = prior.alphas_cumprod, streams(prior)()
    for preset in ("paper", "reference"):
        first = iter([drawn])
        silent = lambda: next(first, torch.zeros_like(drawn))  # noqa: E731, B023
        states = states_of(prior, "ddnm", silent, preset=preset, steps=10, travel_length=2, travel_repeat=2)
        back = [i for i, state in enumerate(states) if i and state.x0 is None]
        assert len(back) == 8
        for i in back:
            before, after = states[i - 1], states[i]
            kept = (bar[after.t] / bar[before.t]).sqrt()
            if preset == "paper":
                assert torch.allclose(after.x, kept * before.x)
            elif before.x0 is not None:
                assert torch.allclose(after.x, bar[after.t].sqrt() * before.x0_guided)


def test_recomputed_eps_agrees_with_the_guided_estimate(prior):
    plain = states_of(prior, "ddnm", streams(prior), steps=10)
    assert torch.equal(states_of(prior, "ddnm", streams(prior), steps=10, recompute_eps=True)[-1].x, plain[-1].x)
    hole = torch.zeros(1, 1, 1, 8, 8, dtype=prior.dtype)
    hole[..., :4] = 1
    guide = NearestNeighbour(torch.tensor([0.5]), torch.tensor([math.inf]), hole)
    states = states_of(prior, "ddnm", streams(prior), guide, steps=10, eta_ddim=0.0, recompute_eps=True)
    for before, after in list(pairwise(states))[:-1]:  # the last step has no noise in it
        abar, abar_u = prior.alphas_cumprod[before.t], prior.alphas_cumprod[after.t]
        eps = (before.x - abar.sqrt() * after.x0_guided) / (1 - abar).sqrt()
        expected = abar_u.sqrt() * after.extra["x0_projected"] + (1 - abar_u).sqrt() * eps
        assert torch.allclose(after.x, expected)


def test_the_data_step_of_diffpir_is_the_same_with_and_without_cancellation_in_float64(prior):
    for sigma in (0.0, 0.1):
        written, exact = (
            states_of(prior, "diffpir", streams(prior), steps=10, sigma=sigma, exact_data_step=choice)[-1].x
            for choice in (False, True)
        )
        assert torch.allclose(written, exact, atol=1e-9)


def test_diffpir_starts_from_noise_and_in_the_released_code_with_the_measurement_in_it(prior):
    drawn = streams(prior)()
    assert torch.equal(states_of(prior, "diffpir", streams(prior), steps=5)[0].x, drawn)
    start = states_of(prior, "diffpir", streams(prior), steps=5, preset="reference")[0].x
    assert 1e-3 < (start - drawn).abs().max() < 0.05


def test_the_last_evaluation_of_diffpir_is_used_on_demand(prior):
    thrown_away = states_of(prior, "diffpir", streams(prior), steps=5, use_last=False)
    assert torch.equal(thrown_away[-1].x, thrown_away[-2].x)
    used = states_of(prior, "diffpir", streams(prior), steps=5)
    assert torch.equal(used[-1].x, used[-1].extra["x0_data"])


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


@pytest.mark.parametrize(
    ("name", "preset"), [("ddnm", "paper"), ("ddnm", "reference"), ("ddrm", "paper"), ("repaint", "paper")]
)
def test_noiseless_inpainting_keeps_known_pixels(prior, name, preset):
    known = restore(prior, name, preset=preset)[..., 4:]
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


def test_drp_solves_for_the_degradation_that_its_network_undoes(prior):
    """With H the identity conjugate gradients end where the closed form does; a blur as H gives something else."""

    def last(**options):
        return states_of(prior, "drp", streams(prior), steps=5, **options)[-1].x

    identity = build({"name": "denoising"}, prior.shape, dtype=prior.dtype)
    assert torch.allclose(last(degrade=identity), last(), atol=1e-10)
    blur = build({"name": "deblurring_uniform", "width": 3}, prior.shape, dtype=prior.dtype)
    assert (last(degrade=blur) - last()).abs().max() > 1e-3
    assert last(degrade=blur).isfinite().all()


def test_drp_reports_its_iterate_and_in_the_released_code_the_network_s_output(prior):
    paper, reference = (
        states_of(prior, "drp", streams(prior), steps=5, preset=preset)[-1] for preset in ("paper", "reference")
    )
    assert torch.equal(reference.x, reference.x0)
    assert (paper.x - truths(prior, [0]))[..., 4:].abs().max() < 0.02


@EVERY
@pytest.mark.parametrize("problem", [name for name in PROBLEMS if name != "inpainting"])
@pytest.mark.parametrize("sigma", [0.0, 0.05])
def test_a_sampler_serves_a_problem_or_says_which_can(prior, name, problem, sigma):
    settings = {"name": problem, "sigma": sigma, **({"factor": 2} if "super" in problem else {})}
    if SAMPLERS[name].refuses(Task.of(settings), {}):
        with pytest.raises(BenchmarkError, match="use "):
            restore(prior, name, problem=settings)
    else:
        assert restore(prior, name, problem=settings).isfinite().all()


@pytest.mark.parametrize("name", [name for name in SAMPLERS if not SAMPLERS[name].refuses(NOISY, {})])
def test_noisy_inpainting_comes_as_close_as_the_noise(prior, name):
    x = restore(prior, name, None, sigma=0.05, **({"steps": 100, "scale": 1.0} if name == "dps" else {}))
    rms = (x - truths(prior, [0, 1, 2]))[..., 4:].square().mean().sqrt()
    assert rms < 0.25


def test_the_known_part_can_be_pasted(prior):
    for name in ("dps", "repaint"):
        x = restore(prior, name, paste=True, preset="reference")
        assert torch.equal(x[..., 4:], truths(prior, [0, 1, 2])[..., 4:].expand(-1, 5, -1, -1, -1))


# What stands outside the presets: the sampler's option -> what it must be unless it is asked for.
EXTRAS = {
    "repaint": {"paste": False},
    "ddrm": {"paste": False},
    "ddnm": {"paste": False, "recompute_eps": False},
    "dps": {"paste": False},
    "diffpir": {"paste": False, "use_last": False, "exact_data_step": False},
    "drp": {"paste": False},
}


@EVERY
def test_options_outside_the_presets_are_explicit_and_off_under_reference(prior, name):
    plain, extras = restore(prior, name, preset="reference"), EXTRAS.get(name, {})
    assert torch.equal(restore(prior, name, preset="reference", **extras), plain)
    for option, off in extras.items():
        on = restore(prior, name, preset="reference", **{option: not off})
        if option == "exact_data_step":  # the same numbers but for the rounding, which float64 hides
            assert torch.allclose(on, plain, atol=1e-9)
        elif (name, option) != ("ddnm", "paste"):  # whose last step has pasted already
            assert not torch.equal(on, plain)


@PRESET
@pytest.mark.parametrize(
    ("name", "steps"), [(name, steps) for name in SAMPLERS for steps in (2, 7, 30)] + [("ddnm", 600), ("ddrm", 600)]
)
def test_any_number_of_steps_is_served_and_counted(prior, name, preset, steps):
    options = {**OPTIONS[name], "preset": preset, "steps": steps}
    states = states_of(prior, name, streams(prior, 2), **options)
    assert states[-1].x.isfinite().all()
    assert states[-1].nfe == SAMPLERS[name].evaluations(options)
    if preset == "paper" and name != "repaint":  # which jumps back
        assert states[-1].nfe == steps
    if preset == "paper" and steps > 2:
        assert states[0].t > 800 or name == "drp"  # the start is noise, so the first level must be


def test_the_released_timesteps_are_those_of_the_paper_where_they_divide_a_thousand():
    for steps in (1, 20, 50, 100, 250, 1000):
        assert ddrm_timesteps(steps) == even_timesteps(steps)
    assert len(ddrm_timesteps(30)) > len(even_timesteps(30)) == 30


def test_learned_range_of_a_network_without_it_is_refused(prior):
    for name in ("repaint", "dps"):
        with pytest.raises(BenchmarkError, match="learned_range needs a network with 2C output channels"):
            restore(prior, name, variance="learned_range")
        with pytest.raises(BenchmarkError, match="'learned' is not known; use learned_range"):
            restore(prior, name, variance="learned")
        large, small = (restore(prior, name, variance=kind) for kind in ("fixed_large", "fixed_small"))
        assert large.isfinite().all()
        assert not torch.equal(large, small)
        assert torch.equal(small, restore(prior, name))  # the default of a network that has learned no variance


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
