"""How far the N restorations of a set lie apart, in features and in pixels.

With d_ij the distance of samples i and j: the mean over the N (N-1) / 2 unordered pairs, and the smallest pair, which
is what the guidance pushes apart and what betrays duplicates. Noise wins all of them whatever one does: the form that
counts only pairs inside the support is ``supported_distance_mean`` (``bank``).
"""

from __future__ import annotations

import math

import numpy as np

from benchmark.metrics.registry import NOISE_WINS, Metric
from benchmark.metrics.view import SetView, classifier_name

METRICS = (
    Metric(
        "feature_distance_mean",
        ("pairs", "features"),
        "higher",
        "",
        "mean over pairs of the Euclidean distance of the dataset's features" + NOISE_WINS,
        range=(0, math.inf),
        measures="diversity",
        label="Feature distance",
        group="diversity",
        rank=23,
    ),
    Metric(
        "feature_distance_min",
        ("pairs", "features"),
        "higher",
        "",
        "smallest pairwise Euclidean distance of the dataset's features" + NOISE_WINS,
        range=(0, math.inf),
        measures="diversity",
        label="Feature distance, smallest",
        group="diversity",
        rank=36,
    ),
    Metric(
        "pixel_distance_hole_mean",
        ("pairs",),
        "higher",
        "",
        "mean over pairs of the RMS difference, on [-1, 1], of the hole's pixels (of all without a hole)" + NOISE_WINS,
        range=(0, 2),
        measures="diversity",
        label="Pixel distance in hole",
        group="diversity",
        rank=24,
    ),
    Metric(
        "pixel_distance_hole_min",
        ("pairs",),
        "higher",
        "",
        "smallest pairwise RMS difference, on [-1, 1], of the hole's pixels (of all without a hole)" + NOISE_WINS,
        range=(0, 2),
        measures="diversity",
        label="Pixel distance in hole, smallest",
        group="diversity",
        rank=37,
    ),
    Metric(
        "{classifier}_feature_mean",
        ("pairs", "classifier"),
        "higher",
        "1 − cos",
        "mean over pairs of 1 - cosine of the features of the world's own classifier, which the name says" + NOISE_WINS,
        range=(0, 2),
        measures="diversity",
        label="Distance of {classifier} features",
        group="diversity",
        rank=38,
    ),
    Metric(
        "{classifier}_feature_min",
        ("pairs", "classifier"),
        "higher",
        "1 − cos",
        "smallest pairwise 1 - cosine of the features of the world's own classifier, which the name says" + NOISE_WINS,
        range=(0, 2),
        measures="diversity",
        label="Distance of {classifier} features, smallest",
        group="diversity",
        rank=39,
    ),
    Metric(
        "vendi_q1",
        ("features",),
        "higher",
        "",
        "Vendi score exp(-sum l log l), l the eigenvalues of K/N, K the cosine similarities of the features; 1..N; "
        "compare for one N only" + NOISE_WINS,
        range=(1, math.inf),
        measures="diversity",
        up_to_n=True,
        label="Vendi score, q=1",
        group="diversity",
        rank=27,
    ),
    Metric(
        "vendi_q2",
        ("features",),
        "higher",
        "",
        "Vendi score of order 2, 1 / sum l^2 = N^2 / ||K||_F^2; less biased for small N than order 1" + NOISE_WINS,
        range=(1, math.inf),
        measures="diversity",
        up_to_n=True,
        label="Vendi score, q=2",
        group="diversity",
        rank=28,
    ),
)


def measure(view: SetView, wanted: frozenset[str]) -> dict[str, float]:
    """The diversity metrics of a set; those of pairs are NaN for N = 1."""
    values = dict(zip(("pixel_distance_hole_mean", "pixel_distance_hole_min"), mean_and_min(pixel_distances(view))))
    name = classifier_name(view.settings)
    if name and any("_feature_m" in metric for metric in wanted):
        view.file.read_all(name)
        features = view.file.read(name, view.images)[1]
        cosine = condensed(1 - cosine_similarity(features))
        values |= dict(zip((f"{name}_feature_mean", f"{name}_feature_min"), mean_and_min(cosine)))
    if wanted & {"feature_distance_mean", "feature_distance_min", "vendi_q1", "vendi_q2"}:
        features = view.features()
        distances = condensed(euclidean(features, features))
        values |= dict(zip(("feature_distance_mean", "feature_distance_min"), mean_and_min(distances)))
        values |= dict(zip(("vendi_q1", "vendi_q2"), vendi(features)))
    return values


def euclidean(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """||a_i - b_j|| for a (P, F) and b (Q, F), float64 (P, Q), by differences: exact zeros, no cancellation."""
    a, b = np.asarray(a, np.float64), np.asarray(b, np.float64)
    return np.sqrt(np.stack([((b - row) ** 2).sum(axis=1) for row in a]))


def cosine_similarity(features: np.ndarray) -> np.ndarray:
    """<f_i, f_j> / (||f_i|| ||f_j||), (N, N); a zero vector counts as similar to itself and to nothing else."""
    norms = np.linalg.norm(features, axis=1, keepdims=True)
    unit = features / np.where(norms > 0, norms, 1)
    similarity = np.clip(unit @ unit.T, -1, 1)
    # A vector is exactly as similar to its copy as to itself.
    same = (unit[:, None] == unit[None]).all(-1)
    return np.where(same, 1.0, similarity)


def condensed(matrix: np.ndarray) -> np.ndarray:
    """The N (N-1) / 2 entries above the diagonal."""
    return matrix[np.triu_indices(len(matrix), 1)]


def mean_and_min(pairs: np.ndarray) -> tuple[float, float]:
    """Mean and smallest of the pairs' distances; NaN where there is no pair."""
    return (float(pairs.mean()), float(pairs.min())) if len(pairs) else (np.nan, np.nan)


def pixel_distances(view: SetView) -> np.ndarray:
    """RMS difference of the pixels in the hole for each pair, in [-1, 1] units."""
    pixels = view.images if view.hole is None else view.images[:, :, view.hole]
    flat = pixels.reshape(len(pixels), -1)
    return condensed(euclidean(flat, flat)) / np.sqrt(flat.shape[1])


def vendi(features: np.ndarray) -> tuple[float, float]:
    """Vendi scores of order 1 and 2 of features (N, F) with the cosine kernel.

    Order q: exp of the Renyi entropy of the eigenvalues of K/N. Sources: Friedman and Dieng 2023 (arXiv 2210.02410),
    Pasarkar and Dieng 2024 (arXiv 2310.12952). Features that hold a non-finite value give NaN.
    """
    if not np.isfinite(features).all():
        return np.nan, np.nan
    kernel = cosine_similarity(features)
    eigenvalues = np.linalg.eigvalsh(kernel / len(kernel)).clip(0)
    positive = eigenvalues[eigenvalues > 1e-12]
    return float(np.exp(-(positive * np.log(positive)).sum())), float(len(kernel) ** 2 / (kernel**2).sum())
