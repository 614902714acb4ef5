"""The measuring of one set file: pair each set with its case and its bank, ask the families, write tidy rows.

A set that cannot be measured (no truth, another size, a non-finite sample) has NaN in every metric that needs its
pictures, and the reason is recorded; its cost is measured all the same.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from functools import cache

import numpy as np

from benchmark.errors import BenchmarkError
from benchmark.jobs.measure import MeasureSettings
from benchmark.metrics.families import cost
from benchmark.metrics.registry import FAMILIES, available_metrics, family, find
from benchmark.metrics.view import Bank, SetFile, SetView
from benchmark.store import Case, RestorationSet

UNCOMPUTABLE = (BenchmarkError, ArithmeticError, np.linalg.LinAlgError)


def measure_sets(
    settings: MeasureSettings,
    sets: list[RestorationSet],
    cases: dict[str, Case],
    candidates: Iterable[RestorationSet] = (),
    device: str = "cpu",
    peak_memory: float | None = None,
    shared: dict | None = None,
    ours: bool = True,
) -> tuple[list[dict], dict]:
    """Measure the sets of a file.

    Args:
        candidates: sets of candidates; the shards of one case and seed are put together.
        peak_memory: of the job that sampled the sets, in bytes, where it is known.
        shared: one dictionary for several files of a dataset: what was read and fitted for one is not done again.
        ours: whether the package made the sets, whose measurement's noise can then be drawn anew.

    Returns:
        Rows of a metrics table, and what goes into its metadata: ``skipped`` (metrics left out, and why), ``faults``
        (what has no value, and why), and what the families record (sha256 of weights, flags).

    Raises:
        BenchmarkError: an unknown metric or one asked for twice, a weights file with a wrong hash, no set that belongs
            to a case.
    """
    if sets and not any(restorations.keys["case"] in cases for restorations in sets):
        raise BenchmarkError(f"no truth for any set: their cases are others than {', '.join(list(cases)[:3])}, ...")
    shared = {} if shared is None else shared
    candidates = list(candidates)
    kept, banks = shared.get("banks", ([], {}))
    if [id(part) for part in kept] != [id(part) for part in candidates]:
        banks = _banks(candidates)
        shared["banks"] = candidates, banks
    has = {"classifier": settings.classifier, "candidates": list(banks), "weights": settings.weights}
    usable, skipped = available_metrics(settings.metrics, has)
    settings = replace(settings, n=settings.n or (len(sets[0].images) if sets else None))
    file = SetFile(settings, device=device, cases=cases, peak_memory=peak_memory, shared=shared, ours=ours)
    views = [_view(file, restorations, cases, banks) for restorations in sets]
    by_family = {name: frozenset(metric for metric in usable if find(metric)[0] == name) for name in FAMILIES}
    measured, pooled = _measure(file, {name: wanted for name, wanted in by_family.items() if wanted})
    names = _column_names(measured, usable)
    _note_absent(file, usable, {*names, *pooled})
    rows = []
    for restorations, view in zip(sets, views, strict=True):
        values = dict.fromkeys(names, np.nan)
        values |= cost.of_columns(restorations.columns, peak_memory) if view is None else measured[id(view)]
        rows += _rows(restorations, {name: values[name] for name in names})
    if pooled:
        whole = {**sets[0].keys, "case": None, "seed": None, "index": None}
        rows += [{**whole, "metric": name, "value": value} for name, value in pooled.items()]
    return rows, {"skipped": skipped, "faults": file.faults, **file.record}


def _banks(candidates: Iterable[RestorationSet]) -> dict[tuple, Bank]:
    """(case, seed) -> its bank: shards put together in the order of their indices, finite pictures only."""
    shards: dict[tuple, list[RestorationSet]] = {}
    for part in candidates:
        shards.setdefault((part.keys["case"], part.keys["seed"]), []).append(part)
    banks = {}
    for key, parts in shards.items():
        parts.sort(key=lambda part: part.index[0])
        images, index = ([getattr(part, name)[_finite(part)] for part in parts] for name in ("images", "index"))
        banks[key] = Bank(np.concatenate(images), np.concatenate(index))
    return banks


def _finite(restorations: RestorationSet) -> np.ndarray:
    return restorations.columns["finite"].astype(bool)


def _view(file: SetFile, restorations: RestorationSet, cases: dict[str, Case], banks: dict) -> SetView | None:
    """The view of a set that can be measured; None, and a fault recorded, for another."""
    case = cases.get(restorations.keys["case"])
    count, bad = len(restorations.images), int((~_finite(restorations)).sum())
    n, size = file.settings.n, restorations.images.shape[1:]
    if case is None:
        fault = "no truth: the case is not in the cases file"
    elif count != n:
        fault = f"{count} restorations; n = {n} were expected"
    elif size != case.image.shape:
        fault = f"restorations of {_size(size)}, the truth is {_size(case.image.shape)}"
    elif case.hole is not None and case.hole.shape != size[1:]:
        fault = f"restorations of {_size(size)}, the hole is {_size(case.hole.shape)}"
    elif file.views and size != file.views[0].truth.shape:
        fault = f"restorations of {_size(size)}, those before are {_size(file.views[0].truth.shape)}"
    elif bad:
        fault = f"{bad} of {count} restorations are not finite"
    else:
        if count == 1:
            file.fault(_name(restorations), "a set of 1 has no pairs; what needs pairs is NaN")
        return file.add(restorations, case, _bank_of(file, restorations, banks))
    file.fault(_name(restorations), f"{fault}; its values are NaN")
    return None


def _bank_of(file: SetFile, restorations: RestorationSet, banks: dict) -> Bank | None:
    """The bank of a set's case and seed; None, and a fault recorded, for pictures of another size."""
    bank = banks.get((restorations.keys["case"], restorations.keys["seed"]))
    if bank is not None and bank.images.shape[1:] != restorations.images.shape[1:]:
        sizes = f"candidates of {_size(bank.images.shape[1:])}, restorations of {_size(restorations.images.shape[1:])}"
        file.fault(f"bank, {_name(restorations)}", f"{sizes}; what needs candidates is NaN")
        return None
    return bank


