"""Options by signature: what an entry of a registry takes, as its own keyword arguments say it (no torch).

Types, defaults and ranges stand in the signature and nowhere else, ``factor: Annotated[int, Within(1), "..."] = 4``. An
option whose type a configuration cannot write (a tensor, a function) is for callers in Python.
"""

from __future__ import annotations

import inspect
import math
import types
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, get_args, get_origin

from benchmark.errors import suggestion

KINDS = {
    int: "int",
    float: "float",
    bool: "bool",
    str: "str",
    list: "list",
    tuple: "list",
    Sequence: "list",
    dict: "dict",
    type(None): "None",
}
ACCEPTS: dict[str, type | tuple[type, ...]] = {
    "int": int,
    "float": (int, float),
    "bool": bool,
    "str": str,
    "list": list,
    "dict": dict,
    "None": type(None),
}


@dataclass(frozen=True)
class Within:
    """The range of an option, both ends allowed but those that are ``open``; with ``step``, its multiples alone."""

    least: float
    most: float = math.inf
    step: int | None = None
    open: tuple[float, ...] = ()

    def __contains__(self, value: float) -> bool:
        return self.least <= value <= self.most and value not in self.open

    def __str__(self) -> str:
        above = f"more than {self.least:g}" if self.least in self.open else f"{self.least:g}"
        if self.most in self.open:
            return f"{above}{'' if self.least in self.open else ' or more'} and less than {self.most:g}"
        if self.most < math.inf:
            return f"{above}{', up to' if self.least in self.open else ' to'} {self.most:g}"
        return above if self.least in self.open else f"{above} or more"


@dataclass(frozen=True)
class OneOf:
    """The values of an option."""

    values: tuple

    def __init__(self, *values: object):
        object.__setattr__(self, "values", values)


@dataclass(frozen=True)
class Option:
    """One option: ``kinds``, the names of the types that it takes (any where there are none); its range or values; what
    it is; ``items``, the types of what a list holds. ``default`` is ``inspect.Parameter.empty`` where it has to be
    given."""

    name: str
    kinds: tuple[str, ...]
    default: object
    about: str = ""
    within: Within | None = None
    one_of: tuple = ()
    items: tuple[str, ...] = ()

    def fault(self, value: Any) -> str | None:
        """What is wrong with a value, and what would be right; None where nothing is."""
        if self.kinds and not any(is_kind(value, kind) for kind in self.kinds):
            return f"{value!r} is not of type {' or '.join(self.kinds)}"
        if isinstance(value, float) and not math.isfinite(value):
            return f"{value} is not a finite number"
        if self.one_of and value is not None and value not in self.one_of:
            return f"{value!r} is not known; use {' or '.join(map(str, self.one_of))}"
        number = isinstance(value, int | float) and not isinstance(value, bool)
        if self.within and number and value not in self.within:
            whole = "a whole number from " if self.kinds[0] == "int" and self.within.most < math.inf else ""
            return f"{value!r} is out of range; give {whole}{self.within}"
        if self.within and self.within.step and number and value % self.within.step:
            return f"{value!r} is no multiple of {self.within.step}"
        for item in value if self.items and isinstance(value, list) else ():
            if not any(is_kind(item, kind) for kind in self.items):
                return f"{item!r} in it is not of type {' or '.join(self.items)}"
            if isinstance(item, float) and not math.isfinite(item):
                return f"{item} in it is not a finite number"
        return None


def is_kind(value: object, kind: str) -> bool:
    """Whether a value is of the type of this name; a boolean is no number."""
    return isinstance(value, ACCEPTS[kind]) and (kind == "bool" or not isinstance(value, bool))


def options_of(function: Callable, beside: tuple[str, ...] = (), positional: int | None = None) -> dict[str, Option]:
    """The options of a function by name: its keyword arguments but those of ``beside``; with ``positional`` all
    parameters after so many."""
    parameters = list(inspect.signature(function).parameters.values())
    if positional is None:
        parameters = [part for part in parameters if part.kind == part.KEYWORD_ONLY]
    else:
        parameters = parameters[positional:]
    found = (_option(part, inspect.unwrap(function)) for part in parameters if part.name not in beside)
    return {option.name: option for option in found if option is not None}


def option_faults(
    known: Mapping[str, Option], options: Mapping[str, Any], where: str, kind: str = "option"
) -> Iterator[str]:
    """One line for each option that is not known, that has a value which it does not take, or that is missing.

    Args:
        kind: what a reader calls it.
    """
    for name, value in options.items():
        if name not in known:
            has = suggestion(name, list(known)) if known else "; there is none"
            yield f"{where}.{name}: unknown {kind}{has}"
        elif fault := known[name].fault(value):
            yield f"{where}.{name}: {fault}. {known[name].about}".rstrip()
    for name, option in known.items():
        if option.default is inspect.Parameter.empty and name not in options:
            yield f"{where}.{name}: missing. {option.about}".rstrip()


def _option(part: inspect.Parameter, function: Callable) -> Option | None:
    """The option of a parameter; None where its type is for callers in Python."""
    annotation = part.annotation
    if isinstance(annotation, str):
        try:
            annotation = eval(annotation, function.__globals__)
        except NameError:  # imported for the type checker alone: a tensor
            return None
    meta = getattr(annotation, "__metadata__", ())
    annotation = annotation.__origin__ if meta else annotation
    parts = get_args(annotation) if isinstance(annotation, types.UnionType) else (annotation,)
    kinds = tuple(get_origin(kind) or kind for kind in parts) if annotation is not part.empty else ()
    if not set(kinds) <= set(KINDS):
        return None
    within = next((item for item in meta if isinstance(item, Within)), None)
    one_of = next((item.values for item in meta if isinstance(item, OneOf)), ())
    about = next((item for item in meta if isinstance(item, str)), "")
    listed = next((get_args(kind) for kind in parts if get_origin(kind) in (list, Sequence)), ())
    items = tuple(KINDS.get(get_origin(item) or item, "") for kind in listed for item in get_args(kind) or (kind,))
    names = tuple(KINDS[kind] for kind in kinds)
    return Option(part.name, names, part.default, about, within, one_of, () if "" in items else items)
