"""The table ``statistics``: changes from plain sampling with their tests, and trends over the sweeps."""

from __future__ import annotations

import math

from benchmark import statistics
from benchmark.metrics.registry import Metric
from benchmark.publish import document, labels
from benchmark.publish.contents import BLOCKS, table
from benchmark.publish.document import Column, Document, Section, Value
from benchmark.publish.results.comparison import Entry
from benchmark.publish.results.measured import Group, Measured
from benchmark.publish.results.paper import axis_of
from benchmark.publish.results.run import Run
from benchmark.publish.tables.measures import headline_and_further
from benchmark.publish.tables.notes import legend, margin_note, not_worse, star_note, verdict
from benchmark.publish.tables.rows import difference_columns, full_labels, interval_columns, row_headers, row_keys


@table(
    "statistics",
    "Differences from plain sampling, paired by case, with intervals and corrected tests.",
    rank=4,
)
def statistics_table(run: Run) -> tuple[list[dict], Document]:
    """The csv's records and the document; ``margin`` of the settings decides what counts as not worse."""
    margins, measured = run.settings.margin, run.measured
    records, sections, trends = [], [], []
    for name in BLOCKS:
        for group, part in run.compared[name]:
            changed = [entry for entry in part if entry.difference is not None]
            records += [_record(entry, margins) for entry in changed]
            if changed:
                sections.append(_changes(group, changed, margins))
            if name in ("eta_sweep", "D_sweep"):
                tested = _trends(measured, group)
                records += tested
                trends += _trend_rows(group, tested, _measures(group, part, margins))
    if trends:
        columns = [*(Column(name, False) for name in ("Sweep", "Dataset", "Sampler", "Measure"))]
        columns += [Column("p, rising"), Column("p, falling")]
        note = (
            "One-sided p-values of Page's statistic for an ordered trend over the sweep, by permuting each case's "
            "levels; means over tasks."
        )
        sections.insert(0, Section("Trends over the sweeps", columns, trends, note))
    level = f"{measured.level:.0%}"
    intro = [
        f"Differences from the plain set of the same sampler, paired by case, task and seed, with {level} interval; p "
        "(docs/metrics.md, Uncertainty), and after Holm's correction over a sampler's sets in a table that are tested: "
        "what no case differs in is not, nor what has no direction, nor a cost.",
        f"Resolves: the smallest true difference that these cases detect with {statistics.POWER:.0%} before Holm's "
        "correction. Shown: what the interval says; not resolved: it includes 0, which is not the same as no "
        "difference.",
        "P(better): the probability that a case is better than with plain sampling. Not worse: shown to lose less than "
        "the margin of the settings, although cases that were not seen may lose everything; not claimed of a measure "
        "without a finite range.",
        "Overall view, of measures with a direction; each task and every measure are in the csv.",
    ]
    return records, Document(
        "statistics", "Changes from plain sampling", intro, sections, legend(measured, starred=True)
    )


def _record(entry: Entry, margins: dict) -> dict:
    record = row_keys(entry.group.table, entry.group.dataset, entry.scope.name, entry.row)
    margin = margins.get(entry.metric)
    kept = not_worse(margin, entry.metric, entry.difference)
    record |= {"test": "difference", "metric": entry.metric} | difference_columns("difference", entry.difference)
    record |= {"cases": entry.difference.n, "p": entry.difference.p, "p_holm": entry.p_holm}
    record |= interval_columns("probability_of_improvement", entry.improvement)
    record |= {"margin": margin, "not_worse": kept, "shown": verdict(entry.metric, entry.difference)}
    return record | {"worst_low": entry.difference.worst_low, "worst_high": entry.difference.worst_high}


def _measures(group: Group, part: list[Entry], margins: dict) -> list[Metric]:
    headline, _ = headline_and_further(group, part)
    present = {entry.metric for entry in part}
    extra = [name for name in [*margins, "consistency_error"] if name in present]
    chosen = dict.fromkeys(shown.name for shown in headline if shown.group != "cost")
    return [labels.measure(name) for name in chosen | dict.fromkeys(extra) if labels.measure(name).tested]


def _changes(group: Group, changed: list[Entry], margins: dict) -> Section:
    scope = group.scopes()[0]
    shown = _measures(group, changed, margins)
    with_margin = any(column.name in margins for column in shown)
    columns = [Column("Measure", False), *(Column(header, False) for header in row_headers(group))]
    columns += [Column("Difference"), Column("Resolves"), Column("Shown", False)]
    columns += [Column("p"), Column("p, Holm"), Column("P(better)")]
    columns += [Column("Not worse")] if with_margin else []
    rows, breaks = [], set()
    for column in shown:
        breaks.add(len(rows))
        found = [entry for entry in changed if entry.scope == scope and entry.metric == column.name]
        cells = [Value(entry.difference, entry.significant, signed=True) for entry in found]
        formatted, power = document.formatted([*cells, *(entry.difference.resolves for entry in found)])
        header = f"{column.header} ({power})" if power else column.header
        for index, entry in enumerate(found):
            record, text = _record(entry, margins), " ".join(filter(None, formatted[index]))
            row = [header if index == 0 else "", *full_labels(group, entry.position), text]
            row += [formatted[len(found) + index][0], record["shown"]]
            row += [document.p_value(entry.difference.p), document.p_value(entry.p_holm)]
            row.append(f"{entry.improvement.estimate:.2f}" if entry.improvement else None)
            unclaimed = None if record["margin"] is None else "no range"
            row += [{True: "yes", False: "no", None: unclaimed}[record["not_worse"]]] if with_margin else []
            rows.append(row)
    name = {"eta_sweep": "η sweep", "D_sweep": "D sweep"}.get(group.table, group.table)
    where = ", ".join(filter(None, [name, group.dataset, group.sampler]))
    shown_margins = [f"{column.label} {margins[column.name]:g}" for column in shown if column.name in margins]
    overall = [entry for entry in changed if entry.scope == scope]
    level = overall[0].mean.level
    notes = [f"Margins: {', '.join(shown_margins)}."] if shown_margins else []
    for column in shown:
        if column.name in margins and column.better:
            changes = [entry.difference for entry in overall if entry.metric == column.name]
            notes.append(margin_note(margins[column.name], column.name, changes))
    return Section(where, columns, rows, " ".join(filter(None, [*notes, star_note(overall, level)])), frozenset(breaks))


def _trends(measured: Measured, group: Group) -> list[dict]:
    axis = axis_of(group.table)
    rows = sorted(group.rows, key=lambda row: 0.0 if row.plain else getattr(row, axis))
    records = []
    for scope in group.scopes():
        for metric in measured.metrics(group):
            tested = labels.measure(metric).tested
            rising, falling = measured.trend(group.dataset, scope, rows, metric) if tested else (math.nan, math.nan)
            keys = {"table": group.table, "dataset": group.dataset, "task": scope.name, "sampler": group.sampler}
            for test, p in (("trend_rising", rising), ("trend_falling", falling)):
                records.append(keys | {"test": test, "metric": metric, "p": p})
    return records


def _trend_rows(group: Group, tested: list[dict], shown: list[Metric]) -> list[list]:
    scope = group.scopes()[0].name
    p = {(record["metric"], record["test"]): record["p"] for record in tested if record["task"] == scope}
    sweep = {"eta_sweep": "η", "D_sweep": "D"}[group.table]
    return [
        [
            *((sweep, group.dataset, group.sampler or "") if index == 0 else ("", "", "")),
            column.header,
            document.p_value(p[column.name, "trend_rising"]),
            document.p_value(p[column.name, "trend_falling"]),
        ]
        for index, column in enumerate(shown)
    ]
