"""What a choice costs: pairs of samplers that differ in one thing, at every number of steps that both have."""

from __future__ import annotations

import math
from dataclasses import replace

from benchmark.publish import document
from benchmark.publish.document import Column, Section
from benchmark.publish.exact.results import DISTANCES, LABELS, Results, Setting, common_steps, or_nothing
from benchmark.publish.tables.rows import interval_columns

UNCOUPLED = "_uncoupled"
MEASURES = (*DISTANCES, "diversity")


def comparisons(results: Results) -> tuple[Section, list[dict]]:
    """Each pair of ``compare``, per group: plain at all steps that both have, then guided; and DPS's coupling."""
    rows, records, breaks, groups = [], [], set(), results.groups()

    def add(names: list[str], group: str, guidance: str, steps: int, problems: list[str], pairs: list) -> None:
        found = {metric: results.mean_difference(problems, pairs, metric) for metric in MEASURES}
        first = found[DISTANCES[0]]
        some = f"{len(problems)} of {len(groups[group])}"
        cells = [*names, group, some, guidance, str(steps), *(or_nothing(one, signed=True) for one in found.values())]
        resolved = None if math.isnan(first.resolves) else f"{first.resolves:.2g}"
        rows.append([*cells, resolved, document.p_value(first.p)])
        keys = dict(zip(("what", "sampler", "against"), names, strict=True))
        for metric, one in found.items():
            record = {"section": "compare", **keys, "group": group, "problems": len(problems)}
            record |= {"guidance": guidance, "steps": steps}
            record |= {"metric": metric, **interval_columns("difference", one), "n": one.n, "p": one.p}
            records.append(record | {"resolves": one.resolves})

    for pair in results.settings.compare:
        breaks.add(len(rows))
        names = [pair.what, pair.sampler, pair.against]
        for group, problems in groups.items():
            both = (pair.sampler, pair.against)
            shared = results.with_sampler(problems, *both)
            for steps in common_steps(results, shared, *both):
                add(names, group, "none", steps, shared, [tuple(Setting(name, steps) for name in both)])
            guided, points = _guided_pairs(results, shared, *both)
            if points:
                add(names, group, f"mean of {len(points)}", points[0][0].steps, guided, points)
    breaks.add(len(rows))
    for sampler in results.samplers:
        for group, problems in groups.items():
            guided, points = _coupled_pairs(results, problems, sampler)
            if points:
                names = ["the push a constant in the gradient", sampler, sampler]
                add(names, group, f"mean of {len(points)}", points[0][0].steps, guided, points)
    columns = [Column(name, numeric=False) for name in ("What", "Sampler", "Against", "Group", "Problems", "Guidance")]
    columns += [
        Column("Steps"),
        *(Column(LABELS[metric]) for metric in MEASURES),
        Column("W2 excess² resolved"),
        Column("p (W2 excess²)"),
    ]
    note = (
        "Sampler minus the one that it is held against, paired by case, over those problems of the group and averaged "
        "over those guided points that both have; p of the squared W2 excess, the larger of the sign flips' and the "
        "studentised bootstrap's, not corrected. Resolved: the smallest difference that so many cases detect with "
        "80 %; an interval that holds 0 says that there is less, not that there is none."
    )
    return Section("What a choice costs", columns, rows, note, frozenset(breaks)), records


def _guided_pairs(results: Results, problems: list[str], one: str, other: str) -> tuple[list[str], list]:
    """The guided points that both samplers have, as pairs, and the problems on which both are guided."""
    guided = [p for p in problems if results.guided_of([p], one) and results.guided_of([p], other)]
    points = [s for s in results.guided_of(guided, one) if not s.method.endswith(UNCOUPLED)]
    known = results.guided_of(guided, other)
    pairs = []
    for setting in points:
        twin = [s for s in known if (s.method, s.eta, s.D, s.D_unit) == setting.point]
        pairs += [(setting, twin[0])] if twin else []
    return guided, pairs


def _coupled_pairs(results: Results, problems: list[str], sampler: str) -> tuple[list[str], list]:
    """A sampler's uncoupled points, each with the coupled one, and the problems on which it is guided."""
    guided = [p for p in problems if results.guided_of([p], sampler)]
    found = results.guided_of(guided, sampler)
    pairs = [
        (setting, coupled)
        for setting in found
        for coupled in [replace(setting, method=setting.method.removesuffix(UNCOUPLED))]
        if setting.method.endswith(UNCOUPLED) and coupled in found
    ]
    return guided, pairs
