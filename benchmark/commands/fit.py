"""``python -m benchmark fit digits``: the exact prior of the digits, its size chosen by held-out likelihood."""

from __future__ import annotations

import argparse
from pathlib import Path


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Register the command's arguments."""
    parser.add_argument("world", choices=["digits"], help="what to fit")
    parser.add_argument("--output", type=Path, help="where to write (default: the shipped file)")
    parser.add_argument("--seed", type=int, default=0, help="of the dequantisation and of the fit's start (default: 0)")


def run(args: argparse.Namespace) -> None:
    """Fit, print the grid of held-out likelihoods, write weights and card."""
    from benchmark.training.mixture import fit_digits

    fit_digits(args.output, args.seed)
