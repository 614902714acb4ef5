"""The repulsion: what it moves, what it leaves alone, and its units."""

import math

import pytest
import torch

from benchmark.errors import BenchmarkError
from benchmark.problems import build
from benchmark.sampling.guidance import (
    GUIDANCE,
    UNITS,
    NearestNeighbour,
    build_guidance,
    nearest_neighbours,
    no_guidance,
    rms_of,
    threshold_norm,
)
from benchmark.sampling.guidance.pairwise import Pairwise, off_diagonal

SHAPE = (3, 8, 8)


def sets(batch=2, n=5, seed=0, dtype=torch.float64):
    return torch.randn(batch, n, *SHAPE, generator=torch.Generator().manual_seed(seed)).to(dtype)


def make(name, eta=0.3, norm=30.0, batch=2):
    return GUIDANCE[name](torch.full((batch,), eta), torch.full((batch,), norm), None)


def test_a_neighbour_is_never_the_sample_itself_even_among_equals():
    x = sets()
    x[0, 1] = x[0, 0]
    x[1] = x[1, :1]
    found = nearest_neighbours(x)
    assert (found != torch.arange(5)).all()
    assert found[0, 0] == 1
    assert found[0, 1] == 0


def test_a_sample_that_is_not_finite_is_nobodys_neighbour():
    x = sets(1)
    x[0, 2] = math.nan
    x[0, 3, 0, 0, 0] = math.inf
    moved, record = make("nearest_neighbour", norm=math.inf, batch=1)(x, 0.7)
    assert not set(record.neighbour[0, [0, 1, 4]].tolist()) & {2, 3}
    assert moved[0, [0, 1, 4]].isfinite().all()


@pytest.mark.parametrize("value", [math.nan, math.inf, 1e200])
@pytest.mark.parametrize("name", GUIDANCE)
def test_one_broken_sample_leaves_the_others_of_its_set_finite(name, value):
    for n in (2, 3, 5):
        x = sets(2, n)
        x[0, 1, 0, 0, 0] = value
        moved, record = make(name, norm=1e6)(x, 0.7)
        assert moved[0, [i for i in range(n) if i != 1]].isfinite().all()
        assert moved[1].isfinite().all()
        assert not record.gate[0, 1]


@pytest.mark.parametrize("hole", [False, True])
@pytest.mark.parametrize("broken", [[2], [2, 3], [0, 1, 2, 3], [0, 1, 2, 3, 4]])
@pytest.mark.parametrize("name", [name for name in GUIDANCE if name != "nearest_neighbour"])
def test_the_others_of_a_set_move_as_if_a_sample_that_is_not_finite_were_not_there(name, broken, hole):
    x = sets(3)
    x[1, broken[0]] = math.nan
    x[1, broken[1:], 0, 7, 7] = math.inf
    region = torch.zeros(3, 1, 1, 8, 8, dtype=x.dtype) if hole else None
    if hole:
        region[..., :4] = 1
    eta, norm = torch.full((3,), 0.3), torch.tensor([30.0, 25.0, 20.0])
    moved, record = GUIDANCE[name](eta, norm, region)(x, 0.7)
    one = slice(1, 2)
    good = [i for i in range(5) if i not in broken]
    assert torch.equal(moved[1, broken].isnan(), x[1, broken].isnan())
    assert not record.gate[1, broken].any()
    if len(good) > 1:
        guide = GUIDANCE[name](eta[one], norm[one], None if region is None else region[one])
        alone, of_alone = guide(x[one][:, good], 0.7)
        assert torch.equal(moved[1, good], alone[0])
        assert record.neighbour[1, good].tolist() == [good[i] for i in of_alone.neighbour[0]]
        assert torch.equal(record.distance[1, good], of_alone.distance[0])
    else:
        assert torch.equal(moved[1, good], x[1, good])
    whole = GUIDANCE[name](eta, norm, region)(torch.where(x.isfinite(), x, 0), 0.7)[0]
    assert torch.allclose(moved[[0, 2]], whole[[0, 2]], atol=1e-12)


