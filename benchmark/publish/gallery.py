"""Contact sheets: for each case the truth, what the sampler was given, and below them every set's N restorations."""

from __future__ import annotations

import io
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from benchmark import store
from benchmark.errors import BenchmarkError
from benchmark.jobs.gallery import GallerySettings
from benchmark.publish.labels import point_of_name
from benchmark.store import Case, RestorationSet

if TYPE_CHECKING:
    from PIL.Image import Image
    from PIL.ImageDraw import ImageDraw

MOST_CASES = 4
MOST_BYTES = 2_000_000
WIDTH = 1560  # of the sheet, at most, unless a single case needs more
TILE = 96, 128  # smallest and largest side of a picture on the sheet, pixels
GAP, PANEL_GAP, MARGIN = 3, 26, 18
INK, FAINT, PAPER = "#1c2126", "#69727b", "#ffffff"
HOLE = (np.array([205, 219, 240], np.uint8), np.array([168, 190, 224], np.uint8))  # a pale blue chequerboard


@dataclass(frozen=True)
class CasePanel:
    """One case of the sheet: the truth, the hole, and its sets in the order of the sheet's rows (None: no set)."""

    case: Case
    sets: list[RestorationSet | None]


def write_gallery(settings: GallerySettings, cases: str, sets: list[str], output: str | Path) -> int:
    """Write the contact sheet of one dataset, task and sampler; returns how many cases are on it.

    As many cases as keep the file below 2 MB, 4 at most: the first of the cases file.

    Args:
        cases: the cases file.
        sets: the set files, in the order of the rows.

    Raises:
        BenchmarkError: another number of files than rows, a file that other settings made, no set of any case.
    """
    rows = settings.rows
    if len(rows) != len(sets) or not rows:
        raise BenchmarkError(f"--sets: {len(sets)} files; the settings name {len(rows)} rows")
    truths = store.read_cases(cases, settings.cases)
    found = [_sets(path, row.fingerprint, settings.seed) for path, row in zip(sets, rows, strict=True)]
    panels = [CasePanel(case, [part.get(name) for part in found]) for name, case in truths.items()]
    panels = [panel for panel in panels if any(panel.sets)][:MOST_CASES]
    if not panels:
        raise BenchmarkError(f"{sets[0]}: no set of any case of {cases} with seed {settings.seed}")
    names = [point_of_name(row.label) for row in rows]
    title = ", ".join(name for name in (settings.dataset, settings.task, settings.sampler) if name)
    n = settings.n or max(len(part.images) for panel in panels for part in panel.sets if part is not None)
    while True:
        data = _png(sheet(panels, names, title, n))
        if len(data) <= MOST_BYTES or len(panels) == 1:
            break
        panels = panels[:-1]
    with store.atomic(output) as path:
        path.write_bytes(data)
    return len(panels)


def _sets(path: str, fingerprint: str | None, seed: int | None) -> dict[str, RestorationSet]:
    """The sets of a file with this seed, by case."""
    found = [part for part in store.read_sets(path, fingerprint) if seed is None or part.keys["seed"] == seed]
    return {part.keys["case"]: part for part in found}


def _png(picture: Image) -> bytes:
    data = io.BytesIO()
    picture.save(data, format="PNG", compress_level=9)
    return data.getvalue()


