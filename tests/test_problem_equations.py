"""A is what the docstring of each operator says, written out here once more: with loops, a cosine transform, a DFT."""

import math

import numpy as np
import pytest
import torch
from scipy.fft import dctn, idctn

from benchmark.errors import BenchmarkError
from benchmark.problems import PROBLEMS, build
from benchmark.problems.base import CUTOFF
from benchmark.problems.projection import _draw

SHAPE = (3, 16, 24)
BLURS = ("deblurring_gaussian", "deblurring_uniform", "deblurring_motion")
HOLE = np.random.default_rng(1).uniform(size=SHAPE[1:]) < 0.4


def images(n=2):
    return torch.randn(1, n, *SHAPE, generator=torch.Generator().manual_seed(0), dtype=torch.float64)


def make(name, dtype=torch.float64, **options):
    return build({"name": name, **options}, SHAPE, hole=torch.tensor(HOLE)[None], dtype=dtype)


# ------------------------------------------------------------------------------------------- the equations, once more
PAD = 40


def extended(x):
    """x beyond its edges, mirrored about the edge between pixels; pixel (i, j) is at (i + PAD, j + PAD)."""
    return np.pad(x, ((0, 0), (PAD, PAD), (PAD, PAD)), mode="symmetric")


def inpainting(x):
    return np.where(HOLE, 0, x)


def denoising(x):
    return x


def colorization(x):
    return x.mean(0, keepdims=True)


