"""Statistics of the benchmark: known values, invariances, and coverage and error rates by simulation."""

import dataclasses
import itertools
import warnings
from pathlib import Path

import numpy as np
import pytest
from scipy import stats

from benchmark import statistics
from benchmark.statistics import (
    UNBOUNDED,
    Interval,
    grid,
    holm,
    mean_interval,
    non_inferior,
    operating_point,
    paired_difference,
    pareto_front,
    pareto_membership,
    probability_of_improvement,
    sign_flip,
    simulation,
    trend_test,
)


def same(one: Interval, other: Interval) -> bool:
    """Whether two intervals are equal, NaN to NaN (dataclasses compare so in Python 3.11 and not in 3.13)."""
    return np.array_equal(dataclasses.astuple(one), dataclasses.astuple(other), equal_nan=True)


# ---------------------------------------------------------------------------------------------------------- simulation
def two_levels(rng, cases, seeds, spread=1.0, noise=1.0):
    """Values (cases, seeds) of mean 0: a case's own effect, skewed, and what its seeds add."""
    effect = rng.gamma(4.0, 0.5, cases) - 2.0
    return spread * effect[:, None] + noise * rng.normal(size=(cases, seeds))


def coverage(make, truth, trials, resamples):
    """Share of the trials whose interval holds the truth."""
    hits = 0
    for trial in range(trials):
        interval = mean_interval(make(np.random.default_rng([7, trial])), resamples=resamples)
        hits += interval.low <= truth <= interval.high
    return hits / trials


WORLDS = {
    "normal, one seed": lambda rng: rng.normal(size=(20, 1)),
    "skewed, one seed": lambda rng: two_levels(rng, 30, 1, noise=0.0),
    "skewed cases, three seeds": lambda rng: two_levels(rng, 20, 3),
    "seeds noisier than cases": lambda rng: two_levels(rng, 15, 4, spread=0.3),
    "counts with ties": lambda rng: rng.binomial(5, 0.4, (20, 2)) - 2.0,
}


@pytest.mark.parametrize("world", WORLDS)
def test_intervals_of_known_truth_cover_93_to_97_per_cent(world):
    # 1,200 trials: the standard error of the share is 0.6 %.
    assert 0.93 <= coverage(WORLDS[world], 0.0, trials=1200, resamples=600) <= 0.97


@pytest.mark.slow
@pytest.mark.parametrize("cases", [8, 12, 50])
def test_intervals_of_few_and_many_skewed_cases_cover_93_to_97_per_cent_too(cases):
    share = coverage(lambda rng: two_levels(rng, cases, 2), 0.0, trials=4000, resamples=1000)
    assert 0.93 <= share <= 0.97


def test_paired_intervals_cover_and_are_shorter_than_unpaired_ones():
    hits, ratios = 0, []
    for trial in range(2000):
        rng = np.random.default_rng([3, trial])
        base = rng.normal(0, 3, (20, 1))
        plain, guided = base + rng.normal(size=(20, 2)), base + 0.5 + rng.normal(size=(20, 2))
        paired = paired_difference(guided, plain, resamples=500)
        hits += paired.low <= 0.5 <= paired.high
        if trial < 20:
            alone = mean_interval(guided, resamples=500)
            ratios.append((paired.high - paired.low) / (alone.high - alone.low))
    assert 0.93 <= hits / 2000 <= 0.97
    assert np.median(ratios) < 0.6


def test_the_interval_of_a_probability_of_improvement_covers_at_least_as_often_as_it_says():
    hits = 0
    for trial in range(1000):
        rng = np.random.default_rng([5, trial])
        # P(a > b) for normals one half apart with unit noise in both: Phi(0.5 / sqrt 2).
        interval = probability_of_improvement(rng.normal(0.5, 1, (20, 1)), rng.normal(0, 1, (20, 1)))
        hits += interval.low <= stats.norm.cdf(0.5 / np.sqrt(2)) <= interval.high
    assert hits / 1000 >= 0.93