# ------------------------------------------------------------------------------------------------------------ the sheet
def sheet(panels: list[CasePanel], names: list[str], title: str, n: int) -> Image:
    """The sheet as a picture: panels of cases side by side, as many as the width allows, and below each other."""
    from PIL import Image, ImageDraw

    tile = _tile(panels[0].case.image.shape[-2:])
    height, width = tile
    gutter = MARGIN + max(int(_font(15).getlength(name)) for name in names) + 14
    panel_width = max(n, 2) * (width + GAP) - GAP
    beside = max(1, min(len(panels), (WIDTH - gutter + PANEL_GAP) // (panel_width + PANEL_GAP)))
    bands = -(-len(panels) // beside)
    header, caption = 58, 22
    band_height = caption + height + 12 + len(names) * (height + GAP) + PANEL_GAP
    size = gutter + beside * (panel_width + PANEL_GAP) - PANEL_GAP + MARGIN, header + bands * band_height
    picture = Image.new("RGB", size, PAPER)
    draw = ImageDraw.Draw(picture)
    draw.text((MARGIN, 14), title, fill=INK, font=_font(19, bold=True))
    text = f"Each block is a case: its truth and the masked picture, and below them sets of {n}."
    if any(_unfinished(part) for panel in panels for part in panel.sets):
        text += " Red hatching: not finite; grey: no set."
    draw.text((MARGIN, 38), text, fill=FAINT, font=_font(12))
    for index, panel in enumerate(panels):
        left = gutter + (index % beside) * (panel_width + PANEL_GAP)
        top = header + (index // beside) * band_height
        _draw_panel(picture, draw, panel, (left, top), tile, n, caption)
        if index % beside == 0:
            for row, name in enumerate(names):
                middle = top + caption + height + 12 + row * (height + GAP) + height // 2
                draw.text((gutter - 10, middle), name, fill=INK, font=_font(15), anchor="rm")
    return picture


def _draw_panel(
    picture: Image,
    draw: ImageDraw,
    panel: CasePanel,
    corner: tuple[int, int],
    tile: tuple[int, int],
    n: int,
    caption: int,
) -> None:
    left, top = corner
    height, width = tile
    for column, (text, pixels) in enumerate(_given(panel.case, tile)):
        x = left + column * (width + GAP)
        draw.text((x, top + caption - 5), text, fill=FAINT, font=_font(12), anchor="ls")
        picture.paste(pixels, (x, top + caption))
    if n > 2:
        x = left + 2 * (width + GAP) + 8
        draw.text((x, top + caption + 4), panel.case.case, fill=INK, font=_font(13))
    for row, part in enumerate(panel.sets):
        y = top + caption + height + 12 + row * (height + GAP)
        for column in range(n):
            picture.paste(_restoration(part, column, tile), (left + column * (width + GAP), y))


def _given(case: Case, tile: tuple[int, int]) -> list[tuple[str, Image]]:
    """The truth, and what is left of it where there is a hole."""
    pixels = _resized(store.to_uint8(case.image), tile)
    shown = [("truth", _picture(pixels))]
    if case.hole is not None:
        hole = _resized(case.hole[..., None].astype(np.uint8) * 255, tile)[..., :1] > 127
        shown.append(("masked", _picture(np.where(hole, _chequers(tile), pixels))))
    return shown


def _restoration(part: RestorationSet | None, column: int, tile: tuple[int, int]) -> Image:
    if part is None or column >= len(part.images):
        return _picture(np.full((*tile, 3), 235, np.uint8))
    if part.columns["finite"][column] is not None and not part.columns["finite"][column]:
        return _picture(_hatched(tile))
    return _picture(_resized(store.to_uint8(part.images[column]), tile))


def _unfinished(part: RestorationSet | None) -> bool:
    return part is None or not all(value is None or value for value in part.columns["finite"])


# ------------------------------------------------------------------------------------------------------------- pictures
def _tile(shape: tuple[int, int]) -> tuple[int, int]:
    """Height and width of a picture on the sheet: whole multiples of a small one, a large one made smaller."""
    height, width = shape
    largest = max(height, width)
    if largest > TILE[1]:
        return round(height * TILE[1] / largest), round(width * TILE[1] / largest)
    factor = max(1, -(-TILE[0] // largest))
    return height * factor, width * factor


def _resized(pixels: np.ndarray, tile: tuple[int, int]) -> np.ndarray:
    """Pixels (H, W, C) as (tile height, tile width, 3): repeated if they grow, averaged if they shrink."""
    from PIL import Image

    pixels = np.repeat(pixels, 3, axis=2) if pixels.shape[2] == 1 else pixels
    method = Image.Resampling.NEAREST if tile[0] >= pixels.shape[0] else Image.Resampling.BOX
    return np.asarray(Image.fromarray(pixels).resize(tile[::-1], method))


def _picture(pixels: np.ndarray) -> Image:
    from PIL import Image

    return Image.fromarray(pixels)


def _chequers(tile: tuple[int, int]) -> np.ndarray:
    side = max(tile) // 16
    rows, columns = np.indices(tile) // side
    return np.where(((rows + columns) % 2 == 0)[..., None], *HOLE)


def _hatched(tile: tuple[int, int]) -> np.ndarray:
    rows, columns = np.indices(tile)
    stripe = (rows + columns) % 12 < 3
    return np.where(stripe[..., None], np.array([200, 30, 45], np.uint8), np.array([250, 236, 238], np.uint8))


@cache
def _font(size: int, bold: bool = False):
    """The font that comes with matplotlib: the same on every machine, with Greek letters and ∞."""
    import matplotlib
    from PIL import ImageFont

    name = "DejaVuSans-Bold.ttf" if bold else "DejaVuSans.ttf"
    return ImageFont.truetype(str(Path(matplotlib.get_data_path()) / "fonts" / "ttf" / name), size)
