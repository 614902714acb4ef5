"""``python -m benchmark gpu-check``: what only a GPU can show; in a small form where there is none."""

from __future__ import annotations

import argparse


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Register the command's arguments."""
    parser.add_argument("--device", choices=["auto", "cpu", "cuda"], default="auto")
    parser.add_argument("--small", action="store_true", help="a small network, also on a GPU")
    parser.add_argument("--batches", type=int, nargs="+", help="images at once (default: 1 8 32; without a GPU 1 4)")
    parser.add_argument("--output", metavar="FILE", help="write the rows here, too, as JSON")


def run(args: argparse.Namespace) -> None:
    """Check, print a line for each row as it comes."""
    from benchmark.sampling.gpu_check import report

    report(args.device, args.small, args.batches, args.output)
