"""A set against the bank of candidates of its case: which part of what is possible does it show, and what is not there?

A set is held against the candidates that share no noise stream with it: those of another index. Plain and selected
samples *are* candidates of their index, and a guided sample is a candidate moved a little; with these left in, a guided
set would find its twins in the bank.

**Support.** Distances between pictures concentrate: the mean picture is nearer to every candidate than candidates are
to each other, so that a test of nearness alone finds it the best of all. What tells it is that it is *too* near to all
of them and the twin of none. Of every one of the M candidates and the sample f together, three numbers are taken: with
c and C mean and covariance of the M + 1,

    r = |f - c|,    d = min_j |f - f_j|,    m = ((f - c)^T (C + rho I)^-1 (f - c))^1/2

rho = RIDGE times C's mean eigenvalue: how far out it lies, how far from its nearest other, and how much of it lies
where candidates hardly differ (noise does). The numbers of broken pictures are unusual in either direction, so

    score = distance to the k-th nearest of the M + 1 in (r, d, m), each in units of its mean absolute deviation,

the largest of the three differences counting. A sample is *supported* unless its score is among the largest:
(1 + #{candidates: score >= its}) / (M + 1) <= LEVEL.
Honest samples are exchangeable with the candidates and nothing here asks which is which, so that at most LEVEL of them
are called unsupported, whatever the features (full conformal prediction: Vovk et al. 2005; Lei et al. 2018). Only
supported samples count below.

**Coverage.** In the first AXES principal axes of the bank a candidate is covered where a supported sample is no
farther than its own k-th nearest candidate (Naeem et al. 2020, with the roles of real and fake as there; k a tenth of
the bank).
"""

from __future__ import annotations

import math

import numpy as np

from benchmark.metrics.families.diversity import condensed, euclidean
from benchmark.metrics.registry import LEAST_BANK, Metric
from benchmark.metrics.view import SetView

AXES = 5
LEVEL = 0.1
RIDGE = 0.05  # of the mean eigenvalue of the covariance
ROUNDING = 1e-5  # of the features' size: what is nearer is equal
NEIGHBOURS = 0.1  # of the bank
POSITIVE = (0.0, math.inf)
_NEEDS = ("bank", "features")
METRICS = (
    Metric(
        "bank_coverage",
        _NEEDS,
        "higher",
        "share",
        "share of candidates that lie within their own k-th neighbour's distance of a supported sample",
        range=(0.0, 1.0),
        measures="coverage",
        label="Coverage of candidates",
        group="coverage",
        rank=40,
    ),
    Metric(
        "off_support",
        _NEEDS,
        "lower",
        "share",
        f"samples that lie beyond the candidates, or nearer than candidates lie; at most {LEVEL:g} of honest ones",
        range=(0.0, 1.0),
        measures="support",
        label="Off support",
        group="quality",
        rank=46,
    ),
    Metric(
        "kcentre_radius",
        _NEEDS,
        "none",
        "",
        "max over candidates of the distance to the nearest supported sample; without one the candidates' diameter. "
        "No direction: samples drawn a little towards the mean have a smaller one",
        range=POSITIVE,
        measures="coverage",
        label="K-centre radius",
        group="coverage",
        rank=41,
    ),
    Metric(
        "bank_distance",
        _NEEDS,
        "none",
        "",
        "mean over candidates of the distance to the nearest supported sample; without one the candidates' diameter. "
        "No direction: samples drawn a little towards the mean, or averages of two, have a smaller one",
        range=POSITIVE,
        measures="coverage",
        label="Distance to candidates",
        group="coverage",
        rank=42,
    ),
    Metric(
        "cluster_distinct",
        _NEEDS,
        "higher",
        "",
        "clusters among the supported samples by average linkage cut at tau, the median of the candidates' distances",
        range=POSITIVE,
        measures="diversity",
        up_to_n=True,
        label="Distinct clusters",
        group="diversity",
        rank=31,
    ),
    Metric(
        "supported_distance_mean",
        ("pairs", *_NEEDS),
        "higher",
        "",
        "mean over pairs of the distance of the dataset's features, 0 for a pair that is not supported on both sides",
        range=POSITIVE,
        measures="diversity",
        label="Distance inside the support",
        group="diversity",
        rank=19,
    ),
)


def measure(view: SetView, wanted: frozenset[str]) -> dict[str, float]:
    """The bank metrics of a set; NaN with fewer than ``LEAST_BANK`` candidates of other noise than the set's."""
    nothing = dict.fromkeys((metric.name for metric in METRICS), np.nan)
    if view.bank is None:
        view.file.fault(f"bank, case {view.case}", "no candidates of this case and seed")
        return nothing
    features, bank = view.bank_features()
    others = bank[view.others]
    if len(others) < LEAST_BANK:
        view.file.fault(
            f"bank, case {view.case}",
            f"{len(others)} candidates of other noise than the set's; {LEAST_BANK} are needed",
        )
        return nothing
    return against(features, others)


