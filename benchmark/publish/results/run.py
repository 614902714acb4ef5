"""What tables and figures are made from: what a run asked for, and what was measured of it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from benchmark import statistics
from benchmark.jobs.publish import BLOCKS, PublishSettings
from benchmark.publish.results.comparison import Entry, entries
from benchmark.publish.results.measured import Group, Measured, groups, samples_of


@dataclass(frozen=True)
class Run:
    """The settings of the publishing stage and the measured values."""

    settings: PublishSettings
    measured: Measured

    @classmethod
    def read(cls, settings: PublishSettings, metrics: str) -> Run:
        """A run from its settings and its metrics.parquet.

        Raises:
            BenchmarkError: a metrics file without a value of a set.
        """
        level = settings.confidence or statistics.LEVEL
        return cls(settings, Measured(metrics, level, samples_of(settings)))

    def groups(self, table: str, dataset: str | None = None) -> list[Group]:
        """The groups of a list of blocks, of a dataset or of all."""
        return [group for group in groups(self.settings, table) if dataset in (None, group.dataset)]

    @cached_property
    def compared(self) -> dict[str, list[tuple[Group, list[Entry]]]]:
        """Every list of blocks: its groups, each with its entries."""
        return {table: [(group, entries(self.measured, group)) for group in self.groups(table)] for table in BLOCKS}