def test_without_an_effect_sign_flips_and_trends_reject_at_their_level():
    p_flip, p_trend = [], []
    for trial in range(1000):
        rng = np.random.default_rng([11, trial])
        p_flip.append(sign_flip(rng.normal(size=10)))
        p_trend.append(trend_test(rng.normal(size=(10, 4))))
    for p in (p_flip, p_trend):
        assert 0.03 <= np.mean(np.array(p) <= 0.05) <= 0.07


def test_non_inferiority_at_the_margin_itself_is_claimed_rarely_and_inside_it_mostly():
    claims = {0.5: 0, 0.0: 0}
    for truth in claims:
        for trial in range(400):
            rng = np.random.default_rng([13, trial])
            values = np.clip(rng.normal(truth, 0.3, 40), -1, 1)
            change = paired_difference(values, np.zeros(40), resamples=400, bounds=(0, 1))
            claims[truth] += non_inferior(change, 0.5)
    assert claims[0.5] / 400 <= 0.05
    assert claims[0.0] / 400 >= 0.95


# ----------------------------------------------------------------------------------------------------------- intervals
def test_a_single_seed_is_the_same_as_a_list_of_cases_and_missing_seeds_are_left_out():
    values = np.random.default_rng(0).normal(size=12)
    assert same(mean_interval(values), mean_interval(values[:, None]))
    ragged = np.column_stack([values, np.full(12, np.nan)])
    assert mean_interval(ragged).estimate == pytest.approx(values.mean())
    with_nothing = np.vstack([ragged, [[np.nan, np.nan]]])
    assert mean_interval(with_nothing).n == 12


def test_a_case_counts_once_however_many_seeds_it_has():
    values = np.array([[1.0, np.nan, np.nan], [3.0, 3.0, 3.0]])
    assert mean_interval(values).estimate == pytest.approx(2.0)


def test_an_interval_moves_and_scales_with_its_values():
    values = np.random.default_rng(1).normal(size=(15, 2))
    base, moved = mean_interval(values), mean_interval(10 + 3 * values)
    assert np.allclose([moved.low, moved.high], [10 + 3 * base.low, 10 + 3 * base.high])


def test_an_interval_is_the_same_again_and_longer_at_a_higher_level():
    values = np.random.default_rng(2).normal(size=(10, 3))
    assert same(mean_interval(values), mean_interval(values))
    wide, narrow = mean_interval(values, level=0.99), mean_interval(values, level=0.8)
    assert wide.low < narrow.low < narrow.high < wide.high


def test_no_case_one_case_and_equal_cases_have_their_own_answers():
    nothing, one, same = (mean_interval(np.array(values, float)) for values in ([np.nan], [2.0], [3.0] * 6))
    assert np.isnan([nothing.estimate, nothing.low, nothing.high]).all()
    assert nothing.n == 0
    assert (one.estimate, one.n) == (2.0, 1)
    assert np.isnan([one.low, one.high]).all()
    assert (same.low, same.high) == (3.0, 3.0)  # nothing bounds what an unseen case could be


@pytest.mark.parametrize("share", [0.0, 0.6, 1.0])
@pytest.mark.parametrize("cases", [2, 8, 40])
def test_equal_shares_have_an_interval_with_a_length_clopper_and_pearsons_at_the_ends(share, cases):
    interval = mean_interval(np.full(cases, share), bounds=(0, 1))
    assert interval.low <= share <= interval.high
    assert interval.high - interval.low > 0.05
    if share in (0.0, 1.0):
        theirs = stats.binomtest(round(share * cases), cases).proportion_ci(method="exact")
        assert (interval.low, interval.high) == pytest.approx((theirs.low, theirs.high), abs=0.02)


def test_no_interval_leaves_the_range_or_explodes():
    psnr = np.array([31.5, 31.2, 30.8, 30.9, 31.1, 17.0, 15.2, 31.0])
    student = stats.t.ppf(0.975, 7) * psnr.std(ddof=1) / np.sqrt(8)
    found = mean_interval(psnr)
    assert psnr.mean() - 2 * student - 1e-9 <= found.low < found.high <= psnr.mean() + 2 * student + 1e-9
    for seed in range(200):
        rng = np.random.default_rng(seed)
        values = rng.choice([0.0, 0.01, 0.3, 1.0], size=(rng.integers(2, 9), 2))
        interval = mean_interval(values, bounds=(0, 1))
        change = paired_difference(values, values[::-1], bounds=(0, 1))
        assert 0 <= interval.low <= interval.high <= 1
        assert -1 <= change.worst_low <= change.estimate <= change.worst_high <= 1
        assert -1 <= change.low <= change.high <= 1


