"""The table ``truth``: samples beside exact posterior samples, what a choice costs, what diversity costs."""

from __future__ import annotations

import math
from collections.abc import Iterator

from benchmark.publish.contents import table
from benchmark.publish.document import Column, Document, Section
from benchmark.publish.exact.choices import comparisons
from benchmark.publish.exact.price import diversity_price, equal_gain, per_diversity
from benchmark.publish.exact.results import (
    EXACT,
    LABELS,
    PLAIN,
    SHOWN,
    SQUARED,
    Results,
    Setting,
    common_steps,
    or_nothing,
)
from benchmark.publish.tables.rows import interval_columns

Part = tuple[Section, list[dict]]
MODES = "mode_total_variation"


@table(
    "truth",
    "Samples held against exact posteriors: distances beside their floor (exact samples against as many exact "
    "samples), what reference presets cost, and what bias each unit of diversity costs.",
    lambda settings: True,
)
def exact_table(results: Results) -> tuple[list[dict], Document]:
    """The csv's records (every value; the column ``section`` says of what kind) and the document."""
    parts = list(sections(results))
    records = [record for _, found in parts for record in found]
    shown = [section for section, _ in parts]
    title = "Samples and the exact posterior"
    return records, Document("truth", title, _intro(results), shown, _legend(results))


def _intro(results: Results) -> list[str]:
    lines = [
        f"Run {results.settings.run}. Every distance is to the exact posterior of one measurement. The row "
        f"“{EXACT}” was made as every sampler's: as many posterior samples, against the same reference.",
        f"Numbers are means over cases with {results.level:.0%} intervals; a case is a truth, and what several "
        "problems measure of it is averaged first. W2 excess: the signed root of the mean of the squared sliced "
        "distance of the samples’ mean order statistics from the posterior’s, without bias, from halves of the "
        "samples; 0 in expectation for a sampler of the posterior alone. Sliced W2 is the distance to as many exact "
        "samples, its floor what exact samples have: no effect size, as it hangs on the number of samples. W2, "
        "diversity and consistency are on the scale [-1, 1]; mean error is in standard deviations of the posterior; "
        "covariance error is relative; modes’ TV runs from 0 to 1.",
    ]
    if results.settings.tuned:
        held_out = results.settings.held_out
        lines.append(
            f"Options of {', '.join(results.settings.tuned)}, one choice for all worlds, were chosen for each "
            "number of steps by `python -m benchmark tune`, on measurements that this table does not see"
            + (f"; nothing was chosen on {', '.join(held_out)}, which stand last." if held_out else ".")
        )
    return lines


def _legend(results: Results) -> str:
    return f"In brackets {results.level:.0%} intervals over measurements."


def sections(results: Results) -> Iterator[Part]:
    """How far every sampler is, for each group of problems; what a choice and what diversity cost; every problem."""
    for name, problems in results.groups().items():
        yield _group(results, name, problems)
    if results.settings.compare:
        yield comparisons(results)
    for name, problems in results.groups().items():
        guided = [problem for problem in problems if results.of(problem, guided=True)]
        if guided:
            yield diversity_price(results, name, guided)
            yield from equal_gain(results, name, guided)
    for problem in results.problems:
        yield _problem(results, problem)


