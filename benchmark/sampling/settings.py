"""The settings of a sample job, checked before anything is loaded; a sampler's options by its own signature."""

from __future__ import annotations

import inspect
import math
from itertools import pairwise

from benchmark.errors import BenchmarkError
from benchmark.sampling import SAMPLERS
from benchmark.sampling.schedules import (
    ddrm_timesteps,
    diffpir_timesteps,
    jump_schedule,
    space_timesteps,
    travel_schedule,
)

# a setting -> the type that it must have; the first eight must be there
SETTINGS = {
    "dataset": str, "task": str, "sampler": str, "prior": dict, "problem": dict, "algorithm": dict, "n": int,
    "seeds": list, "method": str, "guidance": dict | None, "first_index": int, "cases": str,
    "shipped": dict,
}  # fmt: skip
NEEDED = tuple(SETTINGS)[:8]
# an option's annotation -> what JSON may give for it; options of other kinds are for callers in Python
JSON_TYPES = {"int": int, "float": (int, float), "bool": bool, "str": str, "None": type(None)}


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


def method_of(settings: dict) -> str:
    """The guidance's name, or plain."""
    return (settings.get("guidance") or {"name": "plain"}).get("name")


def algorithm_of(settings: dict) -> tuple[str, dict]:
    """The sampler's name and its options, checked against its signature.

    Raises:
        BenchmarkError: unknown sampler or option, an option of another type.
    """
    options = dict(settings)
    name = options.pop("name", None)
    if name not in SAMPLERS:
        raise BenchmarkError(f"algorithm.name: {name!r} is not known; use one of {', '.join(SAMPLERS)}")
    known = options_of(name)
    for option, value in options.items():
        if option not in known:
            raise BenchmarkError(f"algorithm.{option}: {name} has no such option; it has {', '.join(known)}")
        if known[option] and not any(_is(value, kind) for kind in known[option]):
            raise BenchmarkError(f"algorithm.{option}: {value!r} is not of type {' or '.join(known[option])}")
        if isinstance(value, float) and not math.isfinite(value):
            raise BenchmarkError(f"algorithm.{option}: {value} is not a finite number")
    return name, options


def options_of(name: str) -> dict[str, list[str]]:
    """The options of a sampler that settings can give, with the names of their types."""
    parameters = inspect.signature(SAMPLERS[name]).parameters.values()
    kinds = {part.name: _kinds(part) for part in parameters if part.kind == part.KEYWORD_ONLY}
    return {option: those for option, those in kinds.items() if set(those) <= set(JSON_TYPES)}


def _kinds(part: inspect.Parameter) -> list[str]:
    """The names of the types in an option's annotation; none without one."""
    if part.annotation is part.empty:
        return []
    return (part.annotation if isinstance(part.annotation, str) else part.annotation.__name__).split(" | ")


def _is(value: object, kind: str) -> bool:
    return isinstance(value, JSON_TYPES[kind]) and (kind == "bool" or not isinstance(value, bool))


def evaluations(name: str, options: dict) -> int | None:
    """Network evaluations per sample, for the progress bar; None where unknown."""
    defaults = {key: part.default for key, part in inspect.signature(SAMPLERS[name]).parameters.items()}
    values = {**defaults, **options}
    steps = values.get("steps")
    if isinstance(steps, str):
        steps = len(space_timesteps(1000, steps))
    if not isinstance(steps, int) or not 1 <= steps <= 1000:
        return None
    if name == "repaint":
        walk = jump_schedule(
            steps, values["jump_length"], values["jump_n_sample"], start_resampling=values["start_resampling"]
        )
    elif name == "ddnm":
        walk = travel_schedule(steps, values["travel_length"], values["travel_repeat"])
    elif name == "diffpir":
        return len(diffpir_timesteps(steps, values["skip_type"]))
    else:
        return len(ddrm_timesteps(steps)) if (name, values.get("preset")) == ("ddrm", "reference") else steps
    return sum(b < a for a, b in pairwise(walk))
