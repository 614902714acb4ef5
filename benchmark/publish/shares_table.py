"""The table ``attribute_shares``: what restorations of drawn worlds show behind the hole, value by value."""

from __future__ import annotations

import math

from benchmark import statistics
from benchmark.publish import labels
from benchmark.publish.document import Column, Document, Section, Value
from benchmark.publish.measured import Group, Measured, Scope, groups
from benchmark.publish.table_notes import legend
from benchmark.publish.table_rows import interval_columns, row_keys

SHARE, EXACT, WORLD = "attribute_share/", "attribute_share_exact/", "attribute_share_world/"


def shares_table(settings: dict, measured: Measured) -> tuple[list[dict], Document]:
    """The csv's records, one for each value of each step of a sweep over eta, and the document.

    Args:
        settings: those of the publishing stage; ``shares`` names each dataset's world.
    """
    records, sections = [], []
    for group in groups(settings, "eta_sweep"):
        world = settings["shares"].get(group.dataset)
        for scope in [Scope(task, (task,)) for task in group.tasks if world is not None]:
            found = _values(measured, group, scope)
            if not found:
                continue
            tests = [_tests(measured, group, scope, row, found) for row in group.rows]
            for row, tested in zip(group.rows, tests, strict=True):
                records += [_record(measured, group, scope, row, world, name, tested[name]) for name in found]
            sections.append(_section(measured, group, scope, world, found, tests))
    intro = [
        "The share of restorations that the world's classifier reads as each value, of the attributes that the hole "
        "hides; of pictures from another world, of all attributes.",
        f"Mean over cases with its {measured.level:.0%} interval (hierarchical bootstrap: cases, then seeds). World: "
        "the share in the classifier's world, by its generator. Truth: mean of the exact posterior "
        "behind the hole over the same cases (docs/worlds.md).",
        f"* not of exact samples, at {1 - measured.level:.0%}: exact test of the number of restorations with the value "
        "against as many independent draws from the truth, Holm's correction over the rows of a column. Guided samples "
        "of a set are not independent by design: their shares vary less.",
    ]
    return records, Document(
        "attribute_shares",
        "What is shown behind the hole",
        intro,
        sections,
        f"{legend(measured)} * not of exact samples (Holm).",
    )


def _values(measured: Measured, group: Group, scope: Scope) -> list[str]:
    """ATTRIBUTE/VALUE of the attributes that any hole of the task hides: the world's likelier values first."""
    names = [name.removeprefix(SHARE) for name in measured.shares(group, scope) if name.startswith(SHARE)]
    own = {name: measured.mean(group.dataset, scope, group.rows[0], WORLD + name).estimate for name in names}
    return sorted(names, key=lambda name: (name.split("/")[0], -own[name], name))


def _tests(measured: Measured, group: Group, scope: Scope, row: dict, found: list[str]) -> dict[str, tuple]:
    """Value -> p and Holm's p of its share at a point against the truth; NaN where there is no truth."""
    at = (group.dataset, scope, row)
    p = [measured.share_p(*at, SHARE + name, EXACT + name, group.n) for name in found]
    return dict(zip(found, zip(p, statistics.holm(p).tolist(), strict=True), strict=True))


def _record(
    measured: Measured, group: Group, scope: Scope, row: dict, world: str, name: str, tested: tuple[float, float]
) -> dict:
    attribute, value = name.split("/")
    at = (group.dataset, scope, row)
    share, exact, own = (measured.mean(*at, kind + name) for kind in (SHARE, EXACT, WORLD))
    record = row_keys(None, group.dataset, scope.name, row) | {"attribute": attribute, "value": value}
    record |= {"world": world, "world_share": own.estimate, "exact": exact.estimate}
    record |= interval_columns("share", share) | {"cases": share.n}
    record |= interval_columns("difference", measured.excess(*at, SHARE + name, EXACT + name))
    return record | {"p": tested[0], "p_holm": tested[1]}


def _section(
    measured: Measured, group: Group, scope: Scope, world: str, found: list[str], tests: list[dict[str, tuple]]
) -> Section:
    plain = group.rows[0]
    exact, own = (
        [measured.mean(group.dataset, scope, plain, kind + name).estimate for name in found] for kind in (EXACT, WORLD)
    )
    known = any(map(math.isfinite, exact))
    columns = [Column("Attribute", False), Column("Value", False), Column("World")]
    columns += [Column("Truth")] if known else []
    columns += [Column(f"η = {labels.axis_value(row, 'eta')}") for row in group.rows]
    rows, breaks, last = [], set(), None
    for name, truth, share in zip(found, exact, own, strict=True):
        attribute, value = name.split("/")
        if attribute != last:
            breaks.add(len(rows))
        cells = [attribute.replace("_", " ") if attribute != last else "", value]
        cells += [f"{share:.2f}", *([f"{truth:.2f}"] if known else [])]
        for row, tested in zip(group.rows, tests, strict=True):
            interval = measured.mean(group.dataset, scope, row, SHARE + name)
            cells.append(Value(interval, tested[name][1] < 1 - interval.level))
        rows.append(cells)
        last = attribute
    title = f"{group.dataset}, {group.sampler}: {scope.name}"
    return Section(title, columns, rows, _note(measured, group, scope, world), frozenset(breaks))


def _note(measured: Measured, group: Group, scope: Scope, world: str) -> str:
    """Cases, set size, and how far from the world restorations and restored pictures lie, where that was measured."""
    facts = [f"{len(measured.by_case(group.dataset, scope, group.rows[0], 'nfe'))} cases", f"sets of N = {group.n}"]
    if "D" in group.fixed:
        facts.append(f"D = {labels.distance({'D_unit': 'rms', **group.fixed})}")
    text = "; ".join(facts) + "."
    if "world_distance" in measured.metrics(group):
        at = (group.dataset, scope)
        steps = [
            f"η = {labels.axis_value(row, 'eta')}: {_text(measured.mean(*at, row, 'world_distance'))}, in the hole "
            f"{_text(measured.mean(*at, row, 'world_distance_hole'))}"
            for row in group.rows
        ]
        text += (
            f" RMS distance from the world of {world}: restored pictures "
            f"{_text(measured.mean(*at, group.rows[0], 'world_distance_truth'))}; restorations, {'; '.join(steps)}."
        )
    return text


def _text(interval) -> str:
    low, high = f"{interval.low:.2f}", f"{interval.high:.2f}"
    known = math.isfinite(interval.low) and low != high
    return f"{interval.estimate:.2f} [{low}, {high}]" if known else f"{interval.estimate:.2f}"