def _group(results: Results, name: str, problems: list[str]) -> Part:
    """Excess and modes' TV of each sampler that all problems of a group have, at each number of steps."""
    rows, records, breaks = [], [], set()
    missing = [sampler for sampler in results.samplers if results.with_sampler(problems, sampler) != problems]
    for sampler in [sampler for sampler in results.samplers if sampler not in missing]:
        breaks.add(len(rows))
        for setting in [Setting(sampler, steps) for steps in common_steps(results, problems, sampler)]:
            excess, nfe = results.excess(problems, setting), results.nfe(problems[0], setting)
            tv, tv_exact = (results.mean(problems, setting, MODES, column) for column in ("value", "exact"))
            ratio = results.times_floor(problems, setting, "sliced_wasserstein")
            label = sampler if len(rows) in breaks else ""
            shown = None if math.isnan(ratio) else f"{ratio:.2f}"
            steps = "" if sampler == EXACT else str(setting.steps)
            rows.append([label, steps, nfe, or_nothing(excess, signed=True), shown, or_nothing(tv)])
            record = {"section": "group", "group": name, "problems": len(problems), "sampler": sampler}
            record |= {"steps": setting.steps, "nfe": nfe, "ratio": ratio, "n": excess.n}
            record |= interval_columns("excess", excess) | interval_columns("tv", tv) | {"tv_exact": tv_exact.estimate}
            records.append(record)
    columns = [Column("Sampler", numeric=False), Column("Steps"), Column("Evaluations")]
    columns += [Column("W2 excess"), Column("W2 / floor"), Column("Modes' TV")]
    note = f"Without guidance. Mean over {', '.join(problems)}."
    if some := [sampler for sampler in missing if results.with_sampler(problems, sampler)]:
        note += f" On some of these problems alone, and so in their own tables: {', '.join(some)}."
    if set(problems) <= set(results.settings.held_out):
        note += " Held out: no option was chosen on them."
    return Section(f"How far from the posterior: {name}", columns, rows, note, frozenset(breaks)), records


def _problem(results: Results, problem: str) -> Part:
    """Every sampler at all its steps on one problem, without guidance."""
    settings = results.of(problem, guided=False)
    rows, breaks, before = [], set(), None
    for setting in settings:
        if setting.sampler != before:
            breaks.add(len(rows))
            before = setting.sampler
        values = [or_nothing(results.mean([problem], setting, metric)) for metric in SHOWN]
        over = or_nothing(results.excess([problem], setting), signed=True)
        steps = "" if setting.sampler == EXACT else str(setting.steps)
        rows.append([setting.sampler, steps, results.nfe(problem, setting), *values, over])
    columns = [Column("Sampler", numeric=False), Column("Steps"), Column("Evaluations")]
    columns += [*(Column(LABELS[metric]) for metric in SHOWN), Column("W2 excess")]
    note = f"World {results.worlds[problem]}."
    ranks = results.ranks(problem)
    if len(ranks):
        note += (
            f" {(ranks < 0.05).mean():.0%} of the {len(ranks)} truths are less likely than 95 % of their own "
            "posterior's samples; 5 % would be if they were of the model."
        )
    return Section(f"Problem {problem}", columns, rows, note, frozenset(breaks)), list(_records(results, problem))


# ----------------------------------------------------------------------------------------------------------------- csv
def _records(results: Results, problem: str) -> Iterator[dict]:
    """One record for each setting and measure of a problem, in full precision."""
    for setting in [*results.of(problem, guided=False), *results.of(problem, guided=True)]:
        for metric in LABELS:
            yield _record(results, problem, setting, metric)
    ranks = results.ranks(problem)
    if len(ranks):
        share = results.share_of_ranks_below(problem, 0.05)
        record = {"section": "calibration", "problem": problem, "world": results.worlds[problem], "n": share.n}
        yield record | interval_columns("below_5_percent", share)


def _record(results: Results, problem: str, setting: Setting, metric: str) -> dict:
    value = results.mean([problem], setting, metric)
    exact = results.mean([problem], setting, metric, "exact")
    rooted = metric == SQUARED
    excess = results.excess([problem], setting) if rooted else results.beyond_exact([problem], setting, metric)
    record = {"section": "problem", "problem": problem, "world": results.worlds[problem], "sampler": setting.sampler}
    record |= {"preset": results.preset[setting.sampler], "steps": setting.steps, "nfe": results.nfe(problem, setting)}
    record |= {"method": setting.method, "eta": setting.eta, "D": setting.D, "D_unit": setting.D_unit, "metric": metric}
    record |= {"value": value.estimate, "low": value.low, "high": value.high, "n": value.n, "exact": exact.estimate}
    record |= interval_columns("excess", excess)
    if setting.method != PLAIN and rooted:
        record |= interval_columns("per_diversity", per_diversity(results, [problem], setting))
    return record
