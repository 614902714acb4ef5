"""``figures``: the figures of a run, each as png and svg."""

from __future__ import annotations

import argparse


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command's arguments."""
    parser.add_argument("--settings", required=True, help="JSON object or file (benchmark/jobs/publish.py)")
    parser.add_argument("--metrics", required=True, metavar="FILE", help="metrics.parquet")
    parser.add_argument("--output-dir", required=True, metavar="DIR", help="where NAME.png and NAME.svg go")


def run(args: argparse.Namespace) -> None:
    """Draw every figure that the settings ask for."""
    from benchmark.jobs.publish import PublishSettings
    from benchmark.publish.figures.run import write_figures

    for name in write_figures(PublishSettings.load(args.settings), args.metrics, args.output_dir):
        print(f"{args.output_dir}/{name}.png .svg")
