"""The jobs of the section ``truth``: samplers held against posteriors that are known exactly (docs/truth.md)."""

from __future__ import annotations

from collections.abc import Iterator

from benchmark.jobs import Job, named


def truth_jobs(config: dict, root: str) -> Iterator[Job]:
    """One job for each problem with a known posterior and each of its samplers (docs/truth.md)."""
    truth = config["truth"]
    if not truth:
        return
    for name, problem in truth["problems"].items():
        for sampler in problem.get("samplers", truth["samplers"]):
            algorithm = dict(config["samplers"][sampler])
            own_steps = algorithm.pop("steps", None)
            settings = {
                "problem": name,
                "world": problem["world"],
                "operator": problem["problem"],
                "mask": config["masks"][problem["mask"]] if problem["mask"] is not None else None,
                "sampler": sampler,
                "algorithm": {"name": algorithm.pop("algorithm"), **algorithm},
                "runs": _runs(truth, problem, sampler, own_steps),
                "n": config["n"],
                "sets": problem.get("sets", truth["sets"]),
                "measurements": truth["measurements"],
                "seed": config["seeds"][0],
            }
            yield Job("truth", f"{root}/truth/{name}/{sampler}.parquet", settings)


def _runs(truth: dict, problem: dict, sampler: str, own_steps: int | None) -> list[dict]:
    """Plain sampling at every number of steps, then guided points at the sampler's own, and plain sampling there."""
    guided = truth["samplers"] if problem["guided"] is True else problem["guided"] or []
    grids = [grid for grid in truth["guided"] if sampler in guided and sampler in grid["samplers"]]
    steps = [count for count in truth["samplers"][sampler] if count <= problem["most_steps"]]
    if grids:
        steps = list(dict.fromkeys([*steps, own_steps]))
    runs: list[dict] = [{"steps": count, "guidance": None} for count in steps]
    for grid in grids:
        for eta in grid["eta"]:
            for reach in grid["D"]:
                guidance = {**named(grid["guidance"]), "eta": eta, "D": reach, "D_unit": grid["D_unit"]}
                runs.append({"steps": own_steps, "guidance": guidance, "uncoupled": grid["uncoupled"]})
    return runs
