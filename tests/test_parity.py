"""The ``reference`` presets agree with the recorded runs of the released implementations, step by step."""

from itertools import pairwise

import numpy as np
import pytest
import torch

from benchmark.priors.protocol import linear_alphas_cumprod
from benchmark.problems import build
from benchmark.problems.kernels import bicubic_matrix
from benchmark.sampling import SAMPLERS
from benchmark.sampling import schedules as schedule
from benchmark.sampling.algorithms.ddnm import noisy_update
from benchmark.sampling.algorithms.diffpir import float32_schedule
from benchmark.sampling.guidance import no_guidance
from benchmark.sampling.noise import Recorded
from tests.golden import SELECTION, WHOLE, golden, golden_names
from tests.golden_data import make
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


# ------------------------------------------------------------------------------------------------ committed selection
@pytest.mark.skipif(not WHOLE.is_dir(), reason="the whole set is not here")
def test_the_committed_selection_is_what_its_script_makes_of_the_whole_set():
    committed = {path.name for path in SELECTION.iterdir() if path.suffix in (".npz", ".json")}
    assert committed == {*make.ENTIRE, *(f"{name}.npz" for name in make.SAMPLERS)}
    for name in make.ENTIRE:
        assert (SELECTION / name).read_bytes() == (WHOLE / name).read_bytes()
    for name in make.SAMPLERS:
        ours, wanted = np.load(SELECTION / f"{name}.npz"), make.compact(np.load(WHOLE / f"{name}.npz"))
        assert set(ours.files) == set(wanted)
        for key, array in wanted.items():
            assert np.array_equal(ours[key], array, equal_nan=array.dtype.kind == "f"), f"{name}: {key}"


def test_every_sampler_with_a_released_implementation_has_a_committed_run():
    recorded = {name.removeprefix("committed/").split("_")[0] for name in golden_names("*") if "committed/" in name}
    assert {"repaint", "ddrm", "ddnm", "ddnmplus", "dps", "diffpir", "schedules", "selection"} <= recorded


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


def test_the_float32_noise_levels_of_diffpir_agree():
    run, bar = golden("schedules"), float32_schedule()
    assert np.allclose(np.sqrt((1 - bar) / bar), run["diffpir_reduced_alpha_cumprod"], rtol=1e-5)
    for key in (name for name in run.files if name.startswith("diffpir_seq_")):
        numbers = key.removeprefix("diffpir_seq_").split("_")
        assert [999 - t for t in schedule.diffpir_timesteps(int(numbers[0]), numbers[1])] == list(run[key])


# ------------------------------------------------------------------------------------------------------------- samplers
@pytest.mark.parametrize("variant", VARIANTS)
@pytest.mark.parametrize("name", golden_names("repaint_*"))
def test_repaint_agrees(name, variant):
    run = golden(name)
    problem, info = inpainting(run), meta(run)["schedule_jump_params"]
    divisor = 5 * 3 * float((run["keep_mask"] == 0).sum())
    states = SAMPLERS["repaint"](
        TinyNet(run), problem, tensor(run["gt"])[None], noise_of(draws(run)),
        guide_of(run, variant, divisor, problem.hole), preset="reference", steps=info["t_T"],
        jump_length=info["jump_length"], jump_n_sample=info["jump_n_sample"],
        variance=meta(run).get("model_var_type"),
    )  # fmt: skip
    assert_agrees(run, variant, list(states), divisor)


@pytest.mark.parametrize("variant", VARIANTS)
@pytest.mark.parametrize("name", golden_names("ddnm_*", "ddnmplus_*"))
def test_ddnm_agrees(name, variant):
    run = golden(name)
    info = meta(run)
    problem, y = problem_of(run)
    divisor = divisor_of(run, full=False)
    states = list(
        SAMPLERS["ddnm"](
            TinyNet(run), problem, y, noise_of([d for d in draws(run) if d.ndim == 4]),
            guide_of(run, variant, divisor, problem.hole), preset="reference", steps=info["T_sampling"],
            eta_ddim=info["eta_ddim"], travel_length=info["travel_length"], travel_repeat=info["travel_repeat"],
        )
    )  # fmt: skip
    assert_agrees(run, variant, states, divisor)
    if f"{variant}/x0_projected" in run.files and problem.sigma == 0:  # the whole recording
        ours = [state.extra["x0_projected"][0] for state in states if state.extra]
        for projected, recorded in zip(ours, tensor(run[f"{variant}/x0_projected"]), strict=True):
            assert (projected - recorded).abs().max() < 2e-4


