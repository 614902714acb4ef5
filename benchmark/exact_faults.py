"""What the schema cannot see of the section ``truth`` of a configuration (docs/truth.md; pure)."""

from __future__ import annotations

from collections.abc import Iterator

from benchmark.errors import suggestion
from benchmark.exact_jobs import EXACT, tuned_on
from benchmark.options import option_faults
from benchmark.sampling import SAMPLERS
from benchmark.sampling.faults import own_options
from benchmark.sampling.sampler import Task


def exact_faults(config: dict, section: dict) -> Iterator[str]:
    """One line for each fault: names that are not there, steps that guidance needs, samplers that cannot serve.

    Args:
        config: the whole configuration, its defaults filled in.
        section: its section ``truth``.
    """
    samplers, masks = config["samplers"], list(config["masks"])
    named = {"samplers": section["samplers"]}
    named |= {f"guided[{i}].samplers": grid["samplers"] for i, grid in enumerate(section["guided"])}
    named |= {f"compare[{i}]": [pair["sampler"], pair["against"]] for i, pair in enumerate(section["compare"])}
    if EXACT in section["samplers"]:
        yield f"truth.samplers: {EXACT!r} is the posterior itself, which every problem has; call yours otherwise"
    for where, names in named.items():
        known = list(samplers if where == "samplers" else section["samplers"])
        for name in names:
            if name not in known:
                yield f"truth.{where}: no sampler {name!r}{suggestion(name, known)}"
    for i, grid in enumerate(section["guided"]):
        for name in grid["samplers"]:
            if type(samplers[name].get("steps")) is not int:
                yield f"samplers.{name}.steps: truth.guided[{i}] samples at these steps; give a whole number"
        if config["n"] == 1:
            yield f"n: a set of 1 has no neighbours to repel in truth.guided[{i}]; n must be 2 or more"
    for name, problem in section["problems"].items():
        where = f"truth.problems.{name}"
        if problem["mask"] is not None and problem["mask"] not in masks:
            yield f"{where}.mask: no mask {problem['mask']!r} in masks{suggestion(problem['mask'], masks)}"
        operator = problem["problem"]
        for sampler in problem.get("samplers", section["samplers"]):
            if sampler not in section["samplers"]:
                yield f"{where}.samplers: no sampler {sampler!r}{suggestion(sampler, list(section['samplers']))}"
                continue
            algorithm = samplers[sampler]["algorithm"]
            if reason := SAMPLERS[algorithm].refuses(Task.of(operator), own_options(samplers[sampler])):
                yield f"{where}.samplers: {sampler} ({algorithm}) {reason}, or leave it out"
        yield from _guided_faults(section, problem, where)
    if section["tune"]:
        yield from _tune_faults(config, section)


def _tune_faults(config: dict, section: dict) -> Iterator[str]:
    """Problems and samplers of ``tune`` that are not there, and problems that are held out and tuned on."""
    tune, problems = section["tune"], list(section["problems"])
    for key in ("problems", "held_out"):
        for name in tune[key]:
            if name not in problems:
                yield f"truth.tune.{key}: no problem {name!r}{suggestion(name, problems)}"
    for name in set(tune["problems"]) & set(tune["held_out"]):
        yield f"truth.tune.held_out: {name} is tuned on, too; hold out another"
    for name in tune["grids"]:
        if name not in section["samplers"]:
            yield f"truth.tune.grids: no sampler {name!r}{suggestion(name, list(section['samplers']))}"
            continue
        for option, values in tune["grids"][name].items():
            for value in values:
                known = SAMPLERS[config["samplers"][name]["algorithm"]].options
                yield from option_faults(known, {option: value}, f"truth.tune.grids.{name}")
        for steps in section["samplers"][name]:
            if set(tune["problems"]) <= set(problems) and not tuned_on(section, name, steps):
                yield f"truth.tune.grids: {name} at {steps} steps has none of tune.problems; add one that has it"


def _guided_faults(section: dict, problem: dict, where: str) -> Iterator[str]:
    """Samplers named for guidance that the problem does not have, or that no grid guides."""
    own = problem.get("samplers", section["samplers"])
    known = [name for name in own if any(name in grid["samplers"] for grid in section["guided"])]
    for name in [] if isinstance(problem["guided"], bool) else problem["guided"]:
        if name not in known:
            yield f"{where}.guided: {name!r} is no sampler that this problem and truth.guided have" + suggestion(
                name, known
            )
