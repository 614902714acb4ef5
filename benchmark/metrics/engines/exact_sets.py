"""Sets of labels against a known posterior: total variation, distinct values, rare values, confidence.

p is the posterior behind the hole (``benchmark.data.posterior``), q the labels' shares in a set of N. Beside each
measure stands what N exact and independent samples of the posterior are expected to give, read without error:

    total variation   TV = 1/2 sum |q - p|          E TV = 1/2 sum_v E |X_v / N - p_v|,  X_v binomial (N, p_v)
    distinct values   D = #{v: q_v > 0, p_v > 0}    E D = sum_v 1 - (1 - p_v)^N          at most min(N, #{v: p_v > 0})
    rare values       any hidden value of prior share <= RARE shown      1 - prod_a (1 - r_a)^N,  r_a = sum of rare p_v

Source: elementary; the binomial's mean absolute deviation is summed term by term. Everything here is numpy.
"""

from __future__ import annotations

import math

import numpy as np

RARE = 0.10
CONFIDENT = 0.9
# RMS in the hole, pictures in [-1, 1] (20 dB of PSNR): as far as a picture may lie from the nearest of its world's and
# still be one. What leaves a picture what it is (noise of .1, a blur of .6 pixels, a shift of .4) keeps at least
# 95 % of the exact completions nearer, in every world; noise of .3 and a grey hole are farther off.
NEAR = 0.2


def shares_of(labels: np.ndarray, count: int) -> np.ndarray:
    """Shares (K,) of integer labels (N,) of ``count`` = K values."""
    return np.bincount(labels, minlength=count) / len(labels)


def total_variation(shares: np.ndarray, others: np.ndarray) -> float:
    """Half the sum of absolute differences of two distributions (K,)."""
    return float(np.abs(shares - others).sum() / 2)


def expected_total_variation(posteriors: list[np.ndarray], n: int) -> float:
    """E TV of the labels' shares to the mean posterior, for ``n`` exact samples of each (K,), all independent."""
    pool = np.asarray(posteriors)
    mean, total = pool.mean(axis=0), n * len(pool)
    deviation = 0.0
    for value, share in enumerate(mean):
        counts = np.ones(1)
        for distribution in pool:
            counts = np.convolve(counts, _binomial(n, distribution[value]))
        deviation += float(counts @ np.abs(np.arange(total + 1) / total - share))
    return deviation / 2


def _binomial(n: int, p: float) -> np.ndarray:
    """The binomial's probabilities of 0 .. n."""
    return np.array([math.comb(n, k) * p**k * (1 - p) ** (n - k) for k in range(n + 1)])


def coverage(labels: dict[str, np.ndarray], posterior: dict[str, np.ndarray], n: int) -> float:
    """Distinct allowed values shown by labels (up to n of an attribute), over the most that n labels can show, both
    summed over the attributes."""
    shown = sum(
        len({int(label) for label in labels[a]} & set(np.flatnonzero(p).tolist())) for a, p in posterior.items()
    )
    return shown / _most(posterior, n)


def expected_coverage(posterior: dict[str, np.ndarray], n: int) -> float:
    """:func:`coverage` that n exact samples are expected to give."""
    return float(sum((1 - (1 - p) ** n).sum() for p in posterior.values())) / _most(posterior, n)


def _most(posterior: dict[str, np.ndarray], n: int) -> int:
    return sum(min(n, int((p > 0).sum())) for p in posterior.values())


def rare_values(posterior: dict[str, np.ndarray], prior: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """attribute -> the allowed values whose prior share is at most ``RARE``; attributes without any are left out."""
    rare = {a: np.flatnonzero((p > 0) & (prior[a] <= RARE + 1e-9)) for a, p in posterior.items()}
    return {a: values for a, values in rare.items() if len(values)}


def rare_recall(labels: dict[str, np.ndarray], rare: dict[str, np.ndarray]) -> float:
    """1 where a label is a rare value, else 0."""
    return float(any(np.isin(labels[a], values).any() for a, values in rare.items()))


def expected_rare_recall(posterior: dict[str, np.ndarray], rare: dict[str, np.ndarray], n: int) -> float:
    """The probability that n exact samples show a rare value."""
    missed = math.prod((1 - posterior[a][values].sum()) ** n for a, values in rare.items())
    return float(1 - missed)


def mean_total_variation(labels: dict[str, np.ndarray], posterior: dict[str, np.ndarray]) -> float:
    """Mean over the attributes of ``posterior`` of the total variation between the labels' shares and it."""
    return float(np.mean([total_variation(shares_of(labels[a], len(p)), p) for a, p in posterior.items()]))


def confident(probabilities: dict[str, np.ndarray], shares: dict[str, np.ndarray]) -> np.ndarray:
    """(N,) bool: which samples have every hidden attribute read as an allowed value with a probability over
    ``CONFIDENT``, and every visible one as what it is.

    Args:
        probabilities: attribute -> (N, K), the classifier's. shares: attribute -> (K,), the posterior; {} where nothing
            is known of the picture's attributes: then confidence in every attribute is all that is asked.
    """
    good = np.ones(len(next(iter(probabilities.values()))), bool)
    for attribute, values in probabilities.items():
        labels, confidence = values.argmax(axis=1), values.max(axis=1)
        share = shares.get(attribute)
        if share is None:
            good &= confidence > CONFIDENT
            continue
        good &= share[labels] > 0
        if (share > 0).sum() > 1:
            good &= confidence > CONFIDENT
    return good
