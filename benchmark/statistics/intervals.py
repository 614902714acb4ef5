"""Intervals of means over cases: studentised where the data bear it, bounded by the range where they tie.

x_1..x_n are the case means (a case's seeds are averaged first: they are repetitions, cases are the replicates), m their
mean, s^2 their sample variance. Two intervals are made, and joined where both are needed:

    bootstrap-t    [m - q_hi s/sqrt(n), m - q_lo s/sqrt(n)],  q the quantiles of (m* - m) / (s*/sqrt(n)) over resamples,
                   held within CLIP times Student's; towards Student's themselves as more resamples have no spread
    Gaffke         quantiles of sum w_i x_(i) + w_0 end,  (w, w_0) Dirichlet(1, ..., 1, c), with the range's lower
                   end for the lower bound and its upper end for the upper one: what an unseen case could have been

With c = 1 Gaffke's bounds are Clopper and Pearson's on values 0 and 1, and hold for bounded data in every simulation
published; they are an interval's worst bounds. For the printed interval c is the part of the largest possible
variance that the data show, or the share of ties where that is larger:

    c = max( s^2 / ((m - lo) (hi - m)),  (count of the commonest value - 1) / (n - 1) ),   1 where all cases tie

so that cases of all or nothing get Clopper and Pearson's interval and smooth ones the bootstrap's. That a few cases are
unaffected makes a difference no less certain in the others, but where most tie they do not tell how an unseen one
differs. For differences of largest size R, lo = -R, hi = R, the second term is

    (share of the other cases that tie with the commonest value)^2

where a tie counts 1 - (gap / (TIE R))^2, 0 where that is negative: nothing jumps where differences come to tie exactly.
Differences that are small beside the range, but of one size, are none: most measures never use their whole range.
Differences without a range have ties with 0 alone, and the observed spread for R.

Sources: Efron and Tibshirani 1993, chapter 12; Gaffke 2004, "Three test statistics for a nonparametric one-sided
hypothesis on the mean of a nonnegative variable"; Learned-Miller and Thomas 2019 (arXiv 1905.06208).
``python -m benchmark statistics`` simulates what they cover; docs/metrics.md, "Uncertainty", quotes it.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from benchmark.lazy import special

LEVEL = 0.95
RESAMPLES = 10_000
DIRICHLET_DRAWS = 4_000
DEGENERATE = (0.01, 0.015)  # shares of resamples without spread between which Student's t takes over
NO_SPREAD = 0.02  # of the data's own spread: resamples with less have none, in part
CLIP = 2.0  # the bootstrap's quantiles are held within this many times Student's
TIE = 1e-5  # of the range, or of the observed spread: differences closer than that tie in part
UNBOUNDED = (-math.inf, math.inf)


@dataclass(frozen=True)
class Interval:
    """An estimate with its interval of ``level``, from ``n`` cases.

    Attributes:
        low, high: the interval that is printed; NaN where there is none (one case, no case).
        p: of the test of a difference, NaN without one.
        worst_low, worst_high: one-sided bounds, each of level (1 + level) / 2, that hold although unseen cases may be
            anything that the measure's range allows: what a claim of "not worse" is held against. NaN where the range
            is not finite.
        resolves: the smallest true difference that these cases detect with 80 % probability; NaN where not known.
    """

    estimate: float
    low: float
    high: float
    n: int
    level: float = LEVEL
    p: float = math.nan
    worst_low: float = math.nan
    worst_high: float = math.nan
    resolves: float = math.nan


def mean_interval(
    values: np.ndarray,
    level: float = LEVEL,
    resamples: int = RESAMPLES,
    seed: int = 0,
    bounds: tuple[float, float] = UNBOUNDED,
) -> Interval:
    """Mean over cases of values (cases,) or (cases, seeds), NaN where missing, with the interval of this module.

    Args:
        bounds: what no value of the measure can leave; the interval stays inside. Ends may be infinite.

    Cases without any finite value are left out; ``n`` counts the others. One case has no interval (NaN), none nothing.
    Equal values of a measure without a finite range have an interval of no length: nothing bounds what was not seen.
    """
    x = case_means(values)
    n = len(x)
    if n < 2:
        return Interval(float(x.mean()) if n else math.nan, math.nan, math.nan, n, level)
    finite = math.isfinite(bounds[1] - bounds[0])
    low, high = interval_of(x, level, resamples, seed, bounds, bounds, end_weight(x, bounds) if finite else 0.0)
    worst = gaffke(x, bounds, level) if finite else (math.nan, math.nan)
    return Interval(float(x.mean()), low, high, n, level, worst_low=worst[0], worst_high=worst[1])


def interval_of(
    x: np.ndarray,
    level: float,
    resamples: int,
    seed: int,
    bounds: tuple[float, float],
    ends: tuple[float, float],
    weight: float,
) -> tuple[float, float]:
    """(low, high) for case means x (n,), n > 1, within ``bounds``: the bootstrap's, joined with Gaffke's of this weight
    over the finite range ``ends``; the bootstrap's alone where the weight is 0."""
    low, high = studentised(x, level, resamples, seed)
    if weight > 0:
        joined = gaffke(x, ends, level, weight)
        low, high = min(low, joined[0]), max(high, joined[1])
    return max(low, bounds[0]), min(high, bounds[1])