def test_few_cases_with_many_ties_have_a_finite_interval():
    interval = mean_interval(np.array([0.0, 0.0, 1.0]))
    assert np.isfinite([interval.low, interval.high]).all()
    assert interval.low < 1 / 3 < interval.high


def test_pairing_takes_out_what_the_cases_differ_by():
    base = np.random.default_rng(3).normal(0, 100, (10, 2))
    change = paired_difference(base + 1.0, base)
    assert change.estimate == pytest.approx(1.0)
    assert change.high - change.low < 1e-9
    with pytest.raises(ValueError, match="shapes"):
        paired_difference(base, base[:5])


def test_an_interval_of_differences_does_not_jump_where_they_come_to_tie():
    signs, some = np.array([1, -1] * 4) / 2, np.array([0, 0, 0, 0, 0, 0.2, -0.4, 0.6])
    for base, bounds in ((np.zeros(8), (0, 1)), (np.full(8, 0.3), (0, 1)), (some, (0, 1)), (some, UNBOUNDED)):
        tied = paired_difference(base, np.zeros(8), bounds=bounds)
        near = paired_difference(base + 1e-7 * signs, np.zeros(8), bounds=bounds)
        assert (near.low, near.high) == pytest.approx((tied.low, tied.high), abs=1e-3)
    assert paired_difference(0.3 + 1e-7 * signs, 0 * signs, bounds=(0, 1)).p == pytest.approx(
        paired_difference(0.3 + 0 * signs, 0 * signs, bounds=(0, 1)).p, abs=0.001
    )
    lengths = []
    for wobble in np.linspace(0, 2e-5, 41):
        found = paired_difference(wobble * signs, np.zeros(8), bounds=(0, 1))
        lengths.append(found.high - found.low)
    assert np.abs(np.diff(lengths)).max() < 0.15 < lengths[0] - lengths[-1]


def test_cases_that_lose_everything_unseen_are_in_the_interval_where_most_tie_and_in_worst_bounds():
    """10 % of the cases lose all, a sample changes in some of the others: 8 hold none of the tenth in 43 %."""
    tied = simulation.LOSSES[3]
    assert min(simulation._coverage("interval of a difference", tied, 100, (4, 8, 20)).values.values()) >= 0.93
    for world in simulation.LOSSES[1:4]:
        assert not simulation._coverage("worst bounds of a difference", world, 100, (4, 8, 20)).outside(100)


def test_a_small_change_of_a_measure_with_a_wide_range_is_seen_where_it_is_resolved():
    """Cases that all lose a hundredth of the range are no ties: what is said to be resolved is detected."""
    rng = np.random.default_rng(0)
    found = [rng.normal(-0.008, 0.01, 40) for _ in range(100)]
    tests = [paired_difference(d, 0 * d, bounds=(-1, 1), resamples=500) for d in found]
    assert np.mean([test.p < 0.05 for test in tests]) > 0.95
    assert max(test.high - test.low for test in tests) < 0.02
    assert max(test.resolves for test in tests) < 0.008


def test_without_a_range_unaffected_cases_call_for_the_observed_spread():
    values = np.array([20.0, 25, 31, 28, 22, 30])
    nothing = paired_difference(values, values)
    assert nothing.low < -1 < 1 < nothing.high
    assert nothing.low >= -11
    assert np.isnan(nothing.p)


