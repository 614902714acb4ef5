"""Priors by their settings: an embedded one, of :mod:`benchmark.priors.loaders`, or a public diffusion model."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Annotated

from benchmark.errors import BenchmarkError
from benchmark.options import Within, options_of
from benchmark.priors.loaders import PRIORS
from benchmark.priors.loaders.base import PublicDtype
from benchmark.weights.public import FOLDER, REGISTRY, diffusion_models

if TYPE_CHECKING:
    import torch

    from benchmark.priors.protocol import Prior

__all__ = ["FOLDER", "PRIORS", "REGISTRY", "load_prior", "public_model"]
Seed = Annotated[int | None, Within(0), "Weights drawn at random from this seed instead of the published ones."]


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
    options = dict(settings)
    name = options.pop("name", None)
    if name in PRIORS:
        return PRIORS[name](device, **options)
    models = diffusion_models(weights_registry)
    if name not in {*models, *(entry.flags.get("hub") for entry in models.values())} or not isinstance(name, str):
        raise BenchmarkError(f"prior {name!r}: unknown; priors are {', '.join(sorted({*PRIORS, *models}))}")
    known = options_of(public_model)
    if unknown := sorted(set(options) - set(known)):
        raise BenchmarkError(f"prior {name}: unknown option {unknown[0]!r}; options are {', '.join(known)}")
    return public_model(name, device, weights_dir, weights_registry, **options)


def public_model(
    name: str,
    device: torch.device | str = "cpu",
    weights_dir: str | os.PathLike = FOLDER,
    weights_registry: str | os.PathLike = REGISTRY,
    *,
    dtype: PublicDtype = "float32",
    random_weights: Seed = None,
) -> Prior:
    """A diffusion model of the registry of weights: :func:`benchmark.priors.public.load_public`."""
    from benchmark.priors.public import load_public

    return load_public(name, device, weights_dir, weights_registry, dtype=dtype, random_weights=random_weights)
