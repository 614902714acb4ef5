"""The tables of a run: the source paper's two sweeps, selection, samplers, statistics, trade-offs.

Each is a csv of full precision, one line for each measure of each row, and a document (Markdown, LaTeX, HTML) of the
measures that a reader looks for first.
"""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Callable
from pathlib import Path

from benchmark import statistics, store
from benchmark.errors import BenchmarkError
from benchmark.publish import document, labels
from benchmark.publish.comparison import Entry, entries
from benchmark.publish.document import Column, Document, Section, Value
from benchmark.publish.labels import Measure
from benchmark.publish.measured import Group, Measured, groups, plain_of
from benchmark.publish.names import BLOCKS, datasets_of, table_names
from benchmark.publish.published import beside, published
from benchmark.publish.tradeoff import Tradeoff, tradeoffs
from benchmark.statistics import Interval

TITLES = {
    "eta_sweep": "Effect of η on diversity and quality",
    "D_sweep": "Effect of D on diversity and quality",
    "selection": "Guided sets and sets selected from many candidates",
    "samplers": "Samplers",
    "statistics": "Changes from plain sampling",
    "pareto": "Diversity against quality",
    "operating_point": "Operating points",
}
# Groups of measures and how many of each stand in the first table of a section.
HEADLINE = {
    "eta_sweep": {"diversity": 3, "quality": 2},
    "D_sweep": {"diversity": 3, "quality": 2},
    "selection": {"diversity": 3, "coverage": 2, "quality": 2},
    "samplers": {"diversity": 2, "quality": 2, "fidelity": 1, "cost": 2},
}
# Where the truth is known (drawn worlds), its measures come first and most others leave them the room.
KNOWN_TRUTH = {"truth": 4, "diversity": 1, "quality": 1}
FURTHER = {"truth": 3, "diversity": 6, "quality": 5, "fidelity": 1, "guidance": 1}
FURTHER_COLUMNS = 7


def write_tables(settings: dict, metrics: str, folder: str | Path) -> list[str]:
    """Write NAME.csv, .md, .tex and .html for every name of :func:`benchmark.publish.names.table_names`.

    Args:
        settings: run, margin, confidence and tables: docs/architecture.md, section 7.1.
        metrics: metrics.parquet.

    Returns:
        The names of the tables.

    Raises:
        BenchmarkError: settings without tables, a metrics file that lacks a point that a table needs.
    """
    check(settings)
    measured = Measured(metrics, settings.get("confidence", statistics.LEVEL))
    compared = {table: [(group, entries(measured, group)) for group in groups(settings, table)] for table in BLOCKS}
    names = table_names(settings)
    for name in names:
        records, text = _BUILDERS[name](settings, measured, compared)
        store.write_text(Path(folder) / f"{name}.csv", _csv(records))
        for suffix, write in (("md", document.markdown), ("tex", document.latex), ("html", document.page)):
            store.write_text(Path(folder) / f"{name}.{suffix}", write(text))
    return names


def check(settings: dict) -> None:
    """Refuse settings that are not those of the publishing stage.

    Raises:
        BenchmarkError: no tables, or no rows in any.
    """
    if not isinstance(settings.get("tables"), dict):
        raise BenchmarkError("--settings: tables: missing; see docs/architecture.md, section 7.1")
    unknown = sorted(set(settings["tables"]) - set(BLOCKS))
    if unknown:
        raise BenchmarkError(f"--settings: tables: unknown table {unknown[0]!r}; known are {', '.join(BLOCKS)}")
    for table, blocks in settings["tables"].items():
        for block in blocks:
            lacking = {"dataset", "task", "rows"} - set(block)
            if lacking or not block["rows"]:
                what = min(lacking) if lacking else "rows"
                raise BenchmarkError(f"--settings: tables: {table}: a block without {what}")


def _csv(records: list[dict]) -> str:
    text = io.StringIO()
    writer = csv.DictWriter(text, list(dict.fromkeys(key for record in records for key in record)), lineterminator="\n")
    writer.writeheader()
    writer.writerows({key: _plain(value) for key, value in record.items()} for record in records)
    return text.getvalue()