def _name(restorations: RestorationSet) -> str:
    return f"case {restorations.keys['case']}, seed {restorations.keys['seed']}"


def _size(shape: tuple[int, ...]) -> str:
    return "x".join(map(str, shape))


def _measure(file: SetFile, by_family: dict[str, frozenset[str]]) -> tuple[dict[int, dict], dict]:
    """The values of each view, by its identity, and those of all sets together."""
    measured: dict[int, dict] = {id(view): {} for view in file.views}
    pooled: dict = {}
    for name, wanted in by_family.items():
        module = family(name)
        if file.views and hasattr(module, "prepare"):
            module.prepare(file, wanted)
        if file.views and hasattr(module, "measure_pool"):
            found = module.measure_pool(file, wanted)
            pooled |= {key: value for key, value in found.items() if _asked(key, wanted)}
        for view in file.views:
            try:
                values = module.measure(view, wanted)
            except UNCOMPUTABLE as error:
                file.fault(f"{name}, case {view.case}", f"{error}; its values are NaN")
                continue
            measured[id(view)] |= {key: value for key, value in values.items() if _asked(key, wanted)}
    return measured, pooled


def _asked(name: str, wanted: frozenset[str]) -> bool:
    return name in wanted or _declared(name) in wanted


@cache
def _declared(name: str) -> str:
    """The name by which the metric of a value is declared; found once, for every set has the same hundred names."""
    return find(name)[1].name


def _column_names(measured: dict[int, dict], usable: list[str]) -> list[str]:
    """The names of a file's columns: what any set has, in the order asked; without a good set, what was asked."""
    found = dict.fromkeys(name for values in measured.values() for name in values)
    if not found:
        return [name for name in usable if "{" not in name and find(name)[1].per == "set"]
    order = {name: position for position, name in enumerate(usable)}
    return sorted(found, key=lambda name: order.get(name, order.get(find(name)[1].name)))


def _note_absent(file: SetFile, usable: list[str], present: set[str]) -> None:
    """Record what was asked by a name that stands for a placeholder and that no set has: ``attribute_entropy/tail``."""
    for name in usable:
        metric = find(name)[1]
        if file.views and name not in present and name != metric.name and metric.per != "pool":
            file.fault(name, f"absent: the dataset gives no such value of {metric.name}")


def _rows(restorations: RestorationSet, values: dict) -> list[dict]:
    """Tidy rows: one for a number, one per sample for an array (N,)."""
    rows = []
    for name, value in values.items():
        if np.ndim(value):
            indices = zip(restorations.index.tolist(), value, strict=True)
            rows += [{**restorations.keys, "index": i, "metric": name, "value": float(item)} for i, item in indices]
        else:
            rows.append({**restorations.keys, "index": None, "metric": name, "value": float(value)})
    return rows
