"""The denoiser for high noise: its targets are exact, its subspace fits its world, two experts make one prior."""

import json
import math

import pytest
import torch

from benchmark.cli import main
from benchmark.data.worlds import WORLDS
from benchmark.errors import BenchmarkError
from benchmark.networks.subspace import SubspaceConfig, SubspaceNet
from benchmark.priors.load import load_prior
from benchmark.priors.protocol import linear_alphas_cumprod
from benchmark.training import scenes as drawn_scenes
from benchmark.training.scenes import Scenes, differences, directions, scenes
from benchmark.training.subspace import SubspaceTask, SubspaceTraining, calibrated, marginalised
from benchmark.weights.checkpoints import dequantised, quantised, shipped

ABAR = linear_alphas_cumprod()
DRAWN = ("faces", "cats", "bedrooms")
SMALL = SubspaceConfig(pixels=12, coordinates=4, width=8, hidden=16, blocks=1)


@pytest.fixture(autouse=True)
def fewer_pictures_decide_about_the_directions(monkeypatch):
    monkeypatch.setattr(drawn_scenes, "MEASURED", 600)


# ------------------------------------------------------------------------------------------------------------- targets
def small_world():
    """Two attributes of 2 and 3 values whose pictures (6,) are not sums of their parts; shares; all 6 pictures."""
    generator = torch.Generator().manual_seed(0)
    pictures = torch.randn(2, 3, 6, generator=generator, dtype=torch.float64)
    return pictures, torch.tensor([0.3, 0.7]).double(), torch.tensor([0.5, 0.4, 0.1]).double()


def target(pictures, first, second, i, j, x, abar):
    d = torch.cat([pictures[i, j] - pictures[:, j], pictures[i, j] - pictures[i]])[None]
    noise = (x - abar**0.5 * pictures[i, j]) / (1 - abar) ** 0.5
    log_shares = torch.cat([first, second]).log()
    shift = marginalised(d, log_shares, [2, 3], torch.tensor([abar]).double(), noise[None])
    return pictures[i, j] - shift[0]


