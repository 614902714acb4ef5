"""Worlds whose distribution is a Gaussian mixture, so that every posterior of a linear measurement is known.

A new one is a function of its options under ``@mixture`` in a file of its own here.
"""

from __future__ import annotations

from benchmark.discovery import modules_of
from benchmark.errors import BenchmarkError
from benchmark.exact.mixtures.base import WORLDS, World, mixture
from benchmark.options import option_faults, options_of

modules_of(__name__, __path__)  # each enters its worlds
__all__ = ["WORLDS", "World", "build_world", "mixture"]


def build_world(settings: dict) -> World:
    """The world of ``{"name": ..., options}``.

    Raises:
        BenchmarkError: unknown name or option, an option of another type or out of range.
    """
    options = dict(settings)
    name = options.pop("name", None)
    if name not in WORLDS:
        raise BenchmarkError(f"world.name: {name!r} is not known; use one of {', '.join(WORLDS)}")
    known = options_of(WORLDS[name], positional=0)
    for option in options:
        if option not in known:
            raise BenchmarkError(
                f"world.{option}: {name} has no such option; it has {', '.join(known) if known else 'none'}"
            )
    for fault in option_faults(known, options, "world"):
        raise BenchmarkError(fault)
    return WORLDS[name](**options)
