"""Degradation operators: one registry, one way to build them. A new one is a class with a name in any file here."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from functools import cache
from typing import TYPE_CHECKING, Any

from benchmark.discovery import modules_of
from benchmark.errors import BenchmarkError
from benchmark.lazy import torch
from benchmark.options import Option, option_faults, options_of, with_defaults
from benchmark.problems.base import Problem, Shape

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


GIVEN = ("self", "image_shape", "hole", "device", "dtype")  # of a constructor, what is no option


@cache
def options_of_problem(name: str) -> dict[str, Option]:
    """The options that a configuration may give a problem, by name: the level of noise, and its own."""
    own = options_of(PROBLEMS[name].__init__, beside=GIVEN)
    return options_of(Problem.__init__, beside=GIVEN, positional=0) | own


def refused(name: str, options: Mapping[str, Any], image_shape: Shape | None) -> str | None:
    """Why a problem does not take options that are right one by one, as :meth:`Problem.refuses` has it."""
    return PROBLEMS[name].refuses(with_defaults(options_of_problem(name), options), image_shape)


def build(
    settings: dict,
    image_shape: Shape,
    hole: Tensor | None = None,
    device: torch.device | str = "cpu",
    dtype: torch.dtype | None = None,
) -> Problem:
    """The problem of ``{"name": ..., "sigma": ..., ...options}`` for images of ``image_shape`` (C, H, W).

    Args:
        hole: bool (B, H, W), True = unknown, for problems with a mask.
        dtype: of the operator's arrays; float32 where it is None.

    Raises:
        BenchmarkError: unknown name or option, an option of another type or out of range, a mask of another size, a
            factor that does not divide.
    """
    options = dict(settings)
    name = options.pop("name", None)
    if name not in PROBLEMS:
        raise BenchmarkError(f"problem.name: {name!r} is not known; use one of {', '.join(PROBLEMS)}")
    kind: Any = PROBLEMS[name]  # every kind has options of its own, some for callers in Python alone
    known, takes = options_of_problem(name), inspect.signature(kind.__init__).parameters
    plain = {key: value for key, value in options.items() if key in known or key in GIVEN or key not in takes}
    for fault in option_faults(known, plain, "problem"):
        raise BenchmarkError(fault)
    if reason := refused(name, options, image_shape):
        raise BenchmarkError(f"problem: {name} {reason}")
    if "hole" in takes:
        options["hole"] = hole
    return kind(tuple(image_shape), device=device, dtype=dtype or torch.float32, **options)
