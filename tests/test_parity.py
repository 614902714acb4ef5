"""The ``reference`` presets agree with the recorded runs of the released implementations, step by step."""

import numpy as np
import pytest
import torch

from benchmark.priors import schedule
from benchmark.priors.protocol import linear_alphas_cumprod
from benchmark.problems import build
from benchmark.sampling import SAMPLERS
from tests.golden import golden
from tests.recorded import (
    VARIANTS,
    TinyNet,
    assert_agrees,
    draws,
    guide_of,
    hole_of,
    meta,
    noise_of,
    tensor,
)

SHAPE = (3, 16, 16)


def inpainting(run, sigma=0.0, dtype=torch.float32):
    return build({"name": "inpainting", "sigma": sigma}, SHAPE, hole=hole_of(run), dtype=dtype)


def masked_measurement(run) -> torch.Tensor:
    """The kept numbers (indices 3 pixel + channel) put back into the image's shape, 0 in the hole."""
    flat = torch.zeros(16 * 16 * 3)
    flat[torch.tensor(run["kept_indices"]).long()] = tensor(run["y"][0])
    return flat.reshape(16, 16, 3).permute(2, 0, 1)[None, None]


def super_resolution(run, sigma):
    name = {"sravg4": "super_resolution_average", "srbicubic4": "super_resolution_bicubic"}[meta(run)["deg"]]
    return build({"name": name, "factor": 4, "sigma": sigma}, SHAPE)


def problem_of(run):
    sigma = meta(run)["sigma_cli"]
    if meta(run)["deg"] == "inpaint":
        return inpainting(run, sigma), masked_measurement(run)
    problem = super_resolution(run, sigma)
    return problem, tensor(run["y"]).reshape(1, 1, 3, 4, 4)


def divisor_of(run, full: bool) -> float:
    return 768.0 if full or meta(run)["deg"] != "inpaint" else float(3 * (run["keep_mask"] == 0).sum())


# ------------------------------------------------------------------------------------------------------------ schedules
def test_respaced_schedules_agree():
    run, bar = golden("schedules"), linear_alphas_cumprod().numpy()
    assert np.allclose(schedule.linear_betas(), run["betas_linear1000"], atol=1e-15)
    assert np.allclose(bar, run["alphas_cumprod_linear1000"], atol=1e-14)
    for name in (key.removeprefix("map_") for key in run.files if key.startswith("map_")):
        ours = schedule.Schedule.respaced(bar, name.replace("_", ","))
        assert (ours.timesteps == run[f"map_{name}"]).all()
        assert np.allclose(ours.betas, run[f"betas_{name}"], atol=1e-12)
        assert np.allclose(ours.alphas_cumprod, run[f"alphas_cumprod_{name}"], atol=1e-12)
        recorded = run[f"posterior_log_variance_clipped_{name}"]
        assert np.allclose(ours.posterior_log_variance_clipped, recorded, atol=1e-9)


def test_walks_agree():
    run = golden("schedules")
    for key in run.files:
        numbers = [int(part) for part in key.replace("start", "").split("_")[2:] if part.isdigit()]
        if key.startswith("repaint_jump"):
            steps, n_sample, length, jumps, *start = numbers
            ours = schedule.jump_schedule(steps, length, jumps, n_sample, *start)
        elif key.startswith("ddnm_jump"):
            ours = schedule.travel_schedule(*numbers)
        elif key.startswith("ddrm_seq"):
            ours = schedule.ddrm_timesteps(numbers[0])[::-1]
        elif key.startswith("diffpir_t"):
            ours = schedule.diffpir_timesteps(numbers[0], key.rsplit("_", 1)[1])
        else:
            continue
        assert list(ours) == list(run[key]), key


