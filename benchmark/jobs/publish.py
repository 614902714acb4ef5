"""The settings of tables and figures, of a run and of the section ``truth``: which points stand in which."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, ClassVar

from benchmark.errors import BenchmarkError
from benchmark.jobs.contract import LEFT_OUT, Settings

BLOCKS = ("eta_sweep", "D_sweep", "selection", "samplers")  # the tables that are made of blocks


@dataclass(frozen=True, kw_only=True, slots=True)
class Row(Settings):
    """A row of a table: a point of the grid, or what a strategy selected. Its sets are found by :attr:`key`."""

    label: str
    """What stands in the table."""
    sampler: str
    """The name of the configuration's entry."""
    method: str
    """``plain``, the guidance's name, or the strategy's."""
    eta: float
    """Step size of the guidance; 0 without."""
    D: float
    """Distance of the guidance, "inf" in JSON where there is no threshold; 0 without."""
    D_unit: str
    """Unit of D; rms without."""
    point: str
    """The name of its file."""
    kind: str
    """The folder of its file: ``samples``, or ``selected``."""

    @property
    def plain(self) -> bool:
        """Whether it is plain sampling."""
        return self.method == "plain"

    @property
    def selected(self) -> bool:
        """Whether its sets were picked from candidates."""
        return self.kind == "selected"

    @property
    def guided(self) -> bool:
        """Whether its samples were pushed apart: neither plain nor selected."""
        return not (self.plain or self.selected)

    @property
    def key(self) -> tuple[str, str, float, float, str]:
        """What identifies it among the sets of a dataset and task: sampler, method, eta, D, D_unit."""
        return self.sampler, self.method, float(self.eta), float(self.D), self.D_unit


@dataclass(frozen=True, kw_only=True, slots=True)
class Block(Settings):
    """The rows of one dataset, task and sampler.

    Raises:
        BenchmarkError: no rows.
    """

    dataset: str
    """The dataset's name."""
    task: str
    """The task's name."""
    sampler: str | None = None
    """The sampler's name; None where rows of several are compared."""
    n: int = 0
    """Samples of a set; 0 where that is not known."""
    fixed: dict[str, Any] = field(default_factory=dict)
    """What all rows have: D and its unit in a sweep over eta, eta in one over D."""
    rows: list[Row]
    """In the order of the table; plain stands for eta = 0 and for D = 0."""

    def __post_init__(self) -> None:
        if not self.rows:
            raise BenchmarkError("a block without rows")


@dataclass(frozen=True, kw_only=True, slots=True)
class PublishSettings(Settings):
    """``tables`` and ``figures``: what they need to know beside the measured values.

    Raises:
        BenchmarkError: a table that there is not.
    """

    JOB: ClassVar[str] = "publishing"
    MISSING: ClassVar[str] = "--settings: {key}: missing; a {job} job needs {needed}"

    run: str = field(default="", metadata=LEFT_OUT)
    """The run's name."""
    margin: dict[str, float] = field(default_factory=dict)
    """How much worse a metric may be and still count as not worse, by its name."""
    confidence: float | None = field(default=None, metadata=LEFT_OUT)
    """Level of the intervals, between 0 and 1; that of the statistics where it is left out."""
    tuned_on: str | None = field(default=None, metadata=LEFT_OUT)
    """On what other cases margins, eta and D were chosen."""
    tables: dict[str, list[Block]]
    """Table -> its blocks; one without blocks is not made."""
    knee: list[str] = field(default_factory=list, metadata=LEFT_OUT)
    """Datasets of the table of the knee: a sweep over eta behind a hole, whose plausibility is measured."""
    shares: dict[str, str] = field(default_factory=dict, metadata=LEFT_OUT)
    """Datasets of the table of attribute shares: those of the knee whose shares are measured, with their world."""

    def __post_init__(self) -> None:
        if unknown := sorted(set(self.tables) - set(BLOCKS)):
            raise BenchmarkError(f"--settings: tables: unknown table {unknown[0]!r}; known are {', '.join(BLOCKS)}")
        _check_level(self.confidence)


@dataclass(frozen=True, kw_only=True, slots=True)
class Compared(Settings):
    """Two samplers that a table holds against each other."""

    sampler: str
    """The sampler of which something is said."""
    against: str
    """The sampler that it is held against."""
    what: str
    """What differs between the two."""


@dataclass(frozen=True, kw_only=True, slots=True)
class ExactReportSettings(Settings):
    """``truth-report``: what table and figures of the section ``truth`` need to know beside truth.parquet.

    Raises:
        BenchmarkError: no problems, no samplers.
    """

    JOB: ClassVar[str] = "truth-report"

    run: str = field(default="", metadata=LEFT_OUT)
    """The run's name."""
    problems: list[str]
    """The problems, in the order of the tables."""
    samplers: list[str]
    """The samplers, in the order of the tables, the posterior itself first."""
    compare: list[Compared] = field(default_factory=list)
    """Pairs of samplers that are held against each other."""
    n: int | None = field(default=None, metadata=LEFT_OUT)
    """Samples of a set."""
    confidence: float | None = field(default=None, metadata=LEFT_OUT)
    """Level of the intervals, between 0 and 1."""
    groups: dict[str, str] = field(default_factory=dict)
    """Problem -> the name under which it may be averaged with others; its world by default."""
    tuned: list[str] = field(default_factory=list)
    """Samplers whose options were chosen by number of steps."""
    held_out: list[str] = field(default_factory=list)
    """Problems that no choice of options saw."""

    def __post_init__(self) -> None:
        for name in ("problems", "samplers"):
            if not getattr(self, name):
                raise BenchmarkError(f"--settings: {name}: missing; give the {name} of the configuration's truth")
        _check_level(self.confidence)


def _check_level(level: float | None) -> None:
    if level is not None and not 0 < level < 1:
        raise BenchmarkError(f"--settings: confidence: {level} is no level of intervals; give a number between 0 and 1")
