"""The table ``sensitivity``: whether guided against plain, and selected against guided, hold for other N and K."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

from benchmark.jobs.publish import PublishSettings
from benchmark.publish import document, labels
from benchmark.publish.document import Column, Document, Section, Value
from benchmark.publish.results.measured import Measured, groups, plain_of
from benchmark.statistics import Interval

BETTER, WORSE, UNRESOLVED = "better", "worse", "not resolved"


@dataclass(frozen=True)
class Outcome:
    """The change of one measure between two sets, at one N and number of candidates K."""

    n: int
    bank: int
    dataset: str
    sampler: str
    comparison: str  # "guided against plain", "kmeans against guided", with the guided point
    metric: str
    difference: Interval

    @property
    def verdict(self) -> str:
        """Better or worse where the whole interval lies on one side of 0, in the measure's direction."""
        low, high = self.difference.low, self.difference.high
        if not (low > 0 or high < 0):
            return UNRESOLVED
        return BETTER if (low > 0) == (labels.measure(self.metric).better > 0) else WORSE


def outcomes(n: int, bank: int, settings: PublishSettings, measured: Measured) -> Iterator[Outcome]:
    """Guided against plain, then every selected set against every guided one, of each measure with a direction."""
    for group in groups(settings, "selection"):
        scope = group.scopes()[0]
        names = [name for name in measured.metrics(group) if labels.measure(name).tested]
        guided = [row for row in group.rows if row.guided]
        selected = [row for row in group.rows if row.selected]
        pairs = [(row, plain_of(group.rows, row), f"{labels.point(row)} against plain") for row in guided]
        pairs += [
            (row, other, f"{labels.strategy(row.method)} against {labels.point(other)}")
            for other in guided
            for row in selected
        ]
        for here, there, comparison in pairs:
            for name in names:
                difference = measured.difference(group.dataset, scope, here, there, name)
                if difference.n:
                    yield Outcome(n, bank, group.dataset, group.sampler or "", comparison, name, difference)


def conclusion(verdicts: list[str]) -> str:
    """What several verdicts on one change come to."""
    resolved = [verdict for verdict in verdicts if verdict != UNRESOLVED]
    if len(set(resolved)) > 1:
        return "reversed"
    if not resolved:
        return UNRESOLVED
    return resolved[0] if len(resolved) == len(verdicts) else f"{resolved[0]} in {len(resolved)} of {len(verdicts)}"


def sensitivity_table(found: list[Outcome], own: tuple[int, int], level: float) -> tuple[list[dict], Document]:
    """The csv's records, one for each outcome, and the document: a column for each N and each K.

    Args:
        own: N and K of the experiment itself; every other N is measured with this K, and every other K with this N.
    """
    n_axis = list(dict.fromkeys(one.n for one in found if one.bank == own[1]))
    k_axis = sorted({one.bank for one in found if one.n == own[0]})
    tables: dict[tuple[str, str, str], dict[str, dict[tuple[int, int], Outcome]]] = {}
    for one in found:
        table = tables.setdefault((one.dataset, one.sampler, one.comparison), {})
        table.setdefault(one.metric, {})[one.n, one.bank] = one
    points = [*((n, own[1]) for n in n_axis), *((own[0], k) for k in k_axis if k != own[1])]
    headers = [*(f"N {n}" for n in n_axis), *(f"K {k}" for k in k_axis if k != own[1])]
    columns = [Column("Measure", False), *map(Column, headers), Column("over N", False), Column("over K", False)]
    sections = []
    for (dataset, sampler, comparison), by_metric in tables.items():
        rows = [_row(metric, cells, points, n_axis, k_axis, own) for metric, cells in by_metric.items()]
        sections.append(Section(f"{dataset}, {sampler}: {comparison}", columns, rows))
    intro = [
        f"Does a conclusion hang on N, the samples of a set, or on K, the candidates of a case? Columns N are measured "
        f"with K = {own[1]}, columns K with N = {own[0]}.",
        f"Mean change over cases with its {level:.0%} interval, paired by case and seed; ↑: higher is better, ↓: lower "
        "is better. Values of different N are not on one scale; signs are.",
        f"Over N, over K: {BETTER} or {WORSE} where every interval lies on one side of 0; in k of m: the others do not "
        "resolve it; reversed: intervals on both sides. Intervals are not corrected for the number of rows.",
        f"{document.ABSENT}: K does not touch the change, which has no candidates in it.",
    ]
    records = [_record(one) for one in found]
    return records, Document("sensitivity", "What hangs on N and K", intro, sections)


def _row(metric: str, cells: dict, points: list, n_axis: list[int], k_axis: list[int], own: tuple[int, int]) -> list:
    values = [Value(cells[at].difference, signed=True) if at in cells else None for at in points]
    base = cells.get(own)
    touched = any(
        at in cells and base is not None and not _same(cells[at].difference, base.difference)
        for at in ((own[0], k) for k in k_axis)
    )
    texts, power = document.formatted(values)
    texts = [" ".join(filter(None, text)) for text in texts]
    if not touched:
        texts[len(n_axis) :] = [document.ABSENT] * (len(texts) - len(n_axis))
    over_n = [cells[n, own[1]].verdict for n in n_axis if (n, own[1]) in cells]
    over_k = [cells[own[0], k].verdict for k in k_axis if (own[0], k) in cells]
    header = labels.measure(metric).header + (f" ({power})" if power else "")
    return [header, *texts, conclusion(over_n), conclusion(over_k) if touched else document.ABSENT]


def _same(a: Interval, b: Interval) -> bool:
    return a.estimate == b.estimate or (math.isnan(a.estimate) and math.isnan(b.estimate))


def _record(one: Outcome) -> dict:
    found = one.difference
    return {
        "dataset": one.dataset,
        "sampler": one.sampler,
        "comparison": one.comparison,
        "metric": one.metric,
        "n": one.n,
        "candidates": one.bank,
        "difference": found.estimate,
        "low": found.low,
        "high": found.high,
        "resolves": found.resolves,
        "cases": found.n,
        "verdict": one.verdict,
    }
