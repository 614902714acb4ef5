"""Where cases come from, by name: a source yields pictures with their attributes and part maps, in a fixed order.

A new one is a function of (count, seed, options) with ``@source`` in a file of its own here. choosing.py is what those
share that read folders; ids/ are the lists of pictures that ship.
"""

from __future__ import annotations

from collections.abc import Iterator

from benchmark.data.picture import Picture
from benchmark.data.sources.base import SOURCES, source
from benchmark.data.sources.rendered import TEST_SEED
from benchmark.discovery import modules_of
from benchmark.errors import BenchmarkError
from benchmark.options import option_faults

modules_of(__name__, __path__)  # each enters its sources
__all__ = ["SOURCES", "TEST_SEED", "pictures", "source"]


def pictures(settings: dict, count: int, seed: int) -> Iterator[Picture]:
    """The first ``count`` pictures of the source ``{"name": ..., ...options}``.

    Raises:
        BenchmarkError: unknown source, an option that it does not have or take, or what the source refuses.
    """
    options = dict(settings)
    name = options.pop("name", None)
    if name not in SOURCES:
        raise BenchmarkError(f"source.name: {name!r} is not known; use one of {', '.join(SOURCES)}")
    for fault in option_faults(SOURCES[name].options, options, f"source {name}"):
        raise BenchmarkError(fault)
    return SOURCES[name](count, seed, **options)
