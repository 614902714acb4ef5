"""WORLD_unet: the U-Net of a rendered world by itself, for every world whose U-Net ships."""

from __future__ import annotations

from typing import TYPE_CHECKING

from benchmark.priors.loaders.base import Dtype, Weights, prior
from benchmark.weights.shipped import worlds

if TYPE_CHECKING:
    import torch

    from benchmark.priors.protocol import Prior


def _unet(world: str):
    def load(device: torch.device | str, *, weights: Weights = None, dtype: Dtype = "float32") -> Prior:
        from benchmark.priors.network import load_shipped_unet

        return load_shipped_unet(f"{world}_unet", device, weights=weights, dtype=dtype)

    load.__name__ = f"{world}_unet"
    load.__doc__ = f"The U-Net of the world {world} by itself."
    return load


for _world in worlds("unet"):
    prior()(_unet(_world))