def _plain(value: object) -> object:
    return "" if value is None or (isinstance(value, float) and math.isnan(value)) else value


# ----------------------------------------------------------------------------------------------------- the four blocks
def _blocks(table: str) -> Callable:
    def build(settings: dict, measured: Measured, compared: dict) -> tuple[list[dict], Document]:
        found = compared[table]
        records = [_record(entry) for _, part in found for entry in part]
        if table in published()["tables"]:
            records = [record for group, part in found for record in _with_published(group, part)]
        sections = [section for group, part in found for section in _sections(group, part)]
        return records, Document(
            table, TITLES[table], _intro(table, settings, measured), sections, _legend(measured, starred=True)
        )

    return build


def _record(entry: Entry) -> dict:
    row, shown = entry.row, labels.measure(entry.metric)
    record = _where(entry.group.table, entry.group.dataset, entry.scope.name, row) | {"D_rms": entry.D_rms}
    record |= {"metric": entry.metric, "unit": shown.unit, "better": {1: "higher", -1: "lower", 0: ""}[shown.better]}
    record |= _interval("mean", entry.mean) | {"cases": entry.mean.n, "sets": entry.sets, "missing": entry.missing}
    record |= _interval("difference", entry.difference)
    return record | {"p": entry.difference.p if entry.difference else None, "p_holm": entry.p_holm}


def _where(table: str | None, dataset: str, scope: str, row: dict) -> dict:
    keys = {"table": table} if table else {}
    keys |= {"dataset": dataset, "task": scope, "sampler": row["sampler"], "method": row["method"]}
    return keys | {"label": row["label"], "eta": row["eta"], "D": row["D"], "D_unit": row["D_unit"]}


def _interval(name: str, interval: Interval | None) -> dict:
    low, high, middle = (interval.low, interval.high, interval.estimate) if interval else (None, None, None)
    return {name: middle, f"{name}_low": low, f"{name}_high": high}


def _with_published(group: Group, part: list[Entry]) -> list[dict]:
    partners, _ = beside(group.table, list(group.rows))
    axis = published()["tables"][group.table]["axis"]
    names = [axis, *published()["columns"]]
    return [
        _record(entry) | {f"published_{name}": (partners[entry.position] or {}).get(name) for name in names}
        for entry in part
    ]


def _intro(table: str, settings: dict, measured: Measured) -> list[str]:
    lines = []
    if table in published()["tables"]:
        source, theirs = published()["source"], published()["tables"][table]
        datasets = list(dict.fromkeys(block["dataset"] for block in settings["tables"][table]))
        lines.append(
            f"After {theirs['number']} of “{source['title']}” ({source['authors']}), whose values stand in the columns "
            f"on the right. Method: {source['method']}."
        )
        lines.append(
            f"The published values were measured on {source['data']}. The data here ({', '.join(datasets)}) are not "
            "CelebA and most columns are other measures: compare the direction, not the values."
        )
        if table == "D_sweep":
            lines.append(
                "The published D is counted in another unit (a distance divided by the number of unknown elements): "
                "only 0 and ∞ are the same point, the values between them stand side by side in their order."
            )
    if table == "samplers":
        lines.append("Network evaluations and time are those of a whole set of N restorations.")
    if table == "selection":
        lines.append(
            "Selected sets are picked from a large number of plain candidates; coverage is of those candidates."
        )
    return [*lines, _interval_line(measured), _star_line(measured)]


def _interval_line(measured: Measured) -> str:
    return (
        f"Mean over cases with its {measured.level:.0%} interval (hierarchical bootstrap: cases, then seeds). "
        "↑: higher is better, ↓: lower is better."
    )


def _star_line(measured: Measured) -> str:
    return (
        f"* differs from the plain set of the same sampler at {1 - measured.level:.0%} (paired sign-flip test, Holm's "
        "correction over a sampler's sets in a table)."
    )


def _legend(measured: Measured, starred: bool = False) -> str:
    """What a table needs beside it wherever it is pasted."""
    star = f"; * differs from plain at {1 - measured.level:.0%} (paired sign flips, Holm)" if starred else ""
    return f"Mean over cases with its {measured.level:.0%} bootstrap interval{star}."