def super_resolution_average(x, factor=4):
    c, h, w = x.shape
    return x.reshape(c, h // factor, factor, w // factor, factor).mean((2, 4))


def super_resolution_bicubic(x, factor=4):
    def cubic(t):
        t = abs(t)
        return 1.5 * t**3 - 2.5 * t**2 + 1 if t <= 1 else -0.5 * t**3 + 2.5 * t**2 - 4 * t + 2 if t < 2 else 0.0

    def taps(i):
        centre = factor * (i + 0.5) - 0.5
        reach = range(math.ceil(centre - 2 * factor), math.floor(centre + 2 * factor) + 1)
        weights = {j: cubic((j - centre) / factor) for j in reach}
        return {j: weight / sum(weights.values()) for j, weight in weights.items()}

    c, h, w = x.shape
    y, wide = np.zeros((c, h // factor, w // factor)), extended(x)
    for i in range(h // factor):
        for j in range(w // factor):
            pixels = ((k, m, a * b) for k, a in taps(i).items() for m, b in taps(j).items())
            y[:, i, j] = sum(weight * wide[:, k + PAD, m + PAD] for k, m, weight in pixels)
    return y


def line_of(name, std=3.0, width=9):
    """The 1-D kernel {offset: weight} of a separable blur."""
    reach = max(1, math.ceil(3 * std)) if name == "deblurring_gaussian" else width // 2
    std = std if name == "deblurring_gaussian" else math.inf
    weights = {j: math.exp(-(j**2) / (2 * std**2)) for j in range(-reach, reach + 1)}
    return {j: weight / sum(weights.values()) for j, weight in weights.items()}


def mirrored_blur(x, line):
    """k * x by a sum over the kernel's pixels."""
    (_, h, w), wide = x.shape, extended(x)
    parts = ((PAD + i, PAD + j, a * b) for i, a in line.items() for j, b in line.items())
    return sum(weight * wide[:, i : i + h, j : j + w] for i, j, weight in parts)


def mirrored_blur_cut(x, line, cutoff):
    """The same in the basis of cosines, in which a symmetric blur with mirrored edges is diagonal, cut in each."""
    kept = []
    for side in x.shape[1:]:
        k = np.arange(side)
        values = sum(weight * np.cos(np.pi * k * j / side) for j, weight in line.items())
        kept.append(np.where(np.abs(values) >= cutoff, values, 0))
    coefficients = dctn(x, axes=(1, 2), norm="ortho") * kept[0][:, None] * kept[1]
    return idctn(coefficients, axes=(1, 2), norm="ortho")


def motion_line(length=9.0, angle=45.0):
    """{(row, column): weight}: points of a line through the centre, each shared out to its four pixels."""
    canvas = {}
    turn = math.radians(angle)
    for p in np.linspace(-(length - 1) / 2, (length - 1) / 2, max(2, 8 * math.ceil(length))):
        row, column = -p * math.sin(turn), p * math.cos(turn)
        for i in (math.floor(row), math.floor(row) + 1):
            for j in (math.floor(column), math.floor(column) + 1):
                canvas[i, j] = canvas.get((i, j), 0.0) + (1 - abs(row - i)) * (1 - abs(column - j))
    return {at: weight / sum(canvas.values()) for at, weight in canvas.items()}


def circular(x, kernel):
    """y_{ij} = sum_{ab} k_{ab} x_{i - a, j - b}, indices modulo the sides."""
    return sum(weight * np.roll(x, at, axis=(1, 2)) for at, weight in kernel.items())


def circular_cut(x, kernel, cutoff):
    spectrum = np.fft.fft2(circular(np.pad([[[1.0]]], ((0, 0), (0, x.shape[1] - 1), (0, x.shape[2] - 1))), kernel))
    return np.fft.ifft2(np.where(np.abs(spectrum) >= cutoff, spectrum, 0) * np.fft.fft2(x)).real


def super_resolution_blur(x, factor=4, std=None, kernel=None):
    std = factor / 2 if std is None else std
    reach = min(math.ceil(3 * std), (min(x.shape[1:]) - 1) // 2)
    line = {j: math.exp(-(j**2) / (2 * std**2)) for j in range(-reach, reach + 1)}
    total = sum(line.values())
    entries = {(i, j): a * b / total**2 for i, a in line.items() for j, b in line.items()}
    if kernel is not None:
        h, w = np.shape(kernel)
        entries = {(i - h // 2, j - w // 2): kernel[i][j] for i in range(h) for j in range(w)}
    return circular(x, entries)[:, ::factor, ::factor]


def random_projection(x, rows=4, seed=0):
    u, s, reflectors, tau = _draw(x.size, rows, seed)
    V = torch.eye(x.size, dtype=torch.float64)
    for v, factor in zip(reflectors, tau, strict=True):
        V = V @ (torch.eye(x.size, dtype=torch.float64) - factor * torch.outer(v, v))
    assert ((s >= 0.2) & (s <= 1)).all()
    assert torch.allclose(u.mT @ u, torch.eye(rows, dtype=torch.float64))
    return (u @ (s * (V[:, :rows].mT @ torch.tensor(x.ravel())))).reshape(rows, 1, 1).numpy()


def deblurring_gaussian(x, std=3.0, cutoff=CUTOFF):
    return mirrored_blur_cut(x, line_of("deblurring_gaussian", std=std), cutoff)


def deblurring_uniform(x, width=9, cutoff=CUTOFF):
    return mirrored_blur_cut(x, line_of("deblurring_uniform", width=width), cutoff)


def deblurring_motion(x, length=9.0, angle=45.0, cutoff=CUTOFF):
    return circular_cut(x, motion_line(length, angle), cutoff)


EQUATIONS = {name: globals().get(name) for name in PROBLEMS}
OPTIONS = {
    "super_resolution_average": [{}, {"factor": 2}, {"factor": 8}],
    "super_resolution_bicubic": [{}, {"factor": 2}, {"factor": 8}],
    "super_resolution_blur": [
        {},
        {"factor": 2, "std": 1.5},
        {"factor": 8},
        {"kernel": [[1.0, 2.0, 0.5], [0.0, 3.0, 1.0]]},
    ],
    "deblurring_gaussian": [{}, {"std": 0.7}, {"std": 1.5, "cutoff": 0.1}, {"std": 1.0, "cutoff": 0.0}, {"std": 9.0}],
    "deblurring_uniform": [{}, {"width": 3}, {"width": 31}, {"width": 5, "cutoff": 0.15}, {"cutoff": 0.0}],
    "deblurring_motion": [{}, {"length": 5.0, "angle": 20.0}, {"cutoff": 0.2}, {"cutoff": 0.0}, {"length": 1.0}],
    "random_projection": [{}, {"rows": 2, "seed": 5}],
}
CASES = [(name, options) for name in PROBLEMS for options in OPTIONS.get(name, [{}])]


@pytest.mark.parametrize(("name", "options"), CASES)
def test_an_operator_does_what_its_docstring_says(name, options):
    x = images()
    found = make(name, **options).A(x)
    for i in range(x.shape[1]):
        assert np.abs(found[0, i].numpy() - EQUATIONS[name](x[0, i].numpy(), **options)).max() < 1e-12
    rounded = make(name, torch.float32, **options).A(x.float())
    assert (rounded - found).abs().max() < 1e-4


@pytest.mark.parametrize("name", [name for name in PROBLEMS if name.startswith("super_resolution")])
@pytest.mark.parametrize("factor", [3, 5])
def test_so_does_a_reduction_by_an_odd_factor(name, factor):
    x = torch.randn(1, 1, 3, 15, 30, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    found = build({"name": name, "factor": factor}, (3, 15, 30), dtype=torch.float64).A(x)
    assert np.abs(found[0, 0].numpy() - EQUATIONS[name](x[0, 0].numpy(), factor)).max() < 1e-12


@pytest.mark.parametrize("name", BLURS)
def test_a_blur_without_a_cutoff_is_the_convolution_and_with_one_differs_by_no_more_than_it(name):
    x = images(1)
    exact = x[0, 0].numpy()
    whole = circular(exact, motion_line()) if name == "deblurring_motion" else mirrored_blur(exact, line_of(name))
    assert np.abs(make(name, cutoff=0.0).A(x)[0, 0].numpy() - whole).max() < 1e-12
    for cutoff in (CUTOFF, 0.2):
        difference = np.linalg.norm(make(name, cutoff=cutoff).A(x)[0, 0].numpy() - whole)
        assert 1e-3 * np.linalg.norm(exact) < difference < cutoff * np.linalg.norm(exact)
    assert torch.equal(make(name).singulars, make(name, cutoff=3e-2).singulars)


def test_reductions_cut_nothing():
    for name in ("super_resolution_average", "super_resolution_bicubic"):
        for factor in (2, 4, 8):
            problem = make(name, factor=factor)
            assert (problem.singulars > 0).sum() == 16 * 24 // factor**2
            assert (problem.singulars > 0.01)[problem.singulars > 0].all()


@pytest.mark.parametrize(("name", "options"), CASES)
def test_the_truth_s_consistency_is_the_noise_s_and_2_sigma_on_average(name, options):
    """Also where A is cut: noise is white on all of y, and its part that A cannot reach is in every residual."""
    problem, x = make(name, sigma=0.05, **options), images(1)
    shape = (400, 1, *problem.A(x).shape[2:])
    noise = torch.randn(shape, generator=torch.Generator().manual_seed(3), dtype=torch.float64)
    consistency = problem.consistency(x.expand(400, *x.shape[1:]), problem.measure(x, noise))
    count = torch.as_tensor(problem.observed_count(noise)).flatten()[0]
    expected = 0.1 * problem.observed(noise).flatten(1).square().sum(1).div(count).sqrt()
    assert torch.allclose(consistency[:, 0], expected, atol=1e-12)
    assert consistency.square().mean().sqrt() == pytest.approx(0.1, rel=4 / math.sqrt(800 * count))


@pytest.mark.parametrize(("name", "options"), CASES)
def test_exact_samples_have_the_truth_s_consistency_and_the_best_fit_has_less(name, options):
    """x_s = argmin ||y + e' - A z||^2 + (2 sigma)^2 ||z - x'||^2 is an exact sample where the prior is N(0, I)."""
    problem = make(name, sigma=0.2, **options)
    g = torch.Generator().manual_seed(4)
    truth, other = torch.randn(2, 300, 1, *SHAPE, generator=g, dtype=torch.float64)
    noise, again = torch.randn(2, *problem.A(truth).shape, generator=g, dtype=torch.float64)
    y = problem.measure(truth, noise)
    sample = problem.proximal(other, problem.observed(y + 0.4 * problem.observed(again)), 0.4**2)
    count = torch.as_tensor(problem.observed_count(y)).flatten()[0]
    rms = [problem.consistency(x, y).square().mean().sqrt().item() for x in (truth, sample)]
    assert rms == pytest.approx([0.4, 0.4], rel=5 / math.sqrt(600 * count))
    fit = problem.consistency(problem.proximal(torch.zeros_like(other), y, 1e-6), y)
    assert fit.square().mean().sqrt() < min(rms)


def test_the_scale_of_a_kernel_does_not_decide_what_counts_as_measured():
    kernel = np.outer([1.0, 2.0, 1.0], [1.0, 2.0, 1.0])
    x = images(1).float()
    for scale in (1e-4, 1.0, 1e4):
        problem = make("super_resolution_blur", torch.float32, factor=2, kernel=(scale * kernel).tolist())
        y = problem.A(x)
        assert torch.allclose(problem.A(problem.pinv(y)), y, rtol=1e-3, atol=1e-4 * scale)


@pytest.mark.parametrize(
    ("name", "options"),
    [
        *[(name, {"sigma": math.nan}) for name in PROBLEMS],
        *[(name, {"factor": math.nan}) for name in PROBLEMS if name.startswith("super_resolution")],
        *[(name, {"cutoff": value}) for name in BLURS for value in (math.nan, math.inf, -0.1, 1.0, "3e-2", True)],
        ("deblurring_gaussian", {"std": math.nan}),
        ("deblurring_uniform", {"width": math.nan}),
        ("deblurring_motion", {"length": math.nan}),
        ("deblurring_motion", {"angle": math.nan}),
        ("super_resolution_blur", {"std": math.nan}),
        ("super_resolution_blur", {"kernel": [[1.0, math.nan]]}),
        ("random_projection", {"rows": math.nan}),
        *[("random_projection", {"seed": value}) for value in (math.nan, 1.5, True, [0, math.nan], [], "a")],
    ],
)
def test_an_option_that_is_not_a_number_is_refused_in_one_line(name, options):
    with pytest.raises(BenchmarkError) as error:
        make(name, **options)
    assert "\n" not in str(error.value)


def test_a_mask_that_is_neither_true_nor_false_somewhere_is_refused():
    for value in (math.nan, 0.5, 255.0):
        hole = torch.tensor(HOLE)[None].double()
        hole[0, 2, 3] = value
        with pytest.raises(BenchmarkError, match="other values than True and False"):
            build({"name": "inpainting"}, SHAPE, hole=hole)
