"""Degradation operators: one registry, one way to build them. A new one is a class with a name in any file here."""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, Any

from benchmark.discovery import modules_of
from benchmark.errors import BenchmarkError
from benchmark.lazy import torch
from benchmark.problems.base import Problem

if TYPE_CHECKING:
    from torch import Tensor

_KINDS = (value for module in modules_of(__name__, __path__) for value in vars(module).values())
PROBLEMS: dict[str, type[Problem]] = {
    kind.name: kind
    for kind in sorted(
        {kind for kind in _KINDS if isinstance(kind, type) and issubclass(kind, Problem) and kind.name},
        key=lambda kind: kind.name,
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
