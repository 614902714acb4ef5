"""The settings of a cases file: pictures of one dataset, and what is hidden of them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, ClassVar

from benchmark.errors import BenchmarkError
from benchmark.jobs.contract import Settings

NO_MASK = "none"  # the name of a mask that hides nothing


@dataclass(frozen=True, kw_only=True, slots=True)
class CasesSettings(Settings):
    """``cases``: which pictures, and which hole in each.

    Raises:
        BenchmarkError: no cases, a seed below 0.
    """

    JOB: ClassVar[str] = "cases"
    PLACE: ClassVar[str] = "cases.{}"
    MISSING: ClassVar[str] = "cases: {key} is missing"
    UNKNOWN: ClassVar[str] = "cases: unknown key {key!r}; keys are {known}"

    dataset: str
    """The dataset's name, in every row; random masks are drawn from it, among others."""
    source: dict[str, Any] = field(metadata={"wrong": 'is not an object such as {"name": "digits"}'})
    """Where pictures come from: the name of a source and its options."""
    mask: dict[str, Any] | None = field(default=None, metadata={"wrong": 'is not an object such as {"recipe": "left"}'})
    """What is hidden: a recipe and its options; None for problems without a mask."""
    mask_name: str = NO_MASK
    """The mask's name, in every row."""
    count: int
    """How many cases; the first of a longer list are the same."""
    seed: int = 0
    """Of the choice or the drawing of the pictures, and of random masks."""

    def __post_init__(self) -> None:
        if self.count < 1:
            raise BenchmarkError(f"cases.count: {self.count!r} is not a number of cases; give 1 or more")
        if self.seed < 0:
            raise BenchmarkError(f"cases.seed: {self.seed!r} is not a seed; give a whole number of 0 or more")
