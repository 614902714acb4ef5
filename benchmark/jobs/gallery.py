"""The settings of a contact sheet: the set files of one dataset, task and sampler below each other."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar

from benchmark.errors import BenchmarkError
from benchmark.jobs.contract import LEFT_OUT, Settings


@dataclass(frozen=True, kw_only=True, slots=True)
class Shown(Settings):
    """One set file of the sheet."""

    label: str
    """The name of its point or strategy."""
    fingerprint: str | None = field(default=None, metadata=LEFT_OUT)
    """The fingerprint that it must carry."""


@dataclass(frozen=True, kw_only=True, slots=True)
class GallerySettings(Settings):
    """``gallery``: what stands in the rows of the sheet.

    Raises:
        BenchmarkError: sets of none.
    """

    JOB: ClassVar[str] = "gallery"

    rows: list[Shown]
    """The sheet's rows, in the order of ``--sets``."""
    dataset: str | None = field(default=None, metadata=LEFT_OUT)
    """The dataset's name, for the title."""
    task: str | None = field(default=None, metadata=LEFT_OUT)
    """The task's name, for the title."""
    sampler: str | None = field(default=None, metadata=LEFT_OUT)
    """The sampler's name, for the title."""
    n: int | None = field(default=None, metadata=LEFT_OUT)
    """Restorations of a set; by default those of the largest."""
    seed: int | None = field(default=None, metadata=LEFT_OUT)
    """The sets of this seed are shown."""
    cases: str | None = field(default=None, metadata=LEFT_OUT)
    """The fingerprint that the cases file must carry."""

    def __post_init__(self) -> None:
        if self.n is not None and self.n < 1:
            raise BenchmarkError(f"n: {self.n} restorations of a set; give 1 or more")
