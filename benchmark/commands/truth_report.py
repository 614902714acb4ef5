"""``truth-report``: the table and the figures of the truth."""

from __future__ import annotations

import argparse


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command's arguments."""
    parser.add_argument("--settings", required=True, help="JSON object or file (benchmark/jobs/publish.py)")
    parser.add_argument("--truth", required=True, metavar="FILE", help="truth.parquet")
    parser.add_argument("--tables", required=True, metavar="DIR", help="where truth.csv, .md, .tex and .html go")
    parser.add_argument("--figures", required=True, metavar="DIR", help="where truth_steps and truth_bias go")


def run(args: argparse.Namespace) -> None:
    """Write them."""
    from benchmark.jobs.publish import ExactReportSettings
    from benchmark.publish.exact.results import Results
    from benchmark.publish.exact.run import write_figures, write_tables

    results = Results(ExactReportSettings.load(args.settings), args.truth)
    write_tables(results, args.tables)
    write_figures(results, args.figures)
