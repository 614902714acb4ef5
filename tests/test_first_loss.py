"""The step-down test of the knee: by hand, and simulated on worlds like ours. Run as a script it prints the table of
docs/metrics.md, "The knee"."""

import sys

import numpy as np
import pytest
from scipy import special

from benchmark.publish.results.first_loss import contrasts, first_loss, step_down_p

STEPS, SAMPLES, PLAIN, SPREAD = 5, 5, 0.9, 5.0
# Correlation of a sample's luck from one step to the next: alike everywhere, and less and less so.
CORRELATIONS = {"even": (0.84,) * STEPS, "falling": (0.99, 0.95, 0.9, 0.8, 0.6)}


def world(rng, cases, first, loss, shape, correlation):
    """Shares of plausible samples (cases, 1 + STEPS): .9 under plain sampling, Beta over cases; from step ``first`` on
    less by ``loss`` (or rising by it with each step), times a number between 0 and 2 for each case."""
    chance = rng.beta(PLAIN * SPREAD, (1 - PLAIN) * SPREAD, cases)[:, None]
    steps = np.arange(STEPS + 1)
    lost = np.where(steps >= first, loss * (1 if shape == "step" else steps - first + 1), 0.0)
    chance = np.clip(chance - 2 * rng.random((cases, 1)) * lost, 0, 1)
    luck = np.empty((cases, SAMPLES, STEPS + 1))
    luck[..., 0] = rng.normal(size=(cases, SAMPLES))
    for k, rho in enumerate(CORRELATIONS[correlation], 1):
        luck[..., k] = rho * luck[..., k - 1] + np.sqrt(1 - rho**2) * rng.normal(size=(cases, SAMPLES))
    return (special.ndtr(luck) < chance[:, None]).mean(axis=1)


def old_rule(values):
    """The smallest step from which on each, by itself, differs from plain (two-sided sign flips); 0 for none."""
    found = 0
    for k in range(STEPS, 0, -1):
        flips = 1.0 - 2.0 * ((np.arange(2 ** len(values))[:, None] >> np.arange(len(values))) & 1)
        change = values[:, 0] - values[:, k]
        if not ((flips @ change) >= change.sum() - 1e-9).mean() <= 0.025:
            break
        found = k
    return found


def characteristics(cases, loss, shape, correlation, worlds, seed=0):
    """Over worlds whose loss begins at each of the five steps in turn: the shares of knees that are right, too early,
    too late, none; of the named ones the share whose range holds where it begins, and the range's mean length."""
    rng, found = np.random.default_rng(seed), []
    for index in range(worlds):
        true = index % STEPS + 1
        result = first_loss(world(rng, cases, true, loss, shape, correlation), 0.95)
        found.append((true, result.first or 0, result.earliest or 0))
    true, first, earliest = np.array(found).T
    named = first > 0
    held = (earliest <= true) & (true <= first)
    rates = [(first == true), named & (first < true), first > true, ~named]
    return [float(rate.mean()) for rate in rates] + [
        float(held[named].mean()),
        float((first - earliest + 1)[named].mean()),
    ]


def false_knees(cases, correlation, worlds, seed=0):
    """The share of sweeps without any loss in which a knee is named."""
    rng = np.random.default_rng(seed)
    found = [first_loss(world(rng, cases, 9, 0.0, "step", correlation), 0.95).first for _ in range(worlds)]
    return float(np.mean([first is not None for first in found]))


# ------------------------------------------------------------------------------------------------------------- by hand
def test_contrasts_pool_the_steps_before_and_after_a_drop():
    found = contrasts(np.array([[1.0, 0.8, 0.2]]))
    scale = np.sqrt([1 + 1 / 2, 1 / 2 + 1])
    np.testing.assert_allclose(found, [[1 - 0.5, 0.9 - 0.2]] / scale)


def test_the_smallest_p_is_half_of_one_assignment_of_signs():
    values = np.tile([0.9, 0.4], (6, 1))
    assert step_down_p(values) == pytest.approx(0.5 / 2**6)
    assert step_down_p(values[:, ::-1]) == pytest.approx(1 - 0.5 / 2**6)
    assert np.isnan(step_down_p(values[:1]))


def test_cases_that_lose_nothing_do_not_count_against_those_that_do():
    values = np.tile([0.9, 0.9], (20, 1))
    values[:5, 1] = 0.4
    assert step_down_p(values) == pytest.approx(0.5 / 2**5, abs=0.005)  # 10,000 flips
    assert step_down_p(np.tile([0.9, 0.9], (6, 1))) == pytest.approx(0.5)


