"""What a metric declares, and the list of the families: a new family is one file of ``benchmark/metrics/families``.

A family module has ``METRICS``, a tuple of :class:`Metric`, and ``measure(view, wanted) -> {name: value}``, where a
value is a number for the whole set or an array (N,) for its samples. Family modules import numpy alone at the top, so
that the plan of a run can ask what is available without loading a network library.
"""

from __future__ import annotations

import difflib
import math
import pkgutil
import re
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path
from types import ModuleType

from benchmark.discovery import entered
from benchmark.errors import BenchmarkError
from benchmark.weights import of_metrics

# In the order in which tables and lists show them; a family that is not named here comes after these.
_FIRST = ("diversity", "fidelity", "attributes", "cost", "bank", "perceptual", "quality", "pooled")
_FOUND = sorted(info.name for info in pkgutil.iter_modules([str(Path(__file__).with_name("families"))]))
FAMILIES = (*_FIRST, *(name for name in _FOUND if name not in _FIRST))
NEEDS = ("pairs", "truth", "measurement", "attributes", "classifier", "features", "hole", "bank", "weights", "pool")
# confidence: how sure a classifier is, and fidelity: how near the truth, are won by the mean picture; plain distances
# of pairs (diversity) by noise. Planted sets are held against the others (planted.py).
MEASURES = ("diversity", "coverage", "support", "plausibility", "quality", "confidence", "fidelity", "cost")
LEAST_BANK = 19  # candidates of other noise: below, a sample must be the most isolated of all to be called unsupported
DIRECTIONS = {"higher": 1, "lower": -1, "none": 0}
# Where tables and figures look for it; ``measures`` says what a better value means, this where a reader expects it.
GROUPS = ("truth", "diversity", "coverage", "quality", "fidelity", "guidance", "shares", "cost", "other")
LAST = 1000  # the rank of what names none
NOISE_WINS = "; noise wins it, so read it beside off_support"  # of definitions: distances that no support bounds


@dataclass(frozen=True)
class Metric:
    """One metric: ``name`` may hold placeholders (``attribute_entropy/{attribute}``), and ``label`` the same.

    ``label``, ``unit``, ``direction``: how tables and figures name it (``PSNR, best of N (dB) ↑``); a number without a
    unit has an empty one. ``direction``: whether a higher or a lower value is better, or none. ``group``: one of
    ``GROUPS``; a table with room for some of a group takes those of the lowest ``rank``, by which csv files are sorted.
    ``per``: what has a value: a ``set``, each ``sample`` of it, or the ``pool`` of all sets of a file.
    ``weights``: names in ``of_metrics.WEIGHTS``.
    ``range``: the least and the greatest value that it can have, infinite where there is none; intervals stay inside.
    ``up_to_n``: whether no value exceeds N, the samples of a set: its range ends there.
    ``measures``: one of ``MEASURES``, what a better value says; planted sets are held against it (planted.py).
    """

    name: str
    needs: tuple[str, ...]
    direction: str
    unit: str
    definition: str
    per: str = "set"
    weights: tuple[str, ...] = ()
    range: tuple[float, float] = (-math.inf, math.inf)
    measures: str = ""
    up_to_n: bool = False
    label: str = field(kw_only=True)
    group: str = field(kw_only=True)
    rank: int = LAST

    def __post_init__(self) -> None:
        """Refuse what tables and figures could not read.

        Raises:
            BenchmarkError: a field of another value than it may have, with those that are right.
        """
        choices = {"direction": DIRECTIONS, "group": GROUPS, "per": ("set", "sample", "pool")}
        choices |= {"measures": ("", *MEASURES)}
        for name, known in choices.items():
            if getattr(self, name) not in known:
                raise BenchmarkError(f"metric {self.name}: {name}: {getattr(self, name)!r} is none of {_listed(known)}")
        needs = self.needs if isinstance(self.needs, tuple) else (self.needs,)
        if unknown := [need for need in needs if need not in NEEDS or not isinstance(self.needs, tuple)]:
            raise BenchmarkError(f"metric {self.name}: needs: {unknown[0]!r} is none of {_listed(NEEDS)}, in a tuple")
        low, high = self.range
        if not low < high:
            raise BenchmarkError(f"metric {self.name}: range: {self.range} is not (least, greatest)")
        for name in ("name", "label"):  # a name that nothing declares has a label alone (publish/labels.py)
            if not str(getattr(self, name)).strip():
                raise BenchmarkError(f"metric {self.name}: {name} is empty; tables and documents need it")

    def matches(self, name: str) -> bool:
        """Whether ``name`` is this metric's, placeholders standing for any text."""
        return self._pattern.fullmatch(name) is not None

    def named(self, name: str) -> Metric:
        """The metric under a name that it :meth:`matches`: placeholders of the label filled, underscores as blanks.

        Raises:
            ValueError: a name of another metric.
        """
        match = self._pattern.fullmatch(name)
        if match is None:
            raise ValueError(f"{name!r} is no {self.name!r}")
        texts = dict(zip(re.findall(r"\{(\w+)\}", self.name), match.groups(), strict=True))
        label = re.sub(r"\{(\w+)\}", lambda match: texts[match[1]], self.label)
        return replace(self, name=name, label=label.replace("_", " "))

    @property
    def better(self) -> int:
        """1 where higher is better, -1 where lower is, else 0."""
        return DIRECTIONS[self.direction]

    @property
    def header(self) -> str:
        """Label, unit and arrow: ``PSNR, best of N (dB) ↑``."""
        arrow = {1: "↑", -1: "↓", 0: ""}[self.better]
        return " ".join(filter(None, [self.label, f"({self.unit})" if self.unit else "", arrow]))

    @property
    def tested(self) -> bool:
        """Whether a change of it is tested: it has a direction and is no cost."""
        return bool(self.better) and self.group != "cost"

    @property
    def noise_wins(self) -> bool:
        """Whether its definition says that noise wins it, as distances between samples are that no support bounds."""
        return self.definition.endswith(NOISE_WINS)

    def bounds(self, n: int | None = None) -> tuple[float, float]:
        """What no value, and hence no mean, can leave; of sets of ``n``, counts of a set's samples end at n."""
        low, high = map(float, self.range)
        return (low, min(high, float(n))) if n and self.up_to_n else (low, high)

    @property
    def _pattern(self) -> re.Pattern:
        parts = re.split(r"\{\w+\}", self.name)
        return re.compile(r"(.+)".join(re.escape(part) for part in parts))


