"""``select``: pick N of the candidates of every case by one strategy; the result is a set file like any other."""

from __future__ import annotations

import argparse


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Register the command's arguments."""
    parser.add_argument("--settings", required=True, help="JSON object or file (benchmark/jobs/select.py)")
    parser.add_argument("--candidates", required=True, nargs="+", metavar="SHARD", help="the candidates' set files")
    parser.add_argument("--cases", required=True, help="the cases file, for the holes")
    parser.add_argument("--output", required=True, help="the set file to write")
    parser.add_argument(
        "--device", default="auto", choices=["auto", "cpu", "cuda"], help="where a feature network runs"
    )


def run(args: argparse.Namespace) -> None:
    """Select and write."""
    from benchmark.jobs.select import SelectSettings
    from benchmark.selection.run import run as select

    select(SelectSettings.load(args.settings), args.candidates, args.cases, args.output, args.device)
