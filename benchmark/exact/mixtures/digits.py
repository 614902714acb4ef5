"""The fitted mixture of scikit-learn's digits."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from benchmark.data.sources import pictures
from benchmark.exact.mixtures.base import World, generators, mixture
from benchmark.lazy import torch
from benchmark.options import OneOf

if TYPE_CHECKING:
    from torch import Tensor

# 98 % of the numbers lie in [-1, 1]; divided by more, digits would come nearer to the noise of the last step, 0.01.
SCALE = 1.5


@mixture
def digits(truths: Annotated[str, OneOf("real", "model"), "Test digits, or draws of the mixture."] = "real") -> World:
    """The digits' fitted mixture divided by 1.5, (1, 8, 8).

    ``truths``: ``real`` are test digits, which it was not fitted on and of which many are unlikely under it; ``model``
    are drawn from the mixture, so that the posterior is that of what was measured.
    """
    from benchmark.priors.mixture import GaussianMixture, MixturePrior, load_mixture

    fitted = load_mixture()
    means, covariances = fitted.mixture.means / SCALE, fitted.mixture.covariances / SCALE**2
    gaussians = GaussianMixture(fitted.mixture.weights, means, covariances)

    def real(count: int, seed: int) -> Tensor:
        found = [torch.from_numpy(picture.image) for picture in pictures({"name": "digits"}, count, seed)]
        return torch.stack(found).double() / SCALE

    def of_the_model(count: int, seed: int) -> Tensor:
        drawn = [gaussians.sample(1, generator) for generator in generators("digits", count, seed)]
        return torch.cat(drawn).reshape(count, *fitted.shape)

    return World(MixturePrior(gaussians, fitted.shape), real if truths == "real" else of_the_model)
