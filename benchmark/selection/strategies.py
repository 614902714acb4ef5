"""The strategies that pick N of M candidates, each a pure function of their features.

Every strategy has the signature ``f(features (M, F), n, seed, *, preset="paper", ...) -> indices (n,)``, in the order
of picking, distinct (but for the reference's K-means). ``preset="reference"`` is the released implementation of arXiv
2310.16047 with its constants and its own seeds, whatever ``seed`` says. A new strategy is one function here under
``@strategy``, which refuses what none can pick from: features that are not finite, fewer candidates than n.
"""

from __future__ import annotations

import inspect
import warnings
from collections.abc import Callable
from functools import wraps
from typing import Any, Protocol

import numpy as np

from benchmark.discovery import register
from benchmark.errors import BenchmarkError

REFERENCE_SEED = 125
LARGEST = 1e100  # of a feature: squares and their sums stay far from overflow


class Strategy(Protocol):
    """What picks: n indices of the candidates, in the order of picking, from their features (M, F)."""

    def __call__(self, features: np.ndarray, n: int, seed: int = 0, **options: Any) -> np.ndarray: ...


STRATEGIES: dict[str, Strategy] = {}


def usable(features: np.ndarray, largest: float = LARGEST) -> np.ndarray:
    """Features (M, F) between which distances can be measured.

    Raises:
        BenchmarkError: another number of dimensions; a value that is NaN, infinite or beyond ``largest``. Compared with
            NaN a candidate is neither near nor far, and what is picked then depends on how a maximum is written.
    """
    features = np.asarray(features)
    if features.ndim != 2 or features.shape[1] == 0:
        raise BenchmarkError(f"select: features of shape {features.shape}; a row of numbers per candidate is needed")
    bad = np.flatnonzero(~(np.abs(features.astype(np.float64)) <= largest).all(axis=1))
    if len(bad):
        rows = ", ".join(map(str, bad[:5])) + (", ..." if len(bad) > 5 else "")
        raise BenchmarkError(
            f"select: features of {len(bad)} of {len(features)} candidates are not finite or beyond {largest:g} "
            f"(rows {rows}); leave these out before"
        )
    return features


def strategy(function: Callable[..., np.ndarray]) -> Strategy:
    """Enter a strategy under its name; it is called with usable features and 1 <= n <= M alone.

    Raises (when it is called):
        BenchmarkError: features that are not usable, n below 1, fewer candidates than n.
    """

    @wraps(function)
    def checked(features: np.ndarray, n: int, seed: int = 0, **options: Any) -> np.ndarray:
        features = usable(features)
        if not n >= 1:
            raise BenchmarkError(f"select: n = {n}; at least 1 is needed")
        if len(features) < n:
            raise BenchmarkError(
                f"select: fewer candidates than N: {len(features)} for N = {n}; sample more candidates"
            )
        return function(features, n, seed, **options)

    return register(STRATEGIES, function.__name__, checked, "strategy")


