"""From set files to a metrics file: read, hold to the settings, measure, write."""

from __future__ import annotations

import sys
from importlib.metadata import version
from pathlib import Path

from benchmark import __version__, store
from benchmark.device import pick_device
from benchmark.errors import BenchmarkError
from benchmark.jobs.measure import MeasureSettings
from benchmark.metrics.measure import measure_sets
from benchmark.metrics.registry import available_metrics
from benchmark.weights import shipped

PACKAGES = ("numpy", "torch", "scikit-image", "lpips", "pyiqa")


def run(
    settings: MeasureSettings,
    sets: list[str],
    cases: str,
    candidates: list[str],
    output: str | Path,
    device: str = "cpu",
) -> None:
    """Measure set files of one dataset, task and sampler, and write their rows one after the other.

    What was left out, and why, goes to the file's metadata and to stderr.

    Args:
        sets, cases, candidates: paths of the set files, of their cases, and of the shards of candidates.
        device: where networks run.

    Raises:
        BenchmarkError: an unknown metric, a file of other settings, cases without pictures, other shipped weights.
    """
    available_metrics(settings.metrics, {"classifier": settings.classifier, "weights": settings.weights})
    shipped.check(settings.shipped)
    where = pick_device(device).type
    store.expect(cases, settings.cases)
    for name, paths, expected in (("sets", sets, settings.sets), ("candidates", candidates, settings.candidates)):
        _expect_each(name, paths, expected)
    _check_truths(cases)
    truths = store.read_cases(cases)
    bank = [part for path in candidates for part in store.read_sets(path)]
    rows, records, shared = [], {}, {}
    for path in sets:
        table = store.read_table(path, "sets")
        origin, restored = store.provenance_of(table), store.sets_of(table, path)
        peak_memory, ours = origin.get("peak_memory"), "package" in origin  # which ``sample`` and ``select`` write
        measured, record = measure_sets(settings, restored, truths, bank, where, peak_memory, shared, ours)
        _report(path, record)
        rows += measured
        records[path] = {"sets": origin, **record}
    versions = {package: version(package) for package in PACKAGES}
    provenance = {"benchmark": __version__, "packages": versions, **_joined(records)}
    store.write_table(output, "metrics", rows, settings.json, provenance)


def _expect_each(name: str, paths: list[str], expected: list[str] | None) -> None:
    """Hold the files given by ``--NAME`` to the fingerprints that the settings have for them, if any."""
    if expected is None:
        return
    if len(expected) != len(paths):
        raise BenchmarkError(f"--{name}: {len(paths)} files; the settings name {len(expected)}")
    for path, fingerprint in zip(paths, expected, strict=True):
        store.expect(path, fingerprint)


def _check_truths(path: str) -> None:
    table = store.read_table(path, "cases")
    for case, image in zip(table.column("case").to_pylist(), table.column("image").combine_chunks()):
        if not image.is_valid or image.as_py()["bytes"] is None:
            raise BenchmarkError(f"{path}: case {case} has no truth image; delete the file and run again")


def _report(path: str, record: dict) -> None:
    for line in record["skipped"]:
        print(line, file=sys.stderr)
    for where, reason in record["faults"].items():
        print(f"{path}: {where}: {reason}", file=sys.stderr)


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