def _sections(group: Group, part: list[Entry]) -> list[Section]:
    """Overall: the first measures with the published ones beside them, then further ones; then each task."""
    headline, further = _chosen(group, part)
    scopes = group.scopes()
    where = [group.dataset, *([group.sampler] if group.sampler else [])]
    over = f"mean over {len(group.tasks)} tasks" if len(scopes) > 1 else scopes[0].name
    title = f"{', '.join(where)}: {over}"
    sections = [_section(group, part, [scopes[0].name], headline, title, _note(group, part), beside_it=True)]
    if further:
        sections.append(_section(group, part, [scopes[0].name], further, f"{title}, further measures"))
    if len(scopes) > 1:
        names = [scope.name for scope in scopes[1:]]
        sections.append(_section(group, part, names, headline, f"{', '.join(where)}: each task"))
    return sections


def _chosen(group: Group, part: list[Entry]) -> tuple[list[Measure], list[Measure]]:
    present = {entry.metric for entry in part}
    wanted = HEADLINE[group.table]
    if labels.preferred(present, "truth"):
        wanted = KNOWN_TRUTH | {kind: KNOWN_TRUTH.get(kind, count) for kind, count in wanted.items()}
    headline = [shown for kind, count in wanted.items() for shown in labels.preferred(present, kind, count=count)]
    rest = present - {shown.name for shown in headline}
    further = [shown for kind, count in FURTHER.items() for shown in labels.preferred(rest, kind, count=count)]
    further = [shown for shown in further if not shown.name.startswith("attribute_entropy/")]
    if len(further) > FURTHER_COLUMNS:
        kept = [shown for shown in further if shown.group in ("fidelity", "guidance")]
        others = [shown for shown in further if shown not in kept][: FURTHER_COLUMNS - len(kept)]
        further = [*others, *kept]
    return headline, further


def _note(group: Group, part: list[Entry]) -> str:
    overall = [entry for entry in part if entry.scope == group.scopes()[0]]
    cases, n = max(entry.mean.n for entry in overall), group.n
    facts = [f"{cases} cases" if cases != 1 else "1 case (no interval)"]
    facts += [f"sets of N = {n}"] if n else []
    if "D" in group.fixed:
        facts.append(f"D = {labels.distance({'D_unit': 'rms', **group.fixed})}")
    elif "eta" in group.fixed:
        units = {row["D_unit"] for row in group.rows if 0 < row["D"] < math.inf}
        facts += [f"η = {labels.number(group.fixed['eta'])}"]
        facts += [f"D in {', '.join(labels.UNITS.get(unit, unit) for unit in sorted(units))}"] if units else []
    facts += [f"tasks: {', '.join(group.tasks)}"] if len(group.tasks) > 1 else []
    missing = max((entry.missing for entry in overall), default=0)
    text = "; ".join(facts) + "."
    if group.table in published()["tables"]:
        text += f" Published: {published()['source']['data']}, not comparable in value."
    return text + (
        f" Up to {missing} sets of a row have no value in some column and are left out there." if missing else ""
    )


def _section(
    group: Group,
    part: list[Entry],
    scopes: list[str],
    shown: list[Measure],
    title: str,
    note: str = "",
    beside_it: bool = False,
) -> Section:
    cells = {(entry.scope.name, entry.position, entry.metric): entry for entry in part}
    leading = [Column("Task", numeric=False)] if len(scopes) > 1 else []
    leading += [Column(header, numeric=False) for header in _row_headers(group)]
    rows, breaks = [], set()
    for scope in scopes:
        breaks.add(len(rows))
        for position in range(len(group.rows)):
            first = [scope if position == 0 else ""] if len(scopes) > 1 else []
            found = [cells[scope, position, column.name] for column in shown]
            rows.append(
                [*first, *_row_labels(group, position), *(Value(entry.mean, entry.significant) for entry in found)]
            )
    if group.sampler is None and len(scopes) == 1:
        breaks |= {i for i in range(1, len(group.rows)) if group.rows[i]["sampler"] != group.rows[i - 1]["sampler"]}
    columns = [*leading, *(Column(column.header) for column in shown)]
    if beside_it and group.table in published()["tables"]:
        columns, rows = _add_published(group, columns, rows)
    return Section(title, columns, rows, note, frozenset(breaks))