def test_worst_bounds_take_the_whole_range_wherever_it_lies_and_are_none_without_one():
    none = np.zeros(8)
    unit, similarity = (paired_difference(none, none, bounds=bounds) for bounds in ((0, 1), (-1, 1)))
    assert similarity.worst_low == pytest.approx(2 * unit.worst_low)
    assert similarity.low == pytest.approx(2 * unit.low)
    rng = np.random.default_rng(0)
    for bounds in (UNBOUNDED, (0, np.inf)):
        change = paired_difference(20 + rng.random(8), 20 + rng.random(8), bounds=bounds)
        mean = mean_interval(20 + rng.random(8), bounds=bounds)
        assert np.isnan([change.worst_low, change.worst_high, mean.worst_low, mean.worst_high]).all()
        assert not non_inferior(change, 1e9)
        assert not non_inferior(paired_difference(none, none, bounds=bounds), 1e9)


def test_values_are_put_into_a_grid_by_case_and_seed():
    table, cases, seeds = grid([("b", 1, 4.0), ("a", 0, 1.0), ("b", 0, 3.0)])
    assert (cases, seeds) == (["a", "b"], [0, 1])
    assert np.array_equal(table, [[1.0, np.nan], [3.0, 4.0]], equal_nan=True)
    with pytest.raises(ValueError, match="two values"):
        grid([("a", 0, 1.0), ("a", 0, 2.0)])


# --------------------------------------------------------------------------------------------------------------- tests
def test_sign_flips_of_few_cases_are_counted_exactly():
    d = np.array([0.3, -0.1, 0.5, 0.2])
    totals = [abs(np.dot(signs, d)) for signs in itertools.product([1, -1], repeat=4)]
    assert sign_flip(d) == pytest.approx(np.mean([total >= abs(d.sum()) - 1e-12 for total in totals]))
    assert sign_flip(np.ones(6)) == pytest.approx(2 / 2**6)
    assert sign_flip(np.zeros(6)) == 1.0
    signed = [np.dot(signs, d) for signs in itertools.product([1, -1], repeat=4)]
    assert sign_flip(d, alternative="greater") == pytest.approx(np.mean([total >= d.sum() - 1e-12 for total in signed]))
    assert sign_flip(-np.ones(6), alternative="greater") == 1.0
    assert sign_flip(np.ones(5), alternative="greater") == 1 / 32
    many = np.random.default_rng(0).normal(size=(400, 20))
    assert np.mean([sign_flip(row, 999, alternative="greater") < 0.05 for row in many]) == pytest.approx(0.05, abs=0.03)
    assert np.isnan(sign_flip(np.array([])))


def test_the_p_of_a_difference_is_the_larger_of_flips_and_bootstrap_and_of_gaffkes_where_cases_tie():
    larger = set()
    for seed in range(20):
        d = np.random.default_rng(seed).gamma(1, 1, 10) - 0.3
        flips, studentised = sign_flip(d), statistics.studentised_p(d)
        assert paired_difference(d, np.zeros(10)).p == max(flips, studentised)
        larger.add(bool(flips > studentised))
    assert larger == {True, False}
    agree = np.full(8, 0.1)
    assert sign_flip(agree) < 0.01
    assert paired_difference(agree, 0 * agree, bounds=(0, 1)).p > 0.1  # of ten cases one may lose all
    assert paired_difference(9 * agree, 0 * agree, bounds=(0, 1)).p < 0.05


def test_sign_flips_of_many_cases_agree_with_scipy_and_never_reach_zero():
    d = np.random.default_rng(4).normal(0.4, 1, 30)
    ours = sign_flip(d)
    theirs = stats.permutation_test(
        (d,), np.mean, permutation_type="samples", n_resamples=20_000, rng=np.random.default_rng(0)
    )
    assert ours == pytest.approx(theirs.pvalue, abs=0.01)
    assert sign_flip(np.ones(40)) > 0


def test_a_sign_flip_ignores_the_sign_and_the_unit():
    d = np.random.default_rng(5).normal(0.3, 1, 12)
    assert sign_flip(d) == sign_flip(-d) == sign_flip(1000 * d)


def test_holm_has_its_textbook_values_keeps_the_order_and_skips_what_was_not_tested():
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert np.array_equal(holm([np.nan, 0.02]), [np.nan, 0.02], equal_nan=True)
    assert holm([0.6, 0.7]) == pytest.approx([1.0, 1.0])
    assert len(holm([])) == 0


