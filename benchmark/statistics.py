"""Statistics of the benchmark: the case is the unit, its seeds are repetitions, and every number has its uncertainty.

Values come as an array (cases,) or (cases, seeds), NaN where there is none. Pairs and samples of one set are never
replicates: a set gives one value. Everything is seeded and depends on numpy and scipy alone.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from scipy import special, stats

LEVEL = 0.95
RESAMPLES = 10_000
EXACT_FLIPS = 14  # up to this many cases all 2^n sign flips are counted
MOST_DEGENERATE = 0.01  # share of resamples without spread from which on Student's t takes over


@dataclass(frozen=True)
class Interval:
    """An estimate with its interval of ``level``, from ``n`` cases; ``p`` is a p-value where a test was made."""

    estimate: float
    low: float
    high: float
    n: int
    level: float = LEVEL
    p: float = np.nan


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


# ------------------------------------------------------------------------------------------------------------ intervals
def mean_interval(values: np.ndarray, level: float = LEVEL, resamples: int = RESAMPLES, seed: int = 0) -> Interval:
    """Mean over cases with a hierarchical bootstrap-t interval: cases are drawn with replacement, then seeds in each.

    With m the mean of the n case means and s^2/n its squared standard error, and m*, s* the same of a resample, the
    interval is [m - q_hi s/sqrt(n), m - q_lo s/sqrt(n)], q the quantiles of t* = (m* - m) / (s*/sqrt(n)). Dividing by
    the resample's own error makes up for few cases and for the spread that drawing seeds adds, where the percentile
    interval is too short or too long. Equal values give an interval of no length. Where more than 1 % of the
    resamples have no spread (few cases, many ties), the quantiles are Student's.

    Source: Efron and Tibshirani 1993, chapter 12; Davison and Hinkley 1997, section 3.8, for two levels.
    Cases without any finite value are left out; ``n`` counts the others. One case gives infinite ends, none gives NaN.
    """
    data, counts = _packed(values)
    n = len(data)
    if n == 0:
        return Interval(np.nan, np.nan, np.nan, 0, level)
    means = _case_means(data, counts)
    estimate = float(means.mean())
    if n == 1:
        return Interval(estimate, -np.inf, np.inf, 1, level)
    error = float(means.std(ddof=1)) / np.sqrt(n)
    if error <= 1e-12 * max(1.0, abs(estimate)):
        return Interval(estimate, estimate, estimate, n, level)
    low, high = _t_quantiles(_resampled(data, counts, resamples, seed), estimate, error, level)
    return Interval(estimate, estimate - high * error, estimate - low * error, n, level)


def paired_difference(
    a: np.ndarray, b: np.ndarray, level: float = LEVEL, resamples: int = RESAMPLES, seed: int = 0
) -> Interval:
    """Mean of a - b over cases, paired by case and seed, with the interval of :func:`mean_interval` and ``p``.

    ``p`` is the two-sided sign-flip test of the case differences: :func:`sign_flip`.

    Raises:
        ValueError: arrays of different shape.
    """
    a, b = np.asarray(a, float), np.asarray(b, float)
    if a.shape != b.shape:
        raise ValueError(f"paired values of shapes {a.shape} and {b.shape}")
    interval = mean_interval(a - b, level, resamples, seed)
    p = sign_flip(_case_means(*_packed(a - b)), seed=seed)
    return Interval(interval.estimate, interval.low, interval.high, interval.n, level, p)


def sign_flip(differences: np.ndarray, flips: int = RESAMPLES, seed: int = 0) -> float:
    """Two-sided p-value of mean(d) = 0 for paired differences d (n,), symmetric about 0 under the null hypothesis.

    The share of sign assignments s with |mean(s d)| >= |mean(d)|: of all 2^n for n <= 14, else of ``flips`` random ones
    and the observed one. No difference gives NaN.
    """
    d = np.asarray(differences, float)
    n = len(d)
    if n == 0:
        return np.nan
    return float((np.abs(_signs(n, flips, seed) @ d) >= abs(d.sum()) * (1 - 1e-9) - 1e-15).mean())


@lru_cache(maxsize=4)
def _signs(n: int, flips: int, seed: int) -> np.ndarray:
    """Sign assignments (2^n or flips, n) as numbers -1 and 1."""
    if n <= EXACT_FLIPS:
        return 1.0 - 2.0 * ((np.arange(2**n)[:, None] >> np.arange(n)) & 1)
    signs = np.random.default_rng(seed).integers(0, 2, (flips, n)) * 2.0 - 1.0
    signs[0] = 1.0
    return signs


def share_test(counts: np.ndarray, probabilities: np.ndarray, n: int) -> float:
    """Two-sided p-value of counts (M,) of successes in n independent draws each, under success probabilities (M,).

    Under the null hypothesis the total is a sum of binomials (n, p_i), whose distribution is a convolution; p is the
    total probability of the totals that are no likelier than the one observed. Exact at any number of draws.
    NaN without counts.
    """
    if len(counts) == 0:
        return float("nan")
    mass = np.ones(1)
    for probability in np.asarray(probabilities, float):
        mass = np.convolve(mass, stats.binom.pmf(np.arange(n + 1), n, probability))
    return float(min(1.0, mass[mass <= mass[round(float(np.sum(counts)))] * (1 + 1e-9)].sum()))


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
    """One-sided p-value of Page's test for an ordered trend of values (cases, levels), or (cases, levels, seeds).

    The null hypothesis is that a case's levels are exchangeable; cases with a missing level are left out. Fewer than 3
    levels or 2 cases give NaN. Source: Page 1963.
    """
    table = np.asarray(values, float)
    if table.ndim == 3:
        table = np.nanmean(table, axis=2)
    table = table[np.isfinite(table).all(axis=1)]
    if len(table) < 2 or table.shape[1] < 3:
        return np.nan
    # Beyond these sizes the exact distribution takes long and the normal one is close.
    exact = len(table) <= 12 and table.shape[1] <= 8
    ordered = table if increasing else -table
    return float(stats.page_trend_test(ordered, method="exact" if exact else "asymptotic").pvalue)


def non_inferior(difference: Interval, margin: float, lower_is_better: bool = True) -> bool:
    """Whether the whole interval of (new - reference) is better than ``margin`` worse; False where it is not known.

    With a two-sided 95 % interval this is the non-inferiority test at the one-sided level 2.5 %.
    """
    worst = difference.high if lower_is_better else -difference.low
    return bool(worst < margin)


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


# --------------------------------------------------------------------------------------------------------- trade-offs
def pareto_front(points: np.ndarray, higher_is_better: Sequence[bool]) -> np.ndarray:
    """Which points (P, K) no other point dominates (at least as good in all K, better in one); bool (P,).

    A point with a NaN is on no front and dominates none.
    """
    oriented = np.where(np.asarray(higher_is_better), 1.0, -1.0) * np.asarray(points, float)
    at_least = (oriented[None] >= oriented[:, None]).all(-1)
    better = (oriented[None] > oriented[:, None]).any(-1)
    return ~(at_least & better).any(1) & np.isfinite(oriented).all(1)


def pareto_membership(
    values: np.ndarray, higher_is_better: Sequence[bool], resamples: int = 1000, seed: int = 0
) -> np.ndarray:
    """Share of bootstrap resamples of the cases in which each point is on the front: values (P, cases, K) -> (P,).

    All points share a resample's cases, so the pairing stays. Cases that any point lacks are left out.
    """
    values = np.asarray(values, float)
    values = values[:, np.isfinite(values).all(axis=(0, 2))]
    n = values.shape[1]
    if n == 0:
        return np.full(len(values), np.nan)
    weights = np.random.default_rng(seed).multinomial(n, np.full(n, 1 / n), size=resamples) / n
    means = np.einsum("rc,pck->rpk", weights, values)
    return np.mean([pareto_front(points, higher_is_better) for points in means], axis=0)


def operating_point(
    diversity: Sequence[float], quality_differences: Sequence[Interval], margin: float, lower_is_better: bool = True
) -> int | None:
    """The index of the point of highest diversity among those whose quality is not worse than plain by the margin.

    ``quality_differences``: point - plain for each point (:func:`paired_difference`), held to :func:`non_inferior`; the
    plain point itself, of difference 0, always qualifies for a positive margin. None where no point does.
    """
    allowed = [
        index
        for index, difference in enumerate(quality_differences)
        if non_inferior(difference, margin, lower_is_better) and np.isfinite(diversity[index])
    ]
    return max(allowed, key=lambda index: diversity[index], default=None)


# --------------------------------------------------------------------------------------------------------- resampling
def _packed(values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Finite values first in each row, (cases, seeds), and how many each case has; cases without any are dropped."""
    data = np.asarray(values, float)
    data = data[:, None] if data.ndim == 1 else data
    finite = np.isfinite(data)
    keep = finite.any(axis=1)
    data, finite = data[keep], finite[keep]
    order = np.argsort(~finite, axis=1, kind="stable")
    return np.where(np.take_along_axis(finite, order, 1), np.take_along_axis(data, order, 1), 0.0), finite.sum(axis=1)


