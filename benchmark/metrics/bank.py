"""A set against the bank of candidates of its case: which part of what is possible does it show, and what is not there?

With b_1..b_M the bank's features and r the 95 % quantile of the bank's leave-one-out nearest-neighbour distances (one
radius per case, from the bank alone, so the same for every set of the case). A set is held against the candidates that
share no noise stream with it: those of another index. Plain and selected samples *are* candidates of their index, and
a guided sample is a candidate moved a little; with these left in, a guided set would find its twins in the bank.
"""

from __future__ import annotations

import numpy as np

from benchmark.metrics.diversity import euclidean
from benchmark.metrics.registry import Metric
from benchmark.metrics.view import SetView

METRICS = (
    Metric(
        "kcentre_radius",
        ("bank", "features"),
        "lower",
        "feature units",
        "max over bank pictures of the distance to the set's nearest sample",
    ),
    Metric(
        "bank_distance",
        ("bank", "features"),
        "lower",
        "feature units",
        "mean over bank pictures of the distance to the set's nearest sample",
    ),
    Metric(
        "bank_coverage",
        ("bank", "features"),
        "higher",
        "1",
        "share of bank pictures within r of a sample, r the 95 % quantile of the bank's nearest-neighbour distances",
    ),
    Metric(
        "off_support",
        ("bank", "features"),
        "lower",
        "1",
        "share of samples farther than r from every bank picture; about 0.05 is expected of plain samples",
    ),
    Metric(
        "cluster_distinct",
        ("bank", "features"),
        "higher",
        "clusters",
        "clusters among the samples by average linkage cut at tau, the median of the bank's pairwise distances",
    ),
)
QUANTILE = 0.95


def measure(view: SetView, wanted: frozenset[str]) -> dict[str, float]:
    """The bank metrics of a set; NaN with fewer than 3 bank pictures of other noise than the set's."""
    nothing = dict.fromkeys((metric.name for metric in METRICS), np.nan)
    if view.bank is None:
        view.file.fault(f"bank, case {view.case}", "no candidates of this case and seed")
        return nothing
    features, bank = view.bank_features()
    others = view.others
    if others.sum() < 3:
        count = int(others.sum())
        view.file.fault(f"bank, case {view.case}", f"{count} candidates of other noise than the set's; 3 are needed")
        return nothing
    within = view.file.once(("bank distances", view.case, view.keys["seed"]), lambda: euclidean(bank, bank))
    radius, tau = thresholds(within)
    distances = euclidean(bank[others], features)
    nearest = distances.min(axis=1)
    return {
        "kcentre_radius": float(nearest.max()),
        "bank_distance": float(nearest.mean()),
        "bank_coverage": float((nearest <= radius).mean()),
        "off_support": float((distances.min(axis=0) > radius).mean()),
        "cluster_distinct": float(clusters(euclidean(features, features), tau)),
    }


def thresholds(distances: np.ndarray) -> tuple[float, float]:
    """(r, tau) of a bank's pairwise distances (M, M): the 95 % quantile of the nearest, the median of all pairs."""
    apart = distances + np.diag(np.full(len(distances), np.inf))
    pairs = distances[np.triu_indices(len(distances), 1)]
    return float(np.quantile(apart.min(axis=1), QUANTILE)), float(np.median(pairs))


def clusters(distances: np.ndarray, tau: float) -> int:
    """Clusters by average linkage, merged while their distance is at most tau, of pairwise distances (N, N)."""
    from scipy.cluster.hierarchy import fcluster, linkage
    from scipy.spatial.distance import squareform

    if len(distances) == 1:
        return 1
    tree = linkage(squareform(distances, checks=False), method="average")
    return int(fcluster(tree, tau, criterion="distance").max())
