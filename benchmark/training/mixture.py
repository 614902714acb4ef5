"""Fits the digits' Gaussian mixture prior with scikit-learn and chooses its size by held-out likelihood."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from benchmark.data.digits import SHAPE, fit_images
from benchmark.priors.mixture import DIGITS, GaussianMixture, save_mixture

COMPONENTS = (3, 5, 7, 10, 12, 15, 20, 30)
REGULARISATION = (3e-4, 1e-3, 2e-3, 3e-3, 5e-3, 1e-2)  # added to the covariances' diagonals, on the [-1, 1] scale
HELD_OUT = 5  # every fifth fit image of each class is held out while the choice is made


def dequantised(images: np.ndarray, seed: int) -> np.ndarray:
    """Images as vectors, each pixel spread uniformly over its grey level's interval (width 1/8).

    Without it, constant border pixels would have zero variance and likelihoods of discrete data no meaning.
    """
    noise = np.random.default_rng(seed).uniform(-1 / 16, 1 / 16, images.shape)
    return (images + noise).reshape(len(images), -1)


@dataclass(frozen=True)
class FittedMixture:
    """A fitted mixture's weights (K,), means (K, 64), covariances (K, 64, 64), and how it was chosen (for its card)."""

    weights: np.ndarray
    means: np.ndarray
    covariances: np.ndarray
    choice: dict


def fit_digits(output: Path | None = None, seed: int = 0) -> None:
    """Fit (see :func:`fit`), and write weights and card to ``output``, or in place of those that ship."""
    chosen = fit(seed)
    arrays = (chosen.weights, chosen.means, chosen.covariances)
    card = {
        "name": "digits_mixture",
        "what": "Gaussian mixture with full covariances, fitted by expectation maximisation on the digits' fit images",
        "command": f"python -m benchmark fit digits --seed {seed}",
        **chosen.choice,
    }
    save_mixture(output or DIGITS, GaussianMixture(*map(torch.from_numpy, arrays)), SHAPE, card)


def fit(seed: int = 0) -> FittedMixture:
    """Choose components and regularisation on held-out fit images, printing the grid; then fit on all fit images."""
    import sklearn

    images, labels = fit_images()
    data, held = dequantised(images, seed), np.zeros(len(images), dtype=bool)
    for digit in range(10):
        held[np.flatnonzero(labels == digit)[HELD_OUT - 1 :: HELD_OUT]] = True
    grid = []
    for components in COMPONENTS:
        for regularisation in REGULARISATION:
            score = fitted(data[~held], components, regularisation, seed).score(data[held])
            grid.append({"components": components, "regularisation": regularisation, "held_out": round(score, 3)})
            print(f"components {components:3d}  regularisation {regularisation:.0e}  held-out log p {score:8.3f}")
    best = max(grid, key=lambda row: row["held_out"])
    print(f"chosen: {best['components']} components, regularisation {best['regularisation']:.0e}")
    final = fitted(data, best["components"], best["regularisation"], seed)
    choice = {
        "data": f"scikit-learn load_digits, {len(images)} fit images, dequantised by noise of one grey level (1/8)",
        "seed": seed,
        "scikit_learn": sklearn.__version__,
        "chosen_by": "held-out log-likelihood per image (nats) on every fifth fit image of each class; refitted on all",
        **best,
        "grid": grid,
    }
    return FittedMixture(final.weights_, final.means_, final.covariances_, choice)


def fitted(points: np.ndarray, components: int, regularisation: float, seed: int):
    """scikit-learn's GaussianMixture with full covariances, by expectation maximisation from its K-means start."""
    from sklearn.mixture import GaussianMixture

    mixture = GaussianMixture(components, covariance_type="full", reg_covar=regularisation, random_state=seed)
    return mixture.fit(points)