def squared_distances(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """||a_i - b_j||^2 for a (P, F) and b (Q, F), float64 (P, Q), by differences: exact zeros, no cancellation."""
    a, b = np.asarray(a, np.float64), np.asarray(b, np.float64)
    return np.stack([((a - row) ** 2).sum(axis=1) for row in b], axis=1)


def squared_distances_float32(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """The same in float32, summed in eight lanes: the order of the library that the reference searches with.

    It decides which of two samples is nearer to their own mean, a tie that every cluster of two has.
    """
    difference = np.asarray(a, np.float32)[:, None] - np.asarray(b, np.float32)[None]
    squares = difference * difference
    whole = squares.shape[-1] // 8 * 8
    lanes = np.zeros((*squares.shape[:-1], 8), np.float32)
    for start in range(0, whole, 8):
        lanes += squares[..., start : start + 8]
    for width in (4, 2, 1):
        lanes = lanes[..., :width] + lanes[..., width:]
    total = lanes[..., 0]
    for column in range(whole, squares.shape[-1]):
        total = total + squares[..., column]
    return total


def nearest_distinct(distances: np.ndarray) -> np.ndarray:
    """For each column of (M, n) distances the nearest row that no other column has: closest pairs first. (n,)"""
    rows = np.full(distances.shape[1], -1)
    taken = np.zeros(len(distances), bool)
    for pair in np.argsort(distances, axis=None, kind="stable"):
        row, column = divmod(int(pair), distances.shape[1])
        if rows[column] < 0 and not taken[row]:
            rows[column], taken[row] = row, True
    return rows


@strategy
def kmeans(
    features: np.ndarray, n: int, seed: int = 0, *, preset: str = "paper", n_init: int = 10, max_iter: int = 300
) -> np.ndarray:
    """Cluster representatives: the sample nearest to each of n K-means centres.

    K-means minimises sum_i min_j ||f_i - c_j||^2 (k-means++ starts, the best of ``n_init``). ``paper`` gives each
    centre a sample of its own; ``reference`` (random_state 0, float32) lets two centres share one.
    Source: source paper section 2.1, "Cluster Representatives".

    Raises:
        BenchmarkError: options out of range; under ``reference`` features beyond 1e18, whose squares float32 lacks.
    """
    from sklearn.cluster import KMeans
    from sklearn.exceptions import ConvergenceWarning
    from threadpoolctl import threadpool_limits

    for option, value in (("n_init", n_init), ("max_iter", max_iter)):
        if type(value) is not int or value < 1:
            raise BenchmarkError(f"strategy: kmeans: {option} = {value!r}; a whole number, 1 or more")
    reference = preset == "reference"
    data = usable(features, 1e18).astype(np.float32) if reference else np.asarray(features, np.float64)
    model = KMeans(n, init="k-means++", n_init=n_init, max_iter=max_iter, random_state=0 if reference else seed)
    with threadpool_limits(1), warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # fewer distinct samples than centres: still n picks
        centres = model.fit(data).cluster_centers_
    if reference:
        return squared_distances_float32(data, centres).argmin(axis=0)
    return nearest_distinct(squared_distances(data, centres))


def calc_k(m: int, d: float) -> int:
    """Which neighbour to measure density with, for m samples in d dimensions: round(m^(2/(d+2)) ln(m)^(d/(d+2))) >= 1.

    Source: released baselines of arXiv 2310.16047, which state this rule for the k-nearest-neighbour density estimate.
    """
    return max(1, round(m ** (2 / (d + 2)) * np.log(m) ** (d / (d + 2)))) if m > 1 else 1


def kth_distances(features: np.ndarray, k: int, count_self: bool = False) -> np.ndarray:
    """r_k: the distance of each sample to its k-th nearest neighbour, (M,); ``count_self`` counts it as its own first.

    k is brought down to the number of neighbours that there are.
    """
    features = usable(features)
    distances = squared_distances(features, features)
    rank = min(k - 1 if count_self else k, len(distances) - 1)
    return np.sqrt(np.partition(distances, rank, axis=1)[:, rank])


def uniformization_log_weights(
    features: np.ndarray, *, k: int, d: float, share: float = 0.0, count_self: bool = False
) -> np.ndarray:
    """log w_i with w_i = r_k(i)^d / sum_j r_k(j)^d, (M,).

    That is one over the k-nearest-neighbour estimate of the density, k / (M V_d r_k^d), V_d the unit ball's volume. The
    ``int(share M)`` largest weights, the outliers, are set to zero. In logarithms, since r^25 overflows float32 and all
    but vanishes beside its largest. All zero (every sample twice or more) means equal weights.
    """
    with np.errstate(divide="ignore"):
        log_weights = d * np.log(kth_distances(features, k, count_self))
    log_weights[np.argsort(-log_weights, kind="stable")[: int(share * len(log_weights))]] = -np.inf
    largest = log_weights.max()
    if np.isneginf(largest):
        return np.full(len(log_weights), -np.log(len(log_weights)))
    return log_weights - largest - np.log(np.exp(log_weights - largest).sum())


@strategy
def uniformization(
    features: np.ndarray,
    n: int,
    seed: int = 0,
    *,
    preset: str = "paper",
    k: int | None = None,
    d: float | None = None,
    share: float = 0.0,
) -> np.ndarray:
    """Draw n without replacement with P(i) ~ r_k(i)^d, so that every region of the support is as likely as any other.

    ``paper``: r_k to the k-th other sample, d the features' dimension (25 at most), k = :func:`calc_k`; the draw takes
    the n largest log w_i + Gumbel noise, which is sampling one after the other without replacement. Samples of weight
    0 come last. ``reference``: k = 6 counting the sample itself, d = 25, numpy's ``choice`` seeded with 125, which
    samples of weight 0 cannot fill up.
    Source: source paper section 2.1, "Uniformization".

    Raises:
        BenchmarkError: k, d or share out of range; under ``reference`` fewer samples with a weight than n.
    """
    m = len(features)
    if not (k is None or (type(k) is int and k >= 1)) or not (d is None or 0 < d < np.inf) or not 0 <= share < 1:
        raise BenchmarkError(
            f"strategy: uniformization: k = {k}, d = {d}, share = {share}; whole k >= 1, finite d > 0, 0 <= share < 1"
        )
    if preset == "reference":
        logs = uniformization_log_weights(features, k=k or 6, d=d or 25, share=share, count_self=True)
        weights = np.exp(logs)
        if np.count_nonzero(weights) < n:
            raise BenchmarkError(
                f"strategy: uniformization: reference draws {n} of the candidates with a weight, which are "
                f"{np.count_nonzero(weights)} of {m}; preset paper takes the others last"
            )
        return np.random.RandomState(REFERENCE_SEED).choice(m, n, replace=False, p=weights / weights.sum())
    d = min(np.shape(features)[1], 25) if d is None else d
    logs = uniformization_log_weights(features, k=calc_k(m, d) if k is None else k, d=d, share=share)
    gumbel = np.random.default_rng(seed).gumbel(size=m)
    return np.lexsort((-gumbel, -(logs + gumbel)))[:n]


def farthest_from(distance_row: Callable[[int], np.ndarray], n: int, first: int) -> np.ndarray:
    """Greedy max-min: start at ``first``, then again and again the sample farthest from all picks, ties to the lowest.

    Args:
        distance_row: index -> its distances (M,) to all samples, squared or not.
    """
    picks = [first]
    nearest = np.array(distance_row(first), copy=True)
    nearest[first] = -1
    while len(picks) < n:
        picks.append(int(nearest.argmax()))
        nearest = np.minimum(nearest, distance_row(picks[-1]))
        nearest[picks] = -1
    return np.array(picks)


@strategy
def farthest(
    features: np.ndarray, n: int, seed: int = 0, *, preset: str = "paper", first: int | str = "random"
) -> np.ndarray:
    """Distant representatives: i_{s+1} = argmax_i min_{j <= s} ||f_i - f_{i_j}||.

    ``first`` is an index, "random" (``reference``: from numpy's generator seeded with 125), or "farthest_pair", which
    starts with the two samples farthest apart and so depends on no seed.
    Source: source paper section 2.1, "Distant Representatives".

    Raises:
        BenchmarkError: a ``first`` of another kind or beyond the candidates.
    """
    m = len(features)
    if first == "random":
        reference = preset == "reference"
        start = (
            np.random.RandomState(REFERENCE_SEED).randint(m) if reference else np.random.default_rng(seed).integers(m)
        )
    elif first == "farthest_pair":
        start = squared_distances(features, features).argmax() // m
    elif type(first) is int and 0 <= first < m:
        start = first
    else:
        raise BenchmarkError(
            f"strategy: farthest: first = {first!r} is neither random, farthest_pair nor one of the {m} candidates"
        )
    return farthest_from(lambda i: squared_distances(features, features[i : i + 1])[:, 0], n, int(start))


@strategy
def random(features: np.ndarray, n: int, seed: int = 0, *, preset: str = "paper") -> np.ndarray:
    """The control: n of the candidates, each subset as likely as any other."""
    return np.random.default_rng(seed).permutation(len(features))[:n]


PRESETS = ("paper", "reference")


def check(settings: dict) -> tuple[str, dict]:
    """The name and the options of ``{"name": ..., ...options}``.

    Raises:
        BenchmarkError: no such strategy, preset or option.
    """
    name, options = settings.get("name"), {key: value for key, value in settings.items() if key != "name"}
    if name not in STRATEGIES:
        raise BenchmarkError(f"strategy: name: {name!r} is none of {', '.join(STRATEGIES)}")
    known = [p.name for p in inspect.signature(STRATEGIES[name]).parameters.values() if p.kind is p.KEYWORD_ONLY]
    for key in options:
        if key not in known:
            raise BenchmarkError(f"strategy: {name} has no option {key!r}; it takes {', '.join(known)}")
    if options.get("preset", "paper") not in PRESETS:
        raise BenchmarkError(f"strategy: preset: {options['preset']!r} is none of {', '.join(PRESETS)}")
    return name, options


def select(settings: dict, features: np.ndarray, n: int, seed: int = 0) -> np.ndarray:
    """Indices (n,) of the picks of the strategy ``settings``, e.g. ``{"name": "kmeans"}``, among features (M, F).

    Raises:
        BenchmarkError: an unknown strategy or option, n below 1, fewer candidates than n, features not finite.
    """
    name, options = check(settings)
    return STRATEGIES[name](features, n, seed, **options)
