"""The table ``truth``: samples beside exact posterior samples, what reference presets cost, what diversity costs."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from benchmark import store
from benchmark.publish import document
from benchmark.publish.document import Column, Document, Section, Value
from benchmark.publish.truth_results import DISTANCES, PLAIN, Results, Setting, most_steps
from benchmark.statistics import Interval

LABELS = {
    "sliced_wasserstein": "Sliced W2",
    "energy": "Energy",
    "mode_total_variation": "Modes' TV",
    "mean_error": "Mean error",
    "covariance_error": "Cov. error",
    "diversity": "Diversity",
    "modes": "Modes a set",
    "consistency": "Consistency",
    "finite": "Finite",
}
SHOWN = (*DISTANCES, "diversity", "modes", "consistency")
EXACT = "exact posterior"
UNCOUPLED = "_uncoupled"


def write_table(results: Results, folder: str | Path) -> None:
    """Write truth.csv (every value) and truth.md, .tex, .html (the same as sections)."""
    store.write_text(Path(folder) / "truth.csv", _csv(records(results)))
    text = Document(
        "truth", "Samples and the exact posterior", _intro(results), list(sections(results)), _legend(results)
    )
    for suffix, write in (("md", document.markdown), ("tex", document.latex), ("html", document.page)):
        store.write_text(Path(folder) / f"truth.{suffix}", write(text))


def _intro(results: Results) -> list[str]:
    return [
        f"Run {results.settings.get('run', '')}. Every distance is to the exact posterior of one measurement; the row "
        f"“{EXACT}” holds the floor, the same value of as many exact samples.",
        f"Numbers are means over measurements with {results.level:.0%} bootstrap intervals. Sliced W2, diversity and "
        "consistency are on the scale [-1, 1]; mean error is in standard deviations of the posterior; covariance error "
        "is relative; modes’ TV runs from 0 to 1.",
    ]


def _legend(results: Results) -> str:
    return f"In brackets {results.level:.0%} bootstrap intervals over measurements."


def sections(results: Results) -> Iterator[Section]:
    """The summary, the comparisons, what diversity costs, then every problem."""
    yield _summary(results)
    if results.settings.get("compare"):
        yield _comparisons(results)
    for world in results.world_names():
        guided = [problem for problem in results.problems_of(world) if results.of(problem, guided=True)]
        if guided:
            yield _diversity(results, world, guided)
    for problem in results.problems:
        yield _problem(results, problem)


def _summary(results: Results) -> Section:
    """Sliced W2 as a multiple of its floor, per world, at each sampler's most steps."""
    rows = []
    for sampler in results.samplers:
        cells: list = [sampler]
        for world in results.world_names():
            problems = _with(results, results.problems_of(world), sampler)
            setting = most_steps(results, problems, sampler)
            cells += [None, None] if setting is None else [
                str(setting.steps), _or_nothing(results.times_floor(problems, setting, "sliced_wasserstein"))
            ]  # fmt: skip
        rows.append(cells)
    columns = [Column("Sampler", numeric=False)]
    for world in results.world_names():
        columns += [Column(f"{world}: steps"), Column(f"{world}: W2 / floor")]
    note = (
        "Without guidance: sliced W2 to the posterior divided by that of exact samples, 1 for a posterior sampler, at "
        "the most steps that all of a world’s problems have. A sampler counts on the problems that it serves."
    )
    return Section("Which sampler samples the posterior", columns, rows, note)


def _comparisons(results: Results) -> Section:
    """Each pair of ``compare``, per world: plain at the most steps that both have, then guided; and DPS's coupling."""
    rows, breaks = [], set()
    for pair in results.settings["compare"]:
        breaks.add(len(rows))
        names = [pair["what"], pair["sampler"], pair["against"]]
        for world in results.world_names():
            shared = _with(results, _with(results, results.problems_of(world), pair["sampler"]), pair["against"])
            plain = _common(results, shared, pair["sampler"], pair["against"])
            if plain is not None:
                rows.append([*names, world, "none", str(plain[0].steps), *_differences(results, shared, [plain])])
            guided, points = _guided_pairs(results, shared, pair["sampler"], pair["against"])
            if points:
                cells = [*names, world, f"mean of {len(points)}", str(points[0][0].steps)]
                rows.append([*cells, *_differences(results, guided, points)])
    breaks.add(len(rows))
    for sampler in results.samplers:
        for world in results.world_names():
            guided, points = _coupled_pairs(results, results.problems_of(world), sampler)
            if points:
                cells = ["the push a constant in the gradient", sampler, sampler, world, f"mean of {len(points)}"]
                rows.append([*cells, str(points[0][0].steps), *_differences(results, guided, points)])
    columns = [Column(name, numeric=False) for name in ("What", "Sampler", "Against", "World", "Guidance")]
    columns += [Column("Steps"), *(Column(LABELS[metric]) for metric in (*DISTANCES, "diversity")), Column("p (W2)")]
    note = (
        "Sampler minus the one that it is held against, paired by measurement and averaged over the guided points that "
        "both have; p of the two-sided sign-flip test, not corrected."
    )
    return Section("What a choice costs", columns, rows, note, frozenset(breaks))


def _differences(results: Results, problems: list[str], pairs: list[tuple[Setting, Setting]]) -> list:
    """Differences of the distances and of diversity, and the p-value of the first."""
    found = [results.mean_difference(problems, pairs, metric) for metric in (*DISTANCES, "diversity")]
    return [*(_or_nothing(difference, signed=True) for difference in found), document.p_value(found[0].p)]


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