def test_a_guidance_keeps_its_options_where_a_sample_is_not_finite():
    class Scaled(Pairwise):
        timed = True

        def __init__(self, eta, threshold, region=None, *, factor=1.0):
            super().__init__(eta, threshold, region)
            self.factor = factor

        def coefficients(self, squared):
            return self.factor * off_diagonal(squared)

    x = sets(1)
    x[0, 4] = math.nan
    one, three = (
        Scaled(torch.tensor([0.1]), torch.tensor([math.inf]), factor=factor)(x, 1.0)[0][:, :4] - x[:, :4]
        for factor in (1.0, 3.0)
    )
    assert torch.allclose(three, 3 * one)
    assert one.abs().max() > 0


@pytest.mark.parametrize("name", GUIDANCE)
def test_the_time_factor_weighs_a_push_or_does_not_as_its_guidance_says(name):
    x = sets()
    half, whole, none = (make(name)(x, weight)[0] - x for weight in (0.5, 1.0, 0.0))
    assert torch.allclose(half, 0.5 * whole if GUIDANCE[name].timed else whole)
    assert torch.equal(none, torch.zeros_like(x))


def test_step_size_and_threshold_may_differ_from_set_to_set():
    x = sets(3)
    eta, norm = torch.tensor([0.1, 0.5, 0.5]), torch.tensor([math.inf, math.inf, 0.0])
    together = NearestNeighbour(eta, norm)(x, 0.7)[0]
    for b in range(3):
        assert torch.equal(together[b], NearestNeighbour(eta[b : b + 1], norm[b : b + 1])(x[b : b + 1], 0.7)[0][0])
    assert torch.equal(together[2], x[2])


def test_the_search_looks_at_the_hole_alone_and_the_step_moves_the_whole_image():
    x = torch.zeros(1, 3, *SHAPE)
    x[0, 1, :, :, :4], x[0, 1, :, :, 4:] = 0.1, 5.0  # near in the left half, far in the right
    x[0, 2, :, :, :4] = 1.0
    region = torch.zeros(1, 1, 1, 8, 8)
    region[..., :4] = 1
    guide = NearestNeighbour(torch.tensor([0.5]), torch.tensor([math.inf]), region)
    moved, record = guide(x, 1.0)
    assert record.neighbour[0].tolist() == [1, 0, 1]
    assert torch.allclose(moved[0, 0], x[0, 0] + 0.5 * (x[0, 0] - x[0, 1]))
    assert guide(x, 1.0, search="image")[1].neighbour[0, 0] == 2


def test_the_gate_shuts_beyond_the_threshold_per_sample():
    x = torch.zeros(1, 3, *SHAPE)
    x[0, 1] += 1.0
    x[0, 2] += 4.0
    guide = NearestNeighbour(torch.tensor([0.5]), torch.tensor([2 * math.sqrt(192)]), None)
    moved, record = guide(x, 0.5)
    assert record.gate[0].tolist() == [True, True, False]
    assert torch.equal(moved[0, 2], x[0, 2])
    assert torch.allclose(moved[0, 1], x[0, 1] + 0.25)
    assert guide(x, 0.5, norm=None)[1].gate.all()


@pytest.mark.parametrize("name", GUIDANCE)
def test_no_step_size_no_change(name):
    x = sets()
    assert torch.equal(make(name, eta=0.0)(x, 0.7)[0], x)


@pytest.mark.parametrize("name", GUIDANCE)
def test_permuting_a_set_permutes_the_result(name):
    x = sets()
    order = torch.tensor([3, 0, 4, 1, 2])
    norm = 30.0
    assert torch.allclose(make(name, norm=norm)(x, 0.7)[0][:, order], make(name, norm=norm)(x[:, order], 0.7)[0])


