"""``python -m benchmark power``: how many cases and seeds a difference needs, from a measured run of several seeds."""

from __future__ import annotations

import argparse


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Register the command's arguments."""
    parser.add_argument("--metrics", required=True, help="metrics.parquet of a run with two seeds or more")
    parser.add_argument("--metric", action="append", help="a measure, several times for several (all that are tested)")
    parser.add_argument("--difference", type=float, help="to be seen (0.05 of a share, a tenth of plain's mean else)")
    parser.add_argument("--output", metavar="FILE", help="a csv file for the table")


def run(args: argparse.Namespace) -> None:
    """Print a line for each point and measure, and write them where ``--output`` says."""
    from benchmark import store
    from benchmark.publish.files import as_csv
    from benchmark.publish.power import seeds_table

    frame = store.read_table(args.metrics, "metrics").to_pandas()
    table = seeds_table(frame, args.difference, args.metric)
    print(table.to_string(index=False, float_format=lambda value: f"{value:.3g}"))
    if args.output:
        store.write_text(args.output, as_csv(table.round(5).to_dict("records")))
