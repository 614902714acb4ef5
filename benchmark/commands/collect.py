"""``collect``: the metrics files of a run, one after the other, in one file."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from benchmark import store
from benchmark.commands.measure import expect
from benchmark.errors import BenchmarkError


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command's arguments."""
    source = parser.add_mutually_exclusive_group(required=True)
    source.add_argument("--inputs", nargs="+", metavar="FILE", help="metrics files")
    source.add_argument("--list", metavar="FILE", help="a file with one path a line")
    source.add_argument("--manifest", metavar="FILE", help="a file with one line 'FINGERPRINT PATH' for each input")
    parser.add_argument("--expect", metavar="JSON", help="a JSON file {path: fingerprint} to hold the inputs to")
    parser.add_argument("--kind", default="metrics", choices=("metrics", "truth"), help="what the files hold (metrics)")
    parser.add_argument("--output", required=True, metavar="FILE", help="the file to write")


def run(args: argparse.Namespace) -> None:
    """Check, concatenate in the order given, write."""
    entries = _entries(args)
    tables = []
    for fingerprint, path in entries:
        expect(path, fingerprint)
        tables.append(store.read_table(path, args.kind))
    inputs = [_identity(table, path) for table, (_, path) in zip(tables, entries, strict=True)]
    table = pa.concat_tables([table.replace_schema_metadata(None).unify_dictionaries() for table in tables])
    settings = {"inputs": inputs}
    metadata = {
        "benchmark_kind": args.kind,
        "benchmark_settings": store.canonical(settings),
        "benchmark_fingerprint": store.fingerprint(settings),
        "benchmark_provenance": store.canonical(_provenance(tables, entries)),
    }
    with store.atomic(args.output) as temporary:
        pq.write_table(table.replace_schema_metadata(metadata), temporary, compression="zstd")


def _entries(args: argparse.Namespace) -> list[tuple[str | None, str]]:
    """(fingerprint or None, path) of each input, in the order given, each once."""
    if args.manifest:
        lines = [line.split(maxsplit=1) for line in _lines(args.manifest)]
        wrong = next((line for line in lines if len(line) != 2), None)
        if wrong is not None:
            raise BenchmarkError(f"{args.manifest}: {' '.join(wrong)!r} is not a line 'FINGERPRINT PATH'")
        entries = [(fingerprint, path.strip()) for fingerprint, path in lines]
    else:
        entries = [(None, path) for path in args.inputs or _lines(args.list)]
    if not entries:
        raise BenchmarkError(f"{args.manifest or args.list}: names no metrics file")
    seen = set()
    for _, path in entries:
        if path in seen:
            raise BenchmarkError(f"{path}: named twice; name each metrics file once")
        seen.add(path)
    if args.expect:
        expected = json.loads(Path(args.expect).read_text())
        entries = [(fingerprint or expected.get(path), path) for fingerprint, path in entries]
    return entries


def _lines(path: str) -> list[str]:
    if not Path(path).is_file():
        raise BenchmarkError(f"{path}: no such file")
    return [line.strip() for line in Path(path).read_text().splitlines() if line.strip()]


def _identity(table: pa.Table, path: str) -> list[str]:
    return [path, (table.schema.metadata or {}).get(b"benchmark_fingerprint", b"?").decode()]


def _provenance(tables: list[pa.Table], entries: list[tuple[str | None, str]]) -> dict:
    """What was skipped and what has no value, gathered from the inputs."""
    skipped, faults = {}, {}
    for table, (_, path) in zip(tables, entries, strict=True):
        provenance = store.provenance_of(table)
        skipped |= dict.fromkeys(provenance.get("skipped", []))
        faults |= {f"{path}: {where}": reason for where, reason in provenance.get("faults", {}).items()}
    return {"skipped": list(skipped), "faults": faults}