def against(features: np.ndarray, bank: np.ndarray) -> dict[str, float]:
    """Every metric of this module for a set's features (N, F) against the candidates' (M, F), M >= ``LEAST_BANK``."""
    good = supported(features, bank)
    own, within = euclidean(features, features), euclidean(bank, bank)
    values = {"off_support": float(1 - good.mean())}
    diameter = float(within.max())
    nearest = euclidean(bank, features[good]).min(axis=1) if good.any() else np.full(len(bank), diameter)
    values |= {"kcentre_radius": float(nearest.max()), "bank_distance": float(nearest.mean())}
    values["bank_coverage"] = coverage(features[good], bank)
    tau = float(np.median(condensed(within)))
    values["cluster_distinct"] = float(clusters(own[np.ix_(good, good)], tau)) if good.any() else 0.0
    pairs = condensed(own * np.outer(good, good))
    values["supported_distance_mean"] = float(pairs.mean()) if len(pairs) else np.nan
    return values


def supported(features: np.ndarray, bank: np.ndarray) -> np.ndarray:
    """Which samples (N, F) could be candidates (M, F), bool (N,): the conformal test of this module's docstring."""
    together = np.concatenate([bank, features])
    floor = ROUNDING * math.sqrt(float((together**2).sum(axis=1).mean())) + 1e-12
    # The same points by their coordinates in the space that they span: at most M + N numbers each.
    u, s, _ = np.linalg.svd(together - bank.mean(axis=0), full_matrices=False)
    candidates, samples = np.split(u * s, [len(bank)])
    within, across = euclidean(candidates, candidates), euclidean(samples, candidates)
    np.fill_diagonal(within, np.inf)
    nearest = within.min(axis=1)
    p_values = []
    for sample, apart in zip(samples, across, strict=True):
        d = np.append(np.minimum(nearest, apart), apart.min())
        r, m = radius_and_mahalanobis(np.concatenate([candidates, sample[None]]), floor)
        numbers = np.stack([r, d, m], axis=1)
        spread = np.abs(numbers - np.median(numbers, axis=0)).mean(axis=0)
        scores = isolation(numbers / np.maximum(spread, [floor, floor, 0.01]))
        p_values.append((scores >= scores[-1] * (1 - 1e-6)).mean())
    return np.array(p_values, float) > LEVEL


def radius_and_mahalanobis(points: np.ndarray, floor: float) -> tuple[np.ndarray, np.ndarray]:
    """|x - c| and ((x - c)^T (C + rho I)^-1 (x - c))^1/2 of each point (P, R), c and C their mean and covariance."""
    x = points - points.mean(axis=0)
    covariance = x.T @ x / len(x)
    rho = RIDGE * np.trace(covariance) / max(1, min(len(x) - 1, x.shape[1])) + floor**2
    whitened = np.linalg.solve(covariance + rho * np.eye(len(covariance)), x.T).T
    return np.sqrt((x**2).sum(axis=1)), np.sqrt(np.maximum((x * whitened).sum(axis=1), 0))


def isolation(numbers: np.ndarray) -> np.ndarray:
    """Distance of each row (P, 3) to its k-th nearest other row by the largest difference, k a tenth of the rows."""
    apart = np.abs(numbers[:, None] - numbers[None]).max(axis=2)
    return np.sort(apart, axis=1)[:, _neighbours(len(numbers))]  # the first neighbour is the row itself


def coverage(features: np.ndarray, bank: np.ndarray) -> float:
    """Share of candidates (M, F) with a sample (N, F) within their own k-th neighbour's distance, in principal axes."""
    if not len(features):
        return 0.0
    centre, axes = principal_axes(bank)
    z, own = (bank - centre) @ axes, (features - centre) @ axes
    # The first neighbour of a candidate is itself.
    radii = np.sort(euclidean(z, z), axis=1)[:, _neighbours(len(bank))]
    return float((euclidean(z, own).min(axis=1) <= radii).mean())


def principal_axes(points: np.ndarray, count: int = AXES) -> tuple[np.ndarray, np.ndarray]:
    """Mean (F,) and the first principal axes (F, R) of points (M, F), R = min(count, M - 2, F - 1), at least 1."""
    centre = points.mean(axis=0)
    _, _, axes = np.linalg.svd(points - centre, full_matrices=False)
    return centre, axes[: max(1, min(count, len(points) - 2, points.shape[1] - 1))].T


def _neighbours(size: int) -> int:
    return max(1, round(NEIGHBOURS * size))


def clusters(distances: np.ndarray, tau: float) -> int:
    """Clusters by average linkage, merged while their distance is at most tau, of pairwise distances (N, N)."""
    from scipy.cluster.hierarchy import fcluster, linkage
    from scipy.spatial.distance import squareform

    if len(distances) == 1:
        return 1
    tree = linkage(squareform(distances, checks=False), method="average")
    return int(fcluster(tree, tau, criterion="distance").max())
