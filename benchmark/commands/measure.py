"""``measure``: one or several set files in, one tidy metrics file out."""

from __future__ import annotations

import argparse
import sys
from importlib.metadata import version

import pyarrow.parquet as pq

from benchmark import __version__, store
from benchmark.errors import BenchmarkError
from benchmark.metrics.registry import available_metrics, describe
from benchmark.weights import shipped

PACKAGES = ("numpy", "torch", "scikit-image", "lpips", "pyiqa")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command's arguments."""
    parser.add_argument("--list", action=_List, nargs=0, help="print every metric with its definition, and stop")
    parser.add_argument("--settings", required=True, help="JSON object or file: metrics, features, classifier, ...")
    parser.add_argument("--sets", required=True, nargs="+", metavar="FILE", help="the set files to measure")
    parser.add_argument("--cases", required=True, metavar="FILE", help="its cases")
    parser.add_argument("--candidates", nargs="*", default=[], metavar="FILE", help="shards of the candidate bank")
    parser.add_argument("--output", required=True, metavar="FILE", help="the metrics file to write")
    parser.add_argument("--device", default="cpu", choices=("auto", "cpu", "cuda"), help="where networks run")


class _List(argparse.Action):
    def __call__(self, parser, *_):
        print(describe())
        parser.exit()


def run(args: argparse.Namespace) -> None:
    """Read, check fingerprints, measure, write."""
    settings = store.load_settings(args.settings)
    _check_settings(settings)
    for path, fingerprint in zip(args.sets, _fingerprints(settings, "sets", args.sets), strict=True):
        expect(path, fingerprint)
    expect(args.cases, settings.get("cases"))
    for path, fingerprint in zip(args.candidates, _fingerprints(settings, "candidates", args.candidates), strict=True):
        expect(path, fingerprint)
    _check_truths(args.cases)
    cases = store.read_cases(args.cases)
    candidates = [part for path in args.candidates for part in store.read_sets(path)]
    rows, records, shared = [], {}, {}
    for path in args.sets:
        measured, records[path] = _measure_file(path, settings, cases, candidates, args.device, shared)
        rows += measured
    versions = {package: version(package) for package in PACKAGES}
    provenance = {"benchmark": __version__, "packages": versions, **_joined(records)}
    store.write_table(args.output, "metrics", rows, settings, provenance)


def _measure_file(
    path: str, settings: dict, cases: dict, candidates: list, device: str, shared: dict
) -> tuple[list[dict], dict]:
    """The rows of one set file and its record; what was skipped, and why, goes to stderr."""
    from benchmark.metrics.measure import measure_sets

    origin = store.provenance_of(store.read_table(path, "sets"))
    sets = store.read_sets(path)
    peak_memory, ours = origin.get("peak_memory"), "package" in origin  # which ``sample`` and ``select`` write
    rows, record = measure_sets(settings, sets, cases, candidates, _device(device), peak_memory, shared, ours)
    for line in record["skipped"]:
        print(line, file=sys.stderr)
    for where, reason in record["faults"].items():
        print(f"{path}: {where}: {reason}", file=sys.stderr)
    return rows, {"sets": origin, **record}


def _joined(records: dict[str, dict]) -> dict:
    """The records of several set files as one: of a single file as it is, else faults and origins by file."""
    if len(records) == 1:
        return next(iter(records.values()))
    joined = {key: value for record in records.values() for key, value in record.items()}
    joined["sets"] = {path: record["sets"] for path, record in records.items()}
    joined["skipped"] = list(dict.fromkeys(line for record in records.values() for line in record["skipped"]))
    joined["faults"] = {
        f"{path}: {where}": reason for path, record in records.items() for where, reason in record["faults"].items()
    }
    return joined


def _check_settings(settings: dict) -> None:
    for key in ("metrics", "features"):
        if key not in settings:
            raise BenchmarkError(f"--settings: {key}: missing; see docs/architecture.md, section 7")
    available_metrics(settings["metrics"], settings)
    shipped.check(settings)


def expect(path: str, fingerprint: str | None) -> None:
    """Refuse a file that carries another fingerprint than the expected one; None expects nothing.

    Raises:
        BenchmarkError: no such file, not Parquet, or another fingerprint.
    """
    if fingerprint is None:
        return
    try:
        metadata = pq.read_schema(path).metadata or {}
    except FileNotFoundError:
        raise BenchmarkError(f"{path}: no such file; the stage that writes it has not run") from None
    except (OSError, ValueError):
        raise BenchmarkError(f"{path}: not a readable Parquet file; delete it and run again") from None
    found = metadata.get(b"benchmark_fingerprint", b"?").decode()
    if found != fingerprint:
        raise BenchmarkError(
            f"{path}: made with other settings (fingerprint {found}, the configuration's is {fingerprint}); "
            "delete it and run again"
        )


def _fingerprints(settings: dict, key: str, paths: list[str]) -> list[str | None]:
    """What the settings expect of the files given by ``--KEY``: a fingerprint each, or None for no expectation."""
    fingerprints = settings.get(key)
    if isinstance(fingerprints, str):
        fingerprints = [fingerprints]
    if not isinstance(fingerprints, list) or not (fingerprints or paths):
        return [None] * len(paths)
    if len(fingerprints) != len(paths):
        raise BenchmarkError(f"--{key}: {len(paths)} files; the settings name {len(fingerprints)}")
    return fingerprints


def _check_truths(path: str) -> None:
    table = store.read_table(path, "cases")
    for case, image in zip(table.column("case").to_pylist(), table.column("image").combine_chunks()):
        if not image.is_valid or image.as_py()["bytes"] is None:
            raise BenchmarkError(f"{path}: case {case} has no truth image; delete the file and run again")


def _device(name: str) -> str:
    if name != "auto":
        return name
    import torch

    return "cuda" if torch.cuda.is_available() else "cpu"