def test_holm_is_never_below_the_p_values_nor_above_bonferroni():
    p = np.random.default_rng(6).uniform(size=20)
    adjusted = holm(p)
    assert (adjusted >= p).all()
    assert (adjusted <= np.minimum(1, 20 * p)).all()
    assert np.array_equal(np.argsort(p, kind="stable"), np.lexsort((p, adjusted)))


def test_a_trend_is_found_in_its_direction_only():
    rng = np.random.default_rng(7)
    rising = np.arange(4) + 0.3 * rng.normal(size=(8, 4))
    assert trend_test(rising) < 0.001
    assert trend_test(rising, increasing=False) > 0.99
    assert trend_test(-rising, increasing=False) == trend_test(rising)


def test_a_trend_averages_seeds_leaves_out_gaps_and_needs_three_levels():
    rng = np.random.default_rng(8)
    values = np.arange(3)[None, :, None] + rng.normal(size=(6, 3, 2))
    assert trend_test(values) == trend_test(values.mean(axis=2))
    gap = values.mean(axis=2)
    gap[0, 1] = np.nan
    assert trend_test(gap) == trend_test(gap[1:])
    assert np.isnan(trend_test(values[:, :2]))


def test_non_inferiority_looks_at_the_bound_that_unseen_cases_may_not_break():
    change = Interval(0.1, 0.0, 0.2, 10, worst_low=-0.1, worst_high=0.3)
    assert non_inferior(change, 0.31)
    assert not non_inferior(change, 0.29)
    assert non_inferior(change, 0.11, lower_is_better=False)
    assert not non_inferior(change, 0.09, lower_is_better=False)
    assert not non_inferior(Interval(0.1, 0.0, 0.2, 10), 1.0)
    assert not non_inferior(Interval(np.nan, np.nan, np.nan, 0), 1.0)


@pytest.mark.parametrize(("cases", "claimed"), [(8, False), (35, False), (36, True), (40, True)])
def test_cases_of_which_none_is_affected_bound_a_loss_as_clopper_and_pearson_do(cases, claimed):
    nothing = paired_difference(np.ones(cases), np.ones(cases), bounds=(0, 1))
    assert nothing.worst_low == pytest.approx(-(1 - 0.025 ** (1 / cases)), abs=0.02)
    assert statistics.unaffected_cases_needed(0.1) == 36
    if cases in (8, 40):  # at 35 and 36 the bound's own Monte Carlo error decides
        assert non_inferior(nothing, 0.1, lower_is_better=False) == claimed
    assert np.isnan(nothing.p)


def test_a_probability_of_improvement_counts_pairs_of_seeds_within_a_case_and_ties_half():
    a, b = np.array([[1.0, 3.0], [5.0, np.nan]]), np.array([[2.0, 2.0], [5.0, 4.0]])
    found = probability_of_improvement(a, b)
    assert found.estimate == pytest.approx((0.5 + 0.75) / 2)
    assert found.n == 2
    assert probability_of_improvement(a, b, lower_is_better=True).estimate == pytest.approx(1 - found.estimate)
    always = probability_of_improvement(np.ones((10, 1)), np.zeros((10, 1)))
    assert always.estimate == 1.0
    assert 0.6 < always.low < 0.8
    assert always.high == pytest.approx(1.0)


# ---------------------------------------------------------------------------------------------------------- trade-offs
def test_the_front_is_what_no_other_point_dominates():
    points = np.array([[1, 5], [2, 4], [2, 5], [3, 6], [0, 4.5], [np.nan, 0]])
    assert pareto_front(points, [True, False]).tolist() == [False, True, False, True, False, False]
    assert pareto_front(points[:, ::-1], [False, True]).tolist() == [False, True, False, True, False, False]


def test_equal_points_are_on_the_front_together_and_order_does_not_matter():
    points = np.array([[1.0, 1.0], [1.0, 1.0], [0.0, 2.0], [0.0, 0.0]])
    front = pareto_front(points, [True, True])
    assert front.tolist() == [True, True, True, False]
    order = np.array([3, 1, 0, 2])
    assert np.array_equal(pareto_front(points[order], [True, True]), front[order])


