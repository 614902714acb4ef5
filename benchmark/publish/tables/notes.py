"""The sentences that tables share: what an interval, an arrow and a star mean, and what these cases can show at all."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import Protocol

from benchmark import statistics
from benchmark.jobs.publish import PublishSettings
from benchmark.metrics.registry import Metric
from benchmark.publish import labels
from benchmark.publish.results.measured import Measured
from benchmark.statistics import Interval
from benchmark.statistics.power import standard_effect


class Comparison(Protocol):
    """A paired difference of a metric, and how many tests share Holm's correction with it."""

    metric: str
    difference: Interval | None
    family: int


def interval_line(measured: Measured) -> str:
    """What the values, their intervals and the arrows are."""
    return (
        f"Mean over cases with its {measured.level:.0%} interval (docs/metrics.md, Uncertainty). "
        "↑: higher is better, ↓: lower is better."
    )


def star_line(measured: Measured) -> str:
    """What a star behind a value says."""
    return (
        f"* differs from the plain set of the same sampler at {1 - measured.level:.0%} (paired test, Holm's "
        "correction over a sampler's sets in a table)."
    )


def facts(cases: int, n: int | None, fixed: dict | None = None) -> list[str]:
    """What a table's values are of: ``8 cases``, ``sets of N = 4``, and what a sweep holds fixed."""
    known = [f"{cases} cases" if cases != 1 else "1 case (no interval)", f"sets of N = {n}" if n else ""]
    return list(filter(None, [*known, labels.held_fixed(fixed or {})]))


def legend(measured: Measured, starred: bool = False) -> str:
    """What a table needs beside it wherever it is pasted."""
    star = f"; * differs from plain at {1 - measured.level:.0%} (paired test, Holm)" if starred else ""
    return f"Mean over cases with its {measured.level:.0%} interval{star}."


def tuned_lines(settings: PublishSettings) -> list[str]:
    """On what margins, eta and D were chosen, where the settings say it; else nothing."""
    text = settings.tuned_on
    return [f"Margins, η and D were chosen on other cases: {str(text).rstrip('.')}."] if text else []


def what_cases_show(compared: Iterable[Comparison], shown: Sequence[Metric], level: float) -> str:
    """What so many cases can show, and what plain distances cannot: the three notes that follow, as one text."""
    compared = [item for item in compared if item.difference is not None]
    notes = [star_note(compared, level), resolved_note(compared, shown), noise_note(shown)]
    return " ".join(filter(None, notes))


def star_note(compared: Iterable[Comparison], level: float) -> str:
    """Where cases are too few for any star: the smallest p that they can give, corrected; else nothing."""
    tested = [item for item in compared if item.difference is not None and item.family]
    if not tested:
        return ""
    best = min(tested, key=lambda item: statistics.smallest_p(item.difference.n, item.family))
    least = statistics.smallest_p(best.difference.n, best.family)
    if least < 1 - level:
        return ""
    number = f"{least:.3f}".removeprefix("0") if least < 1 else "1"
    made_of = f"{_count(best.difference.n, 'case')}, {_count(best.family, 'set')}"
    return f"{made_of}: no p below {number} is possible, so no star can appear."


def resolved_note(compared: Iterable[Comparison], shown: Sequence[Metric]) -> str:
    """The smallest change of each measure that these cases detect, over the sets of a table; nothing without one."""
    found = {column.name: [] for column in shown if column.tested}
    for item in compared:
        if item.metric in found and item.difference is not None and math.isfinite(item.difference.resolves):
            found[item.metric].append(item.difference.resolves)
    parts = [f"{labels.measure(name).label} {_span(values)}" for name, values in found.items() if values]
    return f"Smallest change that these cases detect with {statistics.POWER:.0%}: {', '.join(parts)}." if parts else ""


def noise_note(shown: Sequence[Metric]) -> str:
    """What to read plain pairwise distances beside; nothing where none is shown."""
    named = [column.label for column in shown if column.noise_wins]
    if not named:
        return ""
    return f"Noise wins what no support bounds ({', '.join(named)}) whatever one does: read it beside support."


def verdict(metric: str, difference: Interval) -> str:
    """What a change shows: ``better``, ``worse``, ``not resolved`` (the interval includes 0, or p leaves it to
    chance), ``no case differs``.

    Empty where nothing is claimed: a measure without direction, a cost, one case.
    """
    better = labels.measure(metric).better
    if not labels.measure(metric).tested or not math.isfinite(difference.low):
        return ""
    if (difference.low > 0 or difference.high < 0) and not difference.p >= 1 - difference.level:
        return "better" if (difference.estimate > 0) == (better > 0) else "worse"
    return "no case differs" if math.isnan(difference.p) else "not resolved"


def not_worse(margin: float | None, metric: str, difference: Interval) -> bool | None:
    """Whether a metric is shown to be not worse by a margin; None where nothing is claimed: without a margin, a
    direction or a finite range, which alone bounds what unseen cases lose."""
    shown = labels.measure(metric)
    if margin is None or not shown.better or not _has_range(metric):
        return None
    return statistics.non_inferior(difference, margin, shown.better < 0)


def cases_for_margin(margin: float, metric: str, level: float) -> int | None:
    """How many cases, none of them affected, show that a metric is not worse by a margin; None where its range is not
    finite, or not wider than the margin."""
    low, high = labels.measure(metric).bounds()
    reach = high - low
    if not (math.isfinite(reach) and 0 < margin < reach):
        return None
    return statistics.unaffected_cases_needed(margin / reach, level)


def margin_note(margin: float, metric: str, differences: Iterable[Interval | None]) -> str:
    """Where no difference of a metric is shown to be not worse by a margin: how many cases could show it, if any."""
    known = [difference for difference in differences if difference is not None and difference.n > 1]
    shown = labels.measure(metric)
    if known and not _has_range(metric):
        return (
            f"Not claimed: no range. {shown.label} has none, so nothing bounds what an unseen case loses of it, and no "
            f"set is said to be not worse by {margin:g}."
        )
    if not known or any(not_worse(margin, metric, difference) for difference in known):
        return ""
    cases, level = max(difference.n for difference in known), known[0].level
    needed = cases_for_margin(margin, metric, level)
    if needed is not None and cases < needed:
        return (
            f"{_count(cases, 'case')} cannot show that {shown.label} is not worse by {margin:g}: it takes {needed} "
            "cases without any affected one."
        )
    effects = [
        margin * standard_effect(difference.n, level) / difference.resolves
        for difference in known
        if math.isfinite(difference.resolves)
    ]
    most = statistics.needed_for(max(effects), level) if effects else math.inf
    if not math.isfinite(most) or most <= cases:
        return f"No set is shown to be not worse by {margin:g} in {shown.label}."
    return (
        f"No set is shown to be not worse by {margin:g} in {shown.label}; of the set that varies least, it takes at "
        f"least {most:g} cases to show it with {statistics.POWER:.0%} if it lost nothing."
    )


def _has_range(metric: str) -> bool:
    return all(map(math.isfinite, labels.measure(metric).bounds()))


def _count(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"


def _span(values: list[float]) -> str:
    low, high = f"{min(values):.2g}", f"{max(values):.2g}"
    return low if low == high else f"{low} to {high}"
