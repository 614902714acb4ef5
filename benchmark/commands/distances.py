"""``python -m benchmark distances``: how far plain restorations lie from their nearest neighbours, to choose D."""

from __future__ import annotations

import argparse


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Register the command's arguments."""
    parser.add_argument("--sets", required=True, nargs="+", help="plain set files of one task and sampler")
    parser.add_argument("--cases", required=True, help="their cases file")


def run(args: argparse.Namespace) -> None:
    """Print quantiles of the nearest-neighbour distance in RMS units, and three values for D."""
    import numpy as np

    from benchmark.errors import BenchmarkError
    from benchmark.store import read_cases, read_sets

    cases = read_cases(args.cases)
    sets = [one for path in args.sets for one in read_sets(path)]
    if any(one.keys["method"] != "plain" for one in sets):
        raise BenchmarkError("--sets: guided or selected sets among them; give plain ones, whose samples do not repel")
    if any(len(one.images) < 2 for one in sets):
        raise BenchmarkError("--sets: sets of one restoration have no neighbours; give n of 2 or more")
    distances = []
    for one in sets:
        if one.keys["case"] not in cases:
            raise BenchmarkError(f"{args.cases}: no case {one.keys['case']}; give these sets' cases file")
        hole = cases[one.keys["case"]].hole
        points = (one.images if hole is None else one.images[:, :, hole]).reshape(len(one.images), -1).astype(float)
        rms = np.sqrt(np.square(points[:, None] - points[None]).mean(-1))
        np.fill_diagonal(rms, np.inf)
        distances.append(rms.min(1))
    distances = np.concatenate(distances)
    quantiles = [0.05, 0.25, 0.5, 0.75, 0.95]
    print(f"nearest-neighbour distance over the hole, RMS on [-1, 1], {len(sets)} sets, {len(distances)} restorations")
    for quantile, value in zip(quantiles, np.quantile(distances, quantiles), strict=True):
        print(f"  {quantile:4.0%}  {value:.3f}")
    low, middle, high = (float(f"{value:.2g}") for value in np.quantile(distances, [0.25, 0.5, 0.75]))
    print(
        f"suggested D (unit rms): {low:g}, {middle:g}, {high:g}: the gate shuts on 75 %, 50 %, 25 % of finished samples;"
    )
    print("earlier in sampling the estimates lie closer together and the gate is open more often (column gate_open)")
