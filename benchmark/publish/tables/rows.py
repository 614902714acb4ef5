"""The rows of tables: what identifies one in a csv, and what stands in front of it in a document."""

from __future__ import annotations

from benchmark.jobs.publish import Row
from benchmark.publish import labels
from benchmark.publish.results.measured import Group
from benchmark.publish.results.paper import axis_of
from benchmark.statistics import Interval


def row_keys(table: str | None, dataset: str, scope: str, row: Row) -> dict:
    """What says in a csv which point a line is about; ``table`` is None where the file is of one table's own."""
    keys = {"table": table} if table else {}
    keys |= {"dataset": dataset, "task": scope, "sampler": row.sampler, "method": row.method}
    return keys | {"label": row.label, "eta": row.eta, "D": row.D, "D_unit": row.D_unit}


def interval_columns(name: str, interval: Interval | None) -> dict:
    """The columns NAME, NAME_low and NAME_high of a csv; empty where there is no interval."""
    low, high, middle = (interval.low, interval.high, interval.estimate) if interval else (None, None, None)
    return {name: middle, f"{name}_low": low, f"{name}_high": high}


def difference_columns(name: str, difference: Interval | None) -> dict:
    """:func:`interval_columns`, and ``resolves``: the smallest difference that these cases detect with 80 %."""
    return interval_columns(name, difference) | {"resolves": difference.resolves if difference else None}


def row_headers(group: Group) -> list[str]:
    """The headers of :func:`row_labels`: the axis of a sweep, or the set and, of several samplers, whose."""
    if group.table in ("eta_sweep", "D_sweep"):
        axis = axis_of(group.table)
        return ["η" if axis == "eta" else "D"]
    return ["Sampler", "Set"] if group.sampler is None else ["Set"]


def row_labels(group: Group, position: int) -> list[str]:
    """What stands in front of a row; a sampler is named in its first row alone."""
    row = group.rows[position]
    if group.table in ("eta_sweep", "D_sweep"):
        return [labels.axis_value(row, axis_of(group.table))]
    if group.sampler is not None:
        return [labels.point(row)]
    repeated = position and group.rows[position - 1].sampler == row.sampler
    return ["" if repeated else row.sampler, labels.point(row)]


def full_labels(group: Group, position: int) -> list[str]:
    """Row labels with nothing left out as repeated."""
    row = group.rows[position]
    return [row.sampler, labels.point(row)] if group.sampler is None else row_labels(group, position)
