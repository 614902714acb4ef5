"""The configuration of a network from a dictionary of flags, as a checkpoint or a registry of weights states them."""

from __future__ import annotations

from dataclasses import fields
from typing import Any, TypeVar

from benchmark.errors import BenchmarkError

Config = TypeVar("Config")


def from_flags(kind: type[Config], flags: dict[str, Any], network: str) -> Config:
    """The dataclass ``kind`` of these flags; ``network`` is what it is called.

    Raises:
        BenchmarkError: a flag that this network does not know, or one that it needs and is missing.
    """
    known = {field.name for field in fields(kind)}  # type: ignore[arg-type]
    if unknown := sorted(set(flags) - known):
        raise BenchmarkError(f"{network} flag {unknown[0]!r} is not known; known are {', '.join(sorted(known))}")
    try:
        return kind(**flags)
    except TypeError as error:
        raise BenchmarkError(f"{network} flags: {error}") from None
