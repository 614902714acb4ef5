"""The algorithm of a sample job's settings: a sampler's name and its options, by its own signature."""

from __future__ import annotations

from benchmark.errors import BenchmarkError
from benchmark.sampling import SAMPLERS


def algorithm_of(settings: dict) -> tuple[str, dict]:
    """The sampler's name and its options, checked against its signature.

    Raises:
        BenchmarkError: unknown sampler or option, an option of another type or out of range.
    """
    options = dict(settings)
    name = options.pop("name", None)
    if not isinstance(name, str) or name not in SAMPLERS:
        raise BenchmarkError(f"algorithm.name: {name!r} is not known; use one of {', '.join(SAMPLERS)}")
    known = SAMPLERS[name].options
    for option, value in options.items():
        if option not in known:
            raise BenchmarkError(f"algorithm.{option}: {name} has no such option; it has {', '.join(known)}")
        if fault := known[option].fault(value):
            raise BenchmarkError(f"algorithm.{option}: {fault}")
    return name, options
