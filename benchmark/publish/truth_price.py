"""What diversity costs: the distance to the posterior that guidance adds, for each unit and at equal gain."""

from __future__ import annotations

import math
from collections.abc import Iterator

from benchmark.publish.document import Column, Section
from benchmark.publish.truth_choices import UNCOUPLED
from benchmark.publish.truth_results import EXACT, Results, Setting, columns_of, or_nothing

GAINS = 3
COSTS = {"sliced_wasserstein": "W2", "mode_total_variation": "Modes' TV"}


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
        gain, cost = (results.difference(own, setting, setting.plain, m) for m in ("diversity", "sliced_wasserstein"))
        price = results.per_diversity(own, setting)
        cells = [setting.sampler, setting.method.replace("_", " "), f"{setting.eta:g}", _reach(setting)]
        cells += [or_nothing(results.mean(own, setting, metric)) for metric in ("diversity", "modes")]
        rows.append([*cells, or_nothing(gain, signed=True), or_nothing(cost, signed=True), or_nothing(price)])
        record = {"section": "price", "group": name, "sampler": setting.sampler, "steps": setting.steps}
        record |= {"method": setting.method, "eta": setting.eta, "D": setting.D, "D_unit": setting.D_unit, "n": gain.n}
        record |= columns_of("gain", gain) | columns_of("difference", cost) | columns_of("per_diversity", price)
        records.append(record)
    columns = [Column("Sampler", numeric=False), Column("Guidance", numeric=False), Column("η"), Column("D")]
    columns += [Column("Diversity"), Column("Modes a set"), Column("Diversity − plain"), Column("W2 − plain")]
    columns += [Column("W2 per diversity")]
    note = (
        f"Problems: {', '.join(problems)}, of which a sampler counts on those that it serves. The last column is "
        "the change of sliced W2 from plain sampling divided by the change of diversity; – where it did not rise "
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
        for gain in _gains(results, own, curves):
            for curve in curves.values():
                costs = {metric: results.cost_at_gain(own, curve, gain, metric) for metric in COSTS}
                if all(math.isnan(cost.estimate) for cost in costs.values()):
                    continue
                one = curve[0]
                cells = [sampler, f"{gain:.2g}", one.method.replace("_", " "), _reach(one)]
                rows.append([*cells, *(or_nothing(cost, signed=True) for cost in costs.values())])
                for metric, cost in costs.items():
                    record = {"section": "equal gain", "group": name, "sampler": sampler, "steps": one.steps}
                    record |= {"method": one.method, "D": one.D, "D_unit": one.D_unit, "gain": float(f"{gain:.2g}")}
                    records.append(record | {"metric": metric, "n": cost.n} | columns_of("difference", cost))
    if not rows:
        return
    columns = [Column("Sampler", numeric=False), Column("Gain of diversity"), Column("Guidance", numeric=False)]
    columns += [Column("D"), *(Column(f"Change of {label}") for label in COSTS.values())]
    note = (
        "At the same gain of diversity over plain sampling, linear between the η that were sampled; – where a curve "
        "does not reach it beyond doubt. The gains are a quarter, a half and three quarters of what every D of the "
        "sampler reaches."
    )
    yield Section(f"What diversity costs at equal gain: {name}", columns, rows, note, frozenset(breaks)), records


def _gains(results: Results, problems: list[str], curves: dict[tuple, list[Setting]]) -> list[float]:
    """Gains that the nearest-neighbour curves of a sampler all reach."""
    tops = []
    for (method, _, _), curve in curves.items():
        if method == "nearest_neighbour":
            tops.append(max(results.difference(problems, s, s.plain, "diversity").estimate for s in curve))
    top = min(tops, default=0.0)
    return [top * (index + 1) / (GAINS + 1) for index in range(GAINS)] if top > 0 else []


def _reach(setting: Setting) -> str:
    return "∞" if math.isinf(setting.D) else f"{setting.D:g} {setting.D_unit}"