# ------------------------------------------------------------------------------------------------------------- samplers
@pytest.mark.parametrize("variant", VARIANTS)
def test_repaint_agrees(variant):
    run = golden("repaint_inpaint")
    problem, info = inpainting(run), meta(run)["schedule_jump_params"]
    divisor = 5 * 3 * float((run["keep_mask"] == 0).sum())
    states = SAMPLERS["repaint"](
        TinyNet(run), problem, tensor(run["gt"])[None], noise_of(draws(run)),
        guide_of(run, variant, divisor, problem.hole), preset="reference", steps=info["t_T"],
        jump_length=info["jump_length"], jump_n_sample=info["jump_n_sample"],
    )  # fmt: skip
    assert_agrees(run, variant, list(states), divisor)


@pytest.mark.parametrize("variant", VARIANTS)
@pytest.mark.parametrize("name", ["ddnm_inpaint_travel", "ddnm_sravg4", "ddnmplus_inpaint_noisy"])
def test_ddnm_agrees(name, variant):
    run = golden(name)
    info = meta(run)
    problem, y = problem_of(run)
    divisor = divisor_of(run, full=False)
    states = SAMPLERS["ddnm"](
        TinyNet(run), problem, y, noise_of([d for d in draws(run) if d.ndim == 4]),
        guide_of(run, variant, divisor, problem.hole), preset="reference", steps=info["T_sampling"],
        eta_ddim=info["eta_ddim"], travel_length=info["travel_length"], travel_repeat=info["travel_repeat"],
    )  # fmt: skip
    assert_agrees(run, variant, list(states), divisor)


def reference_basis(run):
    """(768, 768): column i is the image (C, H, W, flat) of the released operator's i-th spectral coefficient."""
    identity = np.eye(768)
    if meta(run)["deg"] == "inpaint":
        order = np.concatenate([run["kept_indices"], run["missing_indices"]]).astype(int)
        images = np.zeros((768, 768))
        images[np.arange(768), order] = 1  # row i: HWC-flat image
        return images.reshape(768, 16, 16, 3).transpose(0, 3, 1, 2).reshape(768, 768).T
    V = run["V_small"].astype(float)
    if meta(run)["deg"] == "sravg4":
        rows = []
        for z in identity:
            patches = np.zeros((3, 16, 16))  # channel, patch, coefficient
            patches[:, :, 0] = z[:48].reshape(3, 16)
            patches[:, :, 1:] = z[48:].reshape(3, 16, 15)
            pixels = (patches @ V.T).reshape(3, 4, 4, 4, 4)
            rows.append(pixels.transpose(0, 1, 3, 2, 4).reshape(-1))
        return np.stack(rows, axis=1)
    rows = []
    top = [(i, j) for i in range(4) for j in range(4)]
    rest = [(i, j) for i in range(4) for j in range(4, 16)] + [(i, j) for i in range(4, 16) for j in range(16)]
    places = [top[k] for k in run["perm"][:16]] if "perm" in run.files and run["perm"].max() < 16 else top
    for z in identity:
        grid = np.zeros((3, 16, 16))
        for index, (i, j) in enumerate([*places, *rest]):
            grid[:, i, j] = z[3 * index : 3 * index + 3]
        rows.append((V @ grid @ V.T).reshape(-1))
    return np.stack(rows, axis=1)


