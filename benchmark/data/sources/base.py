"""What a source of cases is, and the table in which it stands (no torch)."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from functools import cached_property
from typing import Annotated, Any

from benchmark.data.picture import Picture
from benchmark.discovery import register
from benchmark.options import Option, Within, options_of

Parts = tuple[str, ...] | Callable[[], tuple[str, ...]]


class Source:
    """A registered source: called as its function is."""

    named = True  # its pictures have names

    def __init__(self, function: Callable[..., Iterator[Picture]], parts: Parts):
        functools.update_wrapper(self, function)
        self.function, self._parts = function, parts

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


SOURCES: dict[str, Source] = {}
Size = Annotated[int, Within(16), "Pixels of a side."]  # which several sources have


def source(function: Callable[..., Iterator[Picture]] | None = None, *, parts: Parts = ()) -> Any:
    """Enter a function (count, seed, *, options) that yields the first ``count`` pictures, under its name.

    A case's name says which picture it is, whatever the number asked for; the first n cases of a longer list are the
    same. Options are keyword arguments: types, defaults and ranges stand in the signature and nowhere else.

    Args:
        parts: names of the pictures' parts, or a function that gives them: what a mask of parts may name.
    """

    def enter(function: Callable[..., Iterator[Picture]]) -> Source:
        return register(SOURCES, function.__name__, Source(function, parts), "source")

    return enter if function is None else enter(function)
