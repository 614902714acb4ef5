"""The tables and figures of truth.parquet."""

from __future__ import annotations

from pathlib import Path

from benchmark.publish import files
from benchmark.publish.contents import figures, table_names, tables
from benchmark.publish.exact.results import Results
from benchmark.publish.figures.style import save, style

ROOM = "exact"


def write_tables(results: Results, folder: str | Path) -> None:
    """Write NAME.csv, .md, .tex and .html of each."""
    for name in table_names(results.settings, ROOM):
        files.write_table(folder, name, *tables(ROOM)[name].make(results))


def write_figures(results: Results, folder: str | Path) -> None:
    """Write NAME.png and .svg of each."""
    for one in figures(ROOM).values():
        for name in one.files(results.settings):
            with style():
                save(one.draw(results), folder, name)
