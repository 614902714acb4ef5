"""Options of the entries that a configuration names, against their signatures, before anything runs (no torch).

Samplers have a module of their own (:mod:`benchmark.sampling.faults`), since they refuse tasks as well.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from benchmark.data.masks import RECIPES
from benchmark.data.sources import SOURCES
from benchmark.exact.mixtures import WORLDS as MIXTURES
from benchmark.features import FEATURES
from benchmark.options import Option, Within, option_faults, options_of
from benchmark.priors.registry import PRIORS
from benchmark.problems import PROBLEMS
from benchmark.sampling.guidance import GUIDANCE
from benchmark.selection.strategies import STRATEGIES

SIGMA = Option("sigma", ("float",), 0.0, "Standard deviation of the noise on the [0, 1] scale.", Within(0))


def entry_faults(config: Mapping[str, Any]) -> Iterator[str]:
    """One line for each option of a mask, source, prior, operator, feature, strategy, guidance or mixture that the
    entry does not have or take, or that it needs."""
    for name, mask in config["masks"].items():
        yield from _faults(options_of(RECIPES[mask["recipe"]], positional=1), mask, f"masks.{name}", "recipe")
    for name, dataset in config["datasets"].items():
        yield from _dataset_faults(dataset, f"datasets.{name}")
    truth = config["truth"] or {"problems": {}, "guided": []}
    for name, problem in truth["problems"].items():
        where = f"truth.problems.{name}"
        world = problem["world"]
        yield from _faults(options_of(MIXTURES[world["name"]], positional=0), world, f"{where}.world")
        yield from _problem_faults(problem["problem"], f"{where}.problem")
    for index, grid in enumerate(truth["guided"]):
        yield from _guidance_faults(grid, f"truth.guided[{index}]")


def _dataset_faults(dataset: Mapping[str, Any], where: str) -> Iterator[str]:
    source, prior = dataset["source"], dataset["prior"]
    yield from _faults(options_of(SOURCES[source["name"]], positional=2), source, f"{where}.source")
    if prior["name"] in PRIORS:
        known = {name: Option(name, (), None) for name in (*PRIORS[prior["name"]][1], "random_weights")}
        yield from _faults(known, prior, f"{where}.prior")
    yield from _faults(options_of(FEATURES[dataset["features"]["name"]]), dataset["features"], f"{where}.features")
    for task, spec in dataset["tasks"].items():
        if "problem" in spec:
            yield from _problem_faults(spec["problem"], f"{where}.tasks.{task}.problem")
    selection = dataset.get("selection") or {}
    if "features" in selection:
        features = selection["features"]
        yield from _faults(options_of(FEATURES[features["name"]]), features, f"{where}.selection.features")
    for index, strategy in enumerate(selection.get("strategies", [])):
        if isinstance(strategy, Mapping):
            known = options_of(STRATEGIES[strategy["name"]])
            yield from _faults(known, strategy, f"{where}.selection.strategies[{index}]")
    for key, sweep in dataset["sweeps"].items():
        yield from _guidance_faults(sweep, f"{where}.sweeps.{key}")
    for key in ("comparison", "selection"):
        guided = (dataset.get(key) or {}).get("guided") or []
        for index, point in enumerate([guided] if isinstance(guided, Mapping) else guided):
            place = "" if isinstance(guided, Mapping) else f"[{index}]"
            yield from _guidance_faults(point, f"{where}.{key}.guided{place}")


def _problem_faults(problem: Mapping[str, Any], where: str) -> Iterator[str]:
    operator = options_of(PROBLEMS[problem["name"]].__init__, beside=("hole", "device", "dtype"))
    yield from _faults({"sigma": SIGMA, **operator}, problem, where)


def _guidance_faults(point: Mapping[str, Any], where: str) -> Iterator[str]:
    guidance = point.get("guidance")
    if isinstance(guidance, Mapping):
        yield from _faults(options_of(GUIDANCE[guidance["name"]]), guidance, f"{where}.guidance")


def _faults(known: Mapping[str, Option], spec: Mapping[str, Any], where: str, key: str = "name") -> Iterator[str]:
    """Faults of the options beside an entry's name."""
    yield from option_faults(known, {name: value for name, value in spec.items() if name != key}, where)
