"""``truth``: one sampler on one problem whose posterior is known, at all its steps and guidances."""

from __future__ import annotations

import argparse


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command's arguments."""
    parser.add_argument("--settings", required=True, help="JSON object or file (docs/truth.md)")
    parser.add_argument("--output", required=True, metavar="FILE", help="the table to write (Parquet)")
    parser.add_argument("--threads", type=int, help="CPU threads")


def run(args: argparse.Namespace) -> None:
    """Sample, measure, write."""
    from benchmark.exact.run import run as run_truth
    from benchmark.jobs.exact import ExactSettings

    run_truth(ExactSettings.load(args.settings), args.output, args.threads)
