"""Holes of fixed shapes: halves, a box, polygons, and the regular masks of RePaint (Lugmayr et al. 2022, section 5)."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import numpy as np

from benchmark.data.masks.base import Picture, Pictures, Shape, either, recipe
from benchmark.errors import BenchmarkError
from benchmark.lazy import torch
from benchmark.options import Within

if TYPE_CHECKING:
    from torch import Tensor


def _rows(shape: Shape) -> Tensor:
    return torch.arange(shape[0])[:, None].expand(shape)


def _columns(shape: Shape) -> Tensor:
    return torch.arange(shape[1])[None, :].expand(shape)


# --------------------------------------------------------------------------------------------------------------- halves
@recipe
def left(picture: Picture) -> Tensor:
    """The left half: columns below W // 2."""
    return _columns(picture.shape) < picture.shape[1] // 2


@recipe
def right(picture: Picture) -> Tensor:
    """The right half: what ``left`` leaves."""
    return _columns(picture.shape) >= picture.shape[1] // 2


@recipe
def top(picture: Picture) -> Tensor:
    """The top half: rows below H // 2."""
    return _rows(picture.shape) < picture.shape[0] // 2


@recipe
def bottom(picture: Picture) -> Tensor:
    """The bottom half: what ``top`` leaves."""
    return _rows(picture.shape) >= picture.shape[0] // 2


@recipe
def box(
    picture: Picture,
    fraction: Annotated[float, Within(0, 1, open=(0, 1)), "Side of the box as a share of the picture's."] = 0.5,
) -> Tensor:
    """A box in the picture's centre, each side ``fraction`` of the picture's (0 < fraction < 1), to whole pixels."""
    return _centre(picture.shape, fraction)


