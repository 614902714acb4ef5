"""From which step on a sweep loses: a step-down test that pools steps, and how much earlier the loss may begin.

v_i0 is case i's share under plain sampling, v_i1..v_iK those under rising eta; a loss, once there, is taken to stay.
Then "step k loses nothing" means that v_i0..v_ik are alike, and every contrast

    x_ic = (mean of v_i0..v_i(c-1) - mean of v_ic..v_ik) / sqrt(1/c + 1/(k+1-c)),    c = 1..k

is 0 in the mean over cases: a drop before any step up to k speaks against it, with all steps before and after the drop
pooled. H_k is held against T_k = max_c mean_i x_ic, its one-sided p from flipping the signs of whole cases (one sign
for all contrasts of a case), ties counted half (mid-p). H_K is tested first, then H_(K-1), each at the full level,
until one is not rejected: a fixed sequence, so that all errors together keep the level. Where plain sampling and steps
spread alike, a case's contrasts are symmetric under the null hypothesis, however the steps correlate.

Sources: Tamhane, Hochberg and Dunnett 1996, "Multiple test procedures for dose finding" (step contrasts, step-down);
Marcus, Peritz and Gabriel 1976 (closed testing). tests/test_first_loss.py simulates it; docs/metrics.md, "The knee".
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from benchmark.statistics import sign_flips

LEAST = 0.25


@dataclass(frozen=True)
class FirstLoss:
    """What :func:`first_loss` finds: ``p`` (K,) of H_1..H_K; ``first`` 1..K, the smallest step from which on all are
    rejected, and ``earliest``, the smallest that may already lose half as much; None without one."""

    p: np.ndarray
    first: int | None
    earliest: int | None


def first_loss(values: np.ndarray, level: float) -> FirstLoss:
    """The first step that loses, for shares (cases, 1 + K), plain first; cases with a missing step are left out.

    A step that loses less than ``LEAST`` of the mean over the steps from there on ends the sequence, as one that is not
    rejected does: losses that come and go are no knee. Fewer than two cases give p NaN.
    """
    values = np.asarray(values, float)
    values = values[np.isfinite(values).all(axis=1)]
    steps = values.shape[1] - 1
    p = np.array([step_down_p(values[:, : k + 1]) for k in range(1, steps + 1)])
    loss = (values[:, :1] - values[:, 1:]).mean(axis=0) if len(values) else np.full(steps, np.nan)
    first = None
    for k in range(steps, 0, -1):
        if not (p[k - 1] <= 1 - level and loss[k - 1] > max(1e-9, LEAST * loss[k - 1 :].mean())):
            break
        first = k
    return FirstLoss(p, first, None if first is None else _earliest(values, first, level))


def step_down_p(values: np.ndarray) -> float:
    """One-sided mid-p of H_k for shares (cases, 1 + k), plain first; NaN for fewer than two cases."""
    return _flipped(contrasts(values))


def contrasts(values: np.ndarray) -> np.ndarray:
    """x_ic of this module, (cases, k), for shares (cases, 1 + k)."""
    total = values.shape[1]
    before = np.arange(1, total)
    sums = np.cumsum(values, axis=1)
    drop = sums[:, :-1] / before - (sums[:, -1:] - sums[:, :-1]) / (total - before)
    return drop / np.sqrt(1 / before + 1 / (total - before))


def _earliest(values: np.ndarray, first: int, level: float) -> int:
    """The smallest step down to which none is shown, one-sided, to lose less than half of what ``first`` loses."""
    half = (values[:, 0] + values[:, first]) / 2
    earliest = first
    while earliest > 1 and not _flipped((values[:, earliest - 1] - half)[:, None]) <= 1 - level:
        earliest -= 1
    return earliest


def _flipped(x: np.ndarray) -> float:
    """Mid-p of max over columns of the mean over rows, under flips of whole rows, for x (cases, columns)."""
    n = len(x)
    if n < 2:
        return math.nan
    observed = x.sum(axis=0).max()
    drawn = (sign_flips(n) @ x).max(axis=1)
    slack = 1e-9 * max(1.0, abs(observed))
    return float(((drawn > observed + slack).mean() + (drawn >= observed - slack).mean()) / 2)
