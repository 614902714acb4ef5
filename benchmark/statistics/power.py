"""What so many cases can show: the smallest difference that they resolve, and how many a difference needs.

For case differences of standard deviation s the two-sided t-test at 1 - level has the power

    P(|T| > q),  T noncentral t with n - 1 degrees of freedom and noncentrality delta sqrt(n) / s

which is solved for delta or for n. The benchmark's p is the larger of two (:mod:`benchmark.statistics.comparisons`):
the level is the largest that n sign flips attain, and delta is larger by 1 + EXTRA / n. Normal differences of known
spread need 1.34, 1.14, 1.08, 1.07 and 1.01 times the t-test's delta at n = 6, 8, 12, 20 and 40; EXTRA was fitted to
that and to the median of s, which is 1.07, 1.05, 1.03, 1.02 and 1.01 times too small.
``python -m benchmark statistics`` simulates the power at what is said to be resolved. All before Holm's correction.
"""

from __future__ import annotations

import math
from functools import lru_cache

import numpy as np

from benchmark.lazy import optimize, special, stats
from benchmark.statistics.flips import attainable_level
from benchmark.statistics.intervals import LEVEL

POWER = 0.8
EXTRA = 1.5
MOST_CASES = 100_000


def resolvable(differences: np.ndarray, level: float = LEVEL, power: float = POWER) -> float:
    """The smallest true mean that case differences (n,) with this spread detect; NaN without spread, and where n cases
    have no p below 1 - level (5 or fewer at 95 %)."""
    spread = _standard_deviation(differences)
    effect = standard_effect(len(differences), level, power)
    return spread * effect if math.isfinite(effect) else math.nan


def cases_needed(differences: np.ndarray, effect: float, level: float = LEVEL, power: float = POWER) -> float:
    """How many cases with the spread of these differences (n,) detect a mean of ``effect``; NaN without spread."""
    spread = _standard_deviation(differences)
    return needed_for(abs(effect) / spread, level, power) if effect and not math.isnan(spread) else math.nan


def _standard_deviation(differences: np.ndarray) -> float:
    """Of differences (n,); NaN for one case, and where they vary by rounding alone."""
    if len(differences) < 2:
        return math.nan
    spread = float(np.std(differences, ddof=1))
    return spread if spread > 1e-12 * max(1.0, float(np.abs(differences).max())) else math.nan


def needed_for(standardised: float, level: float = LEVEL, power: float = POWER) -> float:
    """The smallest n whose :func:`standard_effect` is at most ``standardised`` (effect over standard deviation)."""
    low, high = 2, 4
    while standard_effect(high, level, power) > standardised:
        low, high = high, 2 * high
        if high > MOST_CASES:
            return math.inf
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if standard_effect(middle, level, power) <= standardised else (middle, high)
    return float(low if standard_effect(low, level, power) <= standardised else high)


@lru_cache(maxsize=4096)
def standard_effect(n: int, level: float = LEVEL, power: float = POWER) -> float:
    """The effect, in standard deviations, that n cases detect with this power; infinite where none is."""
    reached = attainable_level(n, level)
    if reached == 0:
        return math.inf
    quantile = stats.t.ppf(1 - reached / 2, n - 1)
    # P(T > q) = E Phi(nc - q V), V = sqrt(chi2 / (n - 1)), over a grid of its quantiles: scipy's nct is NaN in places.
    scale = np.sqrt(stats.chi2.ppf((np.arange(2000) + 0.5) / 2000, n - 1) / (n - 1))

    def short(delta: float) -> float:
        nc = delta * math.sqrt(n)
        return float((special.ndtr(nc - quantile * scale) + special.ndtr(-nc - quantile * scale)).mean()) - power

    top = 2.0
    while short(top) < 0:
        top *= 2
    return float(optimize.brentq(short, 0.0, top, xtol=1e-6)) * (1 + EXTRA / n)


def variance_parts(values: np.ndarray) -> tuple[float, float]:
    """(between cases, between the seeds of a case): the variances of a one-way random-effects model of values (C, S)

        v_cs = mu + a_c + e_cs,  Var e = mean over cases of their variance over seeds,
        Var a = variance over cases of their means, less Var e / S; 0 where that is negative

    so that a mean over C cases of S seeds has the variance (Var a + Var e / S) / C. Cases with a NaN are left out; NaN
    where fewer than two cases or seeds are left. Source: Searle, Casella, McCulloch, "Variance components" (1992).
    """
    values = values[np.isfinite(values).all(axis=1)]
    cases, seeds = values.shape
    if cases < 2 or seeds < 2:
        return math.nan, math.nan
    within = float(values.var(axis=1, ddof=1).mean())
    return max(float(values.mean(axis=1).var(ddof=1)) - within / seeds, 0.0), within


def unaffected_cases_needed(margin: float, level: float = LEVEL) -> int:
    """How many cases, none of them affected, bound a loss of everything in the others below ``margin`` (of the range):
    the smallest n with 1 - ((1 - level) / 2)^(1/n) < margin."""
    if not 0 < margin < 1:
        raise ValueError(f"a margin of {margin} of the range; give one between 0 and 1")
    return math.floor(math.log((1 - level) / 2) / math.log1p(-margin)) + 1


def smallest_share_seen(
    draws: int, probability: float, level: float = LEVEL, power: float = POWER
) -> tuple[float, float]:
    """(below, above): the shares next to ``probability`` that an exact two-sided binomial test of ``draws`` independent
    samples rejects with this power; NaN on a side where none does."""
    counts = np.arange(draws + 1)
    mass = stats.binom.pmf(counts, draws, probability)
    # p of each count as share_test has it: counts that are exactly as likely go together.
    ascending = np.sort(mass)
    p = np.cumsum(ascending)[np.searchsorted(ascending, mass * (1 + 1e-9), side="right") - 1]
    rejected = p <= 1 - level

    def power_at(share: float) -> float:
        return float(stats.binom.pmf(counts, draws, share)[rejected].sum())

    def nearest(end: float) -> float:
        if power_at(end) < power:
            return math.nan
        inside, outside = probability, end
        for _ in range(30):
            middle = (inside + outside) / 2
            inside, outside = (inside, middle) if power_at(middle) >= power else (middle, outside)
        return outside

    return nearest(0.0), nearest(1.0)
