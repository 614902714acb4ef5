"""Planted sets rank below plain samples on every measure that claims a direction; honest samples keep their level."""

from pathlib import Path

import numpy as np
import pytest

from benchmark import planted
from benchmark.metrics.families import bank
from benchmark.metrics.registry import LEAST_BANK, MEASURES, NOISE_WINS, find, metrics
from benchmark.planted import EXCEPTIONS, HOLES, MUST_LOSE, PLAIN, verdict, verdicts

# Measures that have no value for a set of the planted worlds: weights are needed, or another kind of dataset.
NOT_HERE = (
    "lpips_",
    "niqe_corners",
    "niqe_undefined",
    "pyiqa:",
    "kid",
    "psnr",
    "ssim",
    "consistency",
    "nfe",
    "finite_share",
    "attribute_tv_pool",
    "seconds",
    "peak_memory",
    "mirror",
)


@pytest.fixture(scope="module")
def measured():
    return {world.world: world.values() for world in planted.worlds(12)}


def said(measured):
    """(hole, metric, planted set) -> verdict, of all that must be worse than plain."""
    return {
        (world, metric, name): one
        for world, values in measured.items()
        for metric, columns in values.items()
        for name, one in verdicts(columns, metric).items()
    }


def test_every_metric_with_a_direction_says_what_it_measures():
    for name, (_, metric) in metrics().items():
        assert metric.measures in MEASURES or metric.direction == "none", name


@pytest.mark.slow
def test_planted_sets_are_worse_than_plain_on_every_measure_beyond_chance(measured):
    wrong = [
        (*key, one) for key, one in said(measured).items() if not (one.holds or one.silent or key[1:] in EXCEPTIONS)
    ]
    assert not wrong


@pytest.mark.slow
def test_no_measure_prefers_a_planted_set_not_even_an_exception(measured):
    assert not [(*key, one) for key, one in said(measured).items() if one.wins]


@pytest.mark.slow
def test_what_must_be_worse_is_shown_to_be_behind_one_hole_at_least(measured):
    found = {}
    for (_, metric, name), one in said(measured).items():
        found.setdefault((find(metric)[1].name, name), []).append(one)
    never = {key for key, ones in found.items() if not any(one.holds for one in ones)}
    assert never <= set(EXCEPTIONS)


@pytest.mark.slow
def test_two_holes_of_digits_and_two_of_a_drawn_world_are_held(measured):
    assert list(measured) == list(HOLES)
    assert sorted(dataset for dataset, _ in HOLES.values()) == ["digits", "digits", "faces", "faces"]


@pytest.mark.slow
def test_an_exception_is_one_of_the_pairs_that_are_held_and_has_a_reason(measured):
    held = {key[1:] for key in said(measured)}
    assert set(EXCEPTIONS) <= held
    assert all(len(reason) > 20 for reason in EXCEPTIONS.values())


@pytest.mark.slow
def test_every_measure_of_a_kind_that_can_be_planted_is_held_against_them(measured):
    held = {metric for values in measured.values() for metric in values}
    for name, (_, metric) in metrics().items():
        if (
            metric.measures in MUST_LOSE
            and metric.direction != "none"
            and not name.startswith(NOT_HERE)
            and name != "niqe"
        ):
            assert any(metric.matches(other) for other in held), name


@pytest.mark.slow
def test_a_measure_of_diversity_that_noise_wins_says_so_in_its_definition(measured):
    for values in measured.values():
        for name, columns in values.items():
            metric = find(name)[1]
            if metric.measures == "diversity" and verdict(columns, name, "noise").wins:
                assert metric.definition.endswith(NOISE_WINS), name
    for name, (_, metric) in metrics().items():
        if metric.measures == "diversity" and "pairs" in metric.needs:
            assert metric.definition.endswith(NOISE_WINS) == ("bank" not in metric.needs), name


@pytest.mark.slow
def test_the_planted_worlds_have_plain_sets_with_values(measured):
    for values in measured.values():
        assert sum(np.isfinite(found[PLAIN]).all() for found in values.values()) > 10


@pytest.mark.slow
def test_support_tells_the_mean_picture_and_shrunk_sets_behind_every_hole(measured):
    for values in measured.values():
        assert values["off_support"]["mean"].mean() >= 0.9
        assert values["off_support"]["shrunk"].mean() > 0.7
        assert values["off_support"][PLAIN].mean() < 0.2
    assert measured["digits, left"]["off_support"]["mean+noise"].mean() > 0.8


@pytest.mark.slow
def test_the_table_of_the_documentation_is_the_command_s(measured):
    page = (Path(planted.__file__).parents[1] / "docs" / "metrics.md").read_text(encoding="utf-8")
    assert "python -m benchmark planted --short --cases 12" in page
    for line in planted.short_table(measured):
        assert line in page.splitlines()


