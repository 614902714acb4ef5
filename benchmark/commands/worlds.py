"""``python -m benchmark worlds``: the drawn worlds' attributes and shares as Markdown, or a sheet of their pictures."""

from __future__ import annotations

import argparse

from benchmark.errors import BenchmarkError

GAP = 2  # pixels between pictures, before enlarging


def add_arguments(parser: argparse.ArgumentParser) -> None:
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
    from benchmark.data.worlds import WORLDS, get_world

    worlds = {name: get_world(name) for name in args.world or WORLDS}
    if args.output:
        _write_sheet(worlds, args)
        print(f"{args.output}: {', '.join(worlds)}, {args.columns * args.rows} pictures each")
    else:
        print("\n".join(f"### {name}\n\n{table(world)}\n" for name, world in worlds.items()).rstrip())


def table(world) -> str:
    """The attributes of a world, their values and shares in per cent, as a Markdown table."""
    lines = ["| attribute | values and shares |", "|---|---|"]
    for attribute, shares in world.ATTRIBUTES.items():
        values = ", ".join(f"{value} {100 * share:.0f} %" for value, share in shares.items())
        lines.append(f"| `{attribute}` | {values} |")
    return "\n".join(lines)


def _write_sheet(worlds: dict, args: argparse.Namespace) -> None:
    from pathlib import Path

    for option, least, most in (("columns", 1, 40), ("rows", 1, 40), ("scale", 1, 8), ("size", 16, 512)):
        if not least <= getattr(args, option) <= most:
            raise BenchmarkError(f"--{option} {getattr(args, option)}: must be {least} to {most}")
    if Path(args.output).suffix != ".png":
        raise BenchmarkError(f"--output {args.output}: the file's name must end in .png")
    pictures = sheet(worlds, args.rows, args.columns, args.size, args.seed)
    Path(args.output).parent.mkdir(parents=True, exist_ok=True)
    large = pictures.resize([args.scale * side for side in pictures.size], resample=0)  # every pixel becomes a square
    large.save(args.output, optimize=True)


def sheet(worlds: dict, rows: int, columns: int, size: int, seed: int):
    """A picture (PIL) with ``rows`` rows of ``columns`` pictures of each world, on white."""
    import torch
    from PIL import Image

    pitch = size + GAP
    canvas = torch.ones(len(worlds) * (rows * pitch + 2 * GAP) - 3 * GAP, columns * pitch - GAP, 3)
    for block, world in enumerate(worlds.values()):
        attributes = world.sample_attributes(rows * columns, torch.Generator().manual_seed(seed))
        for i, image in enumerate(world.render(attributes, size)):
            y, x = block * (rows * pitch + 2 * GAP) + i // columns * pitch, i % columns * pitch
            canvas[y : y + size, x : x + size] = (image.permute(1, 2, 0) + 1) / 2
    return Image.fromarray((canvas * 255).round().byte().numpy())