def _row_headers(group: Group) -> list[str]:
    if group.table in ("eta_sweep", "D_sweep"):
        axis = published()["tables"][group.table]["axis"]
        return ["η" if axis == "eta" else "D"]
    return ["Sampler", "Set"] if group.sampler is None else ["Set"]


def _row_labels(group: Group, position: int) -> list[str]:
    row = group.rows[position]
    if group.table in ("eta_sweep", "D_sweep"):
        return [labels.axis_value(row, published()["tables"][group.table]["axis"])]
    if group.sampler is not None:
        return [labels.point(row)]
    repeated = position and group.rows[position - 1]["sampler"] == row["sampler"]
    return ["" if repeated else row["sampler"], labels.point(row)]


def _add_published(group: Group, columns: list[Column], rows: list[list]) -> tuple[list[Column], list[list]]:
    """The published columns on the right; published rows without a partner follow at the end."""
    theirs = published()["tables"][group.table]
    axis, shown = theirs["axis"], published()["columns"]
    extra = [Column("Published D")] if axis == "D" else []
    for entry in shown.values():
        extra.append(Column(f"Published {entry['label']} {'↑' if entry['better'] == 'higher' else '↓'}"))

    def of(row: dict | None) -> list:
        if row is None:
            return [None] * len(extra)
        values = [f"{row[name]:.3f}" for name in shown]
        return ([labels.number(row[axis])] if axis == "D" else []) + values

    partners, alone = beside(group.table, list(group.rows))
    result = [[*row, *of(partner)] for row, partner in zip(rows, partners, strict=True)]
    for row in alone:
        first = "published only" if axis == "D" else labels.number(row[axis])
        result.append([first, *[None] * (len(columns) - 1), *of(row)])
    return [*columns, *extra], result


# ---------------------------------------------------------------------------------------------------------- statistics
def _statistics(settings: dict, measured: Measured, compared: dict) -> tuple[list[dict], Document]:
    margins = settings.get("margin") or {}
    records, sections, trends = [], [], []
    for table in BLOCKS:
        for group, part in compared[table]:
            changed = [entry for entry in part if entry.difference is not None]
            records += [_statistics_record(entry, margins) for entry in changed]
            if changed:
                sections.append(_changes(group, changed, margins))
            if table in ("eta_sweep", "D_sweep"):
                tested = _trends(measured, group)
                records += tested
                trends += _trend_rows(group, tested, _statistics_measures(group, part, margins))
    if trends:
        columns = [*(Column(name, False) for name in ("Sweep", "Dataset", "Sampler", "Measure"))]
        columns += [Column("p, rising"), Column("p, falling")]
        note = "One-sided p-values of Page's test for an ordered trend over the sweep; means over tasks."
        sections.insert(0, Section("Trends over the sweeps", columns, trends, note))
    level = f"{measured.level:.0%}"
    intro = [
        f"Differences from the plain set of the same sampler, paired by case, task and seed, with {level} interval; p "
        "by sign flips, and after Holm's correction over a sampler's sets in a table.",
        "P(better): the probability that a case is better than with plain sampling. Not worse: the whole interval is "
        "better than the margin of the settings.",
        "Overall view; each task and every measure are in the csv.",
    ]
    return records, Document("statistics", TITLES["statistics"], intro, sections, _legend(measured, starred=True))


def _statistics_record(entry: Entry, margins: dict) -> dict:
    record = _where(entry.group.table, entry.group.dataset, entry.scope.name, entry.row)
    margin, better = margins.get(entry.metric), labels.measure(entry.metric).better
    verdict = None if margin is None or not better else statistics.non_inferior(entry.difference, margin, better < 0)
    record |= {"test": "difference", "metric": entry.metric} | _interval("difference", entry.difference)
    record |= {"cases": entry.difference.n, "p": entry.difference.p, "p_holm": entry.p_holm}
    record |= _interval("probability_of_improvement", entry.improvement)
    return record | {"margin": margin, "not_worse": verdict}