def _diversity(results: Results, world: str, problems: list[str]) -> Section:
    """Guided points of a world, each over the problems that its sampler serves."""
    rows = [[EXACT, "", None, None, *_exact(results, problems, ("diversity", "modes")), None, None, None]]
    breaks, before = set(), None
    for setting in [setting for sampler in results.samplers for setting in results.guided_of(problems, sampler)]:
        if (setting.sampler, setting.method) != before:
            breaks.add(len(rows))
            before = (setting.sampler, setting.method)
        own = results.served(problems, setting)
        rows.append(
            [
                setting.sampler,
                setting.method.replace("_", " "),
                f"{setting.eta:g}",
                "∞" if math.isinf(setting.D) else f"{setting.D:g} {setting.D_unit}",
                _or_nothing(results.mean(own, setting, "diversity")),
                _or_nothing(results.mean(own, setting, "modes")),
                _or_nothing(results.difference(own, setting, setting.plain, "diversity"), signed=True),
                _or_nothing(results.difference(own, setting, setting.plain, "sliced_wasserstein"), signed=True),
                _or_nothing(results.per_diversity(own, setting)),
            ]
        )
    columns = [Column("Sampler", numeric=False), Column("Guidance", numeric=False), Column("η"), Column("D")]
    columns += [Column("Diversity"), Column("Modes a set"), Column("Diversity − plain"), Column("W2 − plain")]
    columns += [Column("W2 per diversity")]
    note = (
        f"Problems: {', '.join(problems)}, of which a sampler counts on those that it serves. The last column is "
        "the change of sliced W2 from plain sampling divided by the change of diversity; – where it did not rise "
        "beyond doubt. Below 0 the guidance brings the samples nearer to the posterior."
    )
    return Section(f"What diversity costs: {world}", columns, rows, note, frozenset(breaks))


def _problem(results: Results, problem: str) -> Section:
    """Every sampler at all its steps on one problem, without guidance."""
    settings = results.of(problem, guided=False)
    rows = [[EXACT, None, None, *_exact(results, [problem], SHOWN), None]]
    breaks, before = set(), None
    for setting in settings:
        if setting.sampler != before:
            breaks.add(len(rows))
            before = setting.sampler
        values = [_or_nothing(results.mean([problem], setting, metric)) for metric in SHOWN]
        over = _or_nothing(results.excess([problem], setting, "sliced_wasserstein"), signed=True)
        rows.append([setting.sampler, str(setting.steps), results.nfe(problem, setting), *values, over])
    columns = [Column("Sampler", numeric=False), Column("Steps"), Column("Evaluations")]
    columns += [*(Column(LABELS[metric]) for metric in SHOWN), Column("W2 − floor")]
    return Section(f"Problem {problem}", columns, rows, f"World {results.worlds[problem]}.", frozenset(breaks))


def _exact(results: Results, problems: list[str], metrics: tuple[str, ...]) -> list:
    return [_or_nothing(results.exact(problems, metric)) for metric in metrics]


def _or_nothing(interval: Interval, signed: bool = False) -> Value | None:
    return None if math.isnan(interval.estimate) else Value(interval, signed=signed)


def _with(results: Results, problems: list[str], sampler: str) -> list[str]:
    return [p for p in problems if any(setting.sampler == sampler for setting in results.of(p, guided=False))]


def _common(results: Results, problems: list[str], one: str, other: str) -> tuple[Setting, Setting] | None:
    """Both samplers at the most steps that both have on all of these problems."""
    steps = None
    for problem in problems:
        for sampler in (one, other):
            found = {s.steps for s in results.of(problem, guided=False) if s.sampler == sampler}
            steps = found if steps is None else steps & found
    return (Setting(one, max(steps)), Setting(other, max(steps))) if steps else None


# ----------------------------------------------------------------------------------------------------------------- csv
def records(results: Results) -> Iterator[dict]:
    """One record for each problem, setting and measure, in full precision."""
    for problem in results.problems:
        for setting in [*results.of(problem, guided=False), *results.of(problem, guided=True)]:
            for metric in LABELS:
                yield _record(results, problem, setting, metric)


def _record(results: Results, problem: str, setting: Setting, metric: str) -> dict:
    value = results.mean([problem], setting, metric)
    exact, excess = results.mean([problem], setting, metric, "exact"), results.excess([problem], setting, metric)
    record = {"problem": problem, "world": results.worlds[problem], "sampler": setting.sampler}
    record |= {"preset": results.preset[setting.sampler], "steps": setting.steps, "nfe": results.nfe(problem, setting)}
    record |= {"method": setting.method, "eta": setting.eta, "D": setting.D, "D_unit": setting.D_unit, "metric": metric}
    record |= {"value": value.estimate, "low": value.low, "high": value.high, "n": value.n, "exact": exact.estimate}
    record |= {"excess": excess.estimate, "excess_low": excess.low, "excess_high": excess.high}
    if setting.method != PLAIN and metric == "sliced_wasserstein":
        bias = results.per_diversity([problem], setting)
        record |= {"per_diversity": bias.estimate, "per_diversity_low": bias.low, "per_diversity_high": bias.high}
    return record


def _csv(rows: Iterator[dict]) -> str:
    rows, text = list(rows), io.StringIO()
    columns = list(dict.fromkeys(key for row in rows for key in row))
    writer = csv.DictWriter(text, columns, restval="", lineterminator="\n")
    writer.writeheader()
    writer.writerows(
        {key: "" if isinstance(value, float) and math.isnan(value) else value for key, value in row.items()}
        for row in rows
    )
    return text.getvalue()
