"""Distances between samples and an exact posterior. All work in float64 on samples x (M, d)."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from benchmark.priors.mixture import GaussianMixture, Posterior

PROJECTIONS = 128
SQUARED = "sliced_wasserstein"  # the distance whose squares are additive
# name -> what it is; the first five are compared with as many exact samples ("floor")
DISTANCES = {
    "sliced_wasserstein": "square root of the mean squared 1-D Wasserstein-2 distance over random directions",
    "energy": "energy distance 2 E|X-Y| - E|X-X'| - E|Y-Y'|",
    "mode_total_variation": "half the sum over components of |share of the samples - share of the posterior|",
    "mean_error": "|mean of the samples - posterior mean| in total standard deviations of the posterior",
    "covariance_error": "Frobenius norm of the covariances' difference over that of the posterior's covariance",
}
DESCRIPTIONS = DISTANCES | {
    "diversity": "mean root mean square difference of the pairs of a set, over all numbers of the signal",
    "modes": "components that a set shows, on average",
    "consistency": "root mean square of A x - y; NaN where nothing is measured",
    "finite": "share of samples that are finite",
}


def directions(d: int, seed: int = 0, count: int = PROJECTIONS) -> Tensor:
    """Unit vectors uniform on the sphere, (count, d)."""
    drawn = torch.randn(count, d, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
    return drawn / drawn.norm(dim=1, keepdim=True)


def sliced_wasserstein(x: Tensor, y: Tensor, along: Tensor) -> float:
    """SW2(X, Y) = sqrt(mean_theta W2^2(theta . X, theta . Y)) of equally many samples.

    In one dimension W2^2 is the mean squared difference of the sorted samples. Unit of x.
    Source: Bonneel, Rabin, Peyre, Pfister, "Sliced and Radon Wasserstein barycenters of measures" (2015).
    """
    sorted_x, sorted_y = ((part @ along.mT).sort(dim=0).values for part in (x, y))
    return float((sorted_x - sorted_y).square().mean().sqrt())


def energy(x: Tensor, y: Tensor) -> float:
    """2 E|X - Y| - E|X - X'| - E|Y - Y'|, expectations over all pairs, a sample with itself included: never negative.

    Source: Szekely and Rizzo, "Energy statistics: a class of statistics based on distances" (2013).
    """

    def mean_distance(a: Tensor, b: Tensor) -> float:
        return float(torch.cdist(a, b, compute_mode="donot_use_mm_for_euclid_dist").mean())

    return 2 * mean_distance(x, y) - mean_distance(x, x) - mean_distance(y, y)


def mode_total_variation(x: Tensor, prior: GaussianMixture, posterior: Posterior) -> float:
    """1/2 sum_k |mean_i P(k | x_i) - P(k | y)|: 0 to 1, with P(k | x) the prior's responsibilities.

    Given x the component does not depend on the measurement, so that exact samples give P(k | y) in expectation.
    """
    return 0.5 * float((prior.responsibilities(x).mean(0) - posterior.weights).abs().sum())


def mean_error(x: Tensor, posterior: Posterior, covariance: Tensor) -> float:
    """|mean(x) - m| / sqrt(tr C) with the posterior's mean m and covariance C; NaN where it has no variance."""
    spread = float(covariance.diagonal().sum().clamp_min(0).sqrt())
    error = float((x.mean(0) - posterior.mean()).norm())
    return error / spread if spread > 0 else float("nan")


def covariance_error(x: Tensor, covariance: Tensor) -> float:
    """||cov(x) - C||_F / ||C||_F; NaN where the posterior has no variance."""
    size = float(covariance.norm())
    return float((torch.cov(x.mT) - covariance).norm()) / size if size > 0 else float("nan")


def diversity(sets: Tensor) -> float:
    """Mean over sets (S, n, d) and their pairs of sqrt(|x_i - x_j|^2 / d): unit of x; NaN for n = 1."""
    n = sets.shape[1]
    if n < 2:
        return float("nan")
    first, second = torch.triu_indices(n, n, 1)
    return float((sets[:, first] - sets[:, second]).square().mean(-1).sqrt().mean())


def modes(sets: Tensor, prior: GaussianMixture) -> float:
    """How many components the samples of a set (S, n, d) most probably stem from, on average over the sets."""
    chosen = prior.responsibilities(sets.flatten(0, 1)).argmax(1).reshape(sets.shape[:2])
    ordered = chosen.sort(dim=1).values
    return float((1 + (ordered.diff(dim=1) != 0).sum(1)).double().mean())


class Truth:
    """What one measurement's samples are held against: the posterior, exact samples to compare with, and the floor.

    Args:
        n, sets: samples are compared in ``sets`` sets of n.
        floors: how often the floor is drawn; its mean is given, of sliced W2 the root mean square, so that for exact
            samples the mean of SW2^2 - floor^2 is 0: both are to the same reference.
        generator: of the exact samples.
    """

    def __init__(
        self, prior: GaussianMixture, posterior: Posterior, consistency, n: int, sets: int, generator, floors=4
    ):
        self.prior, self.posterior, self.consistency = prior, posterior, consistency
        self.n, self.sets = n, sets
        self.covariance = posterior.covariance()
        drawn = posterior.sample((1 + floors) * n * sets, generator).split(n * sets)
        self.reference, self.along = drawn[0], directions(drawn[0].shape[1])
        measured = [self.measure(part) for part in drawn[1:]]
        self.exact = {name: sum(one[name] for one in measured) / floors for name in measured[0]}
        self.exact[SQUARED] = math.sqrt(sum(one[SQUARED] ** 2 for one in measured) / floors)

    def measure(self, x: Tensor) -> dict[str, float]:
        """Every value of :data:`DESCRIPTIONS` for samples x (sets * n, d), set by set; NaN but for ``finite`` where a
        sample is not finite."""
        x = x.double()
        finite = float(x.isfinite().all(1).double().mean())
        if finite < 1:
            return dict.fromkeys(DESCRIPTIONS, float("nan")) | {"finite": finite}
        in_sets = x.reshape(self.sets, self.n, -1)
        return {
            "sliced_wasserstein": sliced_wasserstein(x, self.reference, self.along),
            "energy": energy(x, self.reference),
            "mode_total_variation": mode_total_variation(x, self.prior, self.posterior),
            "mean_error": mean_error(x, self.posterior, self.covariance),
            "covariance_error": covariance_error(x, self.covariance),
            "diversity": diversity(in_sets),
            "modes": modes(in_sets, self.prior),
            "consistency": self.consistency(x),
            "finite": finite,
        }
