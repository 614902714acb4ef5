"""A set against the bank of candidates of its case: which part of what is possible does it show, and what is not there?

A set is held against the candidates that share no noise stream with it: those of another index. Plain and selected
samples *are* candidates of their index, and a guided sample is a candidate moved a little; with these left in, a guided
set would find its twins in the bank.

**Support.** Distances between pictures concentrate: the mean picture is nearer to every candidate than candidates are
to each other, so that a test of nearness alone finds it the best of all. What tells it is that it is *too* near: it
lacks what candidates have beyond their common axes. With c and V the mean and the first AXES principal axes of the
candidates of even position (the fitted half), z = V^T (f - c) and e = |f - c - V z|,

    score(f) = max( |log e - m_e| / s_e,  (log d_k(z) - m_d) / s_d )

d_k the distance to the k-th nearest of the fitted half; m, s median and mean absolute deviation over the other half and
the sample. A sample is *supported* unless its score is among the largest:
(1 + #{other half: score >= its}) / (size + 1) <= LEVEL.
Honest samples are exchangeable with the other half, so that at most LEVEL of them are called unsupported, whatever the
features (split conformal prediction: Vovk et al. 2005; Lei et al. 2018). Only supported samples count below.

**Coverage.** In the coordinates z of the whole bank a candidate is covered where a supported sample is no farther than
its own k-th nearest candidate (Naeem et al. 2020, with the roles of real and fake as there; k a tenth of the bank).
"""

from __future__ import annotations

import math

import numpy as np

from benchmark.metrics.diversity import condensed, euclidean
from benchmark.metrics.registry import Metric
from benchmark.metrics.view import SetView

AXES = 5
LEVEL = 0.1
NEIGHBOURS = 0.1  # of the bank
LEAST = 18  # candidates: below, no sample could be called unsupported
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
    ),
    Metric(
        "off_support",
        _NEEDS,
        "lower",
        "share",
        f"samples that lie beyond the candidates, or nearer than candidates lie; at most {LEVEL:g} of honest ones",
        range=(0.0, 1.0),
        measures="support",
    ),
    Metric(
        "kcentre_radius",
        _NEEDS,
        "lower",
        "feature units",
        "max over candidates of the distance to the nearest supported sample; without one the candidates' diameter",
        range=POSITIVE,
        measures="coverage",
    ),
    Metric(
        "bank_distance",
        _NEEDS,
        "lower",
        "feature units",
        "mean over candidates of the distance to the nearest supported sample; without one the candidates' diameter",
        range=POSITIVE,
        measures="coverage",
    ),
    Metric(
        "cluster_distinct",
        _NEEDS,
        "higher",
        "clusters",
        "clusters among the supported samples by average linkage cut at tau, the median of the candidates' distances",
        range=POSITIVE,
        measures="diversity",
    ),
    Metric(
        "supported_distance_mean",
        ("pairs", *_NEEDS),
        "higher",
        "feature units",
        "mean over pairs of the distance of the dataset's features, 0 for a pair that is not supported on both sides",
        range=POSITIVE,
        measures="diversity",
    ),
)


def measure(view: SetView, wanted: frozenset[str]) -> dict[str, float]:
    """The bank metrics of a set; NaN with fewer than ``LEAST`` candidates of other noise than the set's."""
    nothing = dict.fromkeys((metric.name for metric in METRICS), np.nan)
    if view.bank is None:
        view.file.fault(f"bank, case {view.case}", "no candidates of this case and seed")
        return nothing
    features, bank = view.bank_features()
    others = bank[view.others]
    if len(others) < LEAST:
        view.file.fault(
            f"bank, case {view.case}", f"{len(others)} candidates of other noise than the set's; {LEAST} are needed"
        )
        return nothing
    return against(features, others)


def against(features: np.ndarray, bank: np.ndarray) -> dict[str, float]:
    """Every metric of this module for a set's features (N, F) against the candidates' (M, F), M >= ``LEAST``."""
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
    """Which samples (N, F) could be candidates, bool (N,): the split conformal test of this module's docstring."""
    fitted, held = bank[::2], bank[1::2]
    centre, axes = principal_axes(fitted)
    reference = (fitted - centre) @ axes
    rounding = 1e-4 * math.sqrt(float(((fitted - centre) ** 2).sum(axis=1).mean())) + 1e-12

    def parts(points: np.ndarray) -> np.ndarray:
        """log e and log d_k of points, (P, 2)."""
        shifted = points - centre
        z = shifted @ axes
        residual = np.sqrt(np.maximum((shifted**2).sum(axis=1) - (z**2).sum(axis=1), 0))
        kth = np.sort(euclidean(z, reference), axis=1)[:, _neighbours(len(reference)) - 1]
        return np.log(np.stack([residual, kth], axis=1) + rounding)

    calibration = parts(held)

    def p_value(sample: np.ndarray) -> float:
        # Median and spread are over the held half and the sample alike: else the sample would not be exchangeable.
        together = np.concatenate([calibration, sample[None]])
        scaled = together - np.median(together, axis=0)
        scaled /= np.maximum(np.abs(scaled).mean(axis=0), 0.01)
        scores = np.maximum(np.abs(scaled[:, 0]), scaled[:, 1])
        return float((scores >= scores[-1]).mean())

    return np.array([p_value(sample) for sample in parts(features)], float) > LEVEL


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
