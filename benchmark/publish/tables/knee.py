"""The table ``knee``: unstable and implausible restorations over eta, and the step from which on a sweep loses."""

from __future__ import annotations

import math

from benchmark import statistics
from benchmark.jobs.publish import PublishSettings
from benchmark.publish import document, labels
from benchmark.publish.contents import has_blocks, table
from benchmark.publish.document import Column, Document, Section, Value
from benchmark.publish.results.knee import PLAUSIBLE, Step, Sweep, complement, loss_allowed, negated, sweeps
from benchmark.publish.results.measured import Measured
from benchmark.publish.results.run import Run
from benchmark.publish.tables.notes import (
    facts,
    interval_line,
    legend,
    margin_note,
    star_line,
    star_note,
    tuned_lines,
    verdict,
)
from benchmark.publish.tables.rows import interval_columns, row_keys


@table(
    "knee",
    "When ``eta`` gets too large: the shares of unstable and of implausible restorations over ``eta``, and the "
    "knee, the first step size that loses plausibility, with how much earlier it may lie.",
    lambda settings: has_blocks(settings) and settings.knee,
    rank=8,
)
def knee_table(run: Run) -> tuple[list[dict], Document]:
    """The csv's records, one for each step of each sweep, and the document; the ``margin`` of plausibility in the
    settings decides what counts as not worse."""
    settings, measured = run.settings, run.measured
    margin = settings.margin.get(PLAUSIBLE)
    found = sweeps(measured, run.compared["eta_sweep"], margin)
    records = [_record(sweep, step) for sweep in found for step in sweep.steps]
    sections = [_knees(found, margin)] if found else []
    sections += [_steps(sweep, measured.level, margin) for sweep in found]
    return records, Document(
        "knee", "When η gets too large", _intro(settings, measured, margin), sections, legend(measured, True)
    )


def _intro(settings: PublishSettings, measured: Measured, margin: float | None) -> list[str]:
    lines = [
        "Unstable: the share of restorations with a pixel that is not finite. Implausible: 1 − plausibility "
        "(docs/metrics.md); a set with an unstable restoration is not read and counts as unstable alone.",
        f"Worse: the whole {measured.level:.0%} interval of the difference from plain, paired by case, task and seed, "
        "is on the worse side, and p below 5 %. Intervals are not corrected for the number "
        "of steps; Holm's p is.",
        "Knee: the first step that loses, by a test that goes down from the largest η and pools steps; it is too early "
        f"in at most {1 - measured.level:.0%} of sweeps (docs/metrics.md, The knee). p of loss: its p, of no "
        "loss at this and all smaller steps. From: the smallest η that may already lose half as much as the knee. "
        "Where there is no knee, the loss is what the interval at the largest η still allows.",
        f"Resolves: the smallest true change that these cases detect with {statistics.POWER:.0%}. Not resolved: the "
        "interval includes 0, which is not the same as no change.",
    ]
    if margin is not None:
        lines.append(
            f"Not worse: plausibility is shown to be less than {margin:g} below plain, the margin of the settings, "
            "although cases that were not seen may lose everything, and the step is not worse."
        )
    return [*lines, *tuned_lines(settings), interval_line(measured), star_line(measured)]


def _record(sweep: Sweep, step: Step) -> dict:
    plausible, finite = step.plausible, step.finite
    record = row_keys(None, sweep.group.dataset, sweep.scope.name, step.row)
    record |= interval_columns("unstable", complement(finite.mean) if finite else None)
    record |= interval_columns("implausible", complement(plausible.mean))
    record |= {"cases": plausible.mean.n, "sets": plausible.sets, "missing": plausible.missing}
    for name, entry in (("unstable", finite), ("implausible", plausible)):
        change = negated(entry.difference) if entry and entry.difference else None
        record |= interval_columns(f"{name}_change", change)
        record |= {f"{name}_p": change.p if change else None, f"{name}_p_holm": entry.p_holm if change else None}
        record |= {f"{name}_worse": name in step.worse if change else None}
        record |= {f"{name}_resolves": change.resolves if change else None}
    record |= {"margin": step.margin, "not_worse": step.not_worse}
    record |= {"knee": sweep.knee, "largest_eta": sweep.largest.eta}
    record |= {"loss_p": sweep.p(step), "knee_earliest": sweep.knee_earliest}
    record |= {"loss_allowed": loss_allowed(sweep.largest.plausible), "largest_not_worse": sweep.largest_not_worse}
    return record


