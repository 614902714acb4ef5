"""Fits the digits' Gaussian mixture prior with scikit-learn and chooses its size by held-out likelihood."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np

from benchmark.data.digits import SHAPE, fit_images
from benchmark.store import atomic, sha256_of, write_text

COMPONENTS = (3, 5, 7, 10, 12, 15, 20, 30)
REGULARISATION = (3e-4, 1e-3, 2e-3, 3e-3, 5e-3, 1e-2)  # added to the covariances' diagonals, on the [-1, 1] scale
HELD_OUT = 5  # every fifth fit image of each class is held out while the choice is made


def dequantised(images: np.ndarray, seed: int) -> np.ndarray:
    """Images as vectors, each pixel spread uniformly over its grey level's interval (width 1/8).

    Without it, constant border pixels would have zero variance and likelihoods of discrete data no meaning.
    """
    noise = np.random.default_rng(seed).uniform(-1 / 16, 1 / 16, images.shape)
    return (images + noise).reshape(len(images), -1)


def fit(output: Path, seed: int = 0) -> dict:
    """Fit and write ``output`` (safetensors) and its card (json beside it); returns the card."""
    import sklearn
    import torch
    from sklearn.mixture import GaussianMixture as Fitted

    from benchmark.priors.mixture import GaussianMixture, save_mixture

    images, labels = fit_images()
    data = dequantised(images, seed)
    held = np.zeros(len(data), dtype=bool)
    for digit in range(10):
        held[np.flatnonzero(labels == digit)[HELD_OUT - 1 :: HELD_OUT]] = True

    def fitted(points: np.ndarray, components: int, regularisation: float) -> Fitted:
        return Fitted(components, covariance_type="full", reg_covar=regularisation, random_state=seed).fit(points)

    grid = []
    for components in COMPONENTS:
        for regularisation in REGULARISATION:
            score = fitted(data[~held], components, regularisation).score(data[held])
            grid.append({"components": components, "regularisation": regularisation, "held_out": round(score, 3)})
            print(
                f"components {components:3d}  regularisation {regularisation:.0e}  held-out log-likelihood {score:8.3f}"
            )
    best = max(grid, key=lambda row: row["held_out"])
    print(f"chosen: {best['components']} components, regularisation {best['regularisation']:.0e}")
    final = fitted(data, best["components"], best["regularisation"])
    mixture = GaussianMixture(*(torch.tensor(a) for a in (final.weights_, final.means_, final.covariances_)))
    with atomic(output) as temporary:
        save_mixture(temporary, mixture, SHAPE)
    card = {
        "name": "digits_mixture",
        "what": "Gaussian mixture with full covariances, fitted by expectation maximisation on the digits' fit images",
        "command": "python -m benchmark fit digits",
        "data": "scikit-learn load_digits, 1352 fit images, dequantised by uniform noise of one grey level (1/8)",
        "seed": seed,
        "scikit_learn": sklearn.__version__,
        "chosen_by": "mean held-out log-likelihood (nats per image), every fifth fit image of a class; refitted on all",
        **{key: best[key] for key in ("components", "regularisation")},
        "grid": grid,
        "sha256": sha256_of(output),
    }
    write_text(Path(output).with_suffix(".json"), json.dumps(card, indent=1) + "\n")
    return card