def _statistics_measures(group: Group, part: list[Entry], margins: dict) -> list[Measure]:
    headline, _ = _chosen(group, part)
    present = {entry.metric for entry in part}
    extra = [name for name in [*margins, "consistency"] if name in present]
    chosen = dict.fromkeys(shown.name for shown in headline if shown.group != "cost")
    return [labels.measure(name) for name in chosen | dict.fromkeys(extra)]


def _changes(group: Group, changed: list[Entry], margins: dict) -> Section:
    scope = group.scopes()[0]
    shown = _statistics_measures(group, changed, margins)
    with_margin = any(column.name in margins for column in shown)
    columns = [Column("Measure", False), *(Column(header, False) for header in _row_headers(group))]
    columns += [Column("Difference"), Column("p"), Column("p, Holm"), Column("P(better)")]
    columns += [Column("Not worse")] if with_margin else []
    rows, breaks = [], set()
    for column in shown:
        breaks.add(len(rows))
        found = [entry for entry in changed if entry.scope == scope and entry.metric == column.name]
        cells = [Value(entry.difference, entry.significant, signed=True) for entry in found]
        formatted, power = document.formatted(cells)
        header = f"{column.header} ({power})" if power else column.header
        for index, (entry, cell) in enumerate(zip(found, formatted, strict=True)):
            verdict, text = _statistics_record(entry, margins)["not_worse"], " ".join(filter(None, cell))
            row = [header if index == 0 else "", *_full_labels(group, entry.position), text]
            row += [document.p_value(entry.difference.p), document.p_value(entry.p_holm)]
            row.append(f"{entry.improvement.estimate:.2f}" if entry.improvement else None)
            row += [{True: "yes", False: "no", None: None}[verdict]] if with_margin else []
            rows.append(row)
    name = {"eta_sweep": "η sweep", "D_sweep": "D sweep"}.get(group.table, group.table)
    where = ", ".join(filter(None, [name, group.dataset, group.sampler]))
    shown_margins = [f"{column.label} {margins[column.name]:g}" for column in shown if column.name in margins]
    note = f"Margins: {', '.join(shown_margins)}." if shown_margins else ""
    return Section(where, columns, rows, note, frozenset(breaks))


def _full_labels(group: Group, position: int) -> list[str]:
    """Row labels with nothing left out as repeated."""
    row = group.rows[position]
    return [row["sampler"], labels.point(row)] if group.sampler is None else _row_labels(group, position)


def _trends(measured: Measured, group: Group) -> list[dict]:
    axis = published()["tables"][group.table]["axis"]
    rows = sorted(group.rows, key=lambda row: 0.0 if labels.is_plain(row) else row[axis])
    records = []
    for scope in group.scopes():
        for metric in measured.metrics(group):
            rising, falling = measured.trend(group.dataset, scope, rows, metric)
            keys = {"table": group.table, "dataset": group.dataset, "task": scope.name, "sampler": group.sampler}
            for test, p in (("trend_rising", rising), ("trend_falling", falling)):
                records.append(keys | {"test": test, "metric": metric, "p": p})
    return records


def _trend_rows(group: Group, tested: list[dict], shown: list[Measure]) -> list[list]:
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


# ---------------------------------------------------------------------------------------------------------- trade-offs
def _pareto(settings: dict, measured: Measured, compared: dict) -> tuple[list[dict], Document]:
    records, sections = [], []
    for dataset in datasets_of(settings):
        found = tradeoffs(settings, measured, dataset)
        for trade in found:
            records += _pareto_records(trade)
        sections += [_pareto_section(trade) for trade in found[:1]]
    intro = [
        "Every set of the run. On the front: no other is at least as good in both measures and better in one.",
        "Certainty: the share of bootstrap resamples of the cases in which it is on the front.",
        _interval_line(measured),
    ]
    return records, Document("pareto", TITLES["pareto"], intro, sections, _legend(measured))


