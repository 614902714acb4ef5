"""The priors by name: a new one is a loader and a line here."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import TYPE_CHECKING

from benchmark.errors import BenchmarkError
from benchmark.weights.public import FOLDER, REGISTRY, diffusion_models

if TYPE_CHECKING:
    import torch

    from benchmark.priors.protocol import Prior


def _unet(settings: dict, device: torch.device | str) -> Prior:
    from benchmark.priors.network import load_shipped_unet

    return load_shipped_unet(settings, device)


def _experts(settings: dict, device: torch.device | str) -> Prior:
    from benchmark.priors.experts import load_experts

    return load_experts(settings, device)


def _mixture(settings: dict, device: torch.device | str) -> Prior:
    from benchmark.priors.mixture import load_mixture

    prior = load_mixture(settings.get("weights"))
    return prior.to(device) if hasattr(prior, "to") else prior


def _diffusers_folder(settings: dict, device: torch.device | str) -> Prior:
    from benchmark.priors.published import load_diffusers_folder

    return load_diffusers_folder(settings, device)


# name -> (loader(settings, device), the options that it takes beside `name`)
PRIORS: dict[str, tuple[Callable[[dict, torch.device | str], Prior], tuple[str, ...]]] = {
    "faces_experts": (_experts, ("weights", "dtype")),
    "cats_experts": (_experts, ("weights", "dtype")),
    "bedrooms_experts": (_experts, ("weights", "dtype")),
    "faces_unet": (_unet, ("weights", "dtype")),
    "cats_unet": (_unet, ("weights", "dtype")),
    "bedrooms_unet": (_unet, ("weights", "dtype")),
    "digits_mixture": (_mixture, ("weights",)),
    "diffusers_folder": (_diffusers_folder, ("folder", "dtype")),
}


def load_prior(
    settings: dict,
    device: torch.device | str = "cpu",
    weights_dir: str | os.PathLike = FOLDER,
    weights_registry: str | os.PathLike = REGISTRY,
) -> Prior:
    """The prior that ``settings`` describe: {"name": ..., options of that prior}.

    The name is one of :data:`PRIORS` or a diffusion model of the registry of weights (``weights/public.yaml``).

    Args:
        weights_dir: the folder of the registered weights. weights_registry: another file of the same form.

    Raises:
        BenchmarkError: no name, an unknown name or option, or what the loader refuses.
    """
    name = settings.get("name")
    if name in PRIORS:
        loader, options = PRIORS[name]
    else:
        loader, options = _published(name, weights_dir, weights_registry)
    if unknown := sorted(set(settings) - {"name", *options}):
        raise BenchmarkError(f"prior {name}: unknown option {unknown[0]!r}; options are {', '.join(options)}")
    return loader(settings, device)


def _published(name: object, weights_dir: str | os.PathLike, weights_registry: str | os.PathLike) -> tuple:
    """The loader and the options of a registered diffusion model; BenchmarkError for any other name."""
    models = diffusion_models(weights_registry)
    if name not in {*models, *(entry.flags.get("hub") for entry in models.values())} or not isinstance(name, str):
        raise BenchmarkError(f"prior {name!r}: unknown; priors are {', '.join(sorted({*PRIORS, *models}))}")
    from benchmark.priors.published import OPTIONS, load_published

    return lambda settings, device: load_published(settings, device, weights_dir, weights_registry), OPTIONS
