"""``gallery``: the contact sheet of one dataset, task and sampler."""

from __future__ import annotations

import argparse
import sys


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command's arguments."""
    parser.add_argument("--settings", required=True, help="JSON object or file (benchmark/jobs/gallery.py)")
    parser.add_argument("--cases", required=True, metavar="FILE", help="the cases")
    parser.add_argument("--sets", required=True, nargs="+", metavar="FILE", help="set files, in the order of the rows")
    parser.add_argument("--output", required=True, metavar="PNG", help="the picture to write")


def run(args: argparse.Namespace) -> None:
    """Write the sheet."""
    from benchmark.jobs.gallery import GallerySettings
    from benchmark.publish.gallery import write_gallery

    count = write_gallery(GallerySettings.load(args.settings), args.cases, args.sets, args.output)
    print(f"{args.output}: {count} cases", file=sys.stderr)
