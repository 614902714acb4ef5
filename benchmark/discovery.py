"""A folder as a registry: each of its files enters what it has, so that adding an entry is adding a file."""

from __future__ import annotations

import importlib
import pkgutil
from types import ModuleType


def modules_of(package: str, path: list[str]) -> list[ModuleType]:
    """The modules of a package whose ``__path__`` is ``path``, imported, in the order of their names."""
    return [importlib.import_module(f"{package}.{info.name}") for info in pkgutil.iter_modules(path)]
