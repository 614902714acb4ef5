"""``python -m benchmark cases``: write the cases of one dataset and mask."""

from __future__ import annotations

import argparse
import sys
import warnings


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Register the command's arguments."""
    parser.add_argument("--settings", required=True, help="JSON object or file: dataset, source, mask, count, seed")
    parser.add_argument("--output", required=True, help="the cases file to write (Parquet)")
    parser.add_argument("--preview", help="a contact sheet to write beside it (PNG)")


def run(args: argparse.Namespace) -> None:
    """Write the cases file, and its preview where asked for; a doubtful mask file is one line of warning."""
    from benchmark.data.cases import write_cases, write_preview
    from benchmark.jobs.cases import CasesSettings

    with warnings.catch_warnings():
        warnings.showwarning = lambda message, *_, **__: print(f"warning: {message}", file=sys.stderr)
        cases = write_cases(CasesSettings.load(args.settings), args.output)
    if args.preview:
        write_preview(cases, args.preview)