@pytest.mark.parametrize("variant", VARIANTS)
@pytest.mark.parametrize("name", ["ddrm_inpaint", "ddrm_sravg4", "ddrm_srbicubic4"])
def test_ddrm_agrees(name, variant):
    run = golden(name)
    info = meta(run)
    problem, y = problem_of(run)
    basis = torch.tensor(reference_basis(run), dtype=torch.float64)
    assert (basis.mT @ basis - torch.eye(768)).abs().max() < 1e-5

    def coefficients(z: torch.Tensor, first: int) -> torch.Tensor:
        """Recorded coefficients, the first of them at position ``first``, in our spectral layout."""
        padded = torch.zeros(len(z), 768, dtype=torch.float64)
        padded[:, first : first + z.shape[1]] = z.double()
        return problem.Vt((padded @ basis.mT).float().reshape(1, -1, 3, 16, 16))

    recorded = draws(run, 1)
    noise = [coefficients(recorded[0].reshape(5, -1), 0)]
    after = run[f"{variant}/n_after"] if f"{variant}/n_after" in run.files else run["off/n_after"]
    for step in range((len(recorded) - 1) // 3):
        a, b, c = recorded[1 + 3 * step : 4 + 3 * step]
        noise += [coefficients(a, 0), coefficients(b, c.shape[1] - int(after[step])), coefficients(c, 0)]
    divisor = 768.0
    from benchmark.sampling.noise import Recorded

    states = SAMPLERS["ddrm"](
        TinyNet(run), problem, y, Recorded(noise), guide_of(run, variant, divisor, None),
        preset="reference", steps=len(run["seq"]), eta=info["etaA"], eta_b=info["etaB"],
    )  # fmt: skip
    assert_agrees(run, variant, list(states), divisor)


@pytest.mark.parametrize("variant", VARIANTS)
def test_dps_agrees(variant):
    run = golden("dps_inpaint_learnedrange")
    info = meta(run)
    problem = inpainting(run)
    divisor = float((run["keep_mask"] == 0).sum())
    states = list(
        SAMPLERS["dps"](
            TinyNet(run), problem, tensor(run["y"])[None], noise_of(draws(run, 1)),
            guide_of(run, variant, divisor, problem.hole), preset="reference",
            steps=info["timestep_respacing"], scale=info["scale"],
        )
    )  # fmt: skip
    assert_agrees(run, variant, states, divisor)
    norms = torch.stack([state.extra["norm"][0] for state in states[1:]])
    assert (norms - tensor(run[f"{variant}/norm"])).abs().max() < 1e-3


def test_diffpir_inpainting_agrees():
    run = golden("diffpir_inpaint")
    problem = inpainting(run)
    states = list(
        SAMPLERS["diffpir"](
            TinyNet(run), problem, torch.where(problem.hole, 0.0, tensor(run["y"])[None]), noise_of(draws(run)),
            guide_of(run, "off", 1.0, None), preset="reference", steps=8, zeta=1.0, exact_data_step=False,
        )
    )  # fmt: skip
    assert_agrees(run, "off", states, 1.0)
    if "off/x0_data" in run.files:  # the whole recording
        for state, x0_data in zip(states[1:], run["off/x0_data"], strict=True):
            if state.extra:
                assert (state.extra["x0_data"][0] - tensor(x0_data)).abs().max() < 2e-4
        assert ((states[-1].x[0] + 1) / 2 - tensor(run["off/x_0_saved"])).abs().max() < 1e-4


def test_diffpir_super_resolution_agrees():
    run = golden("diffpir_sr4_blur_noisy_fp64data")
    if "kernel" not in run.files:
        pytest.skip("the recorded kernel is not at hand")
    info = meta(run)["params"]
    problem = build(
        {"name": "super_resolution_blur", "factor": 4, "sigma": info["noise_level_img"], "kernel": run["kernel"]},
        (3, 32, 32),
        dtype=torch.float64,
    )

    class Doubled:
        def __init__(self, net):
            self.net, self.alphas_cumprod, self.learned_range = net, net.alphas_cumprod, net.learned_range

        def __call__(self, x, t):
            return type(self.net(x.float(), t))(*(part.double() for part in self.net(x.float(), t)))

    states = list(
        SAMPLERS["diffpir"](
            Doubled(TinyNet(run)), problem, 2 * tensor(run["y"])[None].double() - 1,
            noise_of([d.double() for d in draws(run)]), guide_of(run, "off", 1.0, None), preset="reference",
            steps=info["iter_num"], zeta=info["zeta"], lam=info["lambda_"],
            x_init=2 * tensor(run["x_up"])[None].double() - 1,
        )
    )  # fmt: skip
    assert_agrees(run, "off", states, 1.0)
