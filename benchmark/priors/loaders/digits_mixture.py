"""The Gaussian mixture that is fitted to scikit-learn's digits."""

from __future__ import annotations

from typing import TYPE_CHECKING

from benchmark.priors.loaders.base import Weights, prior

if TYPE_CHECKING:
    import torch

    from benchmark.priors.protocol import Prior


@prior()
def digits_mixture(device: torch.device | str, *, weights: Weights = None) -> Prior:
    """The Gaussian mixture of the digits, (1, 8, 8), whose noise estimate is exact."""
    from benchmark.priors.mixture import load_mixture

    return load_mixture(weights).to(device)
