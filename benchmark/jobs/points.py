"""What a plan is made of: jobs, each one file to make, and the points of the grid, plain or guided."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from functools import cached_property

from benchmark.jobs.contract import Settings
from benchmark.store import canonical, fingerprint_of_text

PLAIN = {"method": "plain", "eta": 0.0, "D": 0.0, "D_unit": "rms"}


@dataclass(frozen=True)
class Job:
    """One file to make: ``inputs`` maps the name of an input to a path or a list of paths."""

    kind: str
    path: str
    settings: Settings
    inputs: dict = field(default_factory=dict)

    @cached_property
    def fingerprint(self) -> str:
        return fingerprint_of_text(self.json)

    @cached_property
    def json(self) -> str:
        return canonical(self.settings.json)


@dataclass(frozen=True)
class Point:
    """A point of the grid: plain sampling, or a guidance with its step size and distance."""

    guidance: dict | None
    label: str = "plain"

    @cached_property
    def name(self) -> str:
        """``plain``, ``eta0.1_D0.3rms``, ``eta0.09_Dinf``; other guidances than the paper's stand in front."""
        if self.guidance is None:
            return "plain"
        options = dict(self.guidance)
        name, eta, reach, unit = (options.pop(key) for key in ("name", "eta", "D", "D_unit"))
        front = [] if name == "nearest_neighbour" else [name]
        front += [f"{key}{value}" for key, value in sorted(options.items())]
        return "_".join([*front, f"eta{eta:.12g}", "Dinf" if math.isinf(reach) else f"D{reach:.12g}{unit}"])

    @property
    def keys(self) -> dict:
        """What identifies the point in a set file."""
        if self.guidance is None:
            return dict(PLAIN)
        return {"method": self.guidance["name"], **{key: self.guidance[key] for key in ("eta", "D", "D_unit")}}


def point(eta: float, D: float, D_unit: str = "rms", guidance: str | dict | None = None, label: str = "") -> Point:
    """The point for these values; eta = 0 and D = 0 are plain sampling, and an infinite distance has no unit."""
    if eta == 0 or D == 0:
        return Point(None, label or "plain")
    part = named(guidance or "nearest_neighbour")
    values = {"eta": float(eta), "D": float(D), "D_unit": "rms" if math.isinf(D) else D_unit}
    return Point({**part, **values}, label)


def algorithm_at(sampler: dict, steps: int | str | None = None) -> dict:
    """The settings of an algorithm, {"name", options}, from a sampler of the configuration, without its steps: its own
    options, and over them those that ``by_steps`` gives for ``steps``."""
    options = {key: value for key, value in sampler.items() if key not in ("algorithm", "steps", "by_steps")}
    return {"name": sampler["algorithm"], **options, **sampler.get("by_steps", {}).get(str(steps), {})}


def named(part: str | dict) -> dict:
    """``kmeans`` and ``{name: kmeans}`` mean the same."""
    return {"name": part} if isinstance(part, str) else dict(part)
