"""What all settings have in common: a reader that refuses in one line, and the form in which they are written.

A kind of settings is a frozen dataclass of keywords: its annotations are the types of the keys, and a field with a
default is a key that may be missing. ``from_json`` reads what a command is given; ``json`` is what fingerprints are
taken of, the same for the same settings however they were written.
"""

from __future__ import annotations

import dataclasses
import math
import types
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any, ClassVar, Self, get_args, get_origin, get_type_hints

from benchmark.errors import BenchmarkError
from benchmark.options import KINDS, is_kind
from benchmark.store import load_settings

LARGEST = 2**63 - 1  # of a whole number, so that a column of a table can hold it
NAMES = ("name", "recipe")  # keys under which an entry of a registry stands, its options beside it
_GIVE = {dict: "a dict", list: "a list", type(None): "null"}


# What a field may say of its key, beside its default: that it is left out of the JSON where it has that, and what is
# said of a value of another type instead of the type that it should have.
LEFT_OUT = {"left_out": True}
HASHES = {"left_out": True, "wrong": "is no table of names and hashes"}


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class Settings:
    """The settings of a kind of job, or a part of them: what every dataclass of :mod:`benchmark.jobs` is."""

    JOB: ClassVar[str] = ""  # what messages call the job
    PLACE: ClassVar[str] = "--settings: {}"  # where a key stands, for messages
    MISSING: ClassVar[str] = "--settings: {key} is missing; a {job} job needs {needed}"
    UNKNOWN: ClassVar[str] = "--settings: {key} is not known; a {job} job has {known}"

    @classmethod
    def from_json(cls, mapping: Mapping[str, Any]) -> Self:
        """Settings from a JSON object.

        Raises:
            BenchmarkError: a missing, unknown or mistyped key, a number that no file can hold, a value out of range.
        """
        for where, fault in _unwritable(mapping):
            raise BenchmarkError(f"{cls.PLACE.format(where)}: {fault}")
        keys = _keys(cls)  # type: ignore[arg-type]
        needed = [one.name for one in keys if one.needed]
        words = {"job": cls.JOB, "needed": ", ".join(needed), "known": ", ".join(one.name for one in keys)}
        for name in needed:
            if name not in mapping:
                raise BenchmarkError(cls.MISSING.format(key=name, **words))
        if unknown := [name for name in mapping if name not in [one.name for one in keys]]:
            raise BenchmarkError(cls.UNKNOWN.format(key=_one_line(unknown[0]), **words))
        return cls(**_values(keys, mapping, cls.PLACE))

    @classmethod
    def load(cls, text: str) -> Self:
        """Settings from a JSON object or from the path of a file that holds one.

        Raises:
            BenchmarkError: no such file, no JSON object, or what :meth:`from_json` refuses.
        """
        return cls.from_json(load_settings(text))

    @property
    def json(self) -> dict[str, Any]:
        """The settings as a JSON object: every key, but those that are left out where they are their default."""
        found = {}
        for name, left_out, default, nested in _forms(type(self)):  # type: ignore[arg-type]
            value = getattr(self, name)
            if not left_out or value != default:
                found[name] = _plain(value) if nested else value
        return found


@dataclasses.dataclass(frozen=True)
class _Key:
    name: str
    hint: Any
    needed: bool
    default: Any
    left_out: bool
    wrong: str
    nested: bool  # whether settings stand in it


# mypy holds a class to its instances' __hash__, and so refuses it where a cached function wants what is hashable.
@cache
def _keys(cls: Any) -> tuple[_Key, ...]:
    hints, none = get_type_hints(cls), dataclasses.MISSING
    return tuple(
        _Key(
            field.name,
            hints[field.name],
            field.default is none and field.default_factory is none,
            field.default_factory() if field.default_factory is not none else field.default,
            field.metadata.get("left_out", False),
            field.metadata.get("wrong", ""),
            any(issubclass(kind, Settings) for kind in _kinds_within(hints[field.name])),
        )
        for field in dataclasses.fields(cls)
    )


@cache
def _forms(cls: Any) -> tuple[tuple[str, bool, Any, bool], ...]:
    """What of the keys the JSON is made from: a plan writes that of ten thousand jobs."""
    return tuple((one.name, one.left_out, one.default, one.nested) for one in _keys(cls))


