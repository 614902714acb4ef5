"""``tables``: the tables of a run, each as csv, Markdown, LaTeX and HTML."""

from __future__ import annotations

import argparse


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command's arguments."""
    parser.add_argument("--settings", required=True, help="JSON object or file (benchmark/jobs/publish.py)")
    parser.add_argument("--metrics", required=True, metavar="FILE", help="metrics.parquet")
    parser.add_argument("--output-dir", required=True, metavar="DIR", help="where NAME.csv, .md, .tex, .html go")


def run(args: argparse.Namespace) -> None:
    """Write every table that the settings ask for."""
    from benchmark.jobs.publish import PublishSettings
    from benchmark.publish.tables.run import write_tables

    for name in write_tables(PublishSettings.load(args.settings), args.metrics, args.output_dir):
        print(f"{args.output_dir}/{name}.csv .md .tex .html")