@pytest.mark.parametrize("abar", [0.9, 0.5, 0.05])
def test_the_expected_target_is_the_posterior_mean(abar):
    pictures, first, second = small_world()
    x = torch.randn(6, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    log = (first[:, None] * second).log() - (x - abar**0.5 * pictures).square().sum(-1) / (2 * (1 - abar))
    posterior = log.flatten().softmax(0).view(2, 3)
    exact = (posterior[..., None] * pictures).sum((0, 1))
    expected = sum(posterior[i, j] * target(pictures, first, second, i, j, x, abar) for i in range(2) for j in range(3))
    assert torch.allclose(expected, exact, atol=1e-10)


def test_where_attributes_change_different_pixels_the_target_is_the_posterior_mean_itself():
    pictures, first, second = small_world()
    pictures = torch.cat([pictures[:, :1, :3].expand(2, 3, 3), pictures[:1, :, 3:].expand(2, 3, 3)], dim=-1)
    x, abar = torch.linspace(-1, 1, 6).double(), 0.3
    targets = torch.stack([target(pictures, first, second, i, j, x, abar) for i in range(2) for j in range(3)])
    assert torch.allclose(targets, targets[:1], atol=1e-10)


def test_without_noise_the_target_is_the_picture():
    pictures, first, second = small_world()
    found = target(pictures, first, second, 1, 2, pictures[1, 2], 1 - 1e-6)
    assert torch.allclose(found, pictures[1, 2], atol=1e-6)


@pytest.mark.parametrize("share", [0.0, 0.5, 0.9])
def test_between_two_values_the_target_is_the_posterior_mean_there(share):
    pictures, _, second = small_world()
    pictures, abar = pictures[0], 0.8
    noise = torch.randn(6, generator=torch.Generator().manual_seed(2), dtype=torch.float64)
    x = abar**0.5 * torch.lerp(pictures[2], pictures[1], share) + (1 - abar) ** 0.5 * noise
    log = second.log() - (x - abar**0.5 * pictures).square().sum(-1) / (2 * (1 - abar))
    between = (torch.tensor([share]).double(), torch.tensor([1]))
    d = (pictures[2] - pictures)[None]
    shift = marginalised(d, second.log(), [3], torch.tensor([abar]).double(), noise[None], between)
    assert torch.allclose(pictures[2] - shift[0], log.softmax(0) @ pictures, atol=1e-10)


def test_between_two_values_of_one_attribute_the_others_stay_as_they_were():
    generator = torch.Generator().manual_seed(3)
    d, noise = torch.zeros(1, 4, 6).double(), torch.randn(1, 6, generator=generator).double()
    d[0, 1, :3], d[0, 3, 3:] = 2.0, 1.5  # two attributes of two values that change different numbers
    log_shares, abar = torch.tensor([0.6, 0.4, 0.7, 0.3]).double().log(), torch.tensor([0.5]).double()
    between = (torch.tensor([0.5]).double(), torch.tensor([1]))
    moved, still = (marginalised(d, log_shares, [2, 2], abar, noise, where) for where in (between, None))
    assert torch.allclose(moved[0, 3:], still[0, 3:])
    assert not torch.allclose(moved[0, :3], still[0, :3])


def test_shares_are_calibrated_against_what_samples_showed():
    shares = {"hat": {"none": 0.8, "cap": 0.2}}
    shown = {"attributes": {"hat": {"values": {"none": {"prior": 0.9}, "cap": {"prior": 0.1}}}}}
    once, twice = calibrated(shares, [shown]), calibrated(shares, [shown, shown])
    assert calibrated(shares, []) == shares
    assert 0.2 < once["hat"]["cap"] < twice["hat"]["cap"]
    assert math.isclose(sum(once["hat"].values()), 1, abs_tol=1e-4)
    with pytest.raises(BenchmarkError, match="hat is missing"):
        calibrated(shares, [{"attributes": {}}])


# ------------------------------------------------------------------------------------------------------------ subspace
@pytest.mark.parametrize("world", DRAWN)
def test_differences_redraw_every_value(world):
    module = WORLDS[world]
    attributes = module.sample_attributes(3, torch.Generator().manual_seed(5))
    pictures, found = differences(module, attributes)
    position = 0
    for name, table in module.ATTRIBUTES.items():
        for value in table:
            redrawn = module.render(attributes.with_value(name, value))
            assert torch.allclose(pictures - found[:, position], redrawn, atol=1e-6), (name, value)
            position += 1
    assert position == found.shape[1]


def test_directions_are_orthonormal_and_their_coordinates_uncorrelated():
    mean, basis, variances = directions(WORLDS["faces"], 16, seed=0)
    assert torch.allclose(basis @ basis.T, torch.eye(16), atol=1e-4)
    assert (variances.diff() <= 0).all()
    fresh = WORLDS["faces"].render(WORLDS["faces"].sample_attributes(500, torch.Generator().manual_seed(9)))
    z = (fresh.flatten(1) - mean) @ basis.T
    assert torch.allclose(z.var(0)[:4], variances[:4], rtol=0.25)


def test_scenes_do_not_depend_on_the_number_of_processes():
    one, two = (scenes("faces", 130, 8, seed=0, processes=count) for count in (1, 2))
    assert torch.equal(one.coordinates, two.coordinates)
    assert torch.equal(one.differences, two.differences)
    assert one.differences.shape == (130, 40, 8)
    assert one.coordinates.shape == (130, 8)


def network():
    net = SubspaceNet(SMALL, ABAR)
    basis = torch.linalg.qr(torch.randn(12, 4, generator=torch.Generator().manual_seed(0)))[0].T
    return net.span(torch.linspace(-0.5, 0.5, 12), basis, torch.tensor([4.0, 2.0, 1.0, 0.5]))


def test_an_estimate_lies_in_the_subspace_and_without_noise_it_is_the_picture():
    net = network()
    picture = (net.mean + torch.tensor([1.0, -1.0, 0.5, 0.2]) @ net.basis).view(1, 3, 2, 2)
    t = torch.zeros(1, dtype=torch.int64)
    assert torch.allclose(net(picture * ABAR[0].float().sqrt(), t), picture, atol=2e-2)
    estimate = (net(torch.randn(5, 3, 2, 2), torch.full((5,), 700)).flatten(1) - net.mean).detach()
    assert torch.allclose(estimate @ net.basis.T @ net.basis, estimate, atol=1e-5)


def test_a_network_that_adds_nothing_gives_the_best_linear_estimate():
    net = network()
    torch.nn.init.zeros_(net.last.weight)
    torch.nn.init.zeros_(net.last.bias)
    t = torch.tensor([400])
    abar, z = ABAR[400].float(), torch.tensor([[1.0, 2.0, -1.0, 0.3]])
    wiener = abar.sqrt() * net.variances / (abar * net.variances + 1 - abar) * z
    assert torch.allclose(net.denoise(z, t), wiener, atol=1e-6)


def test_learning_lowers_the_error_below_the_linear_estimates():
    generator = torch.Generator().manual_seed(0)
    net = network()
    values = torch.randint(2, (400,), generator=generator)
    ends = torch.tensor([[2.0, 1.0, 0.5, 0.3], [-2.0, -1.0, -0.5, -0.3]])
    differences_ = (ends[values][:, None] - ends[None]).half()
    drawn = Scenes(net.mean, net.basis, net.variances, ends[values], differences_, {"sign": values}, {
        "sign": {"plus": 0.5, "minus": 0.5}
    })  # fmt: skip
    settings = SubspaceTraining("none", batch=64, network=SMALL.to_flags(), precision="fp32")
    task = SubspaceTask(settings, drawn, ABAR)
    learner = task.build()
    optimiser = torch.optim.Adam(learner.parameters(), lr=1e-2)
    losses = []
    for step in range(150):
        loss = task.losses(learner, *task.draw(step)[1:]).mean()
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        losses.append(loss.item())
    assert sum(losses[-20:]) / 20 < 0.5 * losses[0]


def test_a_metric_measures_errors_without_moving_what_is_learned():
    generator = torch.Generator().manual_seed(0)
    drawn = Scenes(*[torch.zeros(12), torch.zeros(4, 12), torch.ones(4)], torch.randn(20, 4, generator=generator),
                   torch.zeros(20, 2, 4).half(), {"sign": torch.zeros(20, dtype=torch.int64)},
                   {"sign": {"plus": 0.5, "minus": 0.5}})  # fmt: skip
    settings = SubspaceTraining("none", batch=8, network=SMALL.to_flags())
    plain = SubspaceTask(settings, drawn, ABAR)
    batch, learner = plain.draw(0)[1:], plain.build()
    same, double = (SubspaceTask(settings, drawn, ABAR, scale * torch.eye(4)) for scale in (1, 2))
    assert torch.allclose(plain.losses(learner, *batch), same.losses(learner, *batch))
    assert torch.allclose(2 * plain.losses(learner, *batch), double.losses(learner, *batch))


# -------------------------------------------------------------------------------------------------------------- weights
def test_eight_bits_a_number_keep_every_row_to_a_254th_of_its_largest():
    state = {"matrix": torch.randn(5, 7) * torch.logspace(-3, 3, 5)[:, None], "kernel": torch.randn(4, 3, 2, 2)}
    state |= {"bias": torch.randn(5), "zeros": torch.zeros(2, 3)}
    stored = quantised(state)
    assert stored["matrix"].dtype == torch.int8
    back = dequantised(stored)
    assert set(back) == set(state)
    assert torch.equal(back["bias"], state["bias"])
    for name in ("matrix", "kernel", "zeros"):
        bound = state[name].flatten(1).abs().amax(1) / 253
        assert ((back[name] - state[name]).flatten(1).abs().amax(1) <= bound).all()
    assert dequantised(state) == state


@pytest.mark.parametrize("world", DRAWN)
def test_two_experts_answer_each_on_their_side_of_the_switch(world):
    prior, unet = load_prior({"name": f"{world}_experts"}), load_prior({"name": f"{world}_unet"})
    x = torch.randn(2, 3, 64, 64, generator=torch.Generator().manual_seed(0))
    below, above = prior.switch - 1, prior.switch
    assert torch.equal(prior(x, below).eps, unet(x, below).eps)
    abar = prior.alphas_cumprod[above].item()
    x0 = (x - (1 - abar) ** 0.5 * prior(x, above).eps) / abar**0.5
    assert torch.allclose(x0, prior.subspace(x, torch.full((2,), above)), atol=1e-4)
    assert not torch.allclose(prior(x, above).eps, unet(x, above).eps, atol=1e-3)
    with pytest.raises(BenchmarkError, match="the prior takes images"):
        prior(x[:, :, :32], above)


@pytest.mark.parametrize("world", DRAWN)
def test_an_expert_finds_the_picture_in_noise(world):
    prior = load_prior({"name": f"{world}_experts"})
    module = WORLDS[world]
    x0 = module.render(module.sample_attributes(8, torch.Generator().manual_seed(1)))
    for t, bound in ((400, 0.25), (300, 0.2)):
        abar = prior.alphas_cumprod[t].item()
        x = abar**0.5 * x0 + (1 - abar) ** 0.5 * torch.randn(x0.shape, generator=torch.Generator().manual_seed(t))
        found = (x - (1 - abar) ** 0.5 * prior(x, t).eps) / abar**0.5
        assert (found - x0).square().mean().sqrt() < bound


def test_the_expert_is_trained_taken_up_and_exported_by_the_command(tmp_path, capsys):
    run = ["train", "subspace", "--out", str(tmp_path / "run"), "--scenes", "60", "--batch", "8", "--threads", "1"]
    assert main([*run, "--steps", "1"]) == 0
    assert main([*run, "--steps", "2"]) == 0
    assert "step 2 of 2" in capsys.readouterr().out
    weights = tmp_path / "faces_subspace.safetensors"
    assert main([*run, "--switch", "250", "--export", str(weights)]) == 0
    card, state, _ = shipped("faces_subspace", weights)
    assert card["switch"] == 250
    assert card["stored_as"] == "int8"
    assert state["basis"].shape == (256, 12288)
    assert load_prior({"name": "faces_experts", "weights": str(weights)}).switch == 250
    (tmp_path / "table.json").write_text("{}")
    again = [*run[:3], str(tmp_path / "other"), *run[4:], "--steps", "1", "--start", str(weights)]
    assert main([*again, "--calibrate", str(tmp_path / "table.json")]) != 0
    assert "mouth is missing" in capsys.readouterr().err
    assert json.loads(weights.with_suffix(".json").read_text())["training"]["step"] == 2
