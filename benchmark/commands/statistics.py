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
        f"{simulation.FALSE_CLAIMS:.0%}, and what is said to be resolved is detected in {simulation.POWERS[0]:.0%} to "
        f"{simulation.POWERS[1]:.0%}. Outside by more than two standard errors: bold, with a ! where no sentence below "
        "speaks of it. In brackets the median length, or what is resolved.\n"
    )
    print(simulation.markdown(found, args.trials))
