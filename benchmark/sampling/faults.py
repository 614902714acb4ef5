"""What samplers refuse of a configuration, each fault one line, before anything runs (no torch)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from benchmark.errors import BenchmarkError, suggestion
from benchmark.options import option_faults
from benchmark.sampling import SAMPLERS
from benchmark.sampling.sampler import Task

BESIDE_OPTIONS = ("algorithm", "by_steps")  # keys of a sampler of the configuration


def own_options(spec: Mapping[str, Any]) -> dict:
    """The options of a sampler of the configuration: what is neither its algorithm nor for some steps alone."""
    return {key: value for key, value in spec.items() if key not in BESIDE_OPTIONS}


def sampler_faults(samplers: dict) -> Iterator[str]:
    """Algorithms that are not there, and options that an algorithm does not have or take, at some steps or at all."""
    for name, spec in samplers.items():
        algorithm = spec["algorithm"]
        if algorithm not in SAMPLERS:
            where = f"samplers.{name}.algorithm: {algorithm!r}"
            yield f"{where} is not one of its values{suggestion(algorithm, list(SAMPLERS))}"
            continue
        own = list(option_faults(SAMPLERS[algorithm].options, own_options(spec), f"samplers.{name}", "key"))
        yield from own or _count_faults(algorithm, own_options(spec), f"samplers.{name}")
        for steps, options in spec.get("by_steps", {}).items():
            yield from option_faults(SAMPLERS[algorithm].options, options, f"samplers.{name}.by_steps.{steps}")


def _count_faults(algorithm: str, options: Mapping[str, Any], where: str) -> Iterator[str]:
    """Options that are right one by one, but of which no evaluations follow: a respacing that there is not."""
    try:
        SAMPLERS[algorithm].evaluations(options)
    except BenchmarkError as error:
        yield f"{where}.{error}"


def service_faults(section: dict, where: str, dataset: dict, samplers: dict, learned: bool | None) -> Iterator[str]:
    """One line for every sampler of a section that cannot serve one of its tasks, or this prior.

    ``learned``: whether the prior's network gives variance values; None where that is not known.
    """
    for name in [*section.get("samplers", []), *section.get("unguided", [])]:
        if name not in samplers:
            continue
        algorithm = samplers[name]["algorithm"]
        if samplers[name].get("variance") == "learned_range" and learned is False:
            yield (
                f"samplers.{name}.variance: learned_range needs a network with 2C output channels, and that of "
                f"{dataset['prior']['name']} ({where}) has C; use fixed_small or fixed_large"
            )
        for task in section.get("tasks", dataset["tasks"]):
            problem = Task.of(dataset["tasks"].get(task, {}).get("problem", {}))
            if reason := SAMPLERS[algorithm].refuses(problem, own_options(samplers[name])):
                yield f"{where}: sampler {name} ({algorithm}) cannot serve task {task}: it {reason}, or give tasks"
