"""A folder as a registry: each of its files enters what it has, so that adding an entry is adding a file."""

from __future__ import annotations

import importlib
import pkgutil
from types import ModuleType
from typing import TypeVar

Entry = TypeVar("Entry")


def modules_of(package: str, path: list[str]) -> list[ModuleType]:
    """The modules of a package whose ``__path__`` is ``path``, imported, in the order of their names."""
    return [importlib.import_module(f"{package}.{info.name}") for info in pkgutil.iter_modules(path)]


def register(registry: dict[str, Entry], name: str, entry: Entry, what: str) -> Entry:
    """Put an entry into a registry of samplers, features, ... (``what`` one is) and give it back.

    Raises:
        ValueError: another entry has this name; neither is silently replaced.
    """
    if registry.setdefault(name, entry) is not entry:
        raise ValueError(f"there is a {what} {name!r} already; give this one another name")
    return entry