def test_a_front_by_definition_on_random_points():
    points = np.random.default_rng(9).integers(0, 5, (40, 3)).astype(float)
    front = pareto_front(points, [True, True, True])
    for i, here in enumerate(points):
        beaten = any((other >= here).all() and (other > here).any() for other in points)
        assert front[i] == (not beaten)


def test_membership_is_sure_where_a_point_always_dominates_and_shared_where_chance_decides():
    rng = np.random.default_rng(10)
    case = rng.normal(size=(20, 2))
    close = case + rng.normal(size=(20, 2))
    close += case.mean(axis=0) - close.mean(axis=0) + np.array([0.02, -0.02])
    values = np.stack([case + 5, case, close])
    assert pareto_membership(values, [True, True]).tolist() == [1.0, 0.0, 0.0]
    shared = pareto_membership(values[1:], [True, True])
    assert ((shared > 0.02) & (shared < 1)).all()
    with_gap = values.copy()
    with_gap[0, 0] = np.nan
    assert pareto_membership(with_gap, [True, True]).tolist() == [1.0, 0.0, 0.0]


def test_the_operating_point_is_the_most_diverse_that_is_not_worse():
    changes = [None, Interval(0.1, 0.0, 0.2, 9, worst_high=0.2), Interval(0.2, 0.0, 0.5, 9, worst_high=0.6)]
    assert operating_point([1.0, 2.0, 3.0], changes, margin=0.3) == 1
    assert operating_point([1.0, 2.0, 3.0], changes, margin=0.7) == 2
    assert operating_point([1.0, np.nan, 3.0], changes, margin=0.3) == 0
    assert operating_point([1.0, 2.0, 3.0], changes[2:], margin=0.1) is None


def test_nothing_here_warns_on_missing_values():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        empty = np.full((3, 2), np.nan)
        mean_interval(empty), paired_difference(empty, empty), probability_of_improvement(empty, empty)
        pareto_front(empty, [True, True]), trend_test(np.full((3, 3), np.nan)), holm([np.nan])
    assert statistics.LEVEL == 0.95


# ---------------------------------------------------------------------------------------------------- shares of values
@pytest.mark.parametrize(("counts", "share"), [([0, 0], 0.09), ([5, 4, 3], 0.44), ([1], 0.5), ([2, 2, 1, 0], 0.2)])
def test_shares_of_one_probability_are_tested_as_scipy_does(counts, share):
    p = statistics.share_test(np.array(counts), np.full(len(counts), share), 5)
    assert p == pytest.approx(stats.binomtest(sum(counts), 5 * len(counts), share).pvalue)


def test_shares_of_several_probabilities_reject_as_often_as_they_should():
    rng, truth = np.random.default_rng(0), np.array([0.1, 0.3, 0.6, 0.9])
    p = [statistics.share_test(rng.binomial(5, truth), truth, 5) for _ in range(2000)]
    assert 0.01 < np.mean(np.array(p) < 0.05) <= 0.06  # a discrete test rejects less often than its level


def test_shares_without_sets_have_no_test():
    assert np.isnan(statistics.share_test(np.array([]), np.array([]), 5))


def test_sets_whose_samples_depend_on_each_other_are_tested_as_sets():
    tied, free = [], []
    for seed in range(300):
        rng = np.random.default_rng(seed)
        counts = 5 * (rng.random(12) < 0.3)  # all or nothing
        tied.append(statistics.clustered_share_test(counts, np.full(12, 0.3), 5) <= 0.05)
        free.append(statistics.share_test(counts, np.full(12, 0.3), 5) <= 0.05)
    assert np.mean(tied) <= 0.08
    assert np.mean(free) > 0.3  # the independent test would be wrong
    counts, shares = np.array([5.0, 5, 5, 0, 5, 5]), np.full(6, 0.3)
    alone = statistics.clustered_share_test(counts, shares, 5)
    assert statistics.clustered_share_test(np.r_[counts, np.nan], np.r_[shares, np.nan], 5) == alone
    assert alone > statistics.studentised_p(counts / 5 - shares)