@pytest.mark.parametrize("name", golden_names("ddnmplus_*"))
def test_the_scaling_of_correction_and_noise_agrees(name):
    """The recorded Lambda and its noise for one input, beside the run itself."""
    run = golden(name)
    if "chk_Lambda" not in run.files or meta(run)["deg"] != "inpaint":
        pytest.skip(f"{name} has no such record for inpainting")
    problem, eta = inpainting(run, meta(run)["sigma_cli"], torch.float64), meta(run)["eta_ddim"]
    vec, (a, sigma) = tensor(run["chk_in"], torch.float64)[:, None], run["chk_a_sigma_t"].tolist()
    nothing, known = torch.zeros_like(vec), ~problem.hole.expand_as(vec)
    corrected = noisy_update(problem, nothing[:, :1], vec, nothing, nothing, a, sigma, eta)
    scaled, drawn = (tensor(run[key], torch.float64).reshape(vec.shape) for key in ("chk_Lambda", "chk_Lambda_noise"))
    assert (vec - corrected / a - scaled)[known].abs().max() < 1e-4
    noise = noisy_update(problem, nothing[:, :1], nothing, vec.flip(0), vec, a, sigma, eta)
    assert (noise - drawn).abs().max() < 1e-4


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


def levels(times: list[int]) -> list[float]:
    """sigma_t = sqrt(1 - abar_t) / sqrt(abar_t) of every timestep, 0 for -1."""
    bar = linear_alphas_cumprod().numpy()
    return [0.0 if t < 0 else float(np.sqrt((1 - bar[t]) / bar[t])) for t in times]


def singulars_in(basis: torch.Tensor, problem) -> torch.Tensor:
    """The singular value that belongs to each column of a basis: s = |A v|."""
    return problem.A(basis.mT.reshape(1, -1, *SHAPE).float()).flatten(2).double().norm(dim=-1)[0]


def batched(items: list, n: int) -> list[list]:
    return [items[i : i + n] for i in range(0, len(items), n)]


class SpectralNoise:
    """DDRM's three draws a step, coefficients in the released operator's basis and order, in our spectral layout.

    They are: one number for every coefficient; one for each that is measured worse than the next noise level (s sigma <
    sigma_0), in order; one for every measured one.
    """

    def __init__(self, recorded: list, basis: torch.Tensor, problem, times: list[int]):
        s, (start, *steps) = singulars_in(basis, problem), recorded
        self.problem, self.basis = problem, basis
        self.noise = [self.layout(start.reshape(start.shape[0], -1), torch.arange(768))]
        for (every, after, measured), sigma in zip(batched(steps, 3), levels(times[1:]), strict=True):
            n_y = measured.shape[1]
            worse = torch.nonzero(s[:n_y] * sigma < 2 * problem.sigma)[:, 0]
            assert len(worse) == after.shape[1]
            self.noise.append(self.layout(every, torch.arange(768)))
            self.noise.append(self.layout(after, worse))
            self.noise.append(self.layout(measured, torch.arange(n_y)))

    def layout(self, z: torch.Tensor, places: torch.Tensor) -> torch.Tensor:
        full = torch.zeros(len(z), 768, dtype=torch.float64)
        full[:, places] = z.double()
        return self.problem.Vt((full @ self.basis.mT).float().reshape(1, -1, *SHAPE))


