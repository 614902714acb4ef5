"""Files of one kind of table, one after the other, in one file: a run's metrics, or its truth."""

from __future__ import annotations

import json
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from benchmark import store
from benchmark.errors import BenchmarkError


def collect(
    output: str | Path,
    inputs: list[str] | None = None,
    listed: str | None = None,
    manifest: str | None = None,
    expect: str | None = None,
    kind: str = "metrics",
) -> None:
    """Write the rows of files in the order given; their fingerprints are the settings of the new file.

    Args:
        inputs: their paths; or ``listed``, a file with one path a line; or ``manifest``, one with a line ``FINGERPRINT
            PATH`` for each.
        expect: a JSON file {path: fingerprint} to hold them to.
        kind: of table: metrics or truth.

    Raises:
        BenchmarkError: no file named, one named twice, missing, of another kind or of other settings.
    """
    entries = _entries(inputs, listed, manifest)
    expected = _expected(expect) if expect else {}
    tables = [store.read_table(path, kind, fingerprint or expected.get(path)) for fingerprint, path in entries]
    table = pa.concat_tables([table.replace_schema_metadata(None).unify_dictionaries() for table in tables])
    settings = {
        "inputs": [[path, store.fingerprint_of(table)] for table, (_, path) in zip(tables, entries, strict=True)]
    }
    metadata = {
        "benchmark_kind": kind,
        "benchmark_settings": store.canonical(settings),
        "benchmark_fingerprint": store.fingerprint(settings),
        "benchmark_provenance": store.canonical(_provenance(tables, entries)),
    }
    with store.atomic(output) as temporary:
        pq.write_table(table.replace_schema_metadata(metadata), temporary, compression="zstd")


def _entries(inputs: list[str] | None, listed: str | None, manifest: str | None) -> list[tuple[str | None, str]]:
    """(fingerprint or None, path) of each input, in the order given, each once."""
    entries: list[tuple[str | None, str]]
    if manifest:
        lines = [line.split(maxsplit=1) for line in _lines(manifest)]
        wrong = next((line for line in lines if len(line) != 2), None)
        if wrong is not None:
            raise BenchmarkError(f"{manifest}: {' '.join(wrong)!r} is not a line 'FINGERPRINT PATH'")
        entries = [(fingerprint, path.strip()) for fingerprint, path in lines]
    else:
        entries = [(None, path) for path in inputs or (_lines(listed) if listed else [])]
    if not entries:
        raise BenchmarkError(f"{manifest or listed}: names no metrics file")
    seen = set()
    for _, path in entries:
        if path in seen:
            raise BenchmarkError(f"{path}: named twice; name each metrics file once")
        seen.add(path)
    return entries


def _expected(path: str) -> dict[str, str]:
    """The fingerprints of ``--expect``, by path."""
    try:
        found = json.loads(Path(path).read_text())
    except (OSError, ValueError) as error:
        raise BenchmarkError(f"{path}: no JSON file {{path: fingerprint}} ({error})") from None
    if not isinstance(found, dict) or not all(isinstance(value, str) for value in found.values()):
        raise BenchmarkError(f"{path}: not of the form {{path: fingerprint}}")
    return found


def _lines(path: str) -> list[str]:
    if not Path(path).is_file():
        raise BenchmarkError(f"{path}: no such file")
    return [line.strip() for line in Path(path).read_text().splitlines() if line.strip()]


def _provenance(tables: list[pa.Table], entries: list[tuple[str | None, str]]) -> dict:
    """What was skipped and what has no value, gathered from the inputs."""
    skipped: dict[str, None] = {}
    faults: dict[str, str] = {}
    for table, (_, path) in zip(tables, entries, strict=True):
        provenance = store.provenance_of(table)
        skipped |= dict.fromkeys(provenance.get("skipped", []))
        faults |= {f"{path}: {where}": reason for where, reason in provenance.get("faults", {}).items()}
    return {"skipped": list(skipped), "faults": faults}
