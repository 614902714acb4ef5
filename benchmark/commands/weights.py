"""``weights``: list, fetch, verify or locate weights that others trained (``benchmark/weights/public.yaml``)."""

from __future__ import annotations

import argparse
import sys

from benchmark.errors import BenchmarkError
from benchmark.store import write_text
from benchmark.weights import public
from benchmark.weights.public import Entry

ACTIONS = {
    "list": "what there is, how large, whether it is here, under what licence",
    "fetch": "bring files to their place: https, resumed, checked; what is here and right is left alone",
    "verify": "compare the files that are here with their sha256; unknown ones are recorded",
    "where": "print where each file belongs",
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command's arguments."""
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.description = "\n".join(f"{name:8} {what}" for name, what in ACTIONS.items())
    parser.add_argument("action", choices=ACTIONS, metavar="ACTION", help="list, fetch, verify or where")
    parser.add_argument("names", nargs="*", metavar="NAME", help="entries of the registry; fetch wants them named")
    parser.add_argument("--dir", default=str(public.FOLDER), metavar="DIR", help="the weights folder (weights)")
    parser.add_argument("--record", metavar="FILE", help="fetch: write name, file and sha256 of what was fetched here")
    parser.add_argument("--registry", default=public.REGISTRY, metavar="FILE", help="another registry file")


def run(args: argparse.Namespace) -> None:
    """Do what was asked for, for the named entries or for all."""
    entries = public.load(args.registry)
    chosen = [public.lookup(name, args.registry) for name in args.names or entries]
    {"list": _list, "fetch": _fetch, "verify": _verify, "where": _where}[args.action](chosen, args)


def _list(entries: list[Entry], args: argparse.Namespace) -> None:
    rows = [("NAME", "FAMILY", "STATE", "SIZE", "SHA256", "LICENCE", "WHAT")]
    for entry in entries:
        largest = entry.files[-1]
        size = _megabytes(largest.size) if largest.size else largest.about or "?"
        sha256 = public.with_recorded(entry, largest, args.dir).sha256
        hashed = (sha256 or "?")[:12]
        rows.append((entry.name, entry.family, _state(entry, args.dir), size, hashed, entry.licence, entry.what))
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


def _fetch(entries: list[Entry], args: argparse.Namespace) -> None:
    from benchmark.weights.fetch import fetch

    if not args.names:
        raise BenchmarkError(f"weights fetch: name what to fetch: {', '.join(entry.name for entry in entries)}")
    failures, lines = [], []
    for entry in entries:
        try:
            for path, fetched in fetch(entry.name, args.dir, args.registry):
                print(f"{entry.name}: {path}: {'fetched' if fetched else 'already here'}, checked")
            for file in entry.files:
                sha256 = public.with_recorded(entry, file, args.dir).sha256
                lines.append(f"{entry.name} {file.path} {sha256}\n")
        except BenchmarkError as error:
            failures.append(str(error))
    _report(failures)
    if args.record:
        write_text(args.record, "".join(lines))


def _verify(entries: list[Entry], args: argparse.Namespace) -> None:
    failures = []
    for entry in entries:
        for file in entry.files:
            path = entry.place(file, args.dir)
            if not path.exists() and not args.names:
                continue
            try:
                print(f"{entry.name}: {path}: sha256 {public.verify(entry, file, args.dir)}: right")
            except BenchmarkError as error:
                failures.append(str(error))
    _report(failures)


def _report(failures: list[str]) -> None:
    """The first failures as lines of their own, the last one as the command's error."""
    for failure in failures[:-1]:
        print(f"error: {failure}", file=sys.stderr)
    if failures:
        raise BenchmarkError(failures[-1])


def _where(entries: list[Entry], args: argparse.Namespace) -> None:
    for entry in entries:
        for file in entry.files:
            print(f"{entry.name}  {entry.place(file, args.dir)}")
