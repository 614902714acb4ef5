"""The settings of a sample job, checked before anything is loaded; a sampler's options by its own signature."""

from __future__ import annotations

from benchmark.errors import BenchmarkError
from benchmark.sampling import SAMPLERS

# a setting -> the type that it must have; the first eight must be there
SETTINGS = {
    "dataset": str, "task": str, "sampler": str, "prior": dict, "problem": dict, "algorithm": dict, "n": int,
    "seeds": list, "method": str, "guidance": dict | None, "first_index": int, "cases": str,
    "shipped": dict,
}  # fmt: skip
NEEDED = tuple(SETTINGS)[:8]


def check_settings(settings: dict) -> None:
    """Refuse settings of another form than docs/architecture.md, section 7, gives.

    Raises:
        BenchmarkError: a missing, unknown or mistyped key, no samples, no seeds, method and guidance at odds.
    """
    for key in NEEDED:
        if key not in settings:
            raise BenchmarkError(f"--settings: {key} is missing; a sample job needs {', '.join(NEEDED)}")
    for key, value in settings.items():
        if key not in SETTINGS:
            raise BenchmarkError(f"--settings: {key} is not known; a sample job has {', '.join(SETTINGS)}")
        if not isinstance(value, SETTINGS[key]) or isinstance(value, bool):
            expected = getattr(SETTINGS[key], "__name__", "dict or null")
            raise BenchmarkError(f"--settings: {key} is {value!r}; give a value of type {expected}")
    if settings["n"] < 1:
        raise BenchmarkError(f"n: {settings['n']} restorations asked for; give 1 or more")
    if settings.get("first_index", 0) < 0:
        raise BenchmarkError(f"first_index: {settings['first_index']} is below 0; give the first sample's index")
    seeds = settings["seeds"]
    if not seeds or any(type(seed) is not int for seed in seeds) or len(set(seeds)) < len(seeds):
        raise BenchmarkError(f"seeds: {seeds} is no list of different whole numbers; give for example [0]")
    method = method_of(settings)
    if settings.get("method", method) != method:
        raise BenchmarkError(
            f"method: {settings['method']!r} does not fit the guidance; with this one it is {method!r}"
        )


def method_of(settings: dict) -> str | None:
    """The guidance's name, or plain."""
    return (settings.get("guidance") or {"name": "plain"}).get("name")


def algorithm_of(settings: dict) -> tuple[str, dict]:
    """The sampler's name and its options, checked against its signature.

    Raises:
        BenchmarkError: unknown sampler or option, an option of another type or out of range.
    """
    options = dict(settings)
    name = options.pop("name", None)
    if name not in SAMPLERS:
        raise BenchmarkError(f"algorithm.name: {name!r} is not known; use one of {', '.join(SAMPLERS)}")
    known = SAMPLERS[name].options
    for option, value in options.items():
        if option not in known:
            raise BenchmarkError(f"algorithm.{option}: {name} has no such option; it has {', '.join(known)}")
        if fault := known[option].fault(value):
            raise BenchmarkError(f"algorithm.{option}: {fault}")
    return name, options
