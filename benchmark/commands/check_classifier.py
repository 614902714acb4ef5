"""``python -m benchmark check-classifier``: does a world's classifier read a prior's samples as their pixels say?

What it is held against is :mod:`benchmark.training.readers`.
"""

from __future__ import annotations

import argparse

from benchmark.weights.shipped import worlds


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Register the command's arguments."""
    parser.add_argument("--world", choices=worlds("classifier"), default="faces")
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
    from benchmark.training.readers import check_classifier

    sampling = {name: getattr(args, name) for name in ("count", "n", "seed", "steps", "threads")}
    check_classifier(args.world, args.weights, args.sets, args.cases, **sampling, table_file=args.json)
