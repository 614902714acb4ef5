"""The tables of a run.

Each is a csv of full precision, one line for each measure of each row, and a document (Markdown, LaTeX, HTML) of the
measures that a reader looks for first.
"""

from __future__ import annotations

from pathlib import Path

from benchmark.jobs.publish import PublishSettings
from benchmark.publish.contents import table_names, tables
from benchmark.publish.files import write_table
from benchmark.publish.results.run import Run


def write_tables(settings: PublishSettings, metrics: str, folder: str | Path) -> list[str]:
    """Write NAME.csv, .md, .tex and .html for every name of :func:`benchmark.publish.contents.table_names`.

    Args:
        settings: which tables, and of which points.
        metrics: metrics.parquet.

    Returns:
        The names of the tables.

    Raises:
        BenchmarkError: a metrics file that lacks a point that a table needs.
    """
    run = Run.read(settings, metrics)
    names = table_names(settings)
    for name in names:
        write_table(folder, name, *tables()[name].make(run))
    return names
