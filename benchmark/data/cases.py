"""Cases: pictures with what is hidden of them."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from benchmark import store
from benchmark.data.masks import make_hole
from benchmark.data.picture import Picture
from benchmark.data.sources import pictures
from benchmark.errors import BenchmarkError

KEYS = ("dataset", "source", "mask", "mask_name", "count", "seed")


def check_settings(settings: dict) -> None:
    """Refuse settings of a cases file that are incomplete or of the wrong kind.

    Raises:
        BenchmarkError: naming the key and what it should hold.
    """
    if unknown := [key for key in settings if key not in KEYS]:
        raise BenchmarkError(f"cases: unknown key {unknown[0]!r}; keys are {', '.join(KEYS)}")
    if missing := [key for key in ("dataset", "source", "count") if key not in settings]:
        raise BenchmarkError(f"cases: {missing[0]} is missing")
    for key, kind in (("source", dict), ("mask", dict | None)):
        if not isinstance(settings.get(key), kind):
            raise BenchmarkError(f"cases.{key}: {settings[key]!r} is not an object such as {EXAMPLES[key]}")
    count, seed = settings["count"], settings.get("seed", 0)
    if type(count) is not int or count < 1:
        raise BenchmarkError(f"cases.count: {count!r} is not a number of cases; give 1 or more")
    if type(seed) is not int or seed < 0:
        raise BenchmarkError(f"cases.seed: {seed!r} is not a seed; give a whole number of 0 or more")


EXAMPLES = {"source": '{"name": "digits"}', "mask": '{"recipe": "left"}'}


def write_cases(settings: dict, output: str | Path) -> list[store.Case]:
    """Write the cases file that ``settings`` describe (see docs/architecture.md, section 7) and return its cases.

    Raises:
        BenchmarkError: incomplete settings, an unknown source or recipe, a missing or unreadable image, a mask of
            nothing or everything.
    """
    check_settings(settings)
    mask, name = settings.get("mask"), settings.get("mask_name", "none")
    cases = []
    for picture in pictures(settings["source"], settings["count"], settings.get("seed", 0)):
        hole = None if mask is None else _hole(settings, name, picture)
        image = store.decode_image(store.encode_image(picture.image))  # what the file holds: 8 bits
        cases.append(store.Case(settings["dataset"], name, picture.case, image, hole, picture.attributes))
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
    store.write_table(output, "cases", rows, settings)
    return cases


def _hole(settings: dict, name: str, picture: Picture) -> np.ndarray:
    import torch

    parts = None
    if picture.parts is not None:
        parts = {part: torch.from_numpy(np.asarray(area)) for part, area in picture.parts.items()}
    try:
        hole = make_hole(
            settings["mask"],
            tuple(picture.image.shape[1:]),
            parts,
            dataset=settings["dataset"],
            case=picture.case,
            seed=settings.get("seed", 0),
        )
    except BenchmarkError as error:
        raise BenchmarkError(f"mask {name}, case {picture.case}: {error}") from None
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