def _listed(known: Iterable[str]) -> str:
    return ", ".join(repr(one) for one in known)


@cache
def family(name: str) -> ModuleType:
    """The module of a family."""
    return entered(f"benchmark.metrics.families.{name}")


@cache
def metrics() -> dict[str, tuple[str, Metric]]:
    """Every metric: name -> (family, metric), in the order of the families.

    Raises:
        BenchmarkError: two metrics of one name.
    """
    found: dict[str, tuple[str, Metric]] = {}
    for name in FAMILIES:
        for metric in family(name).METRICS:
            if metric.name in found:
                raise BenchmarkError(f"metric {metric.name}: in the families {found[metric.name][0]} and {name}")
            found[metric.name] = name, metric
    return found


def find(name: str) -> tuple[str, Metric]:
    """The family and the metric that a name stands for.

    Raises:
        BenchmarkError: no metric has this name.
    """
    table = metrics()
    if name in table:
        return table[name]
    for entry in table.values():
        if entry[1].matches(name):
            return entry
    known = [*FAMILIES, *table]
    close = difflib.get_close_matches(name, known, n=1)
    hint = f"did you mean {close[0]!r}? " if close else ""
    raise BenchmarkError(
        f"metrics: no metric or family {name!r}; {hint}families: {', '.join(FAMILIES)}; metrics: {', '.join(table)}"
    )


def expand(names: list[str]) -> list[str]:
    """Metric names from names of metrics and families, in the order asked.

    A placeholder metric of a family stays as it is (``attribute_entropy/{attribute}``: every attribute), except those
    that need a name from outside (``pyiqa:{name}``), which must be asked for one by one.

    Raises:
        BenchmarkError: an unknown name, or a metric asked for twice.
    """
    result: dict[str, str] = {}
    for name in names:
        if name in FAMILIES:
            members = [metric.name for metric in family(name).METRICS if not metric.name.startswith("pyiqa:")]
        else:
            find(name)
            members = [name]
        for member in members:
            if member in result:
                first = result[member]
                also = "" if member == name == first else f" (by {first!r} and by {name!r})"
                raise BenchmarkError(f"metrics: {member!r} is asked for twice{also}; name it once")
            result[member] = name
    return list(result)


def available_metrics(names: list[str], settings: dict | None = None) -> tuple[list[str], list[str]]:
    """Which of the metrics can be computed, and one line for each that cannot, saying why.

    Args:
        names: metrics and families, as in the configuration.
        settings: those of the ``measure`` command; what they say about classifier, candidates and weights is heeded.

    Returns:
        The usable metric names, and the lines ``NAME: skipped: REASON``. Looks at no more than whether files exist; the
        hash of a weights file is checked where it is loaded.

    Raises:
        BenchmarkError: an unknown name, or a metric asked for twice.
    """
    settings = settings or {}
    usable, skipped = [], []
    for name in expand(names):
        reason = _obstacle(name, find(name)[1], settings)
        if reason is None:
            usable.append(name)
        else:
            skipped.append(f"{name}: skipped: {reason}")
    return usable, skipped


def skipped(names: list[str], classifier: object, fetched: bool = False) -> list[str]:
    """What a run with these metrics will leave out, known before it starts: one line ``NAME, NAME: skipped: REASON``
    for each reason.

    Args:
        classifier: the dataset's, or None.
        fetched: whether the run fetches the registry's weights itself, so that their absence now means nothing.
    """
    if fetched:
        names = [name for name in expand(names) if not find(name)[1].weights]
    reasons: dict[str, list[str]] = {}
    for line in available_metrics(names, {"classifier": classifier})[1]:
        name, reason = line.split(": skipped: ", 1)
        reasons.setdefault(reason, []).append(name)
    return [f"{', '.join(members)}: skipped: {reason}" for reason, members in reasons.items()]


def _obstacle(name: str, metric: Metric, settings: dict) -> str | None:
    if "classifier" in metric.needs and not settings.get("classifier", True):
        return "the dataset has no classifier"
    if "bank" in metric.needs and settings.get("candidates", True) in ([], None):
        return "there are no candidates of this case to measure against"
    for weight in metric.weights:
        reason = of_metrics.absent(weight, settings.get("weights") or {})
        if reason is not None:
            return reason
    if name.startswith("pyiqa:"):
        return of_metrics.absent_pyiqa(name.removeprefix("pyiqa:"), settings.get("weights") or {})
    return None


def describe() -> str:
    """The registry as text, one metric a line."""
    lines = []
    for name in FAMILIES:
        lines.append(f"[{name}]")
        for metric in family(name).METRICS:
            arrow = {"higher": "+", "lower": "-", "none": "0"}[metric.direction]
            needs = ", ".join([*metric.needs, *(f"weights of {weight}" for weight in metric.weights)]) or "nothing"
            kind = ", ".join(filter(None, [arrow, metric.unit]))
            lines.append(f"  {metric.name} ({kind}; per {metric.per}; needs {needs}): {metric.definition}")
    return "\n".join(lines)
