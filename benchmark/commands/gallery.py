"""``gallery``: the contact sheet of one dataset, task and sampler."""

from __future__ import annotations

import argparse
import sys

from benchmark import store


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command's arguments."""
    parser.add_argument("--settings", required=True, help="JSON object or file: dataset, task, sampler, n, seed, rows")
    parser.add_argument("--cases", required=True, metavar="FILE", help="the cases")
    parser.add_argument("--sets", required=True, nargs="+", metavar="FILE", help="set files, in the order of the rows")
    parser.add_argument("--output", required=True, metavar="PNG", help="the picture to write")


def run(args: argparse.Namespace) -> None:
    """Write the sheet."""
    settings = store.load_settings(args.settings)
    from benchmark.publish.gallery import write_gallery

    count = write_gallery(settings, args.cases, args.sets, args.output)
    print(f"{args.output}: {count} cases", file=sys.stderr)
