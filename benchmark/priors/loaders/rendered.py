"""The networks of the rendered worlds, for every world where they ship: WORLD_unet by itself, and WORLD_experts, which
has a second network for high noise."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from benchmark.priors.loaders.base import Dtype, Weights, prior
from benchmark.weights.shipped import EXPERTS, worlds

if TYPE_CHECKING:
    import torch

    from benchmark.priors.protocol import Prior


def _unet(name: str, device: torch.device | str, **options: Any) -> Prior:
    from benchmark.priors.network import load_shipped_unet

    return load_shipped_unet(name, device, **options)


def _experts(name: str, device: torch.device | str, **options: Any) -> Prior:
    from benchmark.priors.experts import load_experts

    return load_experts(name, device, **options)


def _enter(name: str, about: str, load: Callable[..., Prior]) -> None:
    def loader(device: torch.device | str, *, weights: Weights = None, dtype: Dtype = "float32") -> Prior:
        return load(name, device, weights=weights, dtype=dtype)

    loader.__name__, loader.__doc__ = name, about
    prior()(loader)


for _world in worlds("subspace"):
    if _world in worlds("unet"):
        _about = f"The two networks of the world {_world}: what a picture shows, and how it looks in detail."
        _enter(f"{_world}{EXPERTS}", _about, _experts)
for _world in worlds("unet"):
    _enter(f"{_world}_unet", f"The U-Net of the world {_world} by itself.", _unet)