# --------------------------------------------------------------------------------------------------- few cases, power
def test_the_smallest_p_is_what_the_test_gives_when_all_cases_agree():
    for cases in (2, 6, 8):
        assert statistics.smallest_p(cases) == pytest.approx(sign_flip(np.arange(1, cases + 1.0)))
    for cases in (13, 14, 15, 30):  # from 14 on resamples bound it
        d = 5 + np.random.default_rng(cases).normal(size=cases)
        assert statistics.smallest_p(cases) == pytest.approx(paired_difference(d, 0 * d).p)
        assert statistics.smallest_p(cases) == pytest.approx(paired_difference(0 * d + 5, 0 * d).p)
    assert statistics.smallest_p(8, 7) == pytest.approx(7 * 2 / 256)
    assert statistics.smallest_p(3, 9) == 1.0


@pytest.mark.parametrize("cases", [6, 8, 20])
def test_what_is_resolved_is_detected_in_80_per_cent(cases):
    effect = statistics.resolvable(np.array([1.0, -1.0] * 10) * np.sqrt(19 / 20)) / statistics.power.standard_effect(20)
    assert effect == pytest.approx(1.0)  # the spread is 1
    shift, rng = statistics.power.standard_effect(cases), np.random.default_rng(cases)
    none = np.zeros(cases)
    found = [paired_difference(rng.normal(shift, 1, cases), none, resamples=1000).p <= 0.05 for _ in range(600)]
    assert 0.78 <= np.mean(found) <= 0.87
    assert statistics.needed_for(shift + 1e-3) == cases


@pytest.mark.parametrize("cases", [2, 4, 5])
def test_cases_too_few_for_any_p_below_the_level_resolve_nothing(cases):
    d = np.arange(1.0, cases + 1)
    assert np.isnan(paired_difference(d, 0 * d).resolves)
    assert np.isfinite(statistics.resolvable(np.arange(1.0, 7)))
    assert np.isfinite(statistics.resolvable(np.arange(1.0, 6), level=0.9))
    assert statistics.needed_for(1e6) == 6


def test_differences_without_spread_say_nothing_of_how_many_cases_are_needed():
    assert np.isnan(statistics.cases_needed(np.full(9, 0.1), 0.1))
    assert statistics.cases_needed(np.array([1.0, -1.0] * 10), 1.0) == statistics.needed_for(1 / np.sqrt(20 / 19))


@pytest.mark.parametrize("share", [0.5, 0.25, 0.2])
@pytest.mark.parametrize("draws", [12, 20, 40, 60])
def test_the_smallest_share_seen_takes_equally_likely_counts_together_as_the_test_does(draws, share):
    rejected = [statistics.share_test(np.array([k]), np.array([share]), draws) <= 0.05 for k in range(draws + 1)]
    for end in statistics.smallest_share_seen(draws, share):
        if np.isfinite(end):
            power = stats.binom.pmf(np.arange(draws + 1), draws, end)[rejected].sum()
            assert power == pytest.approx(0.8, abs=1e-4)


def test_the_smallest_share_seen_is_rejected_in_80_per_cent_by_the_exact_test():
    below, above = statistics.smallest_share_seen(60, 0.44)
    for share in (below, above):
        power = sum(
            stats.binom.pmf(k, 60, share) for k in range(61) if stats.binomtest(k, 60, 0.44).pvalue <= 0.05
        )  # fmt: skip
        assert power == pytest.approx(0.8, abs=0.01)
    assert np.isnan(statistics.smallest_share_seen(3, 0.5)).all()


def test_a_trend_keeps_its_power_where_pages_test_loses_it_to_ties():
    ours, pages = [], []
    for seed in range(200):
        rng = np.random.default_rng(seed)
        values = (rng.random((12, 5)) < 0.05 + 0.12 * np.arange(5)).astype(float)
        ours.append(trend_test(values) <= 0.05)
        pages.append(
            stats.page_trend_test(stats.rankdata(values, axis=1), ranked=True, method="asymptotic").pvalue <= 0.05
        )
    assert np.mean(ours) > np.mean(pages) + 0.1
    assert np.isnan(trend_test(np.ones((6, 4))))


