"""What every mask recipe is given, and the table in which it stands."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeGuard

from benchmark.discovery import register
from benchmark.errors import BenchmarkError
from benchmark.store import canonical

if TYPE_CHECKING:
    from torch import Tensor

Shape = tuple[int, int]
Parts = Mapping[str, "Tensor"]


@dataclass(frozen=True)
class Picture:
    """What a recipe may know: the picture's ``shape`` (H, W), its ``parts`` {name: bool (H, W)} or None, its name."""

    shape: Shape
    parts: Parts | None = None
    dataset: str = ""
    case: str = ""
    seed: int = 0


RECIPES: dict[str, Callable[..., Tensor]] = {}


def recipe(function: Callable[..., Tensor]) -> Callable[..., Tensor]:
    """Enter a function of (picture, **parameters), which gives the hole, bool (H, W), under its name."""
    return register(RECIPES, function.__name__, function, "recipe")


def is_number(value: object) -> TypeGuard[float]:
    """Whether a parameter is a number (a boolean is none)."""
    return isinstance(value, int | float) and not isinstance(value, bool)


def check_limits(where: str, low: object, high: object, names: str = "min_area {}, max_area {}") -> None:
    """Limits of an area as shares of the picture: 0 <= low < high <= 1.

    Raises:
        BenchmarkError: other values.
    """
    if not (is_number(low) and is_number(high) and 0 <= low < high <= 1):
        names = names.format(repr(low), repr(high))
        raise BenchmarkError(f"{where}: {names}; 0 <= min_area < max_area <= 1")


@dataclass
class Draws:
    """Random numbers of a key, the same everywhere and for ever: the i-th comes from the sha256 of (key, i)."""

    key: tuple
    _count: int = field(default=0, repr=False)

    def bits(self) -> int:
        """The next 64 random bits."""
        digest = hashlib.sha256(canonical([*self.key, self._count]).encode()).digest()
        self._count += 1
        return int.from_bytes(digest[:8], "big")

    def uniform(self) -> float:
        """The next number in [0, 1)."""
        return (self.bits() >> 11) / (1 << 53)

    def below(self, limit: int) -> int:
        """The next whole number in [0, limit)."""
        return self.bits() * limit >> 64

    def between(self, low: int, high: int) -> int:
        """The next whole number from low to high, both included."""
        return low + self.below(high - low + 1)


def draws(picture: Picture, name: str, variant: int) -> Draws:
    """The random numbers of a picture's mask: keyed by seed, dataset, case, recipe and variant, and nothing else.

    Raises:
        BenchmarkError: no case's name; ``variant`` is no whole number.
    """
    if not picture.case:
        raise BenchmarkError(f"mask recipe {name!r}: drawn for each case by its name, and no name was given")
    if not isinstance(variant, int) or isinstance(variant, bool):
        raise BenchmarkError(f"mask recipe {name!r}: variant is {variant!r}; it must be a whole number")
    return Draws(("mask", picture.seed, picture.dataset, picture.case, name, variant))
