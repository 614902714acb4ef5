"""WORLD_experts: the two networks of a rendered world, split by noise level, for every world where both ship."""

from __future__ import annotations

from typing import TYPE_CHECKING

from benchmark.priors.loaders.base import Dtype, Weights, prior
from benchmark.weights.shipped import EXPERTS, worlds

if TYPE_CHECKING:
    import torch

    from benchmark.priors.protocol import Prior


def _experts(world: str):
    def load(device: torch.device | str, *, weights: Weights = None, dtype: Dtype = "float32") -> Prior:
        from benchmark.priors.experts import load_experts

        return load_experts(f"{world}{EXPERTS}", device, weights=weights, dtype=dtype)

    load.__name__ = f"{world}{EXPERTS}"
    load.__doc__ = f"The two networks of the world {world}: what a picture shows, and how it looks in detail."
    return load


for _world in worlds("subspace"):
    if _world in worlds("unet"):
        prior()(_experts(_world))
