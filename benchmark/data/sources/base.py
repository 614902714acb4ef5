"""What a source of cases is, and the table in which it stands (no torch)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Annotated

from benchmark.data.picture import Picture
from benchmark.discovery import register
from benchmark.options import Within

Source = Callable[..., Iterator[Picture]]
SOURCES: dict[str, Source] = {}
Size = Annotated[int, Within(16), "Pixels of a side."]  # which several sources have


def source(function: Source) -> Source:
    """Enter a function (count, seed, *, options) that yields the first ``count`` pictures, under its name.

    A case's name says which picture it is, whatever the number asked for; the first n cases of a longer list are the
    same. Options are keyword arguments: types, defaults and ranges stand in the signature and nowhere else.
    """
    return register(SOURCES, function.__name__, function, "source")
