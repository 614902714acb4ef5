"""The settings of a selected set: N of the candidates of every case, picked by one strategy."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, ClassVar

from benchmark.errors import BenchmarkError
from benchmark.jobs.contract import HASHES, LEFT_OUT, Settings


@dataclass(frozen=True, kw_only=True, slots=True)
class SelectSettings(Settings):
    """``select``: which strategy picks how many, in what space. What is left out is not held against the files.

    Raises:
        BenchmarkError: a set of none.
    """

    JOB: ClassVar[str] = "select"

    strategy: dict[str, Any]
    """What picks: its name and its options."""
    features: dict[str, Any]
    """The space in which it measures distances: a feature's name and its options."""
    n: int
    """How many it picks."""
    dataset: str | None = field(default=None, metadata=LEFT_OUT)
    """The dataset that the candidates must be of; its classifier is the one whose features are meant."""
    task: str | None = field(default=None, metadata=LEFT_OUT)
    """The task that the candidates must be of."""
    sampler: str | None = field(default=None, metadata=LEFT_OUT)
    """The sampler that the candidates must be of."""
    candidates: int | None = field(default=None, metadata=LEFT_OUT)
    """How many candidates a case must have, all shards together."""
    seed: int = 0
    """Of the strategy's random choices; each case and seed of the candidates has one of its own from it."""
    cases: str | None = field(default=None, metadata=LEFT_OUT)
    """The fingerprint that the cases file must carry."""
    candidate_files: list[str] = field(default_factory=list, metadata=LEFT_OUT)
    """The fingerprints of the shards, every one of which must be given."""
    shipped: dict[str, str] = field(default_factory=dict, metadata=HASHES)
    """The shipped weights that the features read, name -> sha256."""

    def __post_init__(self) -> None:
        if self.n < 1:
            raise BenchmarkError(f"n: a set of {self.n} asked for; give 1 or more")
