"""Whether a change of the code changes what a run makes: ``python tests/same_outputs.py OLD NEW``, two checkouts.

A small experiment runs in both, with this Python, and every file below results/ is held against its twin: byte for
byte, but set files and metrics by their columns without times, and without the versions in their metadata. Times differ
from run to run, so NEW's tables and figures are made from OLD's metrics once both are found to be the same. One line
for each difference, and exit status 1. A checkout of another commit: ``git worktree add /tmp/before COMMIT``.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pyarrow.parquet as pq

EXPERIMENT = """
run: same
device: cpu
n: 3
publish: {margin: {plausibility: 0.1, off_support: 0.1, ssim_best: 0.05}, tuned_on: other cases}
masks: {left: {recipe: left}, box: {recipe: box}, mouth: {recipe: parts, parts: [mouth], dilate: 3}}
samplers:
  ddnm: {algorithm: ddnm, steps: 4}
  ddnm_reference: {algorithm: ddnm, preset: reference, steps: 4}
  ddrm: {algorithm: ddrm, steps: 4}
datasets:
  digits:
    source: {name: digits}
    prior: {name: digits_mixture}
    features: {name: hole_pca}
    classifier: {name: digits}
    cases: 2
    tasks: {left: {mask: left}, box: {mask: box}}
    sweeps:
      eta: {samplers: [ddnm], values: [0, 3], D: 0.5, D_unit: rms}
      D: {samplers: [ddnm], tasks: [left], values: [0, 0.5, inf], D_unit: rms, eta: 3}
    comparison: {samplers: [ddnm], unguided: [ddrm], tasks: [left], guided: {eta: 3, D: 0.5, D_unit: rms}}
    candidates: {samplers: [ddnm], tasks: [left], count: 24, shard_size: 24}
    selection: {strategies: [kmeans, random], guided: {eta: 3, D: 0.5, D_unit: rms}}
  faces:
    source: {name: faces}
    prior: {name: faces_experts, dtype: float32}
    features: {name: classifier, classifier: faces}
    classifier: {name: faces}
    cases: 2
    metrics: [diversity, fidelity, attributes, cost, niqe_refit]
    tasks: {mouth: {mask: mouth}}
    sweeps: {eta: {samplers: [ddnm], values: [0, 3], D: 0.4, D_unit: rms}}
truth:
  measurements: 2
  sets: 3
  samplers: {ddnm: [3, 6], ddnm_reference: [3]}
  problems: {ten: {world: {name: ten_gaussians}, mask: left}}
  guided: [{samplers: [ddnm], eta: [0.3, 3], D: [0.3, .inf]}]
  compare: [{sampler: ddnm_reference, against: ddnm, what: released code}]
"""
ROOT = Path("results/same")
MEASURED = (f"{ROOT}/metrics.parquet", f"{ROOT}/truth.parquet")
PUBLISHED = ("tables", "figures", "gallery")  # folders
TIMES = ("seconds", "peak_memory")
UNLIKE = ("logs", "benchmarks")  # folders of what no two runs have in common


def snakemake(checkout: Path, folder: Path, *targets: str) -> None:
    """The small experiment with one checkout's code; its results are in ``folder``."""
    folder.mkdir(exist_ok=True)
    (folder / "config.yaml").write_text(EXPERIMENT)
    command = [sys.executable, "-m", "snakemake", *targets, "--snakefile", str(checkout / "workflow" / "Snakefile")]
    command += ["--directory", str(folder), "--configfile", str(folder / "config.yaml"), "--cores", "1"]
    command += ["--workflow-profile", "none"]
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    environment = {**os.environ, "PYTHONPATH": str(checkout), "PATH": path, "OMP_NUM_THREADS": "1"}
    run = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    if run.returncode:
        sys.exit(f"{checkout}: the run failed\n{run.stdout}{run.stderr}")


def files(folder: Path) -> set[Path]:
    """Every file of the results, relative to the folder of the run."""
    found = (path.relative_to(folder / ROOT) for path in (folder / ROOT).rglob("*") if path.is_file())
    return {path for path in found if path.parts[0] not in UNLIKE}