def studentised(x: np.ndarray, level: float, resamples: int = RESAMPLES, seed: int = 0) -> tuple[float, float]:
    """The bootstrap-t interval of the mean of x (n,), its quantiles within ``CLIP`` times Student's."""
    n, mean = len(x), float(x.mean())
    error = float(x.std(ddof=1)) / math.sqrt(n)
    if error <= 1e-12 * max(1.0, abs(mean)):
        return mean, mean
    tail = (1 - level) / 2
    student = float(special.stdtrit(n - 1, 1 - tail))
    t, few = bootstrap_t(x, resamples, seed)
    quantiles = np.clip(np.quantile(t, [tail, 1 - tail]), -CLIP * student, CLIP * student)
    low, high = few * np.array([-student, student]) + (1 - few) * quantiles
    return mean - float(high) * error, mean - float(low) * error


def bootstrap_t(x: np.ndarray, resamples: int = RESAMPLES, seed: int = 0) -> tuple[np.ndarray, float]:
    """t* = (m* - m) / (s*/sqrt(n)) of the resamples with spread, and how much Student's t counts instead, 0 to 1."""
    n, centred = len(x), x - x.mean()
    counts = _counts(n, resamples, seed)
    means = counts @ centred / n
    spread = np.sqrt(np.maximum(counts @ centred**2 / n - means**2, 0) * n / (n - 1)) / centred.std(ddof=1)
    without = float(np.maximum(0.0, 1 - (spread / NO_SPREAD) ** 2).mean())
    usable = spread > 1e-6
    t = means[usable] / (spread[usable] * centred.std(ddof=1) / math.sqrt(n))
    return t, min(1.0, max(0.0, (without - DEGENERATE[0]) / (DEGENERATE[1] - DEGENERATE[0])))


def end_weight(x: np.ndarray, bounds: tuple[float, float]) -> float:
    """c of this module for x (n,) in a finite range."""
    _, counts = np.unique(np.round(x, 12), return_counts=True)
    return max((int(counts.max()) - 1) / (len(x) - 1), variance_shown(x, bounds))


def variance_shown(x: np.ndarray, bounds: tuple[float, float]) -> float:
    """s^2 / ((m - lo) (hi - m)), at most 1: the part of the largest possible variance that x (n,) shows."""
    mean = float(x.mean())
    largest = (mean - bounds[0]) * (bounds[1] - mean)
    return min(1.0, float(x.var(ddof=1)) / largest) if largest > 0 else 1.0


def ties_of_differences(d: np.ndarray, reach: float) -> float:
    """The second term of c of this module for differences d (n,) of size ``reach`` at most, n > 1."""
    if reach <= 0:
        return 1.0
    others = (_closeness(d[:, None] - d[None, :], reach).sum(axis=1).max() - 1) / (len(d) - 1)
    return float(others) ** 2


def unaffected(d: np.ndarray, spread: float) -> float:
    """The same without a range: the share of differences d (n,) that tie with 0, squared. A small change that all cases
    show is none of them: without a range nothing says that it is small."""
    return float(_closeness(d, spread).mean()) ** 2 if spread > 0 else 0.0


def _closeness(gap: np.ndarray, reach: float) -> np.ndarray:
    return np.maximum(0.0, 1 - (gap / (TIE * reach)) ** 2)


def gaffke(x: np.ndarray, bounds: tuple[float, float], level: float, weight: float = 1.0) -> tuple[float, float]:
    """Gaffke's bounds, each of level (1 + level) / 2, of the mean of x (n,) in a finite range; ``weight`` is c."""
    n, tail = len(x), (1 - level) / 2
    others, ends = _dirichlet(n, round(max(weight, 0.01), 2))
    core = others @ x
    return (
        float(np.quantile(core + ends * bounds[0], tail)),
        float(np.quantile(core + ends * bounds[1], 1 - tail)),
    )


def gaffke_tail(x: np.ndarray, end: float, weight: float = 1.0) -> float:
    """P(sum w_i x_(i) + w_0 end <= 0): the one-sided p of mean(x) <= 0 for x >= ``end``; ``weight`` is c."""
    others, ends = _dirichlet(len(x), round(max(weight, 0.01), 2))
    return float((others @ x + ends * end <= 0).mean())


def case_means(values: np.ndarray) -> np.ndarray:
    """Mean over the finite seeds of each case, (n,); cases without any are left out."""
    data = np.asarray(values, float)
    data = data[:, None] if data.ndim == 1 else data
    finite = np.isfinite(data)
    counts = finite.sum(axis=1)
    keep = counts > 0
    return np.where(finite, data, 0.0).sum(axis=1)[keep] / counts[keep]


@lru_cache(maxsize=16)
def _counts(n: int, resamples: int, seed: int) -> np.ndarray:
    """How often each case is in each resample, (resamples, n)."""
    return np.random.default_rng(seed).multinomial(n, np.full(n, 1 / n), size=resamples).astype(float)


@lru_cache(maxsize=64)
def _dirichlet(n: int, weight: float) -> tuple[np.ndarray, np.ndarray]:
    """Draws of Dirichlet(1, ..., 1, weight): those of the n cases, and that of the range's end."""
    rng = np.random.default_rng(20_04)
    drawn = np.concatenate(
        [rng.standard_exponential((DIRICHLET_DRAWS, n)), rng.gamma(weight, size=(DIRICHLET_DRAWS, 1))], axis=1
    )
    drawn /= drawn.sum(axis=1, keepdims=True)
    return drawn[:, :n].copy(), drawn[:, n].copy()