def _pareto_records(trade: Tradeoff) -> list[dict]:
    records = []
    for index, row in enumerate(trade.rows):
        record = _where(None, trade.dataset, trade.scope.name, row)
        record |= {"diversity_metric": trade.diversity.name} | _interval("diversity", trade.diversities[index])
        record |= {"quality_metric": trade.quality.name} | _interval("quality", trade.qualities[index])
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
            trade.rows[i]["sampler"],
            labels.point(trade.rows[i]),
            Value(trade.diversities[i]),
            Value(trade.qualities[i]),
            "front" if trade.front[i] else "",
            f"{trade.share[i]:.2f}" if math.isfinite(trade.share[i]) else None,
        ]
        for i in order
    ]
    scope = trade.scope
    over = f"mean over {len(scope.tasks)} tasks" if len(scope.tasks) > 1 else scope.name
    return Section(f"{trade.dataset}: {over}", columns, rows)


def _operating_point(settings: dict, measured: Measured, compared: dict) -> tuple[list[dict], Document]:
    records, sections = [], []
    for dataset in datasets_of(settings):
        found = [
            record
            for trade in tradeoffs(settings, measured, dataset)
            for name in settings["margin"]
            for record in _best(measured, trade, labels.measure(name), settings["margin"][name])
        ]
        records += [record for record, _ in found]
        if found:
            sections.append(_operating_section(dataset, found))
    intro = [
        "For each sampler the set of highest diversity whose quality is not worse than its plain set's by the margin: "
        "the whole interval of the paired difference is better than that.",
        "Plain: no guided or selected set qualifies, or none is more diverse.",
        _interval_line(measured),
    ]
    return records, Document("operating_point", TITLES["operating_point"], intro, sections, _legend(measured))


def _best(measured: Measured, trade: Tradeoff, quality: Measure, margin: float) -> list[tuple[dict, list]]:
    """One operating point for each sampler of a scope: its record and its line in the document."""
    found = []
    for sampler in dict.fromkeys(row["sampler"] for row in trade.rows):
        rows = [row for row in trade.rows if row["sampler"] == sampler]
        plain = plain_of(tuple(rows), rows[0])
        if plain is None or len(rows) < 2 or not quality.better:
            continue
        where = (trade.dataset, trade.scope)
        changes = [measured.difference(*where, row, plain, quality.name) for row in rows]
        diversities = [measured.mean(*where, row, trade.diversity.name) for row in rows]
        if not any(change.n for change in changes):
            continue
        estimates = [diversity.estimate for diversity in diversities]
        index = statistics.operating_point(estimates, changes, margin, quality.better < 0)
        chosen = rows.index(plain) if index is None else index
        gain = measured.difference(*where, rows[chosen], plain, trade.diversity.name)
        record = _where(None, trade.dataset, trade.scope.name, rows[chosen])
        record |= {"quality_metric": quality.name, "margin": margin, "diversity_metric": trade.diversity.name}
        record |= _interval("diversity", diversities[chosen]) | _interval("diversity_gain", gain)
        record |= _interval("quality_change", changes[chosen])
        line = [trade.scope.name, sampler, f"{quality.label} ({margin:g})", labels.point(rows[chosen])]
        line += [Value(diversities[chosen]), Value(gain, signed=True), _change_text(changes[chosen])]
        found.append((record, line))
    return found


def _change_text(change: Interval) -> str:
    cells, power = document.formatted([Value(change, signed=True)])
    return " ".join(filter(None, [*cells[0], power]))


def _operating_section(dataset: str, found: list[tuple[dict, list]]) -> Section:
    diversity = labels.measure(found[0][0]["diversity_metric"])
    columns = [Column(name, False) for name in ("Task", "Sampler", "Quality (margin)", "Set")]
    columns += [Column(diversity.header), Column("Gain over plain"), Column("Change of quality")]
    rows, breaks, last = [], set(), None
    for _, line in found:
        if line[0] != last:
            breaks.add(len(rows))
        rows.append([line[0] if line[0] != last else "", *line[1:]])
        last = line[0]
    return Section(dataset, columns, rows, breaks=frozenset(breaks))


_BUILDERS = {
    **{table: _blocks(table) for table in BLOCKS},
    "statistics": _statistics,
    "pareto": _pareto,
    "operating_point": _operating_point,
}
