"""Distances between samples and an exact posterior. All work in float64 on samples x (M, d) or sets (S, n, d).

A distance between two samples is not 0 where both are of one distribution, and how far it is from 0 depends on how
wide they are: held against wider exact samples, samples that are too narrow come out too near. ``squared_excess`` and
``energy`` take off again how far each of the two is from itself, so that they are 0 in expectation for exact samples
and only for these, whatever the number of samples. They need samples that are independent of each other: those of one
set are not where a guidance repels them, so whole sets are held against whole sets.
"""

from __future__ import annotations

import torch
from torch import Tensor

from benchmark.priors.mixture import GaussianMixture, Posterior

PROJECTIONS = 128
SQUARED = "squared_excess"
# name -> what it is; the last four are not 0 for exact samples, so that these stand beside them ("floor")
DISTANCES = {
    "squared_excess": "squared sliced distance of the mean order statistics of half as many samples, unbiased",
    "energy": "energy distance 2 E|X-Y| - E|X-X'| - E|Y-Y'|, unbiased",
    "sliced_wasserstein": "square root of the mean squared 1-D Wasserstein-2 distance over random directions",
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


def squared_excess(x: Tensor, y: Tensor, along: Tensor) -> float:
    """mean_theta mean_i (E (theta . X)_(i) - E (theta . Y)_(i))^2, the i-th smallest of h samples, from blocks of h.

    The mean order statistics of h samples are the quantiles that h samples show: the square tends to SW2(X, Y)^2 as h
    grows, and is 0 if X and Y are of one distribution. With blocks x (A, h, d) and y (B, h, d), sorted along theta,
    their means x. and y. and their unbiased variances over blocks s_x^2, s_y^2, averaged over i and theta,

        |x. - y.|^2 - s_x^2 / A - s_y^2 / B

    has that square as its expectation, so that it can be negative. The same as the mean of SW2^2 over pairs of blocks
    of X and Y less half of that over pairs of two blocks of X and half of that over pairs of two of Y. Unit of x^2.

    Raises:
        ValueError: fewer than two blocks of one of them.
    """
    if len(x) < 2 or len(y) < 2:
        raise ValueError("two blocks of each are needed to know their variance")
    sorted_x, sorted_y = ((part @ along.mT).sort(dim=1).values for part in (x, y))
    apart = (sorted_x.mean(0) - sorted_y.mean(0)).square().mean()
    return float(apart - sum(part.var(0).mean() / len(part) for part in (sorted_x, sorted_y)))


def energy(x: Tensor, y: Tensor) -> float:
    """2 E|X - Y| - E|X - X'| - E|Y - Y'| of sets x (S, n, d), y (T, n, d), a sample with others of other sets alone.

    A U-statistic: its expectation is the distance of the distributions, so that it can be negative. NaN for one set.
    Source: Szekely and Rizzo, "Energy statistics: a class of statistics based on distances" (2013).
    """

    def distances(a: Tensor, b: Tensor) -> Tensor:
        return torch.cdist(a.flatten(0, 1), b.flatten(0, 1), compute_mode="donot_use_mm_for_euclid_dist")

    def within(a: Tensor) -> Tensor:
        of = torch.arange(len(a)).repeat_interleave(a.shape[1])
        return distances(a, a)[of[:, None] != of].mean()

    return float(2 * distances(x, y).mean() - within(x) - within(y))


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


class Reference:
    """What one measurement's samples are held against: the posterior, exact samples to compare with, and the floor.

    Args:
        n, sets: samples are compared in ``sets`` sets of n; squared_excess in two halves of whole sets (the last of an
            odd number has no part in it), and not at all in one set.
        floors: how often the floor is drawn; its mean is given.
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
        self._blocks = torch.cat([self._halves(part) for part in drawn])
        measured = [self._with_a_floor(part) for part in drawn[1:]]
        self.exact = dict.fromkeys(("squared_excess", "energy"), 0.0)  # their expectations
        self.exact |= {name: sum(one[name] for one in measured) / floors for name in measured[0]}

    def measure(self, x: Tensor) -> dict[str, float]:
        """Every value of :data:`DESCRIPTIONS` for samples x (sets * n, d), set by set; NaN but for ``finite`` where a
        sample is not finite."""
        x = x.double()
        finite = float(x.isfinite().all(1).double().mean())
        if finite < 1:
            return dict.fromkeys(DESCRIPTIONS, float("nan")) | {"finite": finite}
        in_sets, reference = (part.reshape(self.sets, self.n, -1) for part in (x, self.reference))
        without = {"squared_excess": self._squared_excess(x), "energy": energy(in_sets, reference)}
        return without | self._with_a_floor(x)

    def _with_a_floor(self, x: Tensor) -> dict[str, float]:
        """The values that are not 0 in expectation for exact samples, of finite samples x (sets * n, d)."""
        in_sets = x.reshape(self.sets, self.n, -1)
        return {
            "sliced_wasserstein": sliced_wasserstein(x, self.reference, self.along),
            "mode_total_variation": mode_total_variation(x, self.prior, self.posterior),
            "mean_error": mean_error(x, self.posterior, self.covariance),
            "covariance_error": covariance_error(x, self.covariance),
            "diversity": diversity(in_sets),
            "modes": modes(in_sets, self.prior),
            "consistency": self.consistency(x),
            "finite": float(x.isfinite().all(1).double().mean()),
        }

    def _squared_excess(self, x: Tensor) -> float:
        return squared_excess(self._halves(x), self._blocks, self.along) if self.sets > 1 else float("nan")

    def _halves(self, x: Tensor) -> Tensor:
        """Samples (sets * n, d) as two blocks of whole sets (2, h, d)."""
        half = self.sets // 2 * self.n
        return x[: 2 * half].reshape(2, half, x.shape[1])
