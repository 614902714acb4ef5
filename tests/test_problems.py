"""Every operator of the registry: adjoint, pseudo-inverse, singular system, proximal step; and recorded runs."""

import time

import numpy as np
import pytest
import torch

from benchmark.errors import BenchmarkError
from benchmark.problems import PROBLEMS, build
from benchmark.problems.kernels import bicubic_matrix
from tests.golden import golden

OPTIONS = {
    "super_resolution_average": [{"factor": 2}, {"factor": 4}, {"factor": 8}],
    "super_resolution_bicubic": [{"factor": 2}, {"factor": 4}, {"factor": 8}],
    "super_resolution_blur": [{"factor": 2}, {"factor": 4}],
    "deblurring_gaussian": [{"std": 0.7}, {"std": 3.0}],
    "deblurring_uniform": [{"width": 3}, {"width": 9}],
    "deblurring_motion": [{"length": 5.0, "angle": 20.0}, {"length": 9.0, "angle": 45.0}],
}
CASES = [(name, options) for name in PROBLEMS for options in OPTIONS.get(name, [{}])]
WITH_SVD = [(name, options) for name, options in CASES if PROBLEMS[name].has_singular_system]
SHAPE = (3, 16, 24)
BY_16 = [(name, {"factor": 16}) for name in PROBLEMS if name.startswith("super_resolution")]


def make(name, options, dtype=torch.float64, shape=SHAPE, sigma=0.1, batch=2):
    hole = torch.rand(batch, *shape[1:], generator=torch.Generator().manual_seed(1)) < 0.4
    return build({"name": name, "sigma": sigma, **options}, shape, hole=hole, dtype=dtype)


def images(dtype=torch.float64, shape=SHAPE, batch=2, n=3, seed=0):
    return torch.randn(batch, n, *shape, generator=torch.Generator().manual_seed(seed)).to(dtype)


def dot(a, b):
    return (a * b).flatten(2).sum(-1)


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32])
@pytest.mark.parametrize(("name", "options"), CASES)
def test_the_transpose_is_the_adjoint(name, options, dtype):
    problem, x = make(name, options, dtype), images(dtype)
    y = problem.observed(torch.randn(problem.A(x).shape, generator=torch.Generator().manual_seed(2)).to(dtype))
    assert torch.allclose(dot(problem.A(x), y), dot(x, problem.At(y)), atol=1e-9 if dtype == torch.float64 else 2e-3)


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32])
@pytest.mark.parametrize(("name", "options"), CASES)
def test_the_pseudo_inverse_is_one(name, options, dtype):
    problem, x = make(name, options, dtype), images(dtype)
    tolerance = 1e-8 if dtype == torch.float64 else 2e-3
    y = problem.A(x)
    back = problem.pinv(y)
    assert torch.allclose(problem.A(back), y, atol=tolerance)
    assert torch.allclose(problem.pinv(problem.A(back)), back, atol=tolerance)
    assert torch.allclose(dot(back, x), dot(back, back), rtol=1e-3, atol=tolerance * 10)  # A+A is a projection


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32])
@pytest.mark.parametrize(("name", "options"), WITH_SVD)
def test_the_singular_system_is_one(name, options, dtype):
    problem, x = make(name, options, dtype), images(dtype)
    tolerance = 1e-9 if dtype == torch.float64 else 1e-4
    z = problem.Vt(x)
    assert z.shape == x.shape
    assert torch.allclose(problem.V(z), x, atol=tolerance)
    assert torch.allclose(z.flatten(2).norm(dim=-1), x.flatten(2).norm(dim=-1), rtol=1e-4)
    assert torch.allclose(problem.A(x), problem.U(problem.singulars * z), atol=tolerance)
    measured = (problem.singulars > 0).expand_as(z)
    assert (problem.Ut(problem.A(x))[~measured] == 0).all()
    assert torch.allclose(problem.Ut(problem.A(x)), problem.singulars * z, atol=tolerance)
    assert torch.allclose(problem.Ut(problem.U(z)), z * measured, atol=tolerance)


@pytest.mark.parametrize(("name", "options"), WITH_SVD)
def test_singular_values_are_those_of_the_dense_matrix(name, options):
    shape = (3, 8, 8)
    problem = make(name, options, shape=shape, batch=1)
    basis = torch.eye(192, dtype=torch.float64).reshape(1, 192, *shape)
    dense = problem.A(basis).flatten(2)[0]
    expected = torch.linalg.svdvals(dense)
    found = problem.singulars.expand(1, 1, *shape).flatten().sort(descending=True).values
    assert torch.allclose(found[: len(expected)], expected, atol=1e-9)


