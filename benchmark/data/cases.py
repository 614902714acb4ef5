"""Cases: pictures with what is hidden of them."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from benchmark import store
from benchmark.data.masks import make_hole
from benchmark.data.picture import Picture
from benchmark.data.sources import pictures
from benchmark.errors import BenchmarkError
from benchmark.jobs.cases import CasesSettings


def write_cases(settings: CasesSettings, output: str | Path) -> list[store.Case]:
    """Write the cases file that ``settings`` describe and return its cases.

    Raises:
        BenchmarkError: an unknown source or recipe, a missing or unreadable image, a mask of
            nothing or everything.
    """
    cases = []
    for picture in pictures(settings.source, settings.count, settings.seed):
        hole = None if settings.mask is None else _hole(settings, settings.mask, picture)
        image = store.decode_image(store.encode_image(picture.image))  # what the file holds: 8 bits
        cases.append(store.Case(settings.dataset, settings.mask_name, picture.case, image, hole, picture.attributes))
    rows = [
        {
            "dataset": case.dataset,
            "mask": case.mask,
            "case": case.case,
            "image": store.encode_image(case.image, f"{case.case}.png"),
            "hole": store.encode_hole(case.hole),
            "hole_fraction": None if case.hole is None else float(case.hole.mean()),
            "attributes": list(case.attributes.items()),
        }
        for case in cases
    ]
    store.write_table(output, "cases", rows, settings.json)
    return cases


def _hole(settings: CasesSettings, mask: dict, picture: Picture) -> np.ndarray:
    import torch

    parts = None
    if picture.parts is not None:
        parts = {part: torch.from_numpy(np.asarray(area)) for part, area in picture.parts.items()}
    try:
        hole = make_hole(
            mask,
            tuple(picture.image.shape[1:]),
            parts,
            dataset=settings.dataset,
            case=picture.case,
            seed=settings.seed,
        )
    except BenchmarkError as error:
        raise BenchmarkError(f"mask {settings.mask_name}, case {picture.case}: {error}") from None
    return hole.numpy()


def write_preview(cases: list[store.Case], path: str | Path, columns: int = 8, height: int = 96) -> None:
    """A contact sheet of the cases: each truth above its masked input (the hole in flat grey-blue stripes)."""
    from PIL import Image

    tiles = [np.concatenate([_pixels(case.image), _pixels(masked(case))], axis=0) for case in cases]
    scale = max(1, round(height / cases[0].image.shape[1]))
    tiles = [
        np.pad(tile.repeat(scale, 0).repeat(scale, 1), ((2, 2), (2, 2), (0, 0)), constant_values=255) for tile in tiles
    ]
    blank = np.full_like(tiles[0], 255)
    columns = min(columns, len(tiles))
    tiles += [blank] * (-len(tiles) % columns)
    rows = [np.concatenate(tiles[i : i + columns], axis=1) for i in range(0, len(tiles), columns)]
    with store.atomic(path) as temporary:
        Image.fromarray(np.concatenate(rows, axis=0)).save(temporary, format="PNG")


def masked(case: store.Case) -> np.ndarray:
    """The picture with its hole marked by diagonal stripes, float (3, H, W) in [-1, 1]."""
    image = np.broadcast_to(case.image, (3, *case.image.shape[1:])).copy()
    if case.hole is None:
        return image
    height, width = case.hole.shape
    stripes = (np.arange(height)[:, None] + np.arange(width)[None, :]) // max(1, height // 16) % 2
    colours = np.array([[0.35, 0.42, 0.55], [0.45, 0.52, 0.65]]) * 2 - 1
    image[:, case.hole] = colours[stripes[case.hole]].T
    return image


def _pixels(image: np.ndarray) -> np.ndarray:
    return store.to_uint8(np.broadcast_to(image, (3, *image.shape[1:])))
