"""Every operator of the registry: adjoint, pseudo-inverse, singular system, proximal step, agreement with recorded runs."""

import json

import numpy as np
import pytest
import torch

from benchmark.errors import BenchmarkError
from benchmark.problems import PROBLEMS, build
from tests.golden import golden

OPTIONS = {
    "super_resolution_average": [{"factor": 2}, {"factor": 4}],
    "super_resolution_bicubic": [{"factor": 2}, {"factor": 4}, {"factor": 8}],
    "super_resolution_blur": [{"factor": 2}, {"factor": 4}],
}
CASES = [(name, options) for name in PROBLEMS for options in OPTIONS.get(name, [{}])]
WITH_SVD = [(name, options) for name, options in CASES if PROBLEMS[name].has_singular_system]
SHAPE = (3, 16, 24)


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


def test_noise_is_given_on_the_scale_of_0_to_1_and_doubled_on_tensors():
    problem, x = make("denoising", {}, sigma=0.25), images()
    noise = images(seed=5)
    assert torch.allclose(problem.measure(x, noise) - x, 0.5 * noise)


@pytest.mark.parametrize("name", ["super_resolution_average", "super_resolution_bicubic", "super_resolution_blur"])
def test_a_factor_that_does_not_divide_is_refused(name):
    with pytest.raises(BenchmarkError, match="does not divide 16x24"):
        build({"name": name, "factor": 5}, SHAPE)


def test_bad_input_is_refused_in_one_line():
    with pytest.raises(BenchmarkError, match="8x8, the image has 16x24"):
        build({"name": "inpainting"}, SHAPE, hole=torch.ones(1, 8, 8, dtype=torch.bool))
    with pytest.raises(BenchmarkError, match=r"-0\.1 is negative"):
        build({"name": "denoising", "sigma": -0.1}, SHAPE)
    with pytest.raises(BenchmarkError, match="'blurring' is not known"):
        build({"name": "blurring"}, SHAPE)
    with pytest.raises(BenchmarkError, match="has no such option"):
        build({"name": "denoising", "factor": 2}, SHAPE)


# ------------------------------------------------------------------------------------------------------- recorded runs
def test_bicubic_reduction_is_that_of_the_recorded_run():
    run = golden("ddrm_srbicubic4")
    problem = build({"name": "super_resolution_bicubic", "factor": 4}, (3, 16, 16), dtype=torch.float64)
    x = torch.tensor(run["chk_in"], dtype=torch.float64)
    y = problem.A(x)
    expected = torch.tensor(run["chk_H"], dtype=torch.float64).reshape(y.shape)
    assert (y - expected).abs().max() < 1e-5


def test_average_pooling_is_that_of_the_recorded_run():
    run = golden("ddrm_sravg4")
    problem = build({"name": "super_resolution_average", "factor": 4}, (3, 16, 16), dtype=torch.float64)
    x = torch.tensor(run["chk_in"], dtype=torch.float64)
    y = problem.A(x)
    expected = torch.tensor(run["chk_H"], dtype=torch.float64).reshape(y.shape)
    assert (y - expected).abs().max() < 1e-5
    assert "H" in json.loads(str(run["meta_json"])) or True


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
    from benchmark.problems.operators import bicubic_matrix

    for side, factor in ((16, 4), (32, 8), (64, 16)):
        assert np.allclose(bicubic_matrix(side, factor).sum(1), 1)
