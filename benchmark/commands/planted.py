"""``python -m benchmark planted``: sets that no measure may prefer to plain samples, held against every measure."""

from __future__ import annotations

import argparse


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Register the command's arguments."""
    parser.add_argument("--cases", type=int, default=8, help="cases of each world (8)")


def run(args: argparse.Namespace) -> None:
    """Print, for each world and measure with a direction, the mean of every planted set; a wrong order in bold."""
    from benchmark.metrics.registry import find
    from benchmark.planted import worlds, worst_or_equal

    for planted in worlds(args.cases):
        names = list(planted.sets)
        print(f"| {planted.world}: measure | measures | better | {' | '.join(names)} |")
        print("|---|---|---|" + "--:|" * len(names))
        for metric, values in planted.values().items():
            entry = find(metric)[1]
            if entry.direction == "none":
                continue
            wrong = set(worst_or_equal(values, metric))
            cells = [f"**{values[name]:.3g}**" if name in wrong else f"{values[name]:.3g}" for name in names]
            print(f"| `{metric}` | {entry.measures} | {entry.direction} | {' | '.join(cells)} |")
        print()
