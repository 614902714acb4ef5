"""The tables of the blocks: the source paper's two sweeps, selection, samplers."""

from __future__ import annotations

from benchmark.metrics.registry import Metric
from benchmark.publish import labels
from benchmark.publish.contents import datasets_of, table
from benchmark.publish.document import Column, Document, Section, Value
from benchmark.publish.results.comparison import Entry
from benchmark.publish.results.measured import Group
from benchmark.publish.results.paper import axis_of, beside, source_paper
from benchmark.publish.results.run import Run
from benchmark.publish.tables.measures import headline_and_further
from benchmark.publish.tables.notes import (
    facts,
    interval_line,
    legend,
    star_line,
    star_note,
    tuned_lines,
    what_cases_show,
)
from benchmark.publish.tables.rows import difference_columns, interval_columns, row_headers, row_keys, row_labels

OTHER_UNIT = (
    "The published D is counted in another unit (a distance divided by the number of unknown elements): only 0 and ∞ "
    "are the same point, the values between them stand side by side in their order."
)


@table(
    "eta_sweep",
    "The step size ``eta`` at one distance ``D``, in the shape of the source paper's Table 1, with its published "
    "values beside the measured ones. The embedded worlds are not CelebA: compare directions, not values.",
    lambda settings: datasets_of(settings, "eta_sweep"),
    rank=0,
)
def eta_sweep(run: Run) -> tuple[list[dict], Document]:
    lines = [*_of_the_paper("eta_sweep", run), *tuned_lines(run.settings)]
    return _block_table("eta_sweep", "Effect of η on diversity and quality", lines, run)


@table(
    "D_sweep",
    "The distance ``D`` at one step size ``eta``, in the shape of the source paper's Table 2, with its published "
    "values beside the measured ones. The embedded worlds are not CelebA: compare directions, not values.",
    lambda settings: datasets_of(settings, "D_sweep"),
    rank=1,
)
def D_sweep(run: Run) -> tuple[list[dict], Document]:
    lines = [*_of_the_paper("D_sweep", run), OTHER_UNIT]
    return _block_table("D_sweep", "Effect of D on diversity and quality", lines, run)


@table(
    "selection",
    "Plain and guided sets beside sets picked from a large number of candidates by each strategy, with what they cost.",
    lambda settings: datasets_of(settings, "selection"),
    rank=2,
)
def selection(run: Run) -> tuple[list[dict], Document]:
    lines = ["Selected sets are picked from a large number of plain candidates; coverage is of those candidates."]
    return _block_table("selection", "Guided sets and sets selected from many candidates", lines, run)


@table(
    "samplers",
    "The samplers side by side, each plain and at the guided point: diversity, quality, consistency, network "
    "evaluations, seconds.",
    lambda settings: datasets_of(settings, "samplers"),
    rank=3,
)
def samplers(run: Run) -> tuple[list[dict], Document]:
    lines = ["Network evaluations and time are those of a whole set of N restorations."]
    return _block_table("samplers", "Samplers", lines, run)


def _block_table(table: str, title: str, lines: list[str], run: Run) -> tuple[list[dict], Document]:
    """The csv's records of a list of blocks, and its document, ``lines`` first."""
    compared = run.compared[table]
    records = [_record(entry) for _, part in compared for entry in part]
    if table in source_paper()["tables"]:
        records = [record for group, part in compared for record in _with_published(group, part)]
    sections = [section for group, part in compared for section in _sections(group, part)]
    intro = [*lines, interval_line(run.measured), star_line(run.measured)]
    return records, Document(table, title, intro, sections, legend(run.measured, starred=True))


def _record(entry: Entry) -> dict:
    row, shown = entry.row, labels.measure(entry.metric)
    record = row_keys(entry.group.table, entry.group.dataset, entry.scope.name, row) | {"D_rms": entry.D_rms}
    record |= {"metric": entry.metric, "unit": shown.unit, "better": {1: "higher", -1: "lower", 0: ""}[shown.better]}
    record |= interval_columns("mean", entry.mean)
    record |= {"cases": entry.mean.n, "sets": entry.sets, "missing": entry.missing}
    record |= difference_columns("difference", entry.difference)
    return record | {"p": entry.difference.p if entry.difference else None, "p_holm": entry.p_holm}


def _with_published(group: Group, part: list[Entry]) -> list[dict]:
    partners, _ = beside(group.table, list(group.rows))
    axis = axis_of(group.table)
    names = [axis, *source_paper()["columns"]]
    return [
        _record(entry) | {f"published_{name}": (partners[entry.position] or {}).get(name) for name in names}
        for entry in part
    ]


