"""A world's classifier held against two other readers of a prior's samples (:mod:`benchmark.training.agreement`).

Plain DDNM restorations of cases that no table shows, or those of given set files, are read three ways: by the
classifier, and as the nearest rendering, with the case's visible attributes kept (``allowed``) and without (``free``).
"""

from __future__ import annotations

import json
import tempfile
from pathlib import Path

from benchmark.errors import BenchmarkError


def check_classifier(
    world: str,
    weights: str | None,
    sets: list[str] | None,
    cases: str | None,
    *,
    count: int,
    n: int,
    seed: int,
    steps: int,
    threads: int | None,
    table_file: str | None,
) -> None:
    """Read ``sets`` of the file ``cases``, or sample ``n`` restorations of ``count`` cases; print the table.

    Args:
        weights: another weights file of the classifier than the one that ships.
        seed: of the cases. ``steps``: DDNM's.
        table_file: where to write the table as JSON.

    Raises:
        BenchmarkError: sets without cases or cases without sets, or see :func:`read`.
    """
    from benchmark.networks.classifier import load_classifier
    from benchmark.sampling.run import set_threads
    from benchmark.store import write_text
    from benchmark.training.agreement import compare

    if bool(sets) != bool(cases):
        raise BenchmarkError("--sets and --cases belong together: set files and the cases file that they are of")
    set_threads(threads)
    classifier = load_classifier(world, path=weights)
    if sets:
        parts = read(world, classifier, cases, sets)
    else:
        with tempfile.TemporaryDirectory() as folder:
            drawn, restored = Path(folder, "cases.parquet"), Path(folder, "sets.parquet")
            _sample(world, drawn, restored, count, n, seed, steps, threads)
            parts = read(world, classifier, drawn, [restored])
    table = compare(parts, world)
    print(as_text(table))
    if table_file:
        write_text(table_file, json.dumps(table, indent=1) + "\n")


def _sample(
    world: str, cases: Path, sets: Path, count: int, n: int, seed: int, steps: int, threads: int | None
) -> None:
    from benchmark.data.cases import write_cases
    from benchmark.data.worlds import get_world
    from benchmark.jobs.cases import CasesSettings
    from benchmark.jobs.sample import SampleSettings
    from benchmark.sampling.run import sample
    from benchmark.weights.shipped import EXPERTS

    pictures = {"dataset": world, "source": {"name": world}, "count": count, "seed": seed}
    write_cases(CasesSettings(**pictures, mask=get_world(world).CHECK_HOLE, mask_name="hole"), cases)
    settings = SampleSettings(
        dataset=world,
        task="hole",
        prior={"name": f"{world}{EXPERTS}", "dtype": "float32"},
        problem={"name": "inpainting", "sigma": 0.0},
        algorithm={"name": "ddnm", "preset": "paper", "steps": steps},
        sampler=f"ddnm_{steps}",
        n=n,
        seeds=[0],
    )
    sample(settings, cases, sets, threads=threads)


def read(world: str, classifier, cases_path, paths) -> list:
    """The readings of every case of the set files; cases that are not of the world have none.

    Raises:
        BenchmarkError: no case of the world, or none of which the hole hides an attribute.
    """
    import numpy as np
    import torch

    from benchmark.data.posterior import posterior_of_case
    from benchmark.store import read_cases, read_sets
    from benchmark.training.agreement import readings

    cases, images = read_cases(cases_path), {}
    for path in paths:
        for found in read_sets(path):
            images.setdefault(found.keys["case"], []).append(found.images)
    parts = []
    for name, several in images.items():
        if name not in cases or (hole := cases[name].hole) is None:
            raise BenchmarkError(f"{cases_path}: no case {name} with a hole, which the sets are of")
        known = posterior_of_case(world, name, hole.shape[-1], np.ascontiguousarray(hole).tobytes())
        if known is None or not known.is_picture(cases[name].image) or not known.hidden:
            continue
        samples = np.concatenate(several)
        probabilities = classifier(torch.from_numpy(samples)).probabilities
        parts.append(readings(known, hole, samples, probabilities))
    if not parts:
        raise BenchmarkError(f"{cases_path}: no case of the world {world} whose hole hides an attribute")
    return parts


def as_text(table: dict) -> str:
    """The table for a terminal: of each attribute its agreements, of each value its share by each reader."""
    from benchmark.metrics.engines.exact_sets import NEAR
    from benchmark.training.agreement import READERS

    pairs = list(table["all"]["agreement"])

    def line(name: str, row: dict, count: str, kind: str) -> str:
        return f"{name:<12} {row[count]:>8} " + " ".join(f"{row[kind][pair]:>21.4f}" for pair in pairs)

    lines = [f"{'read alike':<12} {'samples':>8} " + " ".join(f"{pair:>21}" for pair in pairs)]
    lines += [line(name, row, "samples", "agreement") for name, row in table.items()]
    lines.append(f"of these, within {NEAR:g} of a picture of the world:")
    lines += [line(name, row, "near_samples", "near") for name, row in table.items()]
    lines.append(f"{'attribute':<12} {'share of':<12} " + " ".join(f"{reader:>10}" for reader in READERS))
    for name, row in table.items():
        for value, shares in row.get("shares", {}).items():
            lines.append(f"{name:<12} {value:<12} " + " ".join(f"{shares[reader]:>10.3f}" for reader in READERS))
    return "\n".join(lines)
