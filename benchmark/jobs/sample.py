"""The settings of a set file: restorations of all cases at one point of the grid, or a shard of candidates."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, ClassVar

from benchmark.errors import BenchmarkError
from benchmark.jobs.contract import HASHES, LEFT_OUT, Settings


@dataclass(frozen=True, kw_only=True, slots=True)
class SampleSettings(Settings):
    """``sample``: n restorations of each case and seed, plain or guided. What does not change them (device, batch size,
    threads) is an argument of the command.

    Candidates are plain points with a larger n, in shards by ``first_index``: sample i of a case is the same picture in
    a plain set and among the candidates, since its noise is keyed by (seed, dataset, case, i).

    Raises:
        BenchmarkError: no samples, a first index below 0, seeds that are no different whole numbers, a method that is
            not the guidance's.
    """

    JOB: ClassVar[str] = "sample"

    dataset: str
    """The dataset's name; it keys the noise."""
    task: str
    """The task's name: a mask and a problem of the dataset."""
    sampler: str
    """The name of the configuration's entry, in every row."""
    prior: dict[str, Any]
    """The diffusion model: the name of an embedded prior or of a public model, and its options."""
    problem: dict[str, Any]
    """The degradation: its name, ``sigma`` of the noise on the [0, 1] scale, and its options."""
    algorithm: dict[str, Any]
    """The sampler: its name, its preset and its other options."""
    n: int
    """Restorations of a case and seed."""
    seeds: list[int]
    """One set of each case for each; they key the noise."""
    method: str = ""
    """``plain`` or the guidance's name, in every row; what it is follows from the guidance."""
    guidance: dict[str, Any] | None = None
    """Name, eta, D, D_unit and options of the guidance; None for plain sampling. An infinite D is "inf" in JSON."""
    first_index: int = 0
    """The index of the first sample."""
    cases: str | None = field(default=None, metadata=LEFT_OUT)
    """The fingerprint that the cases file must carry; without it any does."""
    shipped: dict[str, str] = field(default_factory=dict, metadata=HASHES)
    """The shipped weights that the prior reads, name -> sha256: other weights make other results."""

    def __post_init__(self) -> None:
        if self.n < 1:
            raise BenchmarkError(f"n: {self.n} restorations asked for; give 1 or more")
        if self.first_index < 0:
            raise BenchmarkError(f"first_index: {self.first_index} is below 0; give the first sample's index")
        if not self.seeds or len(set(self.seeds)) < len(self.seeds):
            raise BenchmarkError(f"seeds: {self.seeds} is no list of different whole numbers; give for example [0]")
        method = "plain" if self.guidance is None else self.guidance.get("name")
        if self.method and self.method != method:
            raise BenchmarkError(f"method: {self.method!r} does not fit the guidance; with this one it is {method!r}")
        object.__setattr__(self, "method", method)
