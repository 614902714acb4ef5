"""A folder as a registry: each of its files enters what it has, so that adding an entry is adding a file."""

from __future__ import annotations

import importlib
import pkgutil
import traceback
from types import ModuleType
from typing import TypeVar

from benchmark.errors import BenchmarkError

Entry = TypeVar("Entry")


def modules_of(package: str, path: list[str]) -> list[ModuleType]:
    """The modules of a package whose ``__path__`` is ``path``, imported, in the order of their names.

    Raises:
        BenchmarkError: as :func:`entered`.
    """
    return [entered(f"{package}.{info.name}") for info in pkgutil.iter_modules(path)]


def entered(name: str) -> ModuleType:
    """A module that enters something, imported.

    Raises:
        BenchmarkError: what its file has done wrong, with the place in it: a new entry is somebody's first try.
    """
    try:
        return importlib.import_module(name)
    except BenchmarkError:
        raise
    except SyntaxError as error:
        raise BenchmarkError(f"{error.filename}: line {error.lineno}: {error.msg}; mend it or take it away") from None
    except Exception as error:
        raise BenchmarkError(f"{_place(error, name)}: {type(error).__name__}: {_line(error)}") from error


def _place(error: Exception, name: str) -> str:
    """The last place that an error came through in a module's own file, or the module."""
    end = f"{name.rsplit('.', 1)[-1]}.py"
    frames = [f for f in traceback.extract_tb(error.__traceback__) if f.filename.endswith((f"/{end}", "/__init__.py"))]
    own = [frame for frame in frames if frame.filename.endswith(f"/{end}")] or frames
    return f"{own[-1].filename}: line {own[-1].lineno}" if own else name


def _line(error: Exception) -> str:
    return " ".join(str(error).split())


def register(registry: dict[str, Entry], name: str, entry: Entry, what: str) -> Entry:
    """Put an entry into a registry of samplers, features, ... (``what`` one is) and give it back.

    Raises:
        ValueError: another entry has this name; neither is silently replaced.
    """
    if registry.setdefault(name, entry) is not entry:
        raise ValueError(f"there is a {what} {name!r} already; give this one another name")
    return entry
