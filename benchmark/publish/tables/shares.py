"""The table ``attribute_shares``: what restorations of drawn worlds show behind the hole, value by value."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np

from benchmark import statistics
from benchmark.jobs.publish import Row
from benchmark.publish import labels
from benchmark.publish.contents import has_blocks, table
from benchmark.publish.document import Column, Document, Section, Value
from benchmark.publish.results.measured import Group, Measured, Scope
from benchmark.publish.results.run import Run
from benchmark.publish.tables.notes import facts, legend, star_note
from benchmark.publish.tables.rows import difference_columns, interval_columns, row_keys
from benchmark.statistics import Interval

SHARE, EXACT, WORLD = "attribute_share/", "attribute_share_exact/", "attribute_share_world/"
CANDIDATES, COUNTED = "attribute_share_candidates/", "candidates_counted"


@dataclass(frozen=True)
class ShareTest:
    """A value's share at a point against the truth. Where samples are independent draws (plain), ``samples`` of them
    were tested exactly, their share is ``tested_share``, and the shares nearest to the truth that would have been seen
    with 80 % are ``seen``; a guided set is one draw, and what its sets resolve is the difference's."""

    metric: str
    difference: Interval
    p: float
    samples: int | None = None
    tested_share: float = math.nan
    seen: tuple[float, float] = (math.nan, math.nan)
    p_holm: float = math.nan
    family: int = 0