@pytest.mark.parametrize("variant", VARIANTS)
@pytest.mark.parametrize("name", golden_names("ddrm_*"))
def test_ddrm_agrees(name, variant):
    run = golden(name)
    info = meta(run)
    problem, y = problem_of(run)
    basis = torch.tensor(reference_basis(run), dtype=torch.float64)
    assert (basis.mT @ basis - torch.eye(768)).abs().max() < 1e-5
    times = [*run["seq"].tolist()[::-1], -1]
    noise = SpectralNoise(draws(run, 1), basis, problem, times).noise
    states = SAMPLERS["ddrm"](
        TinyNet(run), problem, y, Recorded(noise), guide_of(run, variant, 768.0, None),
        preset="reference", steps=len(run["seq"]), eta=info["etaA"], eta_b=info["etaB"],
    )  # fmt: skip
    assert_agrees(run, variant, list(states), 768.0)


@pytest.mark.parametrize("eta_b", [1.0, 0.6])
@pytest.mark.parametrize("name", ["ddrm_srbicubic4", "ddrm_sravg4", "ddrm_inpaint"])
def test_noisy_ddrm_agrees_with_its_equations_written_out_in_a_dense_basis(name, eta_b):
    run = golden(name)
    generator, sigma_0, eta = torch.Generator().manual_seed(0), 0.3, 0.85
    problem, y = problem_of(run)
    problem.sigma = sigma_0 / 2
    y = y + problem.observed(sigma_0 * torch.randn(y.shape, generator=generator))
    basis = torch.tensor(reference_basis(run), dtype=torch.float64)
    s, n_y = singulars_in(basis, problem), problem.observed(torch.ones_like(y)).sum().int().item()
    net, bar = TinyNet(run), linear_alphas_cumprod()
    times = [*run["seq"].tolist()[::-1], -1]
    sigmas = levels(times)
    recorded = [torch.randn(5, 768, generator=generator)]
    for sigma in sigmas[1:]:
        worse = int((s[:n_y] * sigma < sigma_0).sum())
        recorded += [torch.randn(5, n, generator=generator) for n in (768, worse, n_y)]
    Aty = (problem.At(y)[0].flatten(1).double() @ basis)[0, :n_y]
    ybar = Aty / s[:n_y] ** 2  # S^-1 U^T y = S^-2 V^T A^T y
    z = sigmas[0] * recorded[0].double()
    seen = s[:n_y] * sigmas[0] > sigma_0
    start = ybar + (sigmas[0] ** 2 - (sigma_0 / s[:n_y]) ** 2).clamp_min(0).sqrt() * recorded[0][:, :n_y]
    z[:, :n_y] = torch.where(seen, start, z[:, :n_y])
    xs = [z @ basis.mT / sigmas[0]]
    for step, (t, u) in enumerate(pairwise(times)):
        every, after, measured = (draw.double() for draw in recorded[1 + 3 * step : 4 + 3 * step])
        sigma, abar = sigmas[step + 1], float(bar[t])
        e = net(xs[-1].float().reshape(5, *SHAPE), t).eps.flatten(1).double()
        x0, e = ((xs[-1] - (1 - abar) ** 0.5 * e) / abar**0.5) @ basis, e @ basis
        z = x0 + sigma * ((1 - eta**2) ** 0.5 * e + eta * every)
        for place, i in enumerate(torch.nonzero(s[:n_y] * sigma < sigma_0)[:, 0]):
            drift = (1 - eta**2) ** 0.5 * (s[i] * ybar[i] - s[i] * x0[:, i]) / sigma_0
            z[:, i] = x0[:, i] + sigma * (drift + eta * after[:, place])
        for i in torch.nonzero(s[:n_y] * sigma > sigma_0)[:, 0]:
            width = (sigma**2 - (eta_b * sigma_0 / s[i]) ** 2) ** 0.5
            z[:, i] = eta_b * ybar[i] + (1 - eta_b) * x0[:, i] + width * measured[:, i]
        xs.append((1.0 if u < 0 else float(bar[u]) ** 0.5) * (z @ basis.mT))
    noise = Recorded(SpectralNoise(recorded, basis, problem, times).noise)
    options = {"preset": "reference", "steps": len(times) - 1, "eta": eta, "eta_b": eta_b}
    for state, x in zip(SAMPLERS["ddrm"](net, problem, y, noise, no_guidance, **options), xs, strict=True):
        assert (state.x[0].flatten(1) - x).abs().max() < 1e-4