def _case_means(data: np.ndarray, counts: np.ndarray) -> np.ndarray:
    return data.sum(axis=1) / counts


@lru_cache(maxsize=16)
def _draws(n: int, repeats: int, resamples: int, seed: int) -> tuple[np.ndarray, np.ndarray | None]:
    """Cases drawn with replacement (resamples, n), and a uniform number for each seed of each of them."""
    rng = np.random.default_rng(seed)
    cases = rng.integers(0, n, (resamples, n), dtype=np.int32)
    return cases, rng.random((resamples, n, repeats), dtype=np.float32) if repeats > 1 else None


def _resampled(data: np.ndarray, counts: np.ndarray, resamples: int, seed: int) -> np.ndarray:
    """Case means of each resample, (resamples, n): as many seeds are drawn for a case as it has."""
    n, repeats = data.shape
    cases, uniform = _draws(n, repeats, resamples, seed)
    if uniform is None:
        return data[:, 0][cases]
    drawn_counts = counts[cases][:, :, None]
    seeds = np.minimum((uniform * drawn_counts).astype(np.int32), drawn_counts - 1)
    drawn = data[cases[:, :, None], seeds]
    return np.where(np.arange(repeats) < drawn_counts, drawn, 0.0).sum(axis=2) / drawn_counts[:, :, 0]


def _t_quantiles(resampled: np.ndarray, estimate: float, error: float, level: float) -> tuple[float, float]:
    """Quantiles of (m* - m) / se* over the resamples, or Student's where too many have no spread."""
    n = resampled.shape[1]
    tail = (1 - level) / 2
    spread = resampled.std(axis=1, ddof=1) / np.sqrt(n)
    usable = spread > 1e-6 * error
    if 1 - usable.mean() > MOST_DEGENERATE:
        quantile = float(special.stdtrit(n - 1, 1 - tail))
        return -quantile, quantile
    t = (resampled.mean(axis=1)[usable] - estimate) / spread[usable]
    low, high = np.quantile(t, [tail, 1 - tail])
    return float(low), float(high)
