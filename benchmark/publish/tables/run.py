"""The tables of a run: the source paper's two sweeps, selection, samplers, statistics, trade-offs, guided
against selected sets, the knee, the shares of attributes' values.

Each is a csv of full precision, one line for each measure of each row, and a document (Markdown, LaTeX, HTML) of the
measures that a reader looks for first.
"""

from __future__ import annotations

from pathlib import Path

from benchmark import statistics, store
from benchmark.publish import document
from benchmark.publish.contents import BLOCKS, table_names
from benchmark.publish.document import Document
from benchmark.publish.results.comparison import Entry, entries
from benchmark.publish.results.measured import Group, Measured, groups, samples_of
from benchmark.publish.settings import check
from benchmark.publish.tables.blocks import block_table
from benchmark.publish.tables.guided_or_selected import guided_or_selected_table
from benchmark.publish.tables.knee import knee_table
from benchmark.publish.tables.rows import as_csv
from benchmark.publish.tables.shares import shares_table
from benchmark.publish.tables.statistics import statistics_table
from benchmark.publish.tables.tradeoffs import operating_point_table, pareto_table


def write_tables(settings: dict, metrics: str, folder: str | Path) -> list[str]:
    """Write NAME.csv, .md, .tex and .html for every name of :func:`benchmark.publish.names.table_names`.

    Args:
        settings: run, margin, confidence, knee and tables: docs/architecture.md, section 7.1.
        metrics: metrics.parquet.

    Returns:
        The names of the tables.

    Raises:
        BenchmarkError: settings without tables, a metrics file that lacks a point that a table needs.
    """
    check(settings)
    measured = Measured(metrics, settings.get("confidence", statistics.LEVEL), samples_of(settings))
    compared = {table: [(group, entries(measured, group)) for group in groups(settings, table)] for table in BLOCKS}
    names = table_names(settings)
    for name in names:
        records, text = _table(name, settings, measured, compared)
        store.write_text(Path(folder) / f"{name}.csv", as_csv(records))
        for suffix, write in (("md", document.markdown), ("tex", document.latex), ("html", document.page)):
            store.write_text(Path(folder) / f"{name}.{suffix}", write(text))
    return names


def _table(
    name: str, settings: dict, measured: Measured, compared: dict[str, list[tuple[Group, list[Entry]]]]
) -> tuple[list[dict], Document]:
    """The csv's records of a table and its document; ``compared`` holds each table's groups with their entries."""
    if name in BLOCKS:
        return block_table(name, settings, measured, compared[name])
    if name in ("statistics", "knee"):
        write = {"statistics": statistics_table, "knee": knee_table}[name]
        return write(settings, measured, compared)
    write = {
        "pareto": pareto_table,
        "operating_point": operating_point_table,
        "attribute_shares": shares_table,
        "guided_or_selected": guided_or_selected_table,
    }[name]
    return write(settings, measured)
