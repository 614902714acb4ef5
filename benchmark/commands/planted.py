"""``python -m benchmark planted``: sets that no measure may prefer to plain samples, held against every measure."""

from __future__ import annotations

import argparse


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Register the command's arguments."""
    parser.add_argument(
        "--cases", type=int, default=20, help="cases behind each hole of faces (20); digits have thrice"
    )
    parser.add_argument("--short", action="store_true", help="a sign for each measure and planted set instead of means")


def run(args: argparse.Namespace) -> None:
    """Print what every measure with a direction says of every planted set.

    By hole the means over cases, in bold where the set must be worse and is not beyond chance; with ``--short`` one
    table of signs over all holes.
    """
    from benchmark import planted

    found = {world.world: world.values() for world in planted.worlds(args.cases)}
    if args.short:
        print("\n".join(planted.short_table(found)))
        return
    for world, values in found.items():
        print("\n".join(planted.long_table(world, values)), end="\n\n")
