"""``tables``: the tables of a run, each as csv, Markdown, LaTeX and HTML."""

from __future__ import annotations

import argparse

from benchmark import store


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command's arguments."""
    parser.add_argument("--settings", required=True, help="JSON object or file: run, margin, confidence, tables")
    parser.add_argument("--metrics", required=True, metavar="FILE", help="metrics.parquet")
    parser.add_argument("--output-dir", required=True, metavar="DIR", help="where NAME.csv, .md, .tex, .html go")


def run(args: argparse.Namespace) -> None:
    """Write every table that the settings ask for."""
    settings = store.load_settings(args.settings)
    from benchmark.publish.tables.run import write_tables

    for name in write_tables(settings, args.metrics, args.output_dir):
        print(f"{args.output_dir}/{name}.csv .md .tex .html")
