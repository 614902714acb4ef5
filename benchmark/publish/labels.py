"""What a reader sees instead of the names in the files: measures with unit and direction, points of the grid."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable
from functools import cache

from benchmark.errors import BenchmarkError
from benchmark.jobs.publish import Row
from benchmark.metrics.registry import Metric, find

STRATEGIES = {
    "kmeans": "Cluster representatives",
    "uniformization": "Uniformization",
    "farthest": "Farthest points",
    "random": "Random draw",
}
AXES = {"eta": "η", "D": "D"}
UNITS = {"rms": "RMS", "repaint": "RePaint's unit", "ddnm": "DDNM's unit", "dps": "DPS's unit", "full": "whole image"}


@cache
def measure(name: str) -> Metric:
    """What the registry of metrics says of a name, its label filled; one that it does not know is of no group."""
    try:
        return find(name)[1].named(name)
    except BenchmarkError:
        return Metric(name, (), "none", "", "", label=name.replace("_", " "), group="other")


def rank(name: str) -> tuple[int, str]:
    """Sorting key: by the metrics' rank; what the registry does not know stands at the end."""
    return measure(name).rank, name


def preferred(present: set[str], *groups: str, count: int | None = None) -> list[Metric]:
    """The first ``count`` metrics of these groups that are present, by their rank."""
    chosen = [measure(name) for name in sorted(present, key=rank) if measure(name).group in groups]
    return chosen[:count]


def number(value: float) -> str:
    """A grid value: 0.07, ∞."""
    return "∞" if math.isinf(value) else f"{value:g}"


def distance(D: float, unit: str) -> str:
    """A distance with its unit: ``0.3 RMS``, ``∞``."""
    return number(D) if math.isinf(D) else f"{number(D)} {UNITS.get(unit, unit)}"


def D_units(rows: Iterable[Row]) -> str:
    """The units of the distances between 0 and ∞, in words; empty where no row has one."""
    return ", ".join(UNITS.get(unit, unit) for unit in sorted({row.D_unit for row in rows if 0 < row.D < math.inf}))


def held_fixed(fixed: dict) -> str:
    """What a sweep holds fixed: ``D = 0.3 RMS`` or ``η = 0.1``; empty where it says neither."""
    if "D" in fixed:
        return f"D = {distance(fixed['D'], fixed.get('D_unit', 'rms'))}"
    return f"η = {number(fixed['eta'])}" if "eta" in fixed else ""


def axis_value(row: Row, axis: str) -> str:
    """A row's place in a sweep as the paper prints it: ``0 (posterior)``, ``0.07``, ``∞``."""
    return "0 (posterior)" if row.plain else number(getattr(row, axis))


def point(row: Row) -> str:
    """A point of the grid in words: Plain; η 0.1, D 0.3 RMS; Cluster representatives."""
    if row.plain:
        return "Plain"
    if row.selected:
        return strategy(row.method)
    return _guided(row.method, row.eta, row.D, row.D_unit)


def _guided(method: str, eta: float, D: float, unit: str) -> str:
    guidance = "" if method == "nearest_neighbour" else f"{method} "
    return f"{guidance}η {number(eta)}, D {distance(D, unit)}"


def strategy(name: str) -> str:
    """A selection strategy in words."""
    return STRATEGIES.get(name, name)


def point_of_name(name: str) -> str:
    """The words for a point's file name: plain, eta0.1_D0.3rms, eta0.09_Dinf, kmeans; another name stays itself."""
    match = re.fullmatch(r"(?:(\w+?)_)?eta([\d.e+-]+)_D(?:(inf)|([\d.]+(?:e[+-]?\d+)?)([a-z]*))", name)
    if match:
        method, eta, infinite, reach, unit = match.groups()
        D = math.inf if infinite else float(reach)
        return _guided(method or "nearest_neighbour", float(eta), D, unit or "rms")
    return "Plain" if name == "plain" else strategy(name)
