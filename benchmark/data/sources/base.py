"""What a source of cases is, and the table in which it stands (no torch)."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator, Mapping
from functools import cached_property
from typing import Annotated, Any

from benchmark.data.picture import Picture
from benchmark.discovery import register
from benchmark.options import Option, Within, options_of, with_defaults

Parts = tuple[str, ...] | Callable[[], tuple[str, ...]]
Shape = tuple[int, int, int]  # (C, H, W)


class Source:
    """A registered source: called as its function is."""

    named = True  # its pictures have names

    def __init__(
        self, function: Callable[..., Iterator[Picture]], parts: Parts, shape: Callable[[Mapping], Shape | None]
    ):
        functools.update_wrapper(self, function)
        self.function, self._parts, self._shape = function, parts, shape

    def __call__(self, count: int, seed: int, **options: Any) -> Iterator[Picture]:
        return self.function(count, seed, **options)

    @cached_property
    def options(self) -> dict[str, Option]:
        """Its options by name."""
        return options_of(self.function)

    @cached_property
    def parts(self) -> tuple[str, ...]:
        """The names of its pictures' parts, for the mask recipe of this name; none where they have no part maps."""
        return tuple(self._parts() if callable(self._parts) else self._parts)

    def shape(self, options: Mapping[str, Any]) -> Shape | None:
        """(C, H, W) of its pictures with these options; None where a picture alone tells."""
        return self._shape(with_defaults(self.options, options))


SOURCES: dict[str, Source] = {}
Size = Annotated[int, Within(16, 4096), "Pixels of a side."]  # which several sources have


def squares(options: Mapping[str, Any]) -> Shape:
    """The shape of colour pictures of the side ``size``."""
    return 3, options["size"], options["size"]


def unknown(options: Mapping[str, Any]) -> None:
    """The shape of pictures that a picture alone tells."""


def source(
    function: Callable[..., Iterator[Picture]] | None = None,
    *,
    parts: Parts = (),
    shape: Callable[[Mapping[str, Any]], Shape | None] = unknown,
) -> Any:
    """Enter a function (count, seed, *, options) that yields the first ``count`` pictures, under its name.

    A case's name says which picture it is, whatever the number asked for; the first n cases of a longer list are the
    same. Options are keyword arguments: types, defaults and ranges stand in the signature and nowhere else.

    Args:
        parts: names of the pictures' parts, or a function that gives them: what a mask of parts may name.
        shape: from the options, defaults filled in, to (C, H, W): what a problem has to go with.
    """

    def enter(function: Callable[..., Iterator[Picture]]) -> Source:
        return register(SOURCES, function.__name__, Source(function, parts, shape), "source")

    return enter if function is None else enter(function)