@pytest.mark.parametrize("name", GUIDANCE)
def test_a_set_in_a_batch_is_what_it_is_alone(name):
    x = sets(4)
    alone = make(name, norm=25.0, batch=1)(x[2:3], 0.7)[0]
    assert (make(name, norm=25.0, batch=4)(x, 0.7)[0][2:3] - alone).abs().max() < 1e-12


@pytest.mark.parametrize("name", GUIDANCE)
def test_samples_move_apart(name):
    x = sets()
    spread = lambda a: torch.cdist(a.flatten(2), a.flatten(2)).sum()  # noqa: E731
    assert spread(make(name, norm=30.0)(x, 0.7)[0]) > spread(x)


@pytest.mark.parametrize("name", GUIDANCE)
def test_the_gradient_passes_through(name):
    x = sets(1).requires_grad_()
    make(name, norm=30.0, batch=1)(x, 0.7)[0].square().sum().backward()
    assert x.grad.isfinite().all()


def test_dpp_moves_along_the_gradient_of_its_log_likelihood():
    x = sets(1).requires_grad_()
    squared = torch.cdist(x.flatten(2), x.flatten(2), compute_mode="donot_use_mm_for_euclid_dist").square()[0]
    off = ~torch.eye(5, dtype=torch.bool)
    median = squared.detach()[off].median()
    differences = (x[0].flatten(1)[:, None] - x[0].flatten(1)[None]).square().sum(-1)
    L = torch.exp(-differences / median) + 1e-4 * torch.eye(5)
    value = torch.logdet(L) - torch.logdet(torch.exp(-differences / median) + torch.eye(5))
    (gradient,) = torch.autograd.grad(value, x)
    push = make("dpp", eta=1.0, batch=1)(x.detach(), 1.0)[0] - x.detach()
    assert torch.allclose(push, gradient * median / 4, atol=1e-6)


def mean_shift(guide, x, weight=0.7):
    """How far a push moves the sets' means, and its record: (B, C, H, W)."""
    moved, record = guide(x, weight)
    return moved.mean(1) - x.mean(1), record


@pytest.mark.parametrize("norm", [math.inf, 19.0])
def test_the_push_moves_a_set_s_mean_by_the_mean_of_its_pushes(norm):
    """(eta w / N) sum_j (a_j - d_j) x_j, d_j how many gated samples have j for their neighbour."""
    x = sets(40)
    shift, record = mean_shift(make("nearest_neighbour", norm=norm, batch=40), x)
    a = record.gate.double()
    d = torch.zeros(40, 5, dtype=torch.float64).scatter_add(1, record.neighbour, a)
    expected = 0.3 * 0.7 / 5 * ((a - d)[:, :, None, None, None] * x).sum(1)
    assert (shift - expected).abs().max() < 1e-6
    moved = shift.flatten(1).norm(dim=1) > 1e-6
    assert moved.double().mean() > 0.5  # neighbours are not mutual in most sets of five
    assert torch.equal(moved, ((a - d) != 0).any(1))


def test_mutual_neighbours_leave_the_mean_of_a_set_where_it_is():
    assert mean_shift(make("nearest_neighbour", norm=math.inf), sets(2, 2))[0].abs().max() < 1e-12
    pairs = sets(2, 4)
    pairs[:, 1], pairs[:, 3], pairs[:, 2:] = pairs[:, 0] + 0.1, pairs[:, 2] - 0.1, pairs[:, 2:] + 50
    shift, record = mean_shift(make("nearest_neighbour", norm=math.inf), pairs)
    assert record.neighbour.tolist() == [[1, 0, 3, 2]] * 2
    assert shift.abs().max() < 1e-12


def test_the_mean_leaves_the_sample_that_is_nearest_to_several():
    x = torch.tensor([0.0, 1.0, 2.1], dtype=torch.float64)[None, :, None, None, None].expand(1, 3, *SHAPE)
    shift, record = mean_shift(make("nearest_neighbour", norm=math.inf, batch=1), x)
    assert record.neighbour.tolist() == [[1, 0, 1]]
    assert torch.allclose(shift, torch.full_like(shift, 0.3 * 0.7 / 3 * (2.1 - 1.0)), atol=1e-6)


