"""What diversity costs: the distance to the posterior that guidance adds, for each unit and at equal gain."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator

import numpy as np

from benchmark.publish.document import Column, Section
from benchmark.publish.exact.choices import UNCOUPLED
from benchmark.publish.exact.results import EXACT, LABELS, RESAMPLES, SQUARED, Results, Setting, or_nothing
from benchmark.publish.tables.rows import interval_columns
from benchmark.statistics import Interval

GAINS = 3
NEAREST = "nearest_neighbour"
COSTS = (SQUARED, "mode_total_variation")


def per_diversity(results: Results, problems: list[str], setting: Setting, metric: str = SQUARED) -> Interval:
    """(metric - metric of plain) / (diversity - diversity of plain), means over cases before they are divided.

    The interval is the percentile bootstrap's over cases; NaN where the gain of diversity is not above 0 in all but
    (1 - level) / 2 of the resamples: then nothing was bought.
    """
    cost, gain = (_change(results, problems, setting, name) for name in (metric, "diversity"))
    known = np.isfinite(cost) & np.isfinite(gain)
    cost, gain = cost[known], gain[known]

    def price(rows: np.ndarray) -> np.ndarray:
        gains = gain[rows].mean(-1)
        return np.where(gains > 0, cost[rows].mean(-1) / np.where(gains > 0, gains, 1), np.nan)

    return _bootstrap(price, len(gain), results.level)


def cost_at_gain(
    results: Results, problems: list[str], curve: list[Setting], gain: float, metric: str, against: list[Setting] = ()
) -> Interval:
    """Change of a metric from plain where guidance has brought ``gain`` of diversity: linear between the points of one
    sampler, guidance and D, from (0, 0) on by rising eta, means over cases before interpolating.

    With ``against`` the change on ``curve`` less that on this other one, on the same resamples. The interval is the
    percentile bootstrap's over cases; NaN where a curve, or more than (1 - level) / 2 of its resamples, does not reach
    the gain.
    """
    paths = []
    for one in [each for each in (curve, against) if each]:
        changes = ([_change(results, problems, setting, name) for setting in one] for name in ("diversity", metric))
        paths.append([np.stack([np.zeros_like(values[0]), *values]) for values in changes])
    known = np.all([np.isfinite(values).all(0) for path in paths for values in path], axis=0)

    def cost(rows: np.ndarray) -> np.ndarray:
        found = [_crossing(*(values[:, known][:, rows].mean(-1) for values in path), gain) for path in paths]
        return found[0] - sum(found[1:])

    return _bootstrap(cost, int(known.sum()), results.level)


def _change(results: Results, problems: list[str], setting: Setting, metric: str) -> np.ndarray:
    """By case: a metric at a setting minus the metric without guidance."""
    return results.by_case(problems, setting, metric) - results.by_case(problems, setting.plain, metric)


def _bootstrap(statistic: Callable[[np.ndarray], np.ndarray], n: int, level: float) -> Interval:
    """The statistic of n cases, a function of their numbers in rows, and its percentile interval; NaN where it, or more
    than (1 - level) / 2 of its resamples, is."""
    nothing, tail = Interval(math.nan, math.nan, math.nan, n, level), (1 - level) / 2
    if n < 2 or math.isnan(estimate := float(statistic(np.arange(n)[None])[0])):
        return nothing
    found = statistic(np.random.default_rng(0).integers(0, n, (RESAMPLES, n)))
    if np.isnan(found).mean() > tail:
        return nothing
    return Interval(estimate, *map(float, np.nanquantile(found, [tail, 1 - tail])), n, level)


def _crossing(gains: np.ndarray, costs: np.ndarray, gain: float) -> np.ndarray:
    """The cost at which paths (points, resamples) of (gain, cost) from (0, 0) first reach ``gain``; NaN where not."""
    after = np.argmax(gains[1:] >= gain, axis=0) + 1
    here = np.arange(gains.shape[1])
    g0, g1, c0, c1 = gains[after - 1, here], gains[after, here], costs[after - 1, here], costs[after, here]
    step = np.where(g1 > g0, g1 - g0, 1.0)
    return np.where(g1 >= gain, c0 + (gain - g0) / step * (c1 - c0), np.nan)


def diversity_price(results: Results, name: str, problems: list[str]) -> tuple[Section, list[dict]]:
    """Guided points of a group, each over the problems that its sampler serves."""
    exact = [or_nothing(results.exact(problems, metric)) for metric in ("diversity", "modes")]
    rows, records = [[EXACT, "", None, None, *exact, None, None, None]], []
    breaks, before = set(), None
    for setting in [setting for sampler in results.samplers for setting in results.guided_of(problems, sampler)]:
        if (setting.sampler, setting.method) != before:
            breaks.add(len(rows))
            before = (setting.sampler, setting.method)
        own = results.served(problems, setting)
        gain, cost = (results.difference(own, setting, setting.plain, m) for m in ("diversity", SQUARED))
        price = per_diversity(results, own, setting)
        cells = [setting.sampler, setting.method.replace("_", " "), f"{setting.eta:g}", setting.reach]
        cells += [or_nothing(results.mean(own, setting, metric)) for metric in ("diversity", "modes")]
        rows.append([*cells, or_nothing(gain, signed=True), or_nothing(cost, signed=True), or_nothing(price)])
        record = {"section": "price", "group": name, "sampler": setting.sampler, "steps": setting.steps}
        record |= {"method": setting.method, "eta": setting.eta, "D": setting.D, "D_unit": setting.D_unit, "n": gain.n}
        record |= (
            interval_columns("gain", gain)
            | interval_columns("difference", cost)
            | interval_columns("per_diversity", price)
        )
        records.append(record)
    columns = [Column("Sampler", numeric=False), Column("Guidance", numeric=False), Column("η"), Column("D")]
    columns += [Column("Diversity"), Column("Modes a set"), Column("Diversity − plain"), Column("W2 excess² − plain")]
    columns += [Column("W2 excess² per diversity")]
    note = (
        f"Problems: {', '.join(problems)}, of which a sampler counts on those that it serves. The last column is "
        "the change of the squared W2 excess from plain sampling divided by that of diversity; – where it did not rise "
        "beyond doubt. Below 0 the guidance brings the samples nearer to the posterior. Points of one η and two D are "
        "doses of two drugs: compare D at equal gain, below."
    )
    return Section(f"What diversity costs: {name}", columns, rows, note, frozenset(breaks)), records


def equal_gain(results: Results, name: str, problems: list[str]) -> Iterator[tuple[Section, list[dict]]]:
    """What the same gain of diversity costs under each guidance and D of a sampler, where there are several."""
    rows, records, breaks = [], [], set()
    for sampler in results.samplers:
        curves: dict[tuple, list[Setting]] = {}
        for setting in results.guided_of(problems, sampler):
            if not setting.method.endswith(UNCOUPLED):
                curves.setdefault((setting.method, setting.D, setting.D_unit), []).append(setting)
        curves = {key: sorted(curve, key=lambda s: s.eta) for key, curve in curves.items() if len(curve) > 1}
        if len(curves) < 2:
            continue
        own = results.served(problems, next(iter(curves.values()))[0])
        breaks.add(len(rows))
        for share, gain in _gains(results, own, curves).items():
            for (method, reach, unit), curve in curves.items():
                free = [] if math.isinf(reach) else curves.get((NEAREST, math.inf, unit), [])
                costs = {metric: cost_at_gain(results, own, curve, gain, metric) for metric in COSTS}
                if all(math.isnan(cost.estimate) for cost in costs.values()):
                    continue
                cells = [sampler, f"{gain:.2g}", method.replace("_", " "), curve[0].reach]
                for metric, cost in costs.items():
                    less = cost_at_gain(results, own, curve, gain, metric, free) if free else None
                    cells += [or_nothing(cost, signed=True), less and or_nothing(less, signed=True)]
                    record = {"section": "equal gain", "group": name, "sampler": sampler, "steps": curve[0].steps}
                    record |= {"method": method, "D": reach, "D_unit": unit, "share_of_gain": share, "gain": gain}
                    record |= {"metric": metric, "n": cost.n} | interval_columns("difference", cost)
                    records.append(record | interval_columns("beyond_no_limit", less))
                rows.append(cells)
    if not rows:
        return
    columns = [Column("Sampler", numeric=False), Column("Gain of diversity"), Column("Guidance", numeric=False)]
    columns += [Column("D")]
    for metric in COSTS:
        columns += [Column(f"Change of {LABELS[metric]}"), Column("minus that at D = ∞")]
    note = (
        "At the same gain of diversity over plain sampling, linear between the η that were sampled; – where a curve "
        "does not reach it beyond doubt. The gains are a quarter, a half and three quarters of what every D of the "
        "sampler reaches. The differences from no limit are paired by case."
    )
    yield Section(f"What diversity costs at equal gain: {name}", columns, rows, note, frozenset(breaks)), records


def _gains(results: Results, problems: list[str], curves: dict[tuple, list[Setting]]) -> dict[float, float]:
    """Shares of the gain that the nearest-neighbour curves of a sampler all reach, and these gains."""
    tops = [
        max(results.difference(problems, s, s.plain, "diversity").estimate for s in curve)
        for (method, _, _), curve in curves.items()
        if method == NEAREST
    ]
    top = min(tops, default=0.0)
    shares = [(index + 1) / (GAINS + 1) for index in range(GAINS)]
    return {share: top * share for share in shares} if top > 0 else {}
