"""The validation set of ImageNet (Russakovsky et al.; IJCV 2015, arXiv 1409.0575)."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

from benchmark.data.picture import Picture
from benchmark.data.sources.base import Size, source
from benchmark.data.sources.choosing import Folder, Ids, ImageFolder, choose, load
from benchmark.errors import BenchmarkError


@source
def imagenet_val(
    count: int,
    seed: int,
    *,
    path: Folder,
    size: Size = 256,
    ids: Ids = "imagenet_val",
    labels: str | None = None,
) -> Iterator[Picture]:
    """The ImageNet validation set: ILSVRC2012_val_00000001.JPEG, ..., all in one folder or in one folder per class.

    The attribute ``synset`` (n01440764) comes from the folder's name, or from ``labels``: the text file of the labels,
    in any of its published forms: ``NAME SYNSET`` or ``NAME NUMBER`` a line, the CSV with ImageId and PredictionString,
    or one number a line in the order of the images. A number becomes the attribute ``class``, in that file's numbering.
    """
    folder = ImageFolder("imagenet_val", path)
    known = _imagenet_labels(labels) if labels is not None else {}
    for image in choose(folder, count, seed, ids):
        attributes = {"synset": image.parent.name} if re.fullmatch(r"n\d{8}", image.parent.name) else {}
        label = known.get(image.stem)
        if labels is not None and label is None:
            raise BenchmarkError(f"source imagenet_val: {labels} has no label of {image.stem}")
        if label is not None:
            attributes["class" if label.isdigit() else "synset"] = label
        yield Picture(image.stem, load(image, size), attributes)


def _imagenet_labels(file: str) -> dict[str, str]:
    if not Path(file).is_file():
        raise BenchmarkError(f"source imagenet_val: {file}: no such file of labels")
    rows = [row for row in csv.reader(Path(file).read_text().splitlines()) if row]
    if rows and rows[0][0] == "ImageId":
        return {row[0]: row[1].split()[0] for row in rows[1:] if len(row) > 1 and row[1].strip()}
    lines = [row[0].split() for row in rows]
    if all(len(line) == 1 for line in lines):
        return {f"ILSVRC2012_val_{i:08d}": line[0] for i, line in enumerate(lines, start=1)}
    if any(len(line) != 2 for line in lines):
        raise BenchmarkError(f"source imagenet_val: {file}: lines of NAME and LABEL are expected")
    return {PurePosixPath(name).stem: label for name, label in lines}
