"""``python -m benchmark statistics``: what the intervals and tests do on made data like the benchmark's."""

from __future__ import annotations

import argparse


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Register the command's arguments."""
    parser.add_argument("--trials", type=int, default=400, help="made data sets for each cell (400)")
    parser.add_argument("--cases", type=int, nargs="+", default=[4, 8, 12, 20, 40], help="numbers of cases")


def run(args: argparse.Namespace) -> None:
    """Print the bench as Markdown, what lies outside its promise in bold, and what so many cases resolve."""
    from benchmark.errors import BenchmarkError
    from benchmark.statistics import simulation

    if args.trials < 2 or min(args.cases) < 2:
        raise BenchmarkError("--trials, --cases: give 2 or more")
    cases = tuple(args.cases)
    found = list(simulation.rows(args.trials, cases))
    low, high = simulation.COVERS
    print(
        f"{args.trials} made data sets for each cell. Promised: intervals cover in {low:.0%} to {high:.0%}, tests "
        f"of the level 5 % reject in at most {simulation.ERRORS:.0%}, “not worse” is claimed falsely in at most "
        f"{simulation.FALSE_CLAIMS:.0%}. Outside by more than chance: bold. In brackets the median length.\n"
    )
    print(simulation.markdown(found, args.trials))
    print("\n| smallest difference seen with 80 % | " + " | ".join(f"{n} cases" for n in cases) + " |")
    print("|---|" + "--:|" * len(cases))
    for name, values in simulation.power(cases):
        print(f"| {name} | " + " | ".join(f"{value:.2f}" for value in values.values()) + " |")