def test_a_measure_of_nearness_alone_would_be_caught():
    cases = np.linspace(0, 0.1, 8)
    columns = {"plain": 0.4 + cases, "mean": 0.6 + cases, "one": 0.1 + cases, "noise": 0 * cases}
    found = verdicts(columns, "bank_coverage")
    assert found["mean"].wins
    assert not found["mean"].holds
    assert found["one"].holds
    assert found["noise"].holds
    assert verdicts({"plain": 0.1 + cases, "mean": 0 * cases}, "off_support")["mean"].wins
    nothing = verdicts({"plain": 0 * cases, "one": 0 * cases}, "feature_distance_min")["one"]
    assert nothing.silent
    assert nothing.cases == 0


def test_a_margin_of_one_case_of_eight_is_not_beyond_chance():
    plain = np.array([0.5, 0.5, 0.5, 0.5, 0.5, 0.5, 0.5, 0.9])
    one = verdict({"plain": plain, "one": np.full(8, 0.5)}, "bank_coverage", "one")
    assert one.worse_by > 0
    assert not one.holds


@pytest.mark.parametrize("size", [LEAST_BANK, 30, 60])
@pytest.mark.parametrize("shape", ["normal", "clusters", "few axes"])
def test_honest_samples_are_called_unsupported_at_most_at_the_level(size, shape):
    rng = np.random.default_rng([size, len(shape)])

    def draw(count):
        if shape == "clusters":
            return rng.normal(size=(count, 20)) + 8 * rng.integers(0, 3, (count, 1))
        return rng.normal(size=(count, 20)) * (np.r_[5, 5, np.full(18, 0.1)] if shape == "few axes" else 1)

    off = [1 - bank.supported(draw(5), draw(size)).mean() for _ in range(150)]
    # 750 samples, those of one bank not independent: three standard errors of 150 banks.
    assert np.mean(off) <= bank.LEVEL + 3 * np.std(off) / np.sqrt(150)
    if size == 60:
        assert np.mean(off) >= 0.04


def test_support_finds_what_is_too_far_and_what_is_too_near_and_ignores_the_unit():
    rng = np.random.default_rng(1)
    points = rng.normal(size=(60, 30))
    planted = np.stack([points.mean(axis=0), points[0] + 30, 3 * rng.normal(size=30)])
    assert not bank.supported(planted, points).any()
    fresh = rng.normal(size=(40, 30))
    assert np.array_equal(bank.supported(fresh, points), bank.supported(7 * fresh + 2, 7 * points + 2))


def test_support_finds_the_mean_of_few_distinct_candidates_and_the_mean_with_noise():
    rng = np.random.default_rng(5)
    kinds = rng.normal(size=(20, 30))
    draw = lambda count: kinds[rng.choice(20, count, p=np.arange(20, 0, -1) / 210)]  # noqa: E731
    found = [bank.supported(points.mean(axis=0, keepdims=True), points)[0] for points in (draw(60) for _ in range(40))]
    assert np.mean(found) < 0.05
    off = [1 - bank.supported(draw(5), draw(60)).mean() for _ in range(100)]
    assert np.mean(off) <= bank.LEVEL + 3 * np.std(off) / 10
    scales = np.linspace(2, 0.05, 30)
    correlated = rng.normal(size=(60, 30)) * scales
    size = np.sqrt((scales**2).mean())
    noisy = correlated.mean(axis=0) + size * rng.normal(size=(40, 30))
    assert bank.supported(noisy, correlated).mean() < 0.1


def test_the_values_of_the_bank_follow_from_the_supported_samples_alone():
    rng = np.random.default_rng(2)
    points, good = rng.normal(size=(60, 30)), rng.normal(size=(4, 30))
    good = good[bank.supported(good, points)]
    assert len(good) >= 2
    with_noise = np.concatenate([good, 9 * rng.normal(size=(3, 30))])
    alone, both = bank.against(good, points), bank.against(with_noise, points)
    for name in ("bank_coverage", "kcentre_radius", "bank_distance", "cluster_distinct"):
        assert alone[name] == both[name]
    assert both["off_support"] == pytest.approx(3 / len(with_noise))
    pairs = len(with_noise) * (len(with_noise) - 1) / (len(good) * (len(good) - 1))
    assert both["supported_distance_mean"] == pytest.approx(alone["supported_distance_mean"] / pairs)
    nothing = bank.against(9 * rng.normal(size=(3, 30)), points)
    assert (nothing["bank_coverage"], nothing["cluster_distinct"], nothing["supported_distance_mean"]) == (0, 0, 0)
    distances = np.linalg.norm(points[:, None] - points[None], axis=2)
    assert [nothing["kcentre_radius"], nothing["bank_distance"]] == pytest.approx([distances.max()] * 2)


def test_coverage_counts_candidates_by_their_own_neighbourhood():
    points = np.r_[np.zeros((20, 3)), np.full((20, 3), 10.0)] + np.random.default_rng(3).normal(size=(40, 3))
    one, both = (bank.coverage(np.array(sample), points) for sample in ([[0.0] * 3], [[0.0] * 3, [10.0] * 3]))
    assert 0 < one <= 0.5
    assert both > 1.5 * one
    assert bank.coverage(np.empty((0, 3)), points) == 0