@table(
    "attribute_shares",
    "What restorations show behind the hole, value by value: the share of each attribute's values against the "
    "exact posterior and the classifier's world, over ``eta``; and how far from that world they lie.",
    lambda settings: has_blocks(settings) and settings.shares,
    rank=9,
)
def shares_table(run: Run) -> tuple[list[dict], Document]:
    """The csv's records, one for each value of each step of a sweep over eta, and the document; ``shares`` of the
    settings names each dataset's world."""
    records, sections, measured = [], [], run.measured
    for group in run.groups("eta_sweep"):
        world = run.settings.shares.get(group.dataset)
        for scope in [Scope(task, (task,)) for task in group.tasks if world is not None]:
            found = _values(measured, group, scope)
            if not found:
                continue
            tests = [_tests(measured, group, scope, row, found) for row in group.rows]
            for row, tested in zip(group.rows, tests, strict=True):
                records += [_record(measured, group, scope, row, world, tested[name]) for name in found]
            sections.append(_section(measured, group, scope, world, found, tests))
    intro = [
        "The share of restorations that the world's classifier reads as each value, of the attributes that the hole "
        "hides; of pictures from another world, of all attributes.",
        f"Mean over cases with its {measured.level:.0%} interval. World: the share in the classifier's world, by its "
        "generator. Truth: mean of the exact posterior behind the hole over the same cases (docs/worlds.md).",
        f"* not of exact samples, at {1 - measured.level:.0%}, with Holm's correction over the rows of a column. Plain "
        "samples are independent: the number of them with the value is tested exactly against as many draws from the "
        "truth, over all candidates of the cases where these were read, of which the restorations are a few. Guided "
        "samples of a set depend on each other: the test is over sets, of the mean difference from the truth.",
        f"Seen: the shares nearest to the truth that the exact test of the plain samples would have told from it with "
        f"{statistics.POWER:.0%} (before Holm's correction): without a star, shares between these are not excluded.",
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


def _tests(measured: Measured, group: Group, scope: Scope, row: Row, found: list[str]) -> dict[str, ShareTest]:
    """Value -> its test at a point, corrected over the values; p is NaN where there is no truth."""
    tests = [_test(measured, group, scope, row, name) for name in found]
    adjusted = statistics.holm([test.p for test in tests])
    family = int(np.isfinite(adjusted).sum())
    return {
        name: replace(test, p_holm=float(p), family=family)
        for name, test, p in zip(found, tests, adjusted, strict=True)
    }


def _test(measured: Measured, group: Group, scope: Scope, row: Row, name: str) -> ShareTest:
    at = (group.dataset, scope, row)
    difference = measured.excess(*at, SHARE + name, EXACT + name)
    share, exact = (measured.values(*at, kind + name)[0] for kind in (SHARE, EXACT))  # (cases, seeds)
    if not row.plain:
        return ShareTest(name, difference, statistics.clustered_share_test(share * group.n, exact, group.n))
    counts, exact_shares, draws = measured.candidates(*at, CANDIDATES + name, EXACT + name, COUNTED)
    if not len(counts):
        known = np.isfinite(share) & np.isfinite(exact)
        counts, exact_shares, draws = np.rint(share[known] * group.n), exact[known], np.full(known.sum(), group.n)
    if not len(counts):
        return ShareTest(name, difference, math.nan)
    samples = int(draws.sum())
    seen = statistics.smallest_share_seen(samples, float(np.average(exact_shares, weights=draws)), difference.level)
    p = statistics.share_test(counts, exact_shares, draws)
    return ShareTest(name, difference, p, samples, float(counts.sum() / samples), seen)


def _record(measured: Measured, group: Group, scope: Scope, row: Row, world: str, test: ShareTest) -> dict:
    name = test.metric
    attribute, value = name.split("/")
    at = (group.dataset, scope, row)
    share, exact, own = (measured.mean(*at, kind + name) for kind in (SHARE, EXACT, WORLD))
    record = row_keys(None, group.dataset, scope.name, row) | {"attribute": attribute, "value": value}
    record |= {"world": world, "world_share": own.estimate, "exact": exact.estimate}
    record |= interval_columns("share", share) | {"cases": share.n}
    record |= difference_columns("difference", test.difference) | {"p": test.p, "p_holm": test.p_holm}
    record |= {"samples": test.samples, "tested_share": test.tested_share}
    return record | {"seen_below": test.seen[0], "seen_above": test.seen[1]}


def _section(
    measured: Measured, group: Group, scope: Scope, world: str, found: list[str], tests: list[dict[str, ShareTest]]
) -> Section:
    plain = group.rows[0]
    exact, own = (
        [measured.mean(group.dataset, scope, plain, kind + name).estimate for name in found] for kind in (EXACT, WORLD)
    )
    known = any(map(math.isfinite, exact))
    columns = [Column("Attribute", False), Column("Value", False), Column("World")]
    columns += [Column("Truth"), Column("Seen, plain")] if known else []
    columns += [Column(f"η = {labels.axis_value(row, 'eta')}") for row in group.rows]
    rows, breaks, last = [], set(), None
    for name, posterior, share in zip(found, exact, own, strict=True):
        attribute, value = name.split("/")
        if attribute != last:
            breaks.add(len(rows))
        cells = [attribute.replace("_", " ") if attribute != last else "", value]
        cells += [f"{share:.2f}", *([f"{posterior:.2f}", _seen(tests[0][name])] if known else [])]
        for row, tested in zip(group.rows, tests, strict=True):
            interval = measured.mean(group.dataset, scope, row, SHARE + name)
            cells.append(Value(interval, tested[name].p_holm < 1 - interval.level))
        rows.append(cells)
        last = attribute
    title = f"{group.dataset}, {group.sampler}: {scope.name}"
    notes = [_note(measured, group, scope, world), _samples(tests[0])]
    guided = [test for row, tested in zip(group.rows, tests, strict=True) if not row.plain for test in tested.values()]
    few = star_note(guided, measured.level)
    notes += [f"Guided: {few.replace(' sets:', ' values:').replace(' set:', ' value:')}"] if few else []
    return Section(title, columns, rows, " ".join(filter(None, notes)), frozenset(breaks))


def _seen(test: ShareTest) -> str | None:
    """The shares that would have been seen in plain samples: ``< 0.37, > 0.52``; None without a truth."""
    ends = [f"{sign} {end:.2f}" for sign, end in zip("<>", test.seen, strict=True) if math.isfinite(end)]
    return ", ".join(ends) or None


def _samples(tests: dict[str, ShareTest]) -> str:
    """How many plain samples were tested."""
    samples = max((test.samples or 0 for test in tests.values()), default=0)
    return f"Plain: {samples} samples tested." if samples else ""


def _note(measured: Measured, group: Group, scope: Scope, world: str) -> str:
    """Cases, set size, and how far from the world restorations and restored pictures lie, where that was measured."""
    cases = len(measured.by_case(group.dataset, scope, group.rows[0], "nfe"))
    text = "; ".join(facts(cases, group.n, group.fixed)) + "."
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
