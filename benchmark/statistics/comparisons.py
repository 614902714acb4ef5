"""Differences and their tests: paired by case, corrected for how many are made, honest where cases tie.

p of a paired difference is the larger of two: the sign flips', exact where a difference is symmetric about 0 under
the null hypothesis and liberal where it is skewed, and the bootstrap-t's, which corrects skewness.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import replace
from functools import lru_cache

import numpy as np

from benchmark.lazy import special, stats
from benchmark.statistics.flips import sign_flip
from benchmark.statistics.intervals import (
    LEVEL,
    RESAMPLES,
    UNBOUNDED,
    Interval,
    bootstrap_t,
    case_means,
    end_weight,
    gaffke,
    gaffke_tail,
    interval_of,
    ties_of_differences,
    unaffected,
    variance_shown,
)
from benchmark.statistics.power import resolvable

TREND_PERMUTATIONS = 4_000


def grid(entries: Iterable[tuple[str, int, float]]) -> tuple[np.ndarray, list, list]:
    """Values (cases, seeds) from (case, seed, value) in any order, with the sorted cases and seeds; NaN where missing.

    Raises:
        ValueError: a case and seed that stands there twice.
    """
    values = {}
    for case, seed, value in entries:
        if (case, seed) in values:
            raise ValueError(f"case {case!r}, seed {seed!r} has two values")
        values[case, seed] = value
    cases, seeds = (sorted({key[axis] for key in values}) for axis in (0, 1))
    return np.array([[values.get((case, seed), np.nan) for seed in seeds] for case in cases], float), cases, seeds


def paired_difference(
    a: np.ndarray,
    b: np.ndarray,
    level: float = LEVEL,
    resamples: int = RESAMPLES,
    seed: int = 0,
    bounds: tuple[float, float] = UNBOUNDED,
) -> Interval:
    """Mean of a - b over cases, paired by case and seed, with its interval, p, worst bounds and what it resolves.

    Args:
        bounds: the measure's own range [lo, hi]; a difference lies in [lo - hi, hi - lo]. Where the range is not
            finite there are no worst bounds (NaN), and the observed spread of a and b together stands for it in the
            interval where cases do not differ.

    ``p`` is NaN where no case differs: nothing is tested there, and no family of tests counts it.

    Raises:
        ValueError: arrays of different shape.
    """
    a, b = np.asarray(a, float), np.asarray(b, float)
    if a.shape != b.shape:
        raise ValueError(f"paired values of shapes {a.shape} and {b.shape}")
    d = case_means(a - b)
    n = len(d)
    if n < 2:
        return Interval(float(d.mean()) if n else math.nan, math.nan, math.nan, n, level)
    reach = bounds[1] - bounds[0]
    if math.isfinite(reach):
        ends = (-reach, reach)
        weight = max(ties_of_differences(d, reach), variance_shown(d, ends))
        worst = gaffke(d, ends, level)
    else:
        spread = _spread(a, b)
        ends, worst = (-spread, spread), (math.nan, math.nan)
        weight = unaffected(d, spread)
    low, high = interval_of(d, level, resamples, seed, (-reach, reach), ends, weight)
    p = _p_value(d, resamples, seed, reach)
    return Interval(float(d.mean()), low, high, n, level, p, *worst, resolvable(d, level))


def _spread(a: np.ndarray, b: np.ndarray) -> float:
    """The range that a and b were seen in, where both are known."""
    known = np.isfinite(a) & np.isfinite(b)
    both = np.concatenate([a[known], b[known]])
    return float(np.ptp(both)) if len(both) else 0.0


def _p_value(d: np.ndarray, resamples: int = RESAMPLES, seed: int = 0, reach: float = math.inf) -> float:
    """The larger of the two p-values of this module; NaN where no case differs.

    Where a difference can be ``reach`` at most and cases tie, also what Gaffke's bound gives with the weight of those
    ties: that cases agree does not tell how an unseen one differs.
    """
    if not np.abs(d).max() > 0:
        return math.nan
    p = max(sign_flip(d, seed=seed), studentised_p(d, resamples, seed))
    ties = ties_of_differences(d, reach) if math.isfinite(reach) else 0.0
    if ties > 0:
        p = max(p, 2 * gaffke_tail(math.copysign(1.0, d.mean()) * d, -reach, ties))
    return min(1.0, p)


def studentised_p(d: np.ndarray, resamples: int = RESAMPLES, seed: int = 0) -> float:
    """Two-sided p of mean(d) = 0 that inverts the bootstrap-t interval: twice the tail of t* beyond d's own t.

    Towards Student's as more resamples have no spread; never below 2 / resamples.
    """
    n, mean = len(d), float(d.mean())
    error = float(d.std(ddof=1)) / math.sqrt(n)
    if error <= 1e-12 * abs(mean):
        return 2 / resamples if mean else 1.0
    t = mean / error
    drawn, few = bootstrap_t(d, resamples, seed)
    beyond = (drawn >= t).mean() if t > 0 else (drawn <= t).mean()
    tail = few * special.stdtr(n - 1, -abs(t)) + (1 - few) * beyond
    return float(min(1.0, max(2 * tail, 2 / resamples)))


def share_test(counts: np.ndarray, probabilities: np.ndarray, n: int | np.ndarray) -> float:
    """Two-sided p-value of counts (M,) of successes in n (or n_i) independent draws, under success probabilities (M,).

    Under the null hypothesis the total is a sum of binomials (n, p_i), whose distribution is a convolution; p is the
    total probability of the totals that are no likelier than the one observed. Exact at any number of draws.
    NaN without counts.
    """
    if len(counts) == 0:
        return float("nan")
    mass = np.ones(1)
    for probability, draws in zip(np.asarray(probabilities, float), np.broadcast_to(n, np.shape(counts)), strict=True):
        mass = np.convolve(mass, stats.binom.pmf(np.arange(draws + 1), draws, probability))
    return float(min(1.0, mass[mass <= mass[round(float(np.sum(counts)))] * (1 + 1e-9)].sum()))


def clustered_share_test(counts: np.ndarray, probabilities: np.ndarray, n: int) -> float:
    """Two-sided p-value of counts (M,) of successes among the n samples of M sets, which may depend on each other
    within a set: of mean(count / n - p) = 0 over the sets, as a paired difference is tested and by Gaffke's bound:
    the larger p. NaN without sets or where no set differs.
    """
    counts, probabilities = np.asarray(counts, float), np.asarray(probabilities, float)
    known = np.isfinite(counts) & np.isfinite(probabilities)
    counts, probabilities = counts[known], probabilities[known]
    d = counts / n - probabilities
    p = _p_value(d, reach=1.0) if len(d) > 1 else math.nan
    if math.isnan(p):
        return p
    ends = -float(np.max(probabilities)), 1 - float(np.min(probabilities))
    weight, sign = end_weight(d, ends), math.copysign(1.0, d.mean())
    return min(1.0, max(p, 2 * gaffke_tail(sign * d, min(sign * end for end in ends), weight)))


def holm(p_values: Sequence[float]) -> np.ndarray:
    """Holm's adjusted p-values, in the order given: max over smaller ones of (m - rank) p, at most 1; NaN stays NaN.

    Source: Holm 1979. Family-wise error over the m tests that have a p-value.
    """
    p = np.asarray(p_values, float)
    adjusted = np.full(p.shape, np.nan)
    tested = np.flatnonzero(~np.isnan(p))
    order = tested[np.argsort(p[tested], kind="stable")]
    factors = len(order) - np.arange(len(order))
    adjusted[order] = np.minimum(np.maximum.accumulate(p[order] * factors), 1) if len(order) else []
    return adjusted


def trend_test(values: np.ndarray, increasing: bool = True) -> float:
    """One-sided p-value of an ordered trend of values (cases, levels), or (cases, levels, seeds): Page's, with ties.

        L = sum over cases i and levels j of j * rank of level j in case i (mean ranks where levels tie)

    The null hypothesis is that a case's levels are exchangeable: L is held against its distribution when each case's
    own ranks, ties and all, are permuted among the levels, so that ties cost no power beyond what they hide; p is the
    share of permutations with L as large. Cases with a missing level are left out, and those whose levels all tie say
    nothing. Fewer than 3 levels or 2 cases, or no case that varies, give NaN. Source: Page 1963.
    """
    table = np.asarray(values, float)
    if table.ndim == 3:
        known = np.isfinite(table)
        total = known.sum(axis=2)
        table = np.where(total > 0, np.where(known, table, 0).sum(axis=2) / np.maximum(total, 1), np.nan)
    table = table[np.isfinite(table).all(axis=1)]
    if len(table) < 2 or table.shape[1] < 3:
        return np.nan
    ranks = stats.rankdata(table if increasing else -table, axis=1)
    ranks = ranks[np.ptp(ranks, axis=1) > 0]
    if len(ranks) == 0:
        return np.nan
    weights = np.arange(table.shape[1]) - (table.shape[1] - 1) / 2
    # L of each permutation, case by case: the permuted weights of a case against its own ranks.
    drawn = np.einsum("rij,ij->r", weights[_orders(*ranks.shape)], ranks)
    observed = float((ranks @ weights).sum())
    return float((1 + (drawn >= observed - 1e-9).sum()) / (1 + len(drawn)))


@lru_cache(maxsize=8)
def _orders(cases: int, levels: int) -> np.ndarray:
    """Random orders of the levels, one for each case: (TREND_PERMUTATIONS, cases, levels)."""
    return np.random.default_rng(0).random((TREND_PERMUTATIONS, cases, levels)).argsort(axis=2)


def non_inferior(difference: Interval, margin: float, lower_is_better: bool = True) -> bool:
    """Whether (new - reference) is shown to be less than ``margin`` worse: its worst bound is better than that.

    The bound holds although cases that were not seen may lose everything (:class:`Interval`), one-sided at
    (1 + level) / 2: without any affected case a margin m takes n cases with 1 - 0.025^(1/n) < m times the range, 36 for
    a tenth. False where there is no bound, as for every measure without a finite range: nothing limits what an unseen
    case loses of it.
    """
    worst = difference.worst_high if lower_is_better else -difference.worst_low
    return bool(worst < margin)


def operating_point(
    diversity: Sequence[float],
    quality_differences: Sequence[Interval | None],
    margin: float,
    lower_is_better: bool = True,
) -> int | None:
    """The index of the point of highest diversity among those whose quality is not worse than plain by the margin.

    ``quality_differences``: point - plain for each point (:func:`paired_difference`), held to :func:`non_inferior`;
    None for plain itself, which always qualifies. None where no point does.
    """
    allowed = [
        index
        for index, difference in enumerate(quality_differences)
        if (difference is None or non_inferior(difference, margin, lower_is_better)) and np.isfinite(diversity[index])
    ]
    return max(allowed, key=lambda index: diversity[index], default=None)


def probability_of_improvement(
    a: np.ndarray, b: np.ndarray, lower_is_better: bool = False, level: float = LEVEL
) -> Interval:
    """P(a is better than b): in each case over all pairs of seeds, ties half; then the mean over cases.

    The interval is Wilson's with the cases as trials, since a value between 0 and 1 varies no more than a coin of the
    same mean: it is at least as long as needed, and stays honest where every case improves.
    Source: Agarwal et al. 2021 (rliable); Wilson 1927.
    """
    a, b = (np.atleast_2d(np.asarray(x, float).T).T for x in (a, b))
    sign = -1.0 if lower_is_better else 1.0
    gap = sign * (a[:, :, None] - b[:, None, :])
    known = np.isfinite(a)[:, :, None] & np.isfinite(b)[:, None, :]
    wins = np.where(known, (gap > 0) + 0.5 * (gap == 0), 0.0)
    keep = known.any(axis=(1, 2))
    shares = wins[keep].sum(axis=(1, 2)) / known[keep].sum(axis=(1, 2))
    n = len(shares)
    if n == 0:
        return Interval(np.nan, np.nan, np.nan, 0, level)
    share, z = float(shares.mean()), float(special.ndtri(0.5 + level / 2))
    centre, scale = (share + z * z / (2 * n)), 1 + z * z / n
    half = z * np.sqrt(share * (1 - share) / n + z * z / (4 * n * n))
    return Interval(share, max(0.0, (centre - half) / scale), min(1.0, (centre + half) / scale), n, level)


def rooted(squares: Interval) -> Interval:
    """The interval of a mean of squares, or of a squared distance without bias, in the values' unit: its estimate and
    ends x as sign(x) sqrt(|x|)."""
    ends = (math.copysign(math.sqrt(abs(x)), x) for x in (squares.estimate, squares.low, squares.high))
    return replace(squares, **dict(zip(("estimate", "low", "high"), ends, strict=True)))
