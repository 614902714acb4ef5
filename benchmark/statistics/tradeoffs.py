"""Points in several measures at once: which no other beats, and how sure that is."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np


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
