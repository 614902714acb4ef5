"""CelebAMask-HQ: faces with part maps and attributes (Lee et al.; CVPR 2020, arXiv 1907.11922)."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import numpy as np

from benchmark.data.images import fit_nearest, read_grey
from benchmark.data.picture import Picture
from benchmark.data.sources.base import Size, source
from benchmark.data.sources.choosing import Folder, Ids, ImageFolder, choose, drawn, first, load
from benchmark.errors import BenchmarkError
from benchmark.options import OneOf

# Official numbers (g_mask.py of CelebAMask-HQ): 1 for the first. A popular parsing network numbers them differently.
LABELS = (
    *("skin", "nose", "eye_g", "l_eye", "r_eye", "l_brow", "r_brow", "l_ear", "r_ear", "mouth", "u_lip", "l_lip"),
    *("hair", "hat", "ear_r", "neck_l", "neck", "cloth"),
)
# The parts of the mask recipe, as unions of labels; left and right are always together.
PARTS = {
    "lips": (10, 11, 12),
    "mouth": (10, 11, 12),
    "brows": (6, 7),
    "eyes": (3, 4, 5),
    "nose": (2,),
    "hair": (13, 14),
    "glasses": (3,),
    "face": (1, 2, 3, 4, 5, 6, 7, 10, 11, 12),
    "ears": (8, 9, 15),
    "neck": (16, 17),
    "clothes": (18,),
    "background": (0,),
}
# CelebA's evaluation partition by the picture's number in CelebA, counted from 0.
SPLITS = {"train": (0, 162_771), "val": (162_771, 182_638), "test": (182_638, 202_599)}


@source(parts=tuple(PARTS))
def celebamask_hq(
    count: int,
    seed: int,
    *,
    path: Folder,
    size: Size = 256,
    ids: Ids = "celebamask_hq_test",
    split: Annotated[str, OneOf(*SPLITS, "all"), "Official part of the pictures."] = "test",
) -> Iterator[Picture]:
    """CelebAMask-HQ as it is distributed; a case's name is the number of the picture (0 to 29999).

    ``CelebA-HQ-img/K.jpg``, and where present ``CelebAMask-HQ-mask-anno/`` (part maps: :data:`PARTS`),
    ``CelebAMask-HQ-attribute-anno.txt`` (40 attributes, yes or no) and ``CelebA-HQ-to-CelebA-mapping.txt``, from which
    the official ``split`` (train, val, test or all) follows: ids of another split are refused. Without ``ids`` (null),
    ``seed`` draws from the split.
    """
    root = ImageFolder("celebamask_hq", path).root
    folder = ImageFolder("celebamask_hq", root / "CelebA-HQ-img")
    members = _split(root / "CelebA-HQ-to-CelebA-mapping.txt", split, required=ids is None)
    if ids is None:
        names = [name for name in folder.stems if members is None or name in members]
        images = first(folder, drawn(names, seed), count)
    else:
        images = choose(folder, count, seed, ids)
    attributes = _celeba_attributes(root / "CelebAMask-HQ-attribute-anno.txt")
    for image in images:
        if members is not None and image.stem not in members:
            raise BenchmarkError(f"source celebamask_hq: picture {image.stem} is not in the split {split!r}")
        parts = celebamask_parts(root / "CelebAMask-HQ-mask-anno", image.stem, size)
        yield Picture(image.stem, load(image, size), attributes.get(image.stem, {}), parts)


def celebamask_parts(annotation: Path, number: str, size: int) -> dict[str, np.ndarray] | None:
    """{part: bool (size, size)} of :data:`PARTS` for a picture; None where there is no annotation folder.

    A picture's annotation is one 512x512 file per label that occurs, ``K//2000/KKKKK_LABEL.png``; where labels overlap,
    the later of :data:`LABELS` counts, as in the official script.

    Raises:
        BenchmarkError: no file of this picture, or files of several sizes.
    """
    if not annotation.is_dir():
        return None
    if not number.isdecimal():
        raise BenchmarkError(f"source celebamask_hq: picture {number!r} has no number, hence no annotation")
    stem = annotation / str(int(number) // 2000) / f"{int(number):05d}"
    labels = None
    for value, name in enumerate(LABELS, start=1):
        file = stem.with_name(f"{stem.name}_{name}.png")
        if not file.is_file():
            continue
        area = read_grey(file)[0] > 0
        labels = np.zeros(area.shape, np.uint8) if labels is None else labels
        if area.shape != labels.shape:
            raise BenchmarkError(f"{file}: {area.shape[0]}x{area.shape[1]}; this picture's other labels differ in size")
        labels[area] = value
    if labels is None:
        raise BenchmarkError(f"{stem}_*.png: no annotation of picture {number}; it is distributed with CelebAMask-HQ")
    labels = fit_nearest(labels, (size, size))
    return {part: np.isin(labels, values) for part, values in PARTS.items()}


def _split(mapping: Path, split: str, required: bool) -> set[str] | None:
    if split == "all":
        return None
    if not mapping.is_file():
        if required:
            raise BenchmarkError(f"{mapping}: no such file; the split {split!r} needs it: or give ids, or split: all")
        return None
    rows = [line.split() for line in mapping.read_text().splitlines() if line.strip()]
    rows = [row for row in rows if row[0].isdigit()]
    if not rows or any(len(row) < 2 or not row[1].isdigit() for row in rows):
        raise BenchmarkError(f"{mapping}: not the mapping (lines of idx, orig_idx, orig_file)")
    low, high = SPLITS[split]
    return {str(int(row[0])) for row in rows if low <= int(row[1]) < high}


def _celeba_attributes(file: Path) -> dict[str, dict[str, str]]:
    if not file.is_file():
        return {}
    lines = file.read_text().splitlines()
    names = lines[1].split() if len(lines) > 1 else []
    found = {}
    for line in lines[2:]:
        image, *values = line.split() or [""]
        if image and (len(values) != len(names) or set(values) - {"1", "-1"}):
            raise BenchmarkError(f"{file}: {image}: {len(values)} values; {len(names)} of 1 or -1 are expected")
        found[Path(image).stem] = {name: "yes" if value == "1" else "no" for name, value in zip(names, values)}
    return found
