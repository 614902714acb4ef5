"""Holes from image files: one mask for all, one for each case by its name, or one drawn from a folder of masks."""

from __future__ import annotations

import os
import warnings
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Annotated, Any

import numpy as np

from benchmark.data.images import SUFFIXES, fit_nearest, read_grey
from benchmark.data.masks.base import (
    LargestArea,
    LeastArea,
    Picture,
    Pictures,
    Variant,
    area_fault,
    drawn_by_name,
    draws,
    either,
    recipe,
)
from benchmark.errors import BenchmarkError
from benchmark.lazy import torch
from benchmark.options import OneOf, Within

if TYPE_CHECKING:
    from torch import Tensor

BLACK, WHITE, AUTO = "black", "white", "auto"
LOOKED_AT = 64  # files of a folder from which its polarity is found


Threshold = Annotated[float, Within(0, 255, open=(255,)), "The largest grey level that is black."]


class MaskWarning(UserWarning):
    """A mask file that can be used and should not be."""


def _file_or_folder(options: Mapping[str, Any]) -> str | None:
    return either("file", "folder", options)


def _names_of_files(options: Mapping[str, Any], pictures: Pictures) -> str | None:
    return None if options["file"] is not None else drawn_by_name(options, pictures)


@recipe(refuses=_file_or_folder, lacks=_names_of_files)
def mask_image(
    picture: Picture,
    file: Annotated[str | None, "The mask of every case."] = None,
    folder: Annotated[str | None, "The folder of the cases' masks."] = None,
    files: Annotated[dict | None, "Files of the folder by case, where they are called otherwise."] = None,
    threshold: Threshold = 127,
    unknown: Annotated[str, OneOf(BLACK, WHITE), "Which is the hole."] = BLACK,
) -> Tensor:
    """Any image as mask: ``file`` for every case, or the file of the case's name in ``folder``.

    ``files`` ({case: file in the folder}) names those that are called otherwise. A pixel is black if its grey level (0
    to 255) is at most ``threshold``, else white; the black ones are the hole (0 = hole, 255 = keep, as in the
    published masks) unless ``unknown`` is white. A mask of another size is brought to the picture's as the picture
    itself was: its shorter side fitted, cut in the middle, by the nearest pixel. JPEG masks are used with a
    :class:`MaskWarning`: their levels near edges depend on the threshold (published codes use 127, 170 and 178.5).
    """
    where = "mask recipe 'mask_image'"
    given = Path(str(folder if file is None else file)).expanduser()
    path = given if file is not None else _of_case(where, given, picture, files)
    black = _black(where, path, threshold)
    return torch.from_numpy(fit_nearest(black if unknown == BLACK else ~black, picture.shape).copy())


@recipe(refuses=area_fault, lacks=drawn_by_name)
def mask_folder(
    picture: Picture,
    folder: Annotated[str, "The folder of the masks."],
    unknown: Annotated[str, OneOf(BLACK, WHITE, AUTO), "Which is the hole."] = AUTO,
    min_area: LeastArea = 0.01,
    max_area: LargestArea = 0.6,
    threshold: Threshold = 127,
    variant: Variant = 0,
) -> Tensor:
    """A mask drawn for the case from a folder of irregular masks (such as NVIDIA's), with an area within the limits.

    The files are gone through in an order drawn from seed, dataset, case and ``variant``; the first one whose hole has
    a share of the picture within ``min_area`` and ``max_area`` is taken. With ``unknown: auto``, whether black or
    white is the hole is found from up to 64 files: the colour whose area lies within the limits in nine tenths of them
    or more. If both do or neither does, the folder does not tell, and ``unknown`` must be given (NVIDIA's test masks
    are widely used with white as the hole, its training masks are inverted).
    """
    where = "mask recipe 'mask_folder'"
    root = Path(folder).expanduser()
    random = draws(picture, "mask_folder", variant)
    names = list(_names(where, root))
    if unknown == AUTO:
        unknown = _polarity(where, root, threshold, min_area, max_area)
    while names:
        path = root / names.pop(random.below(len(names)))
        black = _black(where, path, threshold)
        hole = fit_nearest(black if unknown == BLACK else ~black, picture.shape)
        if min_area <= hole.mean() <= max_area:
            return torch.from_numpy(hole.copy())
    raise BenchmarkError(f"{where}: {root}: no mask whose hole ({unknown}) covers {min_area:.1%} to {max_area:.1%}")


def _of_case(where: str, folder: Path, picture: Picture, files: dict | None) -> Path:
    """The mask of a case: named in ``files``, or with the case's last name and any suffix."""
    named = {str(case): str(name) for case, name in (files or {}).items()}
    name = named.get(picture.case, named.get(PurePosixPath(picture.case).name, PurePosixPath(picture.case).name))
    parts = PurePosixPath(name).parts
    if not parts or parts[0] == "/" or ".." in parts or "\\" in name:
        raise BenchmarkError(f"{where}: case {picture.case!r}: {name!r} is no file name below {folder}")
    tried = [folder / name, *(folder / f"{name}{kind}" for s in SUFFIXES for kind in (s, s.upper()))]
    for path in tried:
        if path.is_file():
            return path
    raise BenchmarkError(f"{where}: no mask of case {picture.case!r} in {folder}; `files` can name one")


def _black(where: str, path: Path, threshold: float) -> np.ndarray:
    """Which pixels of a mask file are black, bool (h, w)."""
    levels, jpeg = read_grey(path)
    if levels.max() <= 1 and levels.any():
        raise BenchmarkError(f"{where}: {path}: its levels are 0 and 1; a mask's are 0 (black) and 255 (white)")
    if jpeg:
        between = np.mean((levels > 16) & (levels < 239))
        warnings.warn(
            f"{path}: a JPEG as mask: {between:.2%} of its pixels are neither black nor white; split at {threshold:g}; "
            "save masks as PNG",
            MaskWarning,
            stacklevel=2,
        )
    return levels <= threshold


def _names(where: str, root: Path) -> tuple[str, ...]:
    if not root.is_dir():
        raise BenchmarkError(f"{where}: {root}: no such folder")
    names = _listed(str(root), os.stat(root).st_mtime_ns)
    if not names:
        raise BenchmarkError(f"{where}: {root} has no images")
    return names


@lru_cache(maxsize=8)
def _listed(root: str, _changed: int) -> tuple[str, ...]:
    return tuple(sorted(entry.name for entry in os.scandir(root) if entry.name.lower().endswith(SUFFIXES)))


def _polarity(where: str, root: Path, threshold: float, min_area: float, max_area: float) -> str:
    return _found_polarity(where, str(root), os.stat(root).st_mtime_ns, threshold, min_area, max_area)


@lru_cache(maxsize=8)
def _found_polarity(where: str, root: str, _changed: int, threshold: float, low: float, high: float) -> str:
    names = _names(where, Path(root))
    looked_at = [names[i * len(names) // LOOKED_AT] for i in range(LOOKED_AT)] if len(names) > LOOKED_AT else names
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", MaskWarning)
        black = np.array([_black(where, Path(root, name), threshold).mean() for name in looked_at])
    fits = {colour: np.mean((low <= area) & (area <= high)) for colour, area in ((BLACK, black), (WHITE, 1 - black))}
    likely = [colour for colour, share in fits.items() if share >= 0.9]
    if len(likely) == 1:
        return likely[0]
    raise BenchmarkError(
        f"{where}: {root}: an area of {low:.0%} to {high:.0%} is black in {fits[BLACK]:.0%} and white in "
        f"{fits[WHITE]:.0%} of the masks, so they do not tell which is the hole; say unknown: black or unknown: white"
    )