def root_excess(value, floor, **how):
    return statistics.rooted(paired_difference(value**2, floor**2, **how))


def test_the_root_of_an_excess_is_in_the_values_unit_and_zero_in_expectation_at_the_floor():
    floor = np.full(30, 0.3)
    assert root_excess(np.hypot(floor, 0.4), floor).estimate == pytest.approx(0.4)
    assert root_excess(floor, np.hypot(floor, 0.4)).estimate == pytest.approx(-0.4)
    rng = np.random.default_rng(0)
    value, least = rng.gamma(9, 0.05, 24), rng.gamma(9, 0.03, 24)
    squares, roots = paired_difference(value**2, least**2), root_excess(value, least)
    assert (roots.low, roots.high) == pytest.approx((np.sqrt(squares.low), np.sqrt(squares.high)))
    held = [
        (i := root_excess(rng.gamma(9, 0.03, 24), rng.gamma(9, 0.03, 24), resamples=500)).low <= 0 <= i.high
        for _ in range(300)
    ]
    assert np.mean(held) > 0.89  # squares are skewed


# ------------------------------------------------------------------------------------------------------- the test bench
def test_the_bench_marks_what_lies_outside_its_promise_on_either_side_and_what_nothing_speaks_of():
    row = simulation.Row("interval", "w", {8: 0.80, 12: 0.95, 20: 1.0}, simulation.COVERS)
    assert row.outside(200) == row.unsaid(200) == {8: 0.80, 20: 1.0}
    assert "**0.800!** | 0.950 | **1.000!** |" in simulation.markdown([row], 200)
    known = simulation.Row(
        "interval of a mean, 1 seed", "share 0.2, tied samples", {8: 1.0, 12: 0.8}, simulation.COVERS
    )
    assert known.unsaid(200) == {12: 0.8}
    assert "**1.000** | **0.800!**" in simulation.markdown([known], 200)


def test_every_world_and_size_of_the_bench_has_random_numbers_of_its_own():
    keys = [("a", 0, 8), ("b", 0, 8), ("a", 1, 8), ("a", 0, 12), ("a", 0, 8, 3)]
    assert len({simulation._generator(*key).random() for key in keys}) == len(keys)


def test_a_fast_part_of_the_bench_keeps_its_promises():
    chosen = [simulation.SHARES[index] for index in (0, 3, 9, 18)]
    found = [simulation._coverage("interval of a mean, 1 seed", world, 150, (8, 12)) for world in chosen]
    found += [simulation._false_claims(world, 100, (8, 40)) for world in [*simulation.LOSSES, *simulation.NO_RANGE]]
    found += [simulation._rejections("paired difference", simulation.NULLS[5], 150, (8,), simulation._difference_p)]
    found += [simulation._power(falling, 150, (12,)) for falling in simulation.FALLING]
    assert not [row for row in found if row.unsaid(100)]
    assert simulation._power(simulation.FALLING[0], 20, (4,)).values == {}


def test_the_documentation_quotes_every_row_of_the_bench_and_says_what_is_not_kept():
    docs = Path(__file__).resolve().parent.parent / "docs"
    page = (docs / "statistics.md").read_text(encoding="utf-8")
    worlds = [*simulation.SHARES, *simulation.OTHERS, *simulation.NULLS, *simulation.SHARES_APART]
    for world in [*worlds, *simulation.LOSSES, *simulation.NO_RANGE, *(make(0.0) for make in simulation.FALLING)]:
        assert f"| {world.name} |" in page
    assert "!**" not in page
    for text in (page, (docs / "metrics.md").read_text(encoding="utf-8")):
        words = " ".join(text.split())
        assert not [known.sentence for known in simulation.KEPT_NOT if known.sentence not in words]


@pytest.mark.slow
def test_the_whole_bench_keeps_what_the_documentation_promises():
    for row in simulation.rows(200):
        assert not row.unsaid(200), (row.about, row.world, row.unsaid(200))
