"""Planted sets rank below plain samples on every measure that claims a direction; honest samples keep their level."""

import numpy as np
import pytest

from benchmark.metrics import bank
from benchmark.metrics.registry import MEASURES, metrics
from benchmark.planted import MUST_LOSE, PLAIN, worlds, worst_or_equal

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
    return {planted.world: planted.values() for planted in worlds(8)}


def test_every_metric_with_a_direction_says_what_it_measures():
    for name, (_, metric) in metrics().items():
        assert metric.measures in MEASURES or metric.direction == "none", name


@pytest.mark.parametrize("world", ["digits", "faces"])
def test_planted_sets_are_worse_than_plain_on_every_measure(measured, world):
    wrong = {metric: list(worst_or_equal(values, metric)) for metric, values in measured[world].items()}
    assert not {metric: names for metric, names in wrong.items() if names}


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


def test_the_planted_worlds_have_plain_sets_with_values(measured):
    for values in measured.values():
        assert sum(np.isfinite(found[PLAIN]) for found in values.values()) > 10


def test_a_measure_of_nearness_alone_would_be_caught():
    nearness = {"plain": 0.4, "mean": 0.6, "one": 0.1, "noise": 0.0, "other world": 0.0}
    assert list(worst_or_equal(nearness, "bank_coverage")) == ["mean"]
    assert list(worst_or_equal({"plain": 0.1, "mean": 0.0, "noise": 1.0, "other world": 1.0}, "off_support")) == [
        "mean"
    ]
    assert list(worst_or_equal({"plain": 0.0, "one": 0.0}, "feature_distance_min")) == []


@pytest.mark.parametrize("size", [18, 30, 60])
@pytest.mark.parametrize("shape", ["normal", "clusters", "few axes"])
def test_honest_samples_are_called_unsupported_at_most_at_the_level(size, shape):
    rng = np.random.default_rng([size, len(shape)])

    def draw(count):
        if shape == "clusters":
            return rng.normal(size=(count, 20)) + 8 * rng.integers(0, 3, (count, 1))
        return rng.normal(size=(count, 20)) * (np.r_[5, 5, np.full(18, 0.1)] if shape == "few axes" else 1)

    off = [1 - bank.supported(draw(5), draw(size)).mean() for _ in range(300)]
    # 1,500 samples, those of one bank not independent: three standard errors of 300 banks.
    assert np.mean(off) <= bank.LEVEL + 3 * np.std(off) / np.sqrt(300)
    if size == 60:
        assert np.mean(off) >= 0.04


def test_support_finds_what_is_too_far_and_what_is_too_near_and_ignores_the_unit():
    rng = np.random.default_rng(1)
    points = rng.normal(size=(60, 30))
    planted = np.stack([points.mean(axis=0), points[0] + 30, 3 * rng.normal(size=30)])
    assert not bank.supported(planted, points).any()
    fresh = rng.normal(size=(40, 30))
    assert np.array_equal(bank.supported(fresh, points), bank.supported(7 * fresh + 2, 7 * points + 2))


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
