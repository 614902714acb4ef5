"""The drawn worlds shown: their attributes and shares as Markdown, a sheet of their pictures."""

from __future__ import annotations

from pathlib import Path

from benchmark.errors import BenchmarkError

GAP = 2  # pixels between pictures, before enlarging


def table(world) -> str:
    """The attributes of a world, their values and shares in per cent, as a Markdown table."""
    lines = ["| attribute | values and shares |", "|---|---|"]
    for attribute, shares in world.ATTRIBUTES.items():
        values = ", ".join(f"{value} {100 * share:.0f} %" for value, share in shares.items())
        lines.append(f"| `{attribute}` | {values} |")
    return "\n".join(lines)


def write_sheet(
    worlds: dict, output: str | Path, columns: int = 10, rows: int = 2, scale: int = 2, size: int = 64, seed: int = 0
) -> None:
    """Write :func:`sheet` as PNG, enlarged ``scale`` times: every pixel becomes a square.

    Raises:
        BenchmarkError: a number out of range, another ending than .png.
    """
    ranges = {"columns": (columns, 1, 40), "rows": (rows, 1, 40), "scale": (scale, 1, 8), "size": (size, 16, 512)}
    for option, (value, least, most) in ranges.items():
        if not least <= value <= most:
            raise BenchmarkError(f"--{option} {value}: must be {least} to {most}")
    if Path(output).suffix != ".png":
        raise BenchmarkError(f"--output {output}: the file's name must end in .png")
    pictures = sheet(worlds, rows, columns, size, seed)
    Path(output).parent.mkdir(parents=True, exist_ok=True)
    pictures.resize([scale * side for side in pictures.size], resample=0).save(output, optimize=True)


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