def _kinds_within(hint: Any) -> Iterator[type]:
    if parts := get_args(hint):
        for part in parts:
            yield from _kinds_within(part)
    elif isinstance(hint, type):
        yield hint


def _plain(value: Any) -> Any:
    if isinstance(value, Settings):
        return value.json
    if isinstance(value, list):
        return [_plain(item) for item in value]
    if isinstance(value, dict):
        return {name: _plain(item) for name, item in value.items()}
    return value


def _values(keys: tuple[_Key, ...], mapping: Mapping[str, Any], place: str) -> dict[str, Any]:
    return {
        one.name: _value(one.hint, mapping[one.name], place.format(one.name), one.wrong)
        for one in keys
        if one.name in mapping
    }


def _value(hint: Any, value: Any, where: str, wrong: str = "") -> Any:
    """A value as its annotation says: of its type, settings read in whatever depth."""
    choices = get_args(hint) if isinstance(hint, types.UnionType) else (hint,)
    for choice in choices:
        kind, parts = get_origin(choice) or choice, get_args(choice)
        if issubclass(kind, Settings):
            if isinstance(value, dict):
                return _part(kind, value, where)
        elif is_kind(value, KINDS[kind]):
            if kind is list:
                return [_value(parts[0], item, f"{where}[{index}]") for index, item in enumerate(value)]
            if kind is dict and parts[1] is not Any:
                return {name: _value(parts[1], item, f"{where}.{name}") for name, item in value.items()}
            return value
    if wrong:
        raise BenchmarkError(f"{where}: {_short(value)} {wrong}")
    raise BenchmarkError(f"{where} is {_short(value)}; give {' or '.join(map(_give, choices))}")


def _part(kind: type[Settings], mapping: dict[str, Any], where: str) -> Settings:
    """Settings that stand inside others."""
    keys = _keys(kind)  # type: ignore[arg-type]
    names = [one.name for one in keys]
    if not set(mapping) <= set(names) or any(one.needed and one.name not in mapping for one in keys):
        raise BenchmarkError(f"{where}: {_short(mapping)} is not of the form {', '.join(names)}")
    values = _values(keys, mapping, f"{where.replace('{', '{{').replace('}', '}}')}.{{}}")
    try:
        return kind(**values)
    except BenchmarkError as error:
        raise BenchmarkError(f"{where}: {error}") from None


def _give(choice: Any) -> str:
    kind = get_origin(choice) or choice
    return "a dict" if issubclass(kind, Settings) else _GIVE.get(kind, f"a value of type {kind.__name__}")


def _unwritable(value: Any, where: str = "") -> Iterator[tuple[str, str]]:
    """(place, fault) of each value that JSON may bring, but that nothing can be done with."""
    if isinstance(value, dict):
        for name, item in value.items():
            place = f"{where}.{_one_line(name)}".removeprefix(".")
            yield from ((place, fault) for _, fault in _unwritable(name))
            if name in NAMES and not isinstance(item, str):
                yield place, f"{_short(item)} is no name"
            yield from _unwritable(item, place)
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from _unwritable(item, f"{where}[{index}]")
    elif isinstance(value, float) and not math.isfinite(value):
        if math.isnan(value) or where.rsplit(".", 1)[-1] != "D":
            yield where, f"{value} is not a finite number"
    elif isinstance(value, int) and abs(value) > LARGEST:
        yield where, f"{_short(value)} is out of range; give a whole number of at most 19 digits"
    elif isinstance(value, str) and not _is_text(value):
        yield where, f"{_short(value)} is no text (half of a surrogate pair)"


def _is_text(value: str) -> bool:
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return True


def _one_line(name: Any) -> str:
    """A key for a message: as it is, or in quotes where it has more than letters, digits and what joins them."""
    text = str(name)
    return text if text.isprintable() and text.strip() and len(text) <= 60 else _short(name)


def _short(value: Any) -> str:
    """A value for a message, its end left out where it is long."""
    text = repr(value) if not (isinstance(value, int) and abs(value) > LARGEST) else "a number beyond 2**63"
    return text if len(text) <= 100 else f"{text[:97]}..."
