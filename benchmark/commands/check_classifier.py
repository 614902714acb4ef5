"""``python -m benchmark check-classifier``: does a world's classifier read a prior's samples as their pixels say?

Plain DDNM restorations of cases that no table shows, or those of given set files, are read three ways
(:mod:`benchmark.metrics.reader_check`): by the classifier, and as the nearest rendering, with the case's visible
attributes kept (``allowed``) and without (``free``).
"""

from __future__ import annotations

import argparse

from benchmark.errors import BenchmarkError

HOLES = {
    "faces": {"recipe": "parts", "parts": ["mouth", "brows"], "dilate": 2},
    "cats": {"recipe": "parts", "parts": ["face"], "dilate": 2},
    "bedrooms": {"recipe": "right"},
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Register the command's arguments."""
    parser.add_argument("--world", choices=sorted(HOLES), default="faces")
    parser.add_argument("--weights", help="another weights file of the classifier than the one that ships")
    parser.add_argument("--sets", nargs="+", metavar="FILE", help="read these set files instead of sampling")
    parser.add_argument("--cases", metavar="FILE", help="with --sets: the cases file of these sets")
    parser.add_argument("--count", type=int, default=40, help="cases to sample")
    parser.add_argument("--n", type=int, default=10, help="restorations of each")
    parser.add_argument("--seed", type=int, default=4711, help="of the cases; the experiments' tables have 0")
    parser.add_argument("--steps", type=int, default=20, help="DDNM's steps")
    parser.add_argument("--threads", type=int, help="CPU threads")
    parser.add_argument("--json", help="write the table here, too")


def run(args: argparse.Namespace) -> None:
    """Sample or read, print the table."""
    import json
    import tempfile
    from pathlib import Path

    from benchmark.metrics.reader_check import compare
    from benchmark.networks.classifier import load_classifier
    from benchmark.sampling.run import set_threads
    from benchmark.store import write_text

    if bool(args.sets) != bool(args.cases):
        raise BenchmarkError("--sets and --cases belong together: set files and the cases file that they are of")
    set_threads(args.threads)
    classifier = load_classifier(args.world, path=args.weights)
    if args.sets:
        parts = read(args.world, classifier, args.cases, args.sets)
    else:
        with tempfile.TemporaryDirectory() as folder:
            cases, sets = Path(folder, "cases.parquet"), Path(folder, "sets.parquet")
            _sample(args, cases, sets)
            parts = read(args.world, classifier, cases, [sets])
    table = compare(parts, args.world)
    print(as_text(table))
    if args.json:
        write_text(args.json, json.dumps(table, indent=1) + "\n")


def _sample(args: argparse.Namespace, cases, sets) -> None:
    from benchmark.data.cases import write_cases
    from benchmark.sampling.run import sample

    source = {"dataset": args.world, "source": {"name": args.world}, "count": args.count, "seed": args.seed}
    write_cases({**source, "mask": HOLES[args.world], "mask_name": "hole"}, cases)
    settings = {
        "dataset": args.world,
        "task": "hole",
        "prior": {"name": f"{args.world}_experts", "dtype": "float32"},
        "problem": {"name": "inpainting", "sigma": 0.0},
        "algorithm": {"name": "ddnm", "preset": "paper", "steps": args.steps},
        "sampler": f"ddnm_{args.steps}",
        "method": "plain",
        "guidance": None,
        "n": args.n,
        "first_index": 0,
        "seeds": [0],
    }
    sample(settings, cases, sets, threads=args.threads)


def read(world: str, classifier, cases_path, paths) -> list:
    """The readings of every case of the set files; cases that are not of the world have none.

    Raises:
        BenchmarkError: no case of the world, or none of which the hole hides an attribute.
    """
    import numpy as np
    import torch

    from benchmark.data.posterior import posterior_of_case
    from benchmark.metrics.reader_check import readings
    from benchmark.store import read_cases, read_sets

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
    from benchmark.metrics.exact_sets import NEAR
    from benchmark.metrics.reader_check import READERS

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