def _of_the_paper(table: str, run: Run) -> list[str]:
    source, theirs = source_paper()["source"], source_paper()["tables"][table]
    return [
        f"After {theirs['number']} of “{source['title']}” ({source['authors']}), whose values stand in the columns on "
        f"the right. Method: {source['method']}.",
        f"The published values were measured on {source['data']}. The data here "
        f"({', '.join(datasets_of(run.settings, table))}) are not CelebA and most columns are other measures: compare "
        "the direction, not the values.",
    ]


def _sections(group: Group, part: list[Entry]) -> list[Section]:
    """Overall: the first measures with the published ones beside them, then further ones; then each task. Under each
    stands what these cases can show."""
    headline, further = headline_and_further(group, part)
    scopes = group.scopes()
    where = [group.dataset, *([group.sampler] if group.sampler else [])]
    title = f"{', '.join(where)}: {scopes[0].title}"
    level = part[0].mean.level
    overall = [entry for entry in part if entry.scope == scopes[0]]
    note = " ".join(filter(None, [_note(group, part), what_cases_show(overall, headline, level)]))
    sections = [_section(group, part, [scopes[0].name], headline, title, note, beside_it=True)]
    if further:
        note = what_cases_show(overall, further, level)
        sections.append(_section(group, part, [scopes[0].name], further, f"{title}, further measures", note))
    if len(scopes) > 1:
        names = [scope.name for scope in scopes[1:]]
        note = star_note([entry for entry in part if entry.scope != scopes[0]], level)
        sections.append(_section(group, part, names, headline, f"{', '.join(where)}: each task", note))
    return sections


def _note(group: Group, part: list[Entry]) -> str:
    overall = [entry for entry in part if entry.scope == group.scopes()[0]]
    known = facts(max(entry.mean.n for entry in overall), group.n, group.fixed)
    if "eta" in group.fixed and (units := labels.D_units(group.rows)):
        known.append(f"D in {units}")
    known += [f"tasks: {', '.join(group.tasks)}"] if len(group.tasks) > 1 else []
    missing = max((entry.missing for entry in overall), default=0)
    text = "; ".join(known) + "."
    if group.table in source_paper()["tables"]:
        text += f" Published: {source_paper()['source']['data']}, not comparable in value.{_not_here(group)}"
    return text + (
        f" Up to {missing} sets of a row have no value in some column and are left out there." if missing else ""
    )


def _not_here(group: Group) -> str:
    """A sentence that names the published steps without a partner in this run; nothing where each has one."""
    axis, (_, alone) = axis_of(group.table), beside(group.table, list(group.rows))
    if not alone:
        return ""
    steps = ", ".join(labels.number(row[axis]) for row in alone)
    unit = " in the published unit" if axis == "D" else ""
    return f" Published, but without a step of this run beside it: {labels.AXES[axis]} = {steps}{unit}."


def _section(
    group: Group,
    part: list[Entry],
    scopes: list[str],
    shown: list[Metric],
    title: str,
    note: str = "",
    beside_it: bool = False,
) -> Section:
    cells = {(entry.scope.name, entry.position, entry.metric): entry for entry in part}
    leading = [Column("Task", numeric=False)] if len(scopes) > 1 else []
    leading += [Column(header, numeric=False) for header in row_headers(group)]
    rows, breaks = [], set()
    for scope in scopes:
        breaks.add(len(rows))
        for position in range(len(group.rows)):
            first = [scope if position == 0 else ""] if len(scopes) > 1 else []
            found = [cells[scope, position, column.name] for column in shown]
            rows.append(
                [*first, *row_labels(group, position), *(Value(entry.mean, entry.significant) for entry in found)]
            )
    if group.sampler is None and len(scopes) == 1:
        breaks |= {i for i in range(1, len(group.rows)) if group.rows[i].sampler != group.rows[i - 1].sampler}
    columns = [*leading, *(Column(column.header) for column in shown)]
    if beside_it and group.table in source_paper()["tables"]:
        columns, rows = _add_published(group, columns, rows)
    return Section(title, columns, rows, note, frozenset(breaks))


def _add_published(group: Group, columns: list[Column], rows: list[list]) -> tuple[list[Column], list[list]]:
    """The published columns on the right; a published row without a partner stands in the note alone."""
    theirs = source_paper()["tables"][group.table]
    axis, shown = theirs["axis"], source_paper()["columns"]
    extra = [Column("Published D")] if axis == "D" else []
    for entry in shown.values():
        extra.append(Column(f"Published {entry['label']} {'↑' if entry['better'] == 'higher' else '↓'}"))

    def of(row: dict | None) -> list:
        if row is None:
            return [None] * len(extra)
        values = [f"{row[name]:.3f}" for name in shown]
        return ([labels.number(row[axis])] if axis == "D" else []) + values

    partners, _ = beside(group.table, list(group.rows))
    return [*columns, *extra], [[*row, *of(partner)] for row, partner in zip(rows, partners, strict=True)]