def _centre(shape: Shape, fraction: float) -> Tensor:
    inside = torch.zeros(shape, dtype=torch.bool)
    (top_, height), (left_, width) = (((side - round(side * fraction)) // 2, round(side * fraction)) for side in shape)
    inside[top_ : top_ + height, left_ : left_ + width] = True
    return inside


# ----------------------------------------------------------------------------------------------- RePaint's regular four
@recipe
def ev2li(picture: Picture) -> Tensor:
    """Every second line is unknown: rows 1, 3, 5, ..."""
    return _rows(picture.shape) % 2 == 1


@recipe
def nn2(picture: Picture) -> Tensor:
    """Super-resolution by 2: of every 2x2 pixels only the upper left one is known."""
    return (_rows(picture.shape) % 2 == 1) | (_columns(picture.shape) % 2 == 1)


@recipe
def ex64(picture: Picture) -> Tensor:
    """Expand: only the middle quarter of each side is known, 64x64 of 256x256."""
    return ~_centre(picture.shape, 0.25)


@recipe
def genhalf(picture: Picture) -> Tensor:
    """Half: the left half is known, the right one unknown (the same as ``right``, under RePaint's name)."""
    return right(picture)


# ------------------------------------------------------------------------------------------------------------- polygons
def _refuses(options: Mapping[str, Any]) -> str | None:
    """Neither or both of file and cases, or coordinates in the configuration that are none."""
    if reason := either("file", "cases", options):
        return reason
    try:
        if options["size"] is not None:
            _size("size", options["size"])
        for name, drawn in (options["cases"] or {}).items():
            _corners(f"case {name!r}", drawn)
    except BenchmarkError as error:
        return f"has {error}"
    return None


def _lacks(options: Mapping[str, Any], pictures: Pictures) -> str | None:
    cases = options["cases"]
    if pictures.named or cases is None or "default" in cases:
        return None
    return "has polygons of cases by their names, and these have none; give the polygon of default"


@recipe(refuses=_refuses, lacks=_lacks)
def polygon(
    picture: Picture,
    file: Annotated[str | None, "A YAML file of cases and size."] = None,
    cases: Annotated[dict | None, "Polygons by case."] = None,
    size: Annotated[list | None, "Width and height of the picture on which the coordinates were read."] = None,
) -> Tensor:
    """Polygons or boxes drawn by hand for each picture, from ``cases`` or a YAML ``file`` that has the same two keys.

    ``size: [W, H]`` is the picture on which the coordinates were read (by default the case's own size), ``cases`` maps
    a case's name to one polygon ``[[x, y], ...]``, a list of polygons, or ``{box: [x0, y0, x1, y1]}``; ``default``
    stands for every case without an entry. A pixel belongs to the hole if its centre, at x = column + 1/2 and y = row
    + 1/2, lies inside one of the polygons by the even-odd rule.
    """
    where = "mask recipe 'polygon'"
    if file is not None:
        where = f"{where}: {file}"
        cases, size = _read_polygons(where, file)
    cases = {str(name): value for name, value in cases.items()} if isinstance(cases, dict) else {}
    drawn = cases.get(picture.case, cases.get("default"))
    if drawn is None:
        raise BenchmarkError(f"{where}: no polygon of case {picture.case!r}, and no default")
    height, width = picture.shape
    scale = np.array([1.0, 1.0])
    if size is not None:
        scale = np.array([width, height]) / _size(f"{where}: size", size)
    hole = np.zeros(picture.shape, bool)
    for corners in _corners(f"{where}: case {picture.case!r}", drawn):
        hole |= _inside(corners * scale, picture.shape)
    return torch.from_numpy(hole)


def _read_polygons(where: str, file: str) -> tuple[dict, list | None]:
    import yaml

    try:
        # every scalar stays text: 00017 is a name and not the number 15
        document = yaml.load(Path(file).read_text(), Loader=yaml.BaseLoader)
    except OSError as error:
        raise BenchmarkError(f"{where}: cannot be read ({error.strerror})") from None
    except yaml.YAMLError as error:
        raise BenchmarkError(f"{where}: not valid YAML ({' '.join(str(error).split())})") from None
    if (
        not isinstance(document, dict)
        or set(document) - {"size", "cases"}
        or not isinstance(document.get("cases"), dict)
    ):
        raise BenchmarkError(f"{where}: the keys cases (polygons by case) and size are expected")
    return document["cases"], document.get("size")


def _size(where: str, size: object) -> np.ndarray:
    read_on = _numbers(where, size, (2,))
    if not (read_on > 0).all():
        raise BenchmarkError(f"{where}: {size}: expected [W, H] of more than 0 pixels")
    return read_on


def _corners(where: str, drawn: Any) -> list[np.ndarray]:
    if isinstance(drawn, dict) and set(drawn) == {"box"}:
        x0, y0, x1, y1 = _numbers(where, drawn["box"], (4,))
        return [np.array([[x0, y0], [x1, y0], [x1, y1], [x0, y1]])]
    nested = (
        isinstance(drawn, list) and drawn and isinstance(drawn[0], list) and drawn[0] and isinstance(drawn[0][0], list)
    )
    return [_numbers(where, part, (None, 2)) for part in (drawn if nested else [drawn])]


def _numbers(where: str, values: object, shape: tuple) -> np.ndarray:
    try:
        array = np.array(values, dtype=float)
    except (TypeError, ValueError):
        array = np.array([])
    right_shape = len(shape) == array.ndim and all(s in (None, n) for s, n in zip(shape, array.shape, strict=True))
    if not right_shape or not np.isfinite(array).all() or (shape[0] is None and len(array) < 3):
        raise BenchmarkError(f"{where}: {str(values)[:60]}: expected {_EXPECTED[shape]}")
    return array


_EXPECTED = {(2,): "[W, H]", (4,): "[x0, y0, x1, y1]", (None, 2): "three corners [x, y] or more"}


def _inside(corners: np.ndarray, shape: Shape) -> np.ndarray:
    """Even-odd rule at the pixels' centres; corners (K, 2) in pixels, x to the right and y downwards."""
    y, x = np.arange(shape[0])[:, None] + 0.5, np.arange(shape[1])[None, :] + 0.5
    inside = np.zeros(shape, bool)
    for (x0, y0), (x1, y1) in zip(corners, np.roll(corners, -1, axis=0), strict=True):
        if y0 == y1:
            continue
        crosses = (y0 <= y) != (y1 <= y)
        inside ^= crosses & (x > x0 + (y - y0) * (x1 - x0) / (y1 - y0))
    return inside
