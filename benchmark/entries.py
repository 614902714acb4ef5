"""The named entries of the registries and their options: what a configuration may name, and what each of them takes.

Options are read from an entry's own signature (:mod:`benchmark.options`), without what it is always given. The schema
takes its names here, the reference its lists, and :func:`entry_faults` refuses options before anything runs (no
torch). Samplers have a module of their own (:mod:`benchmark.sampling.faults`), since they refuse tasks as well.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import Any

from benchmark.data.masks import RECIPES, Nameless, Pictures
from benchmark.data.sources import SOURCES
from benchmark.exact.mixtures import WORLDS as MIXTURES
from benchmark.features import FEATURES
from benchmark.options import Option, Within, option_faults, options_of
from benchmark.priors.loaders import PRIORS
from benchmark.problems import PROBLEMS
from benchmark.sampling.guidance import GUIDANCE
from benchmark.selection.strategies import STRATEGIES

SIGMA = Option("sigma", ("float",), 0.0, "Standard deviation of the noise on the [0, 1] scale.", Within(0, 10))


def _problem_options(kind: type) -> dict[str, Option]:
    return {"sigma": SIGMA, **options_of(kind.__init__, beside=("hole", "device", "dtype"))}


# registry -> its entries by name, and how the options of one are read
REGISTRIES: dict[str, tuple[Mapping[str, Any], Callable[[Any], dict[str, Option]]]] = {
    "masks": (RECIPES, lambda recipe: recipe.options),
    "sources": (SOURCES, lambda source: source.options),
    "priors": (PRIORS, lambda loader: loader.options),
    "problems": (PROBLEMS, _problem_options),
    "features": (FEATURES, options_of),
    "strategies": (STRATEGIES, options_of),
    "guidances": (GUIDANCE, options_of),
    "mixtures": (MIXTURES, partial(options_of, positional=0)),
}


def entry_options(registry: str, name: str) -> dict[str, Option]:
    """The options of an entry of :data:`REGISTRIES`, by name."""
    entries, read = REGISTRIES[registry]
    return read(entries[name])


def entry_faults(config: Mapping[str, Any]) -> Iterator[str]:
    """One line for each option of a mask, source, prior, operator, feature, strategy, guidance or mixture that the
    entry does not have or take, or that it needs."""
    for name, mask in config["masks"].items():
        yield from _mask_faults(mask, f"masks.{name}")
    for name, dataset in config["datasets"].items():
        yield from _dataset_faults(dataset, f"datasets.{name}")
        for task, spec in dataset["tasks"].items():
            source = SOURCES[dataset["source"]["name"]]
            yield from _lacking(config, spec.get("mask"), source, f"datasets.{name}.tasks.{task}")
    truth = config["truth"] or {"problems": {}, "guided": []}
    for name, problem in truth["problems"].items():
        yield from _faults("mixtures", problem["world"], f"truth.problems.{name}.world")
        yield from _faults("problems", problem["problem"], f"truth.problems.{name}.problem")
        yield from _lacking(config, problem["mask"], Nameless(), f"truth.problems.{name}")
    for index, grid in enumerate(truth["guided"]):
        yield from _guidance_faults(grid, grid["D"], f"truth.guided[{index}]")


def _mask_faults(mask: Mapping[str, Any], where: str) -> Iterator[str]:
    """Faults of a mask's options, one by one and together."""
    own = list(_faults("masks", mask, where, "recipe"))
    yield from own
    reason = None if own else RECIPES[mask["recipe"]].refuses(_options(mask, "recipe"))
    if reason:
        yield f"{where}: {mask['recipe']} {reason}"


def _lacking(config: Mapping[str, Any], name: str | None, pictures: Pictures, where: str) -> Iterator[str]:
    """What a mask needs that pictures do not have."""
    mask = config["masks"].get(name)
    if mask and (reason := RECIPES[mask["recipe"]].lacks(_options(mask, "recipe"), pictures)):
        yield f"{where}.mask: {mask['recipe']} {reason}"


def _dataset_faults(dataset: Mapping[str, Any], where: str) -> Iterator[str]:
    yield from _faults("sources", dataset["source"], f"{where}.source")
    if dataset["prior"]["name"] in PRIORS:  # public models: config.py, which knows their names
        yield from _faults("priors", dataset["prior"], f"{where}.prior")
    yield from _faults("features", dataset["features"], f"{where}.features")
    for task, spec in dataset["tasks"].items():
        if "problem" in spec:
            yield from _faults("problems", spec["problem"], f"{where}.tasks.{task}.problem")
    selection = dataset.get("selection") or {}
    if "features" in selection:
        yield from _faults("features", selection["features"], f"{where}.selection.features")
    for index, strategy in enumerate(selection.get("strategies", [])):
        yield from _faults("strategies", _named(strategy), f"{where}.selection.strategies[{index}]")
    for key, distances in (("eta", "D"), ("D", "values")):
        sweep = dataset["sweeps"].get(key) or {}
        yield from _guidance_faults(sweep, sweep.get(distances), f"{where}.sweeps.{key}", distances)
    for key in ("comparison", "selection"):
        guided = (dataset.get(key) or {}).get("guided") or []
        for index, point in enumerate([guided] if isinstance(guided, Mapping) else guided):
            place = "" if isinstance(guided, Mapping) else f"[{index}]"
            yield from _guidance_faults(point, point["D"], f"{where}.{key}.guided{place}")


def _guidance_faults(point: Mapping[str, Any], distances: Any, where: str, key: str = "D") -> Iterator[str]:
    """Faults of the options of a point's guidance, and a distance, of those under ``key``, that it refuses."""
    if "guidance" not in point:
        return
    spec = _named(point["guidance"])
    yield from _faults("guidances", spec, f"{where}.guidance")
    options = _options(spec)
    for D in distances if isinstance(distances, list) else [distances]:
        if D is not None and (reason := GUIDANCE[spec["name"]].refuses(D, options)):
            yield f"{where}.{key}: {spec['name']} {reason}"


def _named(entry: str | Mapping[str, Any]) -> Mapping[str, Any]:
    """An entry that stands by its name alone, or with options."""
    return {"name": entry} if isinstance(entry, str) else entry


def _faults(registry: str, spec: Mapping[str, Any], where: str, key: str = "name") -> Iterator[str]:
    """Faults of the options of an entry, which stand beside its name under ``key``."""
    yield from option_faults(entry_options(registry, spec[key]), _options(spec, key), where)


def _options(spec: Mapping[str, Any], key: str = "name") -> dict[str, Any]:
    """What stands beside an entry's name."""
    return {name: value for name, value in spec.items() if name != key}