def _knees(found: list[Sweep], margin: float | None) -> Section:
    columns = [Column(name, False) for name in ("Dataset", "Sampler", "Task", "Knee", "From")]
    columns += [Column("Loss allowed at the largest η")]
    columns += [Column("Largest η not worse")] if margin is not None else []
    rows, breaks, last = [], set(), None
    for sweep in found:
        where = (sweep.group.dataset, sweep.group.sampler or "")
        if where != last:
            breaks.add(len(rows))
        knee = f"η = {labels.number(sweep.knee)}" if sweep.knee is not None else _none(sweep)
        earliest = f"η = {labels.number(sweep.knee_earliest)}" if sweep.knee_earliest is not None else None
        row = [*(where if where != last else ("", "")), sweep.scope.name, knee, earliest]
        row.append(None if sweep.knee is not None else _text(loss_allowed(sweep.largest.plausible)))
        if margin is not None:
            row.append(None if sweep.largest_not_worse is None else labels.number(sweep.largest_not_worse))
        rows.append(row)
        last = where
    return Section("The knees", columns, rows, breaks=frozenset(breaks))


def _steps(sweep: Sweep, level: float, margin: float | None) -> Section:
    columns = [Column("η", False), Column("Unstable"), Column("Implausible"), Column("Change of implausible")]
    columns += [Column("Resolves"), Column("Shown", False), Column("p"), Column("p, Holm")]
    columns += [Column("p of loss"), Column("Worse", False)]
    columns += [Column("Not worse", False)] if margin is not None else []
    rows = []
    for step in sweep.steps:
        entry, change = step.plausible, step.plausible.difference
        row = [labels.axis_value(step.row, "eta"), Value(complement(step.finite.mean)) if step.finite else None]
        row.append(Value(complement(entry.mean)))
        row.append(Value(negated(change), star=entry.significant, signed=True) if change else None)
        if change:
            row += [
                f"{change.resolves:.2f}" if math.isfinite(change.resolves) else None,
                verdict(PLAUSIBLE, entry.difference),
            ]
            row += [document.p_value(p) for p in (change.p, entry.p_holm, sweep.p(step))]
        else:
            row += [None] * 5
        row.append(", ".join(step.worse))
        row += [{True: "yes", False: "no", None: None}[step.not_worse]] if margin is not None else []
        rows.append(row)
    title = f"{sweep.group.dataset}, {sweep.group.sampler}: {sweep.scope.title}"
    note = star_note([step.plausible for step in sweep.steps], level)
    return Section(title, columns, rows, " ".join(filter(None, [words(sweep, level), _about(sweep), note])))


def words(sweep: Sweep, level: float) -> str:
    """The knee of a sweep in one line, with the largest step that is not worse by the margin where there is one."""
    if sweep.knee is None:
        text = f"Knee: {_none(sweep)}; {_allowed(sweep, level)}."
    else:
        largest = ", the largest step of the sweep" if sweep.knee == sweep.largest.eta else ""
        text = f"Knee: η = {labels.number(sweep.knee)}{largest}; {_from(sweep)}."
    if sweep.largest.margin is None:
        return text
    margin = f"by the margin of {sweep.largest.margin:g}"
    if sweep.largest_not_worse is None:
        few = margin_note(sweep.largest.margin, PLAUSIBLE, [step.plausible.difference for step in sweep.steps])
        return " ".join(filter(None, [text, f"No step is shown to be not worse {margin}.", few]))
    return f"{text} Largest η that is not worse {margin}: {labels.number(sweep.largest_not_worse)}."


def _from(sweep: Sweep) -> str:
    """How much earlier the knee may lie, in words."""
    if sweep.knee_earliest == sweep.knee:
        return "every smaller step is shown to lose less than half as much"
    return f"it may lie as low as η = {labels.number(sweep.knee_earliest)}, which may already lose half as much"


def _none(sweep: Sweep) -> str:
    text = f"none up to η = {labels.number(sweep.largest.eta)}"
    passing = [labels.number(step.eta) for step in sweep.steps if step.worse]
    return f"{text} (worse at η = {', '.join(passing)} alone)" if passing else text


def _allowed(sweep: Sweep, level: float) -> str:
    """What the interval at the largest step leaves open, in words."""
    step = sweep.largest
    lost, broken = loss_allowed(step.plausible), loss_allowed(step.finite)
    parts = [f"a loss of {_text(lost)} in plausibility"] if lost else []
    parts += [f"a rise of {_text(broken)} in unstable restorations"] if broken else []
    if parts:
        detected = step.plausible.difference.resolves
        seen = (
            f"; {statistics.POWER:.0%} of losses of {_text(detected)} would be seen" if math.isfinite(detected) else ""
        )
        return f"there the {level:.0%} interval still allows {' and '.join(parts)}{seen}"
    if lost is not None:
        return f"there the {level:.0%} interval allows no loss of plausibility"
    if step.plausible.mean.n > 1:
        return "there no case differs from plain (no interval)"
    return "one case has no interval that bounds the loss"


def _text(loss: float | None) -> str | None:
    return None if loss is None else f"{loss:.2f}"


def _about(sweep: Sweep) -> str:
    known = facts(max(step.plausible.mean.n for step in sweep.steps), sweep.group.n, sweep.group.fixed)
    missing = [
        f"{step.plausible.missing} at η = {labels.number(step.eta)}" for step in sweep.steps if step.plausible.missing
    ]
    known += [f"sets without plausibility: {', '.join(missing)}"] if missing else []
    return f"{'; '.join(known)}."
