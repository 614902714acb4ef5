"""The settings of the section ``truth``: a sampler on a problem whose posterior is known exactly (docs/truth.md)."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, ClassVar

from benchmark.errors import BenchmarkError
from benchmark.jobs.contract import LEFT_OUT, Settings


@dataclass(frozen=True, kw_only=True, slots=True)
class Run(Settings):
    """One run of the sampler: a number of steps, plain or guided."""

    steps: int
    """Sampling steps; 0 for the posterior itself."""
    guidance: dict[str, Any] | None = None
    """Name, eta, D, D_unit and options of the guidance; None for plain sampling."""
    uncoupled: bool | None = field(default=None, metadata=LEFT_OUT)
    """Whether the guidance's push is a constant to a gradient through it; left out for plain sampling."""
    options: dict[str, Any] = field(default_factory=dict, metadata=LEFT_OUT)
    """The sampler's options at this number of steps, over its own."""


@dataclass(frozen=True, kw_only=True, slots=True)
class ExactSettings(Settings):
    """``truth``: a sampler on one problem, at all its steps and guidances.

    Raises:
        BenchmarkError: no samples, sets or measurements; one sample in all, which has no covariance.
    """

    JOB: ClassVar[str] = "truth"

    problem: str
    """The problem's name; it keys every random number."""
    world: dict[str, Any]
    """The distribution of the truths: a mixture's name and its options."""
    operator: dict[str, Any]
    """What is measured of them: a problem's name, ``sigma`` and its options."""
    mask: dict[str, Any] | None
    """What is hidden, for inpainting: a recipe; None hides everything, so that the posterior is the prior."""
    sampler: str
    """The name of the configuration's entry, in every row; ``exact`` is the posterior."""
    algorithm: dict[str, Any]
    """The sampler: its name and its options but the steps."""
    runs: list[Run]
    """At how many steps it runs, plain or guided."""
    n: int
    """Samples of a set, which guidance pushes apart."""
    sets: int
    """Sets of a measurement, side by side."""
    measurements: int
    """Truths, and a measurement of each."""
    seed: int
    """Of truths, measurements and samples."""

    def __post_init__(self) -> None:
        for name in ("n", "sets", "measurements"):
            if getattr(self, name) < 1:
                raise BenchmarkError(f"{name}: {getattr(self, name)} is below 1; give 1 or more")
        if self.n * self.sets < 2:
            raise BenchmarkError("sets: one sample for each measurement has no covariance; give 2 or more")
