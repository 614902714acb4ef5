"""``python -m benchmark worlds``: the drawn worlds' attributes and shares as Markdown, or a sheet of their pictures."""

from __future__ import annotations

import argparse


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Register the command's arguments."""
    parser.add_argument(
        "--world", action="append", metavar="NAME", help="this world; may be given again (default: all)"
    )
    parser.add_argument("--output", metavar="FILE", help="write a sheet here (.png), a block of rows for each world")
    parser.add_argument("--columns", type=int, default=10, help="pictures in a row of the sheet")
    parser.add_argument("--rows", type=int, default=2, help="rows of each world")
    parser.add_argument("--scale", type=int, default=2, help="times that the sheet is enlarged")
    parser.add_argument("--size", type=int, default=64, help="side of a picture in pixels")
    parser.add_argument("--seed", type=int, default=0)


def run(args: argparse.Namespace) -> None:
    """Print the tables; write the sheet where one is asked for."""
    from benchmark.data.world_sheet import table, write_sheet
    from benchmark.data.worlds import WORLDS, get_world

    worlds = {name: get_world(name) for name in args.world or WORLDS}
    if args.output:
        write_sheet(worlds, args.output, args.columns, args.rows, args.scale, args.size, args.seed)
        print(f"{args.output}: {', '.join(worlds)}, {args.columns * args.rows} pictures each")
    else:
        print("\n".join(f"### {name}\n\n{table(world)}\n" for name, world in worlds.items()).rstrip())