@pytest.mark.parametrize(("name", "options"), CASES)
@pytest.mark.parametrize("rho", [1e-9, 0.1, 10.0])
def test_the_proximal_step_solves_its_normal_equations(name, options, rho):
    problem, x0 = make(name, options), images()
    y = problem.measure(images(seed=3), problem.A(images(seed=4)))
    z = problem.proximal(x0, y, rho)
    left = problem.At(problem.A(z) - problem.observed(y)) + rho * (z - x0)
    assert left.abs().max() < 1e-7


@pytest.mark.parametrize(("name", "options"), CASES)
def test_a_batch_of_any_shape_is_what_its_cases_are_alone(name, options):
    problem, x = make(name, options), images()
    if problem.hole is None:
        assert torch.allclose(problem.A(x)[1, 2], problem.A(x[1, 2]), atol=1e-12)
    assert problem.consistency(x, problem.A(x)).shape == (2, 3)
    assert problem.consistency(x, problem.A(x)).max() < 1e-7


@pytest.mark.parametrize("name", ["super_resolution_average", "super_resolution_bicubic", "super_resolution_blur"])
@pytest.mark.parametrize("factor", [2, 4, 8, 16])
def test_every_factor_keeps_a_flat_picture_and_makes_it_smaller(name, factor):
    problem = build({"name": name, "factor": factor}, (3, 64, 48), dtype=torch.float64)
    y = problem.A(torch.full((1, 2, 3, 64, 48), 0.3, dtype=torch.float64))
    assert y.shape == (1, 2, 3, 64 // factor, 48 // factor)
    assert torch.allclose(y, torch.full_like(y, 0.3), atol=1e-12)


@pytest.mark.parametrize("shape", [(1, 8, 8), (3, 7, 12), (1, 9, 5)])
@pytest.mark.parametrize("name", [name for name in PROBLEMS if not name.startswith("super_resolution")])
def test_odd_sizes_and_any_number_of_channels_are_served(name, shape):
    problem, x = make(name, {}, shape=shape), images(shape=shape)
    y = problem.A(x)
    assert torch.allclose(problem.V(problem.Vt(x)), x, atol=1e-9)
    assert torch.allclose(problem.A(problem.pinv(y)), y, atol=1e-8)


@pytest.mark.parametrize(("name", "options"), BY_16)
@pytest.mark.parametrize("dtype", [torch.float64, torch.float32])
def test_reduction_by_16_has_an_adjoint_a_pseudo_inverse_and_a_singular_system(name, options, dtype):
    shape, tolerance = (1, 32, 48), 1e-8 if dtype == torch.float64 else 5e-4
    problem, x = make(name, options, dtype, shape), images(dtype, shape)
    y = problem.A(x)
    assert y.shape == (2, 3, 1, 2, 3)
    other = torch.randn(y.shape, generator=torch.Generator().manual_seed(2)).to(dtype)
    assert torch.allclose(dot(y, other), dot(x, problem.At(other)), atol=tolerance)
    assert torch.allclose(problem.A(problem.pinv(y)), y, atol=tolerance)
    if problem.has_singular_system:
        z = problem.Vt(x)
        assert torch.allclose(problem.V(z), x, atol=tolerance)
        assert torch.allclose(problem.U(problem.singulars * z), y, atol=tolerance)
        expected = torch.linalg.svdvals(problem.A(torch.eye(1536, dtype=dtype).reshape(1, -1, *shape)).flatten(2)[0])
        found = problem.singulars.expand(1, 1, *shape).flatten().sort(descending=True).values
        assert torch.allclose(found[:6], expected, atol=1e-5)


@pytest.mark.parametrize("name", PROBLEMS)
def test_every_operator_is_built_and_applied_at_256_pixels_in_a_moment(name):
    """No operator holds a matrix of the image's numbers: the released inpainting operator takes 9 s to be built."""
    hole, x = torch.rand(1, 256, 256) < 0.3, torch.randn(1, 2, 3, 256, 256)
    started = time.process_time()
    np.linalg.svd(np.random.default_rng(0).normal(size=(256, 256)))  # how slow this machine is now
    yardstick, started = time.process_time() - started, time.process_time()
    problem = build({"name": name, "sigma": 0.1}, (3, 256, 256), hole)
    y = problem.A(x)
    for image in (problem.At(y), problem.pinv(y), problem.proximal(x, y, 0.1)):
        assert image.shape == x.shape
    assert time.process_time() - started < max(1.0, 30 * yardstick)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no GPU")
@pytest.mark.parametrize(("name", "options"), CASES)
def test_a_gpu_gives_the_same(name, options):
    hole = torch.rand(2, *SHAPE[1:]) < 0.4
    on_gpu = build({"name": name, **options}, SHAPE, hole, "cuda", torch.float64)
    on_cpu, x = build({"name": name, **options}, SHAPE, hole, dtype=torch.float64), images()
    y = on_cpu.A(x)
    assert torch.allclose(on_gpu.A(x.cuda()).cpu(), y, atol=1e-9)
    assert torch.allclose(on_gpu.pinv(y.cuda()).cpu(), on_cpu.pinv(y), atol=1e-8)


def test_each_case_has_its_own_mask():
    hole = torch.zeros(2, 4, 4, dtype=torch.bool)
    hole[0, :2], hole[1, 2:] = True, True
    problem, x = build({"name": "inpainting"}, (3, 4, 4), hole), images(torch.float32, (3, 4, 4))
    y = problem.A(x)
    assert torch.equal(y[0], x[0] * (~hole[0]))
    assert torch.equal(y[1], x[1] * (~hole[1]))
    assert torch.equal(problem.paste(torch.zeros_like(x), y[:, :1]), y[:, :1].expand_as(x))


def test_noise_is_given_on_the_scale_of_0_to_1_and_doubled_on_tensors():
    problem, x = make("denoising", {}, sigma=0.25), images()
    noise = images(seed=5)
    assert torch.allclose(problem.measure(x, noise) - x, 0.5 * noise)


@pytest.mark.parametrize("name", ["super_resolution_average", "super_resolution_bicubic", "super_resolution_blur"])
def test_a_factor_that_does_not_divide_is_refused(name):
    with pytest.raises(BenchmarkError, match="does not divide 16x24"):
        build({"name": name, "factor": 5}, SHAPE)


BAD_OPTIONS = [
    ("denoising", {"sigma": True}, "True is not a standard deviation"),
    ("denoising", {"sigma": "0.1"}, "'0.1' is not a standard deviation"),
    ("super_resolution_bicubic", {"factor": 0}, "factor 0 does not divide"),
    ("deblurring_gaussian", {"std": 0}, "std 0 is out of range"),
    ("deblurring_gaussian", {"std": "3"}, "std '3' is out of range"),
    ("deblurring_gaussian", {"std": float("nan")}, "std nan is out of range"),
    ("deblurring_uniform", {"width": 3.0}, "width 3.0 is not odd"),
    ("deblurring_uniform", {"width": "3"}, "width '3' is not odd"),
    ("deblurring_motion", {"length": 0.5}, "length 0.5 is out of range; give 1 to 40 pixels"),
    ("deblurring_motion", {"length": "9"}, "length '9' is out of range"),
    ("deblurring_motion", {"angle": "up"}, "angle 'up' is not a direction"),
    ("super_resolution_blur", {"std": -1.0}, "std -1.0 is out of range"),
    ("super_resolution_blur", {"kernel": "gauss"}, "not a grid of finite numbers"),
    ("super_resolution_blur", {"kernel": [[1.0, 2.0], [3.0]]}, "not a grid of finite numbers"),
    ("super_resolution_blur", {"kernel": [1.0, 2.0]}, "not a grid of finite numbers"),
    ("super_resolution_blur", {"kernel": [[1.0] * 17] * 17}, "17x17 is larger than the image 16x24"),
]


def test_bad_input_is_refused_in_one_line():
    with pytest.raises(BenchmarkError, match="8x8, the image has 16x24"):
        build({"name": "inpainting"}, SHAPE, hole=torch.ones(1, 8, 8, dtype=torch.bool))
    with pytest.raises(BenchmarkError, match=r"-0\.1 is not a standard deviation"):
        build({"name": "denoising", "sigma": -0.1}, SHAPE)
    with pytest.raises(BenchmarkError, match="nan is not a standard deviation"):
        build({"name": "denoising", "sigma": float("nan")}, SHAPE)
    with pytest.raises(BenchmarkError, match="no hole given"):
        build({"name": "inpainting"}, SHAPE)
    with pytest.raises(BenchmarkError, match=r"factor 2\.0 is not a whole number"):
        build({"name": "super_resolution_average", "factor": 2.0}, SHAPE)
    with pytest.raises(BenchmarkError, match="width 4 is not odd"):
        build({"name": "deblurring_uniform", "width": 4}, SHAPE)
    for name, options, message in BAD_OPTIONS:
        with pytest.raises(BenchmarkError, match=message) as error:
            build({"name": name, **options}, SHAPE)
        assert "\n" not in str(error.value)
    with pytest.raises(BenchmarkError, match="'blurring' is not known"):
        build({"name": "blurring"}, SHAPE)
    with pytest.raises(BenchmarkError, match="has no such option"):
        build({"name": "denoising", "factor": 2}, SHAPE)


# ------------------------------------------------------------------------------------------------------- recorded runs
RECORDED = {
    "ddrm_inpaint": ("H", {"name": "inpainting"}),
    "ddrm_sravg4": ("H", {"name": "super_resolution_average", "factor": 4}),
    "ddrm_srbicubic4": ("H", {"name": "super_resolution_bicubic", "factor": 4}),
    "ddnm_inpaint_travel": ("A", {"name": "inpainting"}),
    "ddnm_sravg4": ("A", {"name": "super_resolution_average", "factor": 4}),
    "ddnmplus_inpaint_noisy": ("A", {"name": "inpainting"}),
}


@pytest.mark.parametrize("name", RECORDED)
def test_the_operator_is_that_of_the_recorded_run(name):
    run, (letter, settings) = golden(name), RECORDED[name]
    hole = torch.tensor(run["keep_mask"] == 0)[None] if "keep_mask" in run else None
    problem = build(settings, (3, 16, 16), hole, dtype=torch.float64)
    x = torch.tensor(run["chk_in"], dtype=torch.float64)[:, None]
    y, recorded = problem.A(x), torch.tensor(run[f"chk_{letter}"], dtype=torch.float64)
    if hole is None:
        assert (y.flatten(1) - recorded).abs().max() < 1e-5
    else:  # recorded is a list of the known numbers, channel fastest
        assert torch.equal(y.movedim(2, -1).flatten(1)[:, run["kept_indices"]], recorded)
        assert (y.movedim(2, -1).flatten(1)[:, run["missing_indices"]] == 0).all()
    back = torch.tensor(run[f"chk_pinv_of_{letter}"], dtype=torch.float64).reshape(problem.pinv(y).shape)
    assert (problem.pinv(y) - back).abs().max() < 2e-5
    found = problem.singulars.expand(1, 1, 3, 16, 16).flatten().sort(descending=True).values
    assert np.allclose(found[: len(run["singulars"])], np.sort(run["singulars"])[::-1], atol=1e-6)
    assert (found[len(run["singulars"]) :] == 0).all()


def test_the_bicubic_matrix_is_that_of_the_recorded_run():
    assert np.allclose(bicubic_matrix(16, 4), golden("ddrm_srbicubic4")["H_small"], atol=1e-7)


# ---------------------------------------------------------------------------------------------- an independent library
@pytest.mark.slow
def test_deepinv_agrees():
    physics = pytest.importorskip("deepinv.physics")
    x = images(torch.float32, (3, 32, 32), batch=1, n=2)
    for factor in (2, 4):
        ours = build({"name": "super_resolution_bicubic", "factor": factor}, (3, 32, 32))
        theirs = physics.DownsamplingMatlab(factor=factor, kernel="cubic", padding="reflect")
        assert torch.allclose(ours.A(x)[0], theirs.A(x[0]), atol=1e-4)
    hole = torch.rand(1, 32, 32) < 0.5
    mask = physics.Inpainting((3, 32, 32), mask=(~hole).float().expand(3, 32, 32))
    assert torch.equal(build({"name": "inpainting"}, (3, 32, 32), hole=hole).A(x)[0], mask.A(x[0]))


def test_the_matrix_of_the_bicubic_operator_keeps_constants():
    for side, factor in ((16, 4), (32, 8), (64, 16)):
        assert np.allclose(bicubic_matrix(side, factor).sum(1), 1)
