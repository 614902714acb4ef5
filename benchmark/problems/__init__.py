"""Degradation operators: one registry, one way to build them. A new one is a class and a line in :data:`PROBLEMS`."""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, Any

from benchmark.errors import BenchmarkError
from benchmark.lazy import torch
from benchmark.problems import circular, operators, separable
from benchmark.problems.base import Problem
from benchmark.problems.projection import RandomProjection

if TYPE_CHECKING:
    from torch import Tensor

PROBLEMS: dict[str, type[Problem]] = {
    cls.name: cls
    for cls in (
        operators.Inpainting,
        operators.Denoising,
        operators.Colorization,
        separable.SuperResolutionAverage,
        separable.SuperResolutionBicubic,
        circular.SuperResolutionBlur,
        separable.GaussianDeblurring,
        separable.UniformDeblurring,
        circular.MotionDeblurring,
        RandomProjection,
    )
}


def build(
    settings: dict,
    image_shape: tuple[int, int, int],
    hole: Tensor | None = None,
    device: torch.device | str = "cpu",
    dtype: torch.dtype | None = None,
) -> Problem:
    """The problem of ``{"name": ..., "sigma": ..., ...options}`` for images of ``image_shape`` (C, H, W).

    Args:
        hole: bool (B, H, W), True = unknown, for problems with a mask.
        dtype: of the operator's arrays; float32 where it is None.

    Raises:
        BenchmarkError: unknown name or option, a mask of another size, a factor that does not divide, sigma < 0.
    """
    options = dict(settings)
    name = options.pop("name", None)
    if name not in PROBLEMS:
        raise BenchmarkError(f"problem.name: {name!r} is not known; use one of {', '.join(PROBLEMS)}")
    known = set(inspect.signature(PROBLEMS[name].__init__).parameters) - {"self", "image_shape", "device", "dtype"}
    for option in options:
        if option not in known - {"hole"}:
            raise BenchmarkError(
                f"problem.{option}: {name} has no such option; it has {', '.join(sorted(known - {'hole'}))}"
            )
    if "hole" in known:
        options["hole"] = hole
    kind: Any = PROBLEMS[name]  # every kind has options of its own
    return kind(tuple(image_shape), device=device, dtype=dtype or torch.float32, **options)