@pytest.mark.parametrize("name", [name for name in GUIDANCE if name != "nearest_neighbour"])
def test_pushes_between_pairs_conserve_the_mean(name):
    for norm in (25.0, 1e6):
        shift, _ = mean_shift(make(name, norm=norm), sets())
        assert shift.abs().max() < 1e-9


@pytest.mark.parametrize("name", GUIDANCE)
def test_equal_samples_stay_finite_and_where_they_are(name):
    x = sets()
    x[1] = x[1, :1]
    x[0, 3] = x[0, 1]
    moved = make(name, norm=30.0)(x, 0.7)[0]
    assert moved.isfinite().all()
    assert torch.equal(moved[1], x[1])


def test_units_convert_as_the_released_divisors_do():
    hole = torch.zeros(2, 1, 1, 8, 8, dtype=torch.bool)
    hole[0, ..., :2, :], hole[1, ..., :4, :] = True, True  # 16 and 32 pixels
    expected = {"rms": 48**0.5, "repaint": 5 * 48, "ddnm": 48, "dps": 16, "full": 192}
    for unit in UNITS:
        assert float(threshold_norm(1.0, unit, 5, SHAPE, hole)[0]) == pytest.approx(expected[unit])
        twin = rms_of(2.0, unit, 5, SHAPE, hole)[0]
        assert float(twin) == pytest.approx(2 * expected[unit] / 48**0.5)
    assert float(threshold_norm(1.0, "ddnm", 5, SHAPE, None)) == 192
    # the published D = .0003 under RePaint's divisor, a quarter of 256 x 256 hidden: RMS .33
    quarter = torch.zeros(1, 1, 1, 256, 256, dtype=torch.bool)
    quarter[..., :128, :128] = True
    assert float(rms_of(0.0003, "repaint", 5, (3, 256, 256), quarter)[0]) == pytest.approx(0.333, abs=1e-3)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"name": "repel"}, "'repel' is not known; use one of nearest_neighbour"),
        ({"eta": -0.1}, "guidance.eta: -0.1"),
        ({"D": -1}, "guidance.D: -1"),
        ({"D_unit": None}, "has no unit"),
        ({"D_unit": "pixels"}, "'pixels' is not known"),
        ({"colour": 1}, "unknown option"),
        ({"name": "spell", "D": math.inf}, "guidance.D: spell needs a finite radius; give D and D_unit"),
    ],
)
def test_bad_settings_are_refused_in_one_line(change, message):
    problem = build({"name": "denoising"}, SHAPE)
    settings = {"name": "nearest_neighbour", "eta": 0.1, "D": 0.3, "D_unit": "rms", **change}
    with pytest.raises(BenchmarkError, match=message):
        build_guidance(settings, problem, 5, 2, "cpu", torch.float32)


def test_a_set_of_one_cannot_be_guided():
    problem = build({"name": "denoising"}, SHAPE)
    settings = {"name": "nearest_neighbour", "eta": 0.1, "D": math.inf}
    with pytest.raises(BenchmarkError, match="a set of 1 has no neighbours"):
        build_guidance(settings, problem, 1, 2, "cpu", torch.float32)
    assert build_guidance(None, problem, 1, 2, "cpu", torch.float32)[0] is no_guidance


def test_under_paper_the_gate_measures_the_hole_and_on_demand_the_image():
    x = torch.zeros(1, 2, *SHAPE)
    x[0, 1, :, :, :4], x[0, 1, :, :, 4:] = 0.1, 5.0
    region = torch.zeros(1, 1, 1, 8, 8)
    region[..., :4] = 1
    guide = NearestNeighbour(torch.tensor([0.5]), torch.tensor([0.2 * math.sqrt(96)]), region)
    assert guide(x, 1.0)[1].gate.all()
    assert not guide(x, 1.0, norm="image")[1].gate.any()
