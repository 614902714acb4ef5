"""``measure``: one or several set files in, one tidy metrics file out."""

from __future__ import annotations

import argparse

from benchmark.cli import Print
from benchmark.metrics.registry import describe


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command's arguments."""
    parser.add_argument("--list", action=Print, const=describe, help="print every metric with its definition, and stop")
    parser.add_argument("--settings", required=True, help="JSON object or file (benchmark/jobs/measure.py)")
    parser.add_argument("--sets", required=True, nargs="+", metavar="FILE", help="the set files to measure")
    parser.add_argument("--cases", required=True, metavar="FILE", help="its cases")
    parser.add_argument("--candidates", nargs="*", default=[], metavar="FILE", help="shards of the candidate bank")
    parser.add_argument("--output", required=True, metavar="FILE", help="the metrics file to write")
    parser.add_argument("--device", default="cpu", choices=("auto", "cpu", "cuda"), help="where networks run")


def run(args: argparse.Namespace) -> None:
    """Measure and write."""
    from benchmark.jobs.measure import MeasureSettings
    from benchmark.metrics.run import run as measure

    settings = MeasureSettings.load(args.settings)
    measure(settings, args.sets, args.cases, args.candidates, args.output, args.device)
