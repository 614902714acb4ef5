"""The priors by name: a new one is a loader and a line here."""

from __future__ import annotations

from collections.abc import Callable

import torch

from benchmark.errors import BenchmarkError
from benchmark.priors.protocol import Prior


def _unet(settings: dict, device: torch.device | str) -> Prior:
    from benchmark.priors.network import load_shipped_unet

    return load_shipped_unet(settings, device)


def _mixture(settings: dict, device: torch.device | str) -> Prior:
    from benchmark.priors.mixture import load_mixture

    prior = load_mixture(settings.get("weights"))
    return prior.to(device) if hasattr(prior, "to") else prior


# name -> (loader(settings, device), the options that it takes beside `name`)
PRIORS: dict[str, tuple[Callable[[dict, torch.device | str], Prior], tuple[str, ...]]] = {
    "faces_unet": (_unet, ("weights", "dtype")),
    "digits_mixture": (_mixture, ("weights",)),
}


def load_prior(settings: dict, device: torch.device | str = "cpu") -> Prior:
    """The prior that ``settings`` describe: {"name": ..., options of that prior}.

    Raises:
        BenchmarkError: no name, an unknown name or option, or what the loader refuses.
    """
    name = settings.get("name")
    if name not in PRIORS:
        raise BenchmarkError(f"prior {name!r}: unknown; priors are {', '.join(sorted(PRIORS))}")
    loader, options = PRIORS[name]
    if unknown := sorted(set(settings) - {"name", *options}):
        raise BenchmarkError(f"prior {name}: unknown option {unknown[0]!r}; options are {', '.join(options)}")
    return loader(settings, device)