def test_the_first_step_of_a_lasting_loss_is_found_though_single_steps_are_noisy():
    values = np.full((8, 6), 0.9)
    values[:, 3:] -= 0.2
    found = first_loss(values, 0.95)
    assert (found.first, found.earliest) == (3, 3)
    assert (found.p[2:] < 0.05).all()
    assert (found.p[:2] > 0.4).all()


def test_losses_that_come_and_go_are_no_knee():
    values = np.full((8, 5), 0.9)
    values[:, 2] -= 0.4
    assert first_loss(values, 0.95).first is None
    values[:, 4] -= 0.4
    assert first_loss(values, 0.95).first == 4


def test_a_step_that_may_already_lose_half_as_much_is_in_the_range():
    values = np.full((8, 4), 0.9)
    values[:, 2:] -= 0.4
    values[:3, 1] -= 0.5  # three cases of eight: not shown to lose, nor to lose less than half of .4
    found = first_loss(values, 0.95)
    assert (found.first, found.earliest) == (2, 1)
    values[:, 1] = 0.9
    assert first_loss(values, 0.95).earliest == 2


def test_cases_with_a_missing_step_are_left_out():
    values = np.full((9, 4), 0.9)
    values[:, 2:] -= 0.4
    with_gap = values.copy()
    with_gap[0, 1] = np.nan
    np.testing.assert_array_equal(first_loss(with_gap, 0.95).p, first_loss(values[1:], 0.95).p)


# ----------------------------------------------------------------------------------------------------------- simulated
@pytest.mark.parametrize("correlation", CORRELATIONS)
@pytest.mark.parametrize("cases", [8, 12])
def test_without_a_loss_a_knee_is_named_in_five_per_cent_at_most(cases, correlation):
    assert false_knees(cases, correlation, 600) <= 0.05 + 2 * np.sqrt(0.05 * 0.95 / 600)


@pytest.mark.parametrize(("cases", "least"), [(8, 0.65), (12, 0.85)])
def test_a_loss_of_a_fifth_is_found_where_it_begins(cases, least):
    right, early, late, none, held, _ = characteristics(cases, 0.2, "step", "even", 200)
    assert right >= least
    assert early <= 0.05 + 0.03
    assert right + early + late + none == pytest.approx(1)
    assert held >= 0.9


def test_pooled_steps_find_far_more_than_each_step_against_plain():
    rng, right = np.random.default_rng(2), np.zeros(2)
    for index in range(200):
        values = world(rng, 8, index % STEPS + 1, 0.2, "step", "even")
        right += np.array([old_rule(values), first_loss(values, 0.95).first]) == index % STEPS + 1
    assert right[0] < 60
    assert right[1] > 2.5 * right[0]


@pytest.mark.slow
@pytest.mark.parametrize("correlation", CORRELATIONS)
def test_the_level_holds_at_every_number_of_cases(correlation):
    for cases, worlds in ((5, 4000), (8, 4000), (12, 800), (40, 100)):
        assert false_knees(cases, correlation, worlds) <= 0.05 + 2 * np.sqrt(0.05 * 0.95 / worlds)


@pytest.mark.slow
@pytest.mark.parametrize("shape", ["step", "ramp"])
def test_too_early_is_rare_and_the_range_holds_the_first_loss(shape):
    for cases in (8, 12):
        for loss in (0.1, 0.2, 0.3):
            _, early, _, _, held, _ = characteristics(cases, loss, shape, "falling", 300)
            assert early <= 0.05
            assert held >= 0.85


def main(worlds=1000):
    """Print the table of docs/metrics.md."""
    for cases in (8, 12, 40):
        count = worlds if cases < 40 else worlds // 2
        false = max(false_knees(cases, correlation, 2 * count) for correlation in CORRELATIONS)
        print(f"{cases} cases: false knees {false:.3f}")
        for loss in (0.1, 0.2, 0.3):
            for shape in ("step", "ramp"):
                found = [characteristics(cases, loss, shape, correlation, count) for correlation in CORRELATIONS]
                right, early, late, none, held, length = np.mean(found, axis=0)
                print(
                    f"| {cases} | {loss:g}, {shape} | {right:.2f} | {early:.2f} | {late:.2f} | {none:.2f} "
                    f"| {held:.2f} | {length:.1f} |",
                    flush=True,
                )


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
