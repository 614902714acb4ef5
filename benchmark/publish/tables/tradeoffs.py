"""The tables ``pareto`` and ``operating_point``: diversity against quality, and how much of it a margin allows."""

from __future__ import annotations

import math

from benchmark import statistics
from benchmark.metrics.registry import Metric
from benchmark.publish import document, labels
from benchmark.publish.contents import datasets_of, has_blocks, table
from benchmark.publish.document import Column, Document, Section, Value
from benchmark.publish.results.measured import Measured, plain_of
from benchmark.publish.results.run import Run
from benchmark.publish.results.tradeoff import Tradeoff, tradeoffs
from benchmark.publish.tables.notes import cases_for_margin, interval_line, legend, margin_note, tuned_lines, verdict
from benchmark.publish.tables.rows import interval_columns, row_keys
from benchmark.statistics import Interval


@table(
    "pareto",
    "The points that no other point beats in both diversity and quality.",
    rank=5,
)
def pareto_table(run: Run) -> tuple[list[dict], Document]:
    """Every point with its two measures and whether it is on the front: the csv's records and the document."""
    records, sections = [], []
    measured = run.measured
    for dataset in datasets_of(run.settings):
        found = tradeoffs(run.settings, measured, dataset)
        for trade in found:
            records += _pareto_records(trade)
        sections += [_pareto_section(trade) for trade in found[:1]]
    intro = [
        "Every set of the run. On the front: no other is at least as good in both measures and better in one.",
        "Certainty: the share of bootstrap resamples of the cases in which it is on the front.",
        interval_line(measured),
    ]
    return records, Document("pareto", "Diversity against quality", intro, sections, legend(measured))


def _pareto_records(trade: Tradeoff) -> list[dict]:
    records = []
    for index, row in enumerate(trade.rows):
        record = row_keys(None, trade.dataset, trade.scope.name, row)
        record |= {"diversity_metric": trade.diversity.name} | interval_columns("diversity", trade.diversities[index])
        record |= {"quality_metric": trade.quality.name} | interval_columns("quality", trade.qualities[index])
        records.append(record | {"front": bool(trade.front[index]), "front_share": float(trade.share[index])})
    return records


def _pareto_section(trade: Tradeoff) -> Section:
    order = sorted(range(len(trade.rows)), key=lambda i: (-trade.diversities[i].estimate, i))
    columns = [Column("Sampler", False), Column("Set", False)]
    columns += [
        Column(trade.diversity.header),
        Column(trade.quality.header),
        Column("Front", False),
        Column("Certainty"),
    ]
    rows = [
        [
            trade.rows[i].sampler,
            labels.point(trade.rows[i]),
            Value(trade.diversities[i]),
            Value(trade.qualities[i]),
            "front" if trade.front[i] else "",
            f"{trade.share[i]:.2f}" if math.isfinite(trade.share[i]) else None,
        ]
        for i in order
    ]
    return Section(f"{trade.dataset}: {trade.scope.title}", columns, rows)


@table(
    "operating_point",
    "The most diverse point whose quality is not worse than plain sampling's by more than the margin that the "
    "configuration declares.",
    lambda settings: has_blocks(settings) and settings.margin,
    rank=6,
)
def operating_point_table(run: Run) -> tuple[list[dict], Document]:
    """Every sampler's operating point for each margin of the settings: the csv's records and the document."""
    records, sections = [], []
    settings, measured = run.settings, run.measured
    for dataset in datasets_of(settings):
        found = [
            record
            for trade in tradeoffs(settings, measured, dataset)
            for name in settings.margin
            for record in _best(measured, trade, labels.measure(name), settings.margin[name])
        ]
        records += [record for record, _, _ in found]
        if found:
            sections.append(_operating_section(dataset, found))
    intro = [
        "For each sampler the set of highest diversity whose quality is shown to be not worse than its plain set's by "
        "the margin: the paired difference is better than that, although cases that were not seen may lose everything.",
        "Plain: no guided or selected set is shown to qualify, or none is more diverse. Not resolved: the interval "
        "includes 0, which is not the same as no difference.",
        *tuned_lines(settings),
        interval_line(measured),
    ]
    return records, Document("operating_point", "Operating points", intro, sections, legend(measured))


def _best(measured: Measured, trade: Tradeoff, quality: Metric, margin: float) -> list[tuple[dict, list, str]]:
    """One operating point for each sampler of a scope: its record, its line in the document, and what could not be
    shown."""
    found = []
    for sampler in dict.fromkeys(row.sampler for row in trade.rows):
        rows = [row for row in trade.rows if row.sampler == sampler]
        plain = plain_of(tuple(rows), rows[0])
        if plain is None or len(rows) < 2 or not quality.better:
            continue
        where = (trade.dataset, trade.scope)
        changes = [None if row is plain else measured.difference(*where, row, plain, quality.name) for row in rows]
        diversities = [measured.mean(*where, row, trade.diversity.name) for row in rows]
        cases = max(change.n for change in changes if change)
        if not cases:
            continue
        estimates = [diversity.estimate for diversity in diversities]
        index = statistics.operating_point(estimates, changes, margin, quality.better < 0)
        chosen = rows.index(plain) if index is None else index
        gain = _no_change(cases, measured.level)
        if rows[chosen] is not plain:
            gain = measured.difference(*where, rows[chosen], plain, trade.diversity.name)
        change = changes[chosen] or _no_change(cases, measured.level)
        record = row_keys(None, trade.dataset, trade.scope.name, rows[chosen])
        record |= {"quality_metric": quality.name, "margin": margin, "diversity_metric": trade.diversity.name}
        record |= interval_columns("diversity", diversities[chosen]) | interval_columns("diversity_gain", gain)
        record |= interval_columns("quality_change", change) | {"resolves": change.resolves}
        record |= {"gain_resolves": gain.resolves, "cases": cases}
        record |= {"cases_needed": cases_for_margin(margin, quality.name, measured.level)}
        line = [trade.scope.name, sampler, f"{quality.label} ({margin:g})", labels.point(rows[chosen])]
        line += [Value(diversities[chosen]), Value(gain, signed=True), _change_text(quality.name, change)]
        found.append((record, line, margin_note(margin, quality.name, changes)))
    return found


def _no_change(cases: int, level: float) -> Interval:
    """Plain sampling against itself: 0, and nothing to estimate."""
    return Interval(0.0, math.nan, math.nan, cases, level)


def _change_text(metric: str, change: Interval) -> str:
    cells, power = document.formatted([Value(change, signed=True)])
    shown = verdict(metric, change)
    return " ".join(filter(None, [*cells[0], power, f"({shown})" if shown.startswith("no") else ""]))


def _operating_section(dataset: str, found: list[tuple[dict, list, str]]) -> Section:
    diversity = labels.measure(found[0][0]["diversity_metric"])
    columns = [Column(name, False) for name in ("Task", "Sampler", "Quality (margin)", "Set")]
    columns += [Column(diversity.header), Column("Gain over plain"), Column("Change of quality")]
    rows, breaks, last = [], set(), None
    for _, line, _ in found:
        if line[0] != last:
            breaks.add(len(rows))
        rows.append([line[0] if line[0] != last else "", *line[1:]])
        last = line[0]
    first = found[0][0]["task"]
    notes = dict.fromkeys(note for record, _, note in found if note and record["task"] == first)
    return Section(dataset, columns, rows, " ".join(notes), frozenset(breaks))
