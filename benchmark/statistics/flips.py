"""Sign flips of whole cases: what differences could have been if each case's sign were chance."""

from __future__ import annotations

import math
from functools import lru_cache

import numpy as np

from benchmark.statistics.intervals import LEVEL, RESAMPLES

EXACT_CASES = 14  # up to this many cases all 2^n sign flips are counted


@lru_cache(maxsize=8)
def sign_flips(n: int, flips: int = RESAMPLES, seed: int = 0) -> np.ndarray:
    """Signs -1 and 1 of n cases: all 2^n assignments for n <= 14, else ``flips`` random ones; the first as observed."""
    if n <= EXACT_CASES:
        return 1.0 - 2.0 * ((np.arange(2**n)[:, None] >> np.arange(n)) & 1)
    signs = np.random.default_rng(seed).integers(0, 2, (flips, n)) * 2.0 - 1.0
    signs[0] = 1.0
    return signs


def sign_flip(differences: np.ndarray, flips: int = RESAMPLES, seed: int = 0, alternative: str = "two-sided") -> float:
    """p-value of mean(d) = 0 for paired differences d (n,), symmetric about 0 under the null hypothesis.

    The share of sign assignments s with |mean(s d)| >= |mean(d)|, never below that of two of them: the observed one and
    its opposite. With the alternative "greater", mean(d) > 0, the share with mean(s d) >= mean(d), the observed one
    among them. No difference gives NaN.
    """
    d = np.asarray(differences, float)
    n = len(d)
    if n == 0:
        return np.nan
    signs = sign_flips(n, flips, seed)
    slack = 1e-9 * abs(d.sum()) + 1e-15
    if alternative == "greater":
        return float((signs @ d >= d.sum() - slack).mean())
    share = float((np.abs(signs @ d) >= abs(d.sum()) - slack).mean())
    return max(share, 2 / len(signs))


def smallest_p(n: int, family: int = 1, resamples: int = RESAMPLES) -> float:
    """The smallest p of a paired difference that n cases can give, after Holm's correction in a family of that size:
    family * 2 / 2^n, and not below family * 2 / resamples."""
    if n < 2:
        return 1.0
    return min(1.0, family * max(2 / 2**n, 2 / resamples))


def attainable_level(n: int, level: float = LEVEL) -> float:
    """The largest p of n sign flips that still rejects at 1 - level, a multiple of the smallest; 0 where none does."""
    least = smallest_p(n)
    return math.floor((1 - level) / least * (1 + 1e-9)) * least