def test_the_dps_operator_is_the_bicubic_one():
    run = golden("ddrm_srbicubic4")
    assert np.allclose(bicubic_matrix(16, 4), run["H_small"], atol=1e-6)


@pytest.mark.parametrize("variant", VARIANTS)
@pytest.mark.parametrize("name", golden_names("dps_*"))
def test_dps_agrees(name, variant):
    run = golden(name)
    info = meta(run)
    if "keep_mask" in run.files:
        problem, divisor = inpainting(run), float((run["keep_mask"] == 0).sum())
    else:
        factor = 16 // run["y"].shape[-1]
        problem, divisor = build({"name": "super_resolution_bicubic", "factor": factor}, SHAPE), 768.0
    states = list(
        SAMPLERS["dps"](
            TinyNet(run), problem, tensor(run["y"])[None], noise_of(draws(run, 1)),
            guide_of(run, variant, divisor, problem.hole), preset="reference",
            steps=info["timestep_respacing"], scale=info["scale"], variance=info["model_var_type"],
        )
    )  # fmt: skip
    assert_agrees(run, variant, states, divisor)
    for array, ours in (("norm", "norm"), ("norm_grad", "gradient"), ("sample_before_condition", "before")):
        if f"{variant}/{array}" in run.files:
            found = torch.stack([state.extra[ours][0] for state in states[1:]])
            assert (found - tensor(run[f"{variant}/{array}"])).abs().max() < 1e-3


@pytest.mark.parametrize("name", [n for n in golden_names("diffpir_*") if "keep_mask" in golden(n).files])
def test_diffpir_inpainting_agrees(name):
    run = golden(name)
    info = meta(run)["params"]
    options = {"zeta": info["zeta"], "lam": info.get("lambda_", 1.0), "eta": info.get("eta", 0.0)}
    states = list(
        SAMPLERS["diffpir"](
            TinyNet(run), inpainting(run, info["noise_level_img"]), tensor(run["y"])[None], noise_of(draws(run)),
            guide_of(run, "off", 1.0, None), preset="reference", steps=info["iter_num"],
            x_init=tensor(run["y"])[None], **options,
        )
    )  # fmt: skip
    assert_agrees(run, "off", states, 1.0)
    if "off/x0_data" in run.files:  # the whole recording
        for state, x0_data, rho in zip(states[1:], run["off/x0_data"], run["off/rho"], strict=True):
            if state.extra:
                assert (state.extra["x0_data"][0] - tensor(x0_data)).abs().max() < 2e-4
                assert state.extra["rho"] == pytest.approx(float(rho), rel=1e-5)
        assert ((states[-1].x[0] + 1) / 2 - tensor(run["off/x_0_saved"])).abs().max() < 1e-4


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("name", [n for n in golden_names("diffpir_*") if "kernel" in golden(n).files])
def test_diffpir_super_resolution_agrees(name, dtype):
    run = golden(name)
    info = meta(run)["params"]
    size = run["img_H_uint8"].shape[0]
    factor = size // run["y"].shape[-1]
    problem = build(
        {"name": "super_resolution_blur", "factor": factor, "sigma": info["noise_level_img"], "kernel": run["kernel"]},
        (3, size, size),
        dtype=dtype,
    )

    class InDtype:
        def __init__(self, net):
            self.net, self.alphas_cumprod, self.learned_range = net, net.alphas_cumprod, net.learned_range

        def __call__(self, x, t):
            return type(self.net(x.float(), t))(*(part.to(dtype) for part in self.net(x.float(), t)))

    y = tensor(run["y"], dtype)[None]
    states = list(
        SAMPLERS["diffpir"](
            InDtype(TinyNet(run)), problem, 2 * y - 1, noise_of([d.to(dtype) for d in draws(run)]),
            guide_of(run, "off", 1.0, None), preset="reference", steps=info["iter_num"], zeta=info["zeta"],
            lam=info["lambda_"],
        )
    )  # fmt: skip
    assert_agrees(run, "off", states, 1.0)
