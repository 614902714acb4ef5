"""The two-dimensional example of the source paper's Figure 1: what each strategy makes of an unbalanced cloud."""

from __future__ import annotations

import numpy as np

from benchmark.selection import strategies

GAUSSIANS = 10
CENTRAL_SHARE = 0.95
RADIUS = 4.0
SPREAD = 0.4
SHOWN = ("random", "kmeans", "uniformization", "farthest")


def draw_points(m: int = 1000, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """m points of 10 Gaussians: one at the origin with 95 % of the mass, nine on a circle of radius 4 with the rest.

    All have standard deviation 0.4 in both directions; the numbers of points are themselves drawn. Published are the
    counts and the share only; radius and spread are ours.

    Returns:
        points float64 (m, 2); gaussian int (m,), 0 = the central one.
    """
    rng = np.random.default_rng([seed, m])  # a stream apart from the strategies', which are seeded with `seed`
    shares = np.r_[CENTRAL_SHARE, np.full(GAUSSIANS - 1, (1 - CENTRAL_SHARE) / (GAUSSIANS - 1))]
    gaussian = rng.choice(GAUSSIANS, size=m, p=shares)
    angle = 2 * np.pi * np.arange(GAUSSIANS - 1) / (GAUSSIANS - 1) + np.pi / 2
    centres = np.r_[np.zeros((1, 2)), RADIUS * np.c_[np.cos(angle), np.sin(angle)]]
    return centres[gaussian] + SPREAD * rng.normal(size=(m, 2)), gaussian


def expected_cover_of_iid(n: int = 20) -> float:
    """The expected number of Gaussians that n independent draws hit: sum_j 1 - (1 - p_j)^n; 1.95 for n = 20."""
    rare = (1 - CENTRAL_SHARE) / (GAUSSIANS - 1)
    return 1 - (1 - CENTRAL_SHARE) ** n + (GAUSSIANS - 1) * (1 - (1 - rare) ** n)


def compare(m: int = 1000, n: int = 20, seed: int = 0) -> list[dict]:
    """All points (strategy "all") and the n picks of each strategy, tidy: strategy, order, index, gaussian, x, y."""
    points, gaussian = draw_points(m, seed)
    picks = {"all": np.arange(m)}
    picks |= {name: strategies.select({"name": name}, points, n, seed) for name in SHOWN}
    return [
        {
            "strategy": name,
            "order": order,
            "index": int(i),
            "gaussian": int(gaussian[i]),
            "x": float(points[i, 0]),
            "y": float(points[i, 1]),
        }
        for name, chosen in picks.items()
        for order, i in enumerate(chosen)
    ]


def covered(rows: list[dict]) -> dict[str, int]:
    """The number of Gaussians that each strategy's picks hit."""
    return {name: len({row["gaussian"] for row in rows if row["strategy"] == name}) for name in ("all", *SHOWN)}