def differences(old: Path, new: Path) -> Iterator[str]:
    """A line for each file that only one run has, or that differs."""
    here, there = files(old), files(new)
    yield from (f"{path}: only in OLD" for path in sorted(here - there))
    yield from (f"{path}: only in NEW" for path in sorted(there - here))
    for path in sorted(here & there):
        one, other = (folder / ROOT / path for folder in (old, new))
        if path.suffix == ".parquet":
            yield from (f"{path}: {line}" for line in of_tables(one, other))
        elif one.read_bytes() != other.read_bytes():
            yield f"{path}: {of_texts(one, other)}"


def of_texts(one: Path, other: Path) -> str:
    """The first line that differs, of files that do."""
    try:
        lines = zip(one.read_text().splitlines(), other.read_text().splitlines(), strict=False)
    except UnicodeDecodeError:
        return "differs"
    unlike = ((n, a, b) for n, (a, b) in enumerate(lines, 1) if a != b)
    n, a, b = next(unlike, (0, "", ""))
    at = next((i for i, (x, y) in enumerate(zip(a, b, strict=False)) if x != y), 0)
    start = max(0, at - 30)
    return f"line {n}, column {at + 1}: {a[start : at + 40]!r} | {b[start : at + 40]!r}" if n else "differs in length"


def of_tables(one: Path, other: Path) -> Iterator[str]:
    """What differs between two Parquet files besides times and versions."""
    a, b = pq.read_table(one), pq.read_table(other)
    for key in (b"benchmark_kind", b"benchmark_settings", b"benchmark_fingerprint"):
        if (a.schema.metadata or {}).get(key) != (b.schema.metadata or {}).get(key):
            yield f"metadata {key.decode()}"
    if a.schema.names != b.schema.names:
        yield f"columns {a.schema.names} | {b.schema.names}"
        return
    if "metric" in a.schema.names:
        a, b = (table.to_pandas() for table in (a, b))
        a, b = (frame[~frame["metric"].isin(TIMES)].reset_index(drop=True) for frame in (a, b))
        names = [*a["metric"].astype(str).unique(), *b["metric"].astype(str).unique()]
        if not a.equals(b):
            unlike = [name for name in dict.fromkeys(names) if not _rows(a, name).equals(_rows(b, name))]
            yield f"values of {', '.join(unlike) or 'rows in another order'}"
        return
    unlike = [name for name in a.schema.names if name not in TIMES and not a[name].equals(b[name])]
    if unlike:
        yield f"columns {', '.join(unlike)}"


def _rows(frame, metric: str):
    return frame[frame["metric"] == metric].reset_index(drop=True)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("old", metavar="OLD", type=Path)
    parser.add_argument("new", metavar="NEW", type=Path)
    parser.add_argument("--folder", type=Path, help="keep the runs here; one of OLD that is here is not made again")
    parser.add_argument("--published", action="store_true", help="NEW publishes what OLD measured, and makes no more")
    arguments = parser.parse_args()
    folder = (arguments.folder or Path(tempfile.mkdtemp(prefix="same_outputs_"))).resolve()
    folder.mkdir(parents=True, exist_ok=True)
    old, new = folder / "old", folder / "new"
    shutil.rmtree(new, ignore_errors=True)
    with ThreadPoolExecutor() as pool:
        runs = [] if (old / "done").is_file() else [pool.submit(snakemake, arguments.old.resolve(), old, "published")]
        runs += [] if arguments.published else [pool.submit(snakemake, arguments.new.resolve(), new, *MEASURED)]
        for run in runs:
            run.result()
    (old / "done").touch()
    if arguments.published:
        shutil.copytree(old, new)
        for name in PUBLISHED:
            shutil.rmtree(new / ROOT / name)
    metrics = [path / ROOT / "metrics.parquet" for path in (old, new)]
    if not list(of_tables(*metrics)):
        shutil.copyfile(*metrics)
    snakemake(arguments.new.resolve(), new, "published")
    found = list(differences(old, new))
    print(*found, f"{len(files(old))} files, {len(found)} differences", sep="\n")
    if arguments.folder is None:
        shutil.rmtree(folder)
    return int(bool(found))


if __name__ == "__main__":
    sys.exit(main())
