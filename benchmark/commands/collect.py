"""``collect``: the metrics files of a run, one after the other, in one file."""

from __future__ import annotations

import argparse


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command's arguments."""
    source = parser.add_mutually_exclusive_group(required=True)
    source.add_argument("--inputs", nargs="+", metavar="FILE", help="metrics files")
    source.add_argument("--list", metavar="FILE", help="a file with one path a line")
    source.add_argument("--manifest", metavar="FILE", help="a file with one line 'FINGERPRINT PATH' for each input")
    parser.add_argument("--expect", metavar="JSON", help="a JSON file {path: fingerprint} to hold the inputs to")
    parser.add_argument("--kind", default="metrics", choices=("metrics", "truth"), help="what the files hold (metrics)")
    parser.add_argument("--output", required=True, metavar="FILE", help="the file to write")


def run(args: argparse.Namespace) -> None:
    """Check, concatenate in the order given, write."""
    from benchmark.metrics.collect import collect

    collect(args.output, args.inputs, args.list, args.manifest, args.expect, args.kind)
