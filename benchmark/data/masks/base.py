"""What every mask recipe is given, and the table in which it stands."""

from __future__ import annotations

import functools
import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Annotated, Any, Protocol

from benchmark.discovery import register
from benchmark.errors import BenchmarkError
from benchmark.options import Option, Within, options_of
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


class Pictures(Protocol):
    """What is known of pictures before there are any: the names of their parts, and whether each has a name."""

    @property
    def parts(self) -> tuple[str, ...]: ...
    @property
    def named(self) -> bool: ...


class Nameless:
    """Draws of a distribution: no parts, no names."""

    parts: tuple[str, ...] = ()
    named = False


Refuses = Callable[[Mapping[str, Any]], str | None]
Lacks = Callable[[Mapping[str, Any], Pictures], str | None]


class Recipe:
    """A registered recipe: called as its function is."""

    def __init__(self, function: Callable[..., Tensor], refuses: Refuses | None, lacks: Lacks | None):
        functools.update_wrapper(self, function)
        self.function, self._refuses, self._lacks = function, refuses, lacks

    def __call__(self, picture: Picture, **options: Any) -> Tensor:
        return self.function(picture, **options)

    @cached_property
    def options(self) -> dict[str, Option]:
        """Its options by name."""
        return options_of(self.function, positional=1)

    def refuses(self, options: Mapping[str, Any]) -> str | None:
        """Why options that are right one by one do not go together, as the rest of "NAME ..."; None where they do."""
        return self._refuses(self._whole(options)) if self._refuses else None

    def lacks(self, options: Mapping[str, Any], pictures: Pictures) -> str | None:
        """What it needs and pictures do not have, as the rest of "NAME ..."; None where nothing is wanting."""
        return self._lacks(self._whole(options), pictures) if self._lacks else None

    def _whole(self, options: Mapping[str, Any]) -> dict[str, Any]:
        return {name: option.default for name, option in self.options.items()} | dict(options)


RECIPES: dict[str, Recipe] = {}


def recipe(
    function: Callable[..., Tensor] | None = None, *, refuses: Refuses | None = None, lacks: Lacks | None = None
) -> Any:
    """Enter a function of (picture, **options), which gives the hole, bool (H, W), under its name.

    Args:
        refuses: from the options, defaults filled in, to the reason why they do not go together, as the rest of
            "NAME ...", or None. Asked before anything runs, and again in the job.
        lacks: the same from the options and what is known of the pictures (:class:`Pictures`).
    """

    def enter(function: Callable[..., Tensor]) -> Recipe:
        return register(RECIPES, function.__name__, Recipe(function, refuses, lacks), "recipe")

    return enter if function is None else enter(function)


Variant = Annotated[int, "Another one is another mask of the same case."]
LeastArea = Annotated[float, Within(0, 1), "Least share of the picture."]
LargestArea = Annotated[float, Within(0, 1), "Largest share of the picture."]


def area_fault(options: Mapping[str, Any]) -> str | None:
    """Limits of the hole's share of which none can be between."""
    low, high = options["min_area"], options["max_area"]
    return None if low < high else f"has min_area {low:g} and max_area {high:g}; give min_area < max_area"


def either(one: str, other: str, options: Mapping[str, Any]) -> str | None:
    """Two options of which one is to be given."""
    given = [name for name in (one, other) if options[name] is not None]
    return None if len(given) == 1 else f"has {'both' if given else 'neither'} of {one} and {other}; give one of them"


def drawn_by_name(options: Mapping[str, Any], pictures: Pictures) -> str | None:
    """What is drawn for each case by its name, and pictures that have none."""
    return None if pictures.named else "is drawn for each case by its name, and these have none; use another recipe"


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
        BenchmarkError: no case's name.
    """
    if not picture.case:
        raise BenchmarkError(f"mask recipe {name!r}: drawn for each case by its name, and no name was given")
    return Draws(("mask", picture.seed, picture.dataset, picture.case, name, variant))
