"""What ``weights`` does with the entries of the registry: show, fetch, verify or locate them."""

from __future__ import annotations

import sys
from pathlib import Path

from benchmark.errors import BenchmarkError
from benchmark.store import write_text
from benchmark.weights import public
from benchmark.weights.public import Entry


def act(action: str, names: list[str], folder: str, registry: str | Path, record: str | None = None) -> None:
    """Do what is asked for, for the named entries or for all.

    Args:
        action: list, fetch, verify or where. record: of ``fetch``, a file for what was fetched.

    Raises:
        BenchmarkError: no such entry, nothing named to fetch, or what the action refuses.
    """
    chosen = [public.lookup(name, registry) for name in names or public.load(registry)]
    if action == "list":
        show(chosen, folder)
    elif action == "fetch" and not names:
        raise BenchmarkError(f"weights fetch: name what to fetch: {', '.join(entry.name for entry in chosen)}")
    elif action == "fetch":
        bring(chosen, folder, registry, record)
    elif action == "verify":
        verify(chosen, folder, absent=bool(names))
    else:
        where(chosen, folder)


def show(entries: list[Entry], folder: str) -> None:
    """Print what there is, how large, whether it is here, under what licence."""
    rows = [("NAME", "FAMILY", "STATE", "SIZE", "SHA256", "LICENCE", "WHAT")]
    for entry in entries:
        largest = entry.files[-1]
        size = _megabytes(largest.size) if largest.size else largest.about or "?"
        sha256 = public.with_recorded(entry, largest, folder).sha256
        hashed = (sha256 or "?")[:12]
        rows.append((entry.name, entry.family, _state(entry, folder), size, hashed, entry.licence, entry.what))
    widths = [max(len(row[column]) for row in rows) for column in range(5)]
    for row in rows:
        print("  ".join([*(cell.ljust(width) for cell, width in zip(row, widths)), f"{row[6]} ({row[5]})"]))


def _megabytes(size: int) -> str:
    return f"{size / 1e9:.2f} GB" if size >= 1e9 else f"{size / 1e6:.0f} MB"


def _state(entry: Entry, folder: str) -> str:
    """From the files' presence and size alone; ``verify`` reads them."""
    states = set()
    for file in entry.files:
        path = entry.place(file, folder)
        if path.is_file():
            states.add("here" if file.size in (None, path.stat().st_size) else "wrong size")
        else:
            states.add("partial" if path.with_name(f"{path.name}.part").exists() else "absent")
    return next(state for state in ("wrong size", "partial", "absent", "here") if state in states)


def bring(entries: list[Entry], folder: str, registry: str | Path, record: str | None = None) -> None:
    """Fetch what is not here, and write down name, file and sha256 where ``record`` says.

    Raises:
        BenchmarkError: what could not be fetched; the others are.
    """
    from benchmark.weights.fetch import fetch

    failures, lines = [], []
    for entry in entries:
        try:
            for path, fetched in fetch(entry.name, folder, registry):
                print(f"{entry.name}: {path}: {'fetched' if fetched else 'already here'}, checked")
            for file in entry.files:
                sha256 = public.with_recorded(entry, file, folder).sha256
                lines.append(f"{entry.name} {file.path} {sha256}\n")
        except BenchmarkError as error:
            failures.append(str(error))
    _report(failures)
    if record:
        write_text(record, "".join(lines))


def verify(entries: list[Entry], folder: str, absent: bool) -> None:
    """Compare files with their sha256; unknown ones are recorded.

    Args:
        absent: whether a file that is not here is a fault.

    Raises:
        BenchmarkError: a file that is another.
    """
    failures = []
    for entry in entries:
        for file in entry.files:
            path = entry.place(file, folder)
            if not path.exists() and not absent:
                continue
            try:
                print(f"{entry.name}: {path}: sha256 {public.verify(entry, file, folder)}: right")
            except BenchmarkError as error:
                failures.append(str(error))
    _report(failures)


def _report(failures: list[str]) -> None:
    """The first failures as lines of their own, the last one as the command's error."""
    for failure in failures[:-1]:
        print(f"error: {failure}", file=sys.stderr)
    if failures:
        raise BenchmarkError(failures[-1])


def where(entries: list[Entry], folder: str) -> None:
    """Print where each file belongs."""
    for entry in entries:
        for file in entry.files:
            print(f"{entry.name}  {entry.place(file, folder)}")
