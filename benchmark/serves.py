"""Which sampler serves which problem and prior, so that a configuration is refused before anything runs (pure).

The samplers refuse the same when they are called; ``tests/test_config.py`` compares the two for every pair.
"""

from __future__ import annotations

from collections.abc import Iterator

WITHOUT_SINGULAR_SYSTEM = ("super_resolution_blur",)
WITH_VARIANCE = ("repaint", "dps")  # algorithms with the option ``variance``


def why_not(algorithm: str, problem: str, sigma: float) -> str | None:
    """Why an algorithm cannot serve a problem with noise of level ``sigma``, and which can; None where it can."""
    if algorithm == "repaint" and (problem != "inpainting" or sigma > 0):
        return "serves noiseless inpainting only; use ddnm, ddrm, dps or diffpir"
    if problem in WITHOUT_SINGULAR_SYSTEM and algorithm == "ddrm":
        return f"needs a singular system, which {problem} has not; use ddnm or diffpir"
    if problem in WITHOUT_SINGULAR_SYSTEM and algorithm == "ddnm" and sigma > 0:
        return f"needs a singular system for noise, which {problem} has not; use diffpir or dps"
    return None


def faults(section: dict, where: str, dataset: dict, samplers: dict, learned_range: bool | None) -> Iterator[str]:
    """One line for every sampler of a section that cannot serve one of its tasks, or this prior.

    Args:
        learned_range: whether the prior's network gives variance values; None where that is not known.
    """
    for name in [*section.get("samplers", []), *section.get("unguided", [])]:
        if name not in samplers:
            continue
        algorithm = samplers[name]["algorithm"]
        asked = algorithm in WITH_VARIANCE and samplers[name].get("variance") == "learned_range"
        if asked and learned_range is False:
            yield (
                f"samplers.{name}.variance: learned_range needs a network with 2C output channels, and that of "
                f"{dataset['prior']['name']} ({where}) has C; use fixed_small or fixed_large"
            )
        for task in section.get("tasks", dataset["tasks"]):
            problem = dataset["tasks"].get(task, {}).get("problem", {})
            kind, sigma = problem.get("name", "inpainting"), problem.get("sigma", 0)
            if reason := why_not(algorithm, kind, sigma):
                yield f"{where}: sampler {name} ({algorithm}) cannot serve task {task}: it {reason}, or give tasks"
