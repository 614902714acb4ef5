"""The jobs of the section ``truth``: samplers held against posteriors that are known exactly (docs/truth.md)."""

from __future__ import annotations

from collections.abc import Iterator

from benchmark.jobs import Job, algorithm_at, named
from benchmark.jobs.exact import ExactSettings, Run

EXACT = "exact"  # the sampler that is the posterior: every problem has it


def exact_jobs(config: dict, root: str) -> Iterator[Job]:
    """One job for each problem with a known posterior and each of its samplers, the exact one first (docs/truth.md)."""
    section = config["truth"]
    if not section:
        return
    for name, problem in section["problems"].items():
        what: dict[str, tuple[dict, list[Run]]] = {EXACT: ({"name": EXACT}, [Run(steps=0)])}
        for sampler in problem.get("samplers", section["samplers"]):
            spec = config["samplers"][sampler]
            what[sampler] = algorithm_at(spec), _runs(section, problem, sampler, spec)
        for sampler, (algorithm, runs) in what.items():
            settings = ExactSettings(
                **problem_settings(config, name, problem), sampler=sampler, algorithm=algorithm, runs=runs
            )
            yield Job("truth", f"{root}/truth/{name}/{sampler}.parquet", settings)


def problem_settings(config: dict, name: str, problem: dict) -> dict:
    """What the jobs of one problem share."""
    section = config["truth"]
    return {
        "problem": name,
        "world": problem["world"],
        "operator": problem["problem"],
        "mask": config["masks"][problem["mask"]] if problem["mask"] is not None else None,
        "n": config["n"],
        "sets": problem.get("sets", section["sets"]),
        "measurements": problem.get("measurements", section["measurements"]),
        "seed": config["seeds"][0],
    }


def tuned_on(section: dict, sampler: str, steps: int) -> list[str]:
    """The problems of ``tune`` on which a sampler's options at some number of steps are chosen: those of its tables."""
    return [
        name
        for name in section["tune"]["problems"]
        for problem in [section["problems"][name]]
        if sampler in problem.get("samplers", section["samplers"]) and steps <= problem["most_steps"]
    ]


def group_of(problem: dict) -> str:
    """The problems that a table may average over: ``group`` of the configuration, else the world and what is known."""
    if "group" in problem:
        return problem["group"]
    operator = problem["problem"]
    free = operator["name"] == "inpainting" and problem["mask"] is None
    known = "nothing known" if free else "noisy" if operator["sigma"] > 0 else "noiseless"
    dimension = problem["world"].get("dimension")
    return f"{problem['world']['name']}{f', {dimension}-D' if dimension else ''}, {known}"


def _runs(section: dict, problem: dict, sampler: str, spec: dict) -> list[Run]:
    """Plain sampling at every number of steps, then guided points at the sampler's own, and plain sampling there."""

    def run(count: int, guidance: dict | None = None, uncoupled: bool | None = None) -> Run:
        options = spec.get("by_steps", {}).get(str(count), {})
        return Run(steps=count, guidance=guidance, uncoupled=uncoupled, options=options)

    guided = section["samplers"] if problem["guided"] is True else problem["guided"] or []
    grids = [grid for grid in section["guided"] if sampler in guided and sampler in grid["samplers"]]
    steps = [count for count in section["samplers"][sampler] if count <= problem["most_steps"]]
    own_steps = spec["steps"] if grids else 0
    if grids:
        steps = list(dict.fromkeys([*steps, own_steps]))
    runs = [run(count) for count in steps]
    for grid in grids:
        for eta in grid["eta"]:
            for reach in grid["D"]:
                guidance = {**named(grid["guidance"]), "eta": eta, "D": reach, "D_unit": grid["D_unit"]}
                runs.append(run(own_steps, guidance, grid["uncoupled"]))
    return runs
