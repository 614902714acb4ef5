"""The table ``guided_or_selected``: sets sampled apart against sets picked from many candidates, at what cost."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

from benchmark import statistics
from benchmark.jobs.publish import PublishSettings, Row
from benchmark.metrics.registry import Metric
from benchmark.publish import labels
from benchmark.publish.contents import table
from benchmark.publish.document import Column, Document, Section, Value
from benchmark.publish.results.measured import Group, Measured, Scope
from benchmark.publish.results.run import Run
from benchmark.publish.tables.notes import facts, legend, what_cases_show
from benchmark.publish.tables.rows import difference_columns, interval_columns
from benchmark.statistics import Interval

COST, TIME = "nfe", "seconds"
TRUTH = ("rare_value_recall", "attribute_coverage", "plausibility", "attribute_tv")
EQUAL = 0.01  # evaluations that differ by no more than this share count as equal


@dataclass(frozen=True)
class Pair:
    """A selected set beside a guided one of the same dataset and tasks: what each has, and the paired difference."""

    dataset: str
    scope: Scope
    guided: Row
    selected: Row
    metric: str
    of_guided: Interval
    of_selected: Interval
    difference: Interval  # selected - guided
    p_holm: float
    costs: tuple[float, float]  # network evaluations of a set, guided and selected
    family: int  # tests that Holm's correction counts, this one among them


def _guided_and_selected(settings: PublishSettings) -> bool:
    """Whether a selection has a guided set and a selected one."""
    rows = [row for block in settings.tables.get("selection", []) for row in block.rows]
    return any(row.selected for row in rows) and any(row.guided for row in rows)


@table(
    "guided_or_selected",
    "Guided sets against sets picked from many plain candidates: what each shows, is plausible of, and costs, as "
    "paired differences; where the configuration has them, at equal network evaluations.",
    _guided_and_selected,
    rank=7,
)
def guided_or_selected_table(run: Run) -> tuple[list[dict], Document]:
    """The csv's records, one for each measure of each pair of a guided and a selected set, and the document."""
    found: dict[tuple[str, Scope], list[Group]] = {}
    measured = run.measured
    for group in run.groups("selection"):
        found.setdefault((group.dataset, group.scopes()[0]), []).append(group)
    records, sections = [], []
    for (dataset, scope), members in found.items():
        rows = [row for group in members for row in group.rows]
        chosen = [row for row in rows if row.selected]
        shown = _measures({name for group in members for name in measured.metrics(group)})
        for guided in [row for row in rows if row.guided]:
            pairs = _pairs(measured, dataset, scope, guided, chosen, shown)
            records += map(_record, pairs)
            if pairs:
                sections.append(_section(measured, guided, shown, pairs, members[0].n))
    level = measured.level
    intro = [
        "Sets whose samples were pushed apart (the first row of each table) against sets picked from plain candidates. "
        "Evaluations and time are those of a whole set of N, all its candidates included.",
        "The first row holds means, the others the change when the selected set is taken instead: mean over cases with "
        f"its {level:.0%} interval, paired by case, task and seed. ↑: higher is better, ↓: lower is better.",
        f"* differs from the guided set at {1 - level:.0%} (paired test, Holm's correction over a column).",
    ]
    title = "Guided or selected: what a set shows for its cost"
    return records, Document("guided_or_selected", title, intro, sections, legend(measured))


def _measures(present: set[str]) -> list[Metric]:
    truth = [labels.measure(name) for name in TRUTH if name in present]
    others = 1 if truth else 2
    return [
        *truth,
        *labels.preferred(present, "diversity", count=others),
        *labels.preferred(present, "quality", count=others),
    ]


def _pairs(
    measured: Measured, dataset: str, scope: Scope, guided: Row, chosen: list[Row], shown: list[Metric]
) -> list[Pair]:
    """All pairs of one guided set, selected sets of equal evaluations first; Holm's families are the measures."""
    cost = {id(row): measured.mean(dataset, scope, row, COST).estimate for row in [guided, *chosen]}
    ordered = sorted(chosen, key=lambda row: cost[id(row)])
    pairs = []
    for column in shown:
        at = (dataset, scope)
        changes = [measured.difference(*at, row, guided, column.name) for row in ordered]
        if not column.tested:
            changes = [replace(change, p=math.nan) for change in changes]
        adjusted = statistics.holm([change.p for change in changes])
        family = sum(math.isfinite(p) for p in adjusted)
        for row, change, p in zip(ordered, changes, adjusted, strict=True):
            means = (measured.mean(*at, which, column.name) for which in (guided, row))
            costs = (cost[id(guided)], cost[id(row)])
            pairs.append(Pair(dataset, scope, guided, row, column.name, *means, change, float(p), costs, family))
    return pairs


def _record(pair: Pair) -> dict:
    record = {"dataset": pair.dataset, "task": pair.scope.name, "metric": pair.metric}
    for name, row in (("guided", pair.guided), ("selected", pair.selected)):
        record |= {f"{name}_sampler": row.sampler, f"{name}_set": row.label}
    record |= dict(zip(("guided_evaluations", "selected_evaluations"), pair.costs, strict=True))
    record |= interval_columns("guided", pair.of_guided) | interval_columns("selected", pair.of_selected)
    record |= difference_columns("difference", pair.difference)
    return record | {"cases": pair.difference.n, "p": pair.difference.p, "p_holm": pair.p_holm}


def _section(measured: Measured, guided: Row, shown: list[Metric], pairs: list[Pair], n: int) -> Section:
    first = pairs[0]
    at = (first.dataset, first.scope)
    timed = math.isfinite(measured.mean(*at, guided, TIME).estimate)
    columns = [Column("Sampler", False), Column("Set", False), Column("Evaluations")]
    columns += [*([Column("Time (s)")] if timed else []), *(Column(column.header) for column in shown)]

    def leading(row: Row, cost: float) -> list:
        time = [f"{measured.mean(*at, row, TIME).estimate:.2g}"] if timed else []
        return [row.sampler, labels.point(row), f"{cost:,.0f}" if math.isfinite(cost) else None, *time]

    of = {(id(pair.selected), pair.metric): pair for pair in pairs}
    rows = [[*leading(guided, first.costs[0]), *(Value(of[id(first.selected), c.name].of_guided) for c in shown)]]
    breaks, last = set(), None
    for pair in pairs:
        if pair.metric != shown[0].name:
            continue
        if pair.costs[1] != last:
            breaks.add(len(rows))
        last = pair.costs[1]
        cells = [of[id(pair.selected), column.name] for column in shown]
        changes = [Value(cell.difference, _significant(cell), signed=True) for cell in cells]
        rows.append([*leading(pair.selected, pair.costs[1]), *changes])
    note = "; ".join(facts(max(pair.difference.n for pair in pairs), n)) + "."
    if not any(abs(pair.costs[1] / pair.costs[0] - 1) <= EQUAL for pair in pairs):
        note += " No selected set has as many network evaluations as the guided one."
    note = " ".join(filter(None, [note, what_cases_show(pairs, shown, first.difference.level)]))
    title = f"{first.dataset}, {first.scope.name}: {labels.point(guided)} of {guided.sampler}"
    return Section(title, columns, rows, note, frozenset(breaks))


def _significant(pair: Pair) -> bool:
    return bool(pair.p_holm < 1 - pair.difference.level)
