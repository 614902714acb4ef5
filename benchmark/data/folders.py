"""Pictures from folders: any images, and the layouts of CelebAMask-HQ, the ImageNet validation set and exported LSUN.

Every source takes ``path`` (the folder), ``size`` (the side of the square that the picture is fitted to, see
``images.fit``; 256) and ``ids``: which pictures, in which order: a list, a text file with one id a line (# begins a
comment), or the name of one of the lists that ship with the package (``benchmark/data/ids``). An id is the picture's
path below the folder, with or without its suffix, or its bare name where that is unique. In a configuration, write ids
in quotes: YAML reads 00017 as a number. Without ``ids``, pictures come in an order drawn from ``seed``: by the hash of
seed and name, so that the order stays the same when other pictures join.
"""

from __future__ import annotations

import csv
import hashlib
import os
import re
from collections.abc import Iterable, Iterator, Sequence
from functools import cached_property
from pathlib import Path, PurePosixPath

import numpy as np

from benchmark.data.images import SUFFIXES, fit, fit_nearest, read_grey, read_image, to_float
from benchmark.data.picture import Picture
from benchmark.errors import BenchmarkError

IDS = Path(__file__).with_name("ids")
Ids = str | Sequence[str] | None


# --------------------------------------------------------------------------------------------------------- the sources
def image_folder(
    count: int, seed: int, *, path: str | None = None, size: int = 256, ids: Ids = None
) -> Iterator[Picture]:
    """Any images below a folder, of any common format and size; a case's name is the path without its suffix."""
    folder = _Folder("image_folder", path)
    for image in _choose(folder, count, seed, ids):
        yield Picture(folder.name(image), _load(image, size))


def lsun_folder(
    count: int, seed: int, *, path: str | None = None, size: int = 256, ids: Ids = None, category: str | None = None
) -> Iterator[Picture]:
    """Images exported from an LSUN database, flat or in folders by the first letters of the key, which names the case.

    Without ``ids``: in the order of the keys (which are hashes, hence an order by chance; ``seed`` is not used).
    ``category`` (bedroom, cat, ...) becomes an attribute.
    """
    folder = _Folder("lsun_folder", path)
    images = _choose(folder, count, seed, ids) if ids is not None else _first(folder, sorted(folder.stems), count)
    for image in images:
        yield Picture(image.stem, _load(image, size), {} if category is None else {"category": str(category)})


def imagenet_val(
    count: int,
    seed: int,
    *,
    path: str | None = None,
    size: int = 256,
    ids: Ids = "imagenet_val",
    labels: str | None = None,
) -> Iterator[Picture]:
    """The ImageNet validation set: ILSVRC2012_val_00000001.JPEG, ..., all in one folder or in one folder per class.

    The attribute ``synset`` (n01440764) comes from the folder's name, or from ``labels``: the text file of the labels,
    in any of its published forms: ``NAME SYNSET`` or ``NAME NUMBER`` a line, the CSV with ImageId and PredictionString,
    or one number a line in the order of the images. A number becomes the attribute ``class``, in that file's numbering.
    """
    folder = _Folder("imagenet_val", path)
    known = _imagenet_labels(labels) if labels is not None else {}
    for image in _choose(folder, count, seed, ids):
        attributes = {"synset": image.parent.name} if re.fullmatch(r"n\d{8}", image.parent.name) else {}
        label = known.get(image.stem)
        if labels is not None and label is None:
            raise BenchmarkError(f"source imagenet_val: {labels} has no label of {image.stem}")
        if label is not None:
            attributes["class" if label.isdigit() else "synset"] = label
        yield Picture(image.stem, _load(image, size), attributes)


def celebamask_hq(
    count: int,
    seed: int,
    *,
    path: str | None = None,
    size: int = 256,
    ids: Ids = "celebamask_hq_test",
    split: str = "test",
) -> Iterator[Picture]:
    """CelebAMask-HQ as it is distributed; a case's name is the number of the picture (0 to 29999).

    ``CelebA-HQ-img/K.jpg``, and where present ``CelebAMask-HQ-mask-anno/`` (part maps: :data:`PARTS`),
    ``CelebAMask-HQ-attribute-anno.txt`` (40 attributes, yes or no) and ``CelebA-HQ-to-CelebA-mapping.txt``, from which
    the official ``split`` (train, val, test or all) follows: ids of another split are refused. Without ``ids`` (null),
    ``seed`` draws from the split.
    """
    if split not in (*SPLITS, "all"):
        raise BenchmarkError(f"source celebamask_hq: split is {split!r}; it is one of {', '.join(SPLITS)}, all")
    root = _Folder("celebamask_hq", path).root
    folder = _Folder("celebamask_hq", root / "CelebA-HQ-img")
    members = _split(root / "CelebA-HQ-to-CelebA-mapping.txt", split, required=ids is None)
    if ids is None:
        names = [name for name in folder.stems if members is None or name in members]
        images = _first(folder, _drawn(names, seed), count)
    else:
        images = _choose(folder, count, seed, ids)
    attributes = _celeba_attributes(root / "CelebAMask-HQ-attribute-anno.txt")
    for image in images:
        if members is not None and image.stem not in members:
            raise BenchmarkError(f"source celebamask_hq: picture {image.stem} is not in the split {split!r}")
        parts = celebamask_parts(root / "CelebAMask-HQ-mask-anno", image.stem, size)
        yield Picture(image.stem, _load(image, size), attributes.get(image.stem, {}), parts)


# -------------------------------------------------------------------------------------------------------- CelebAMask-HQ
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


# ------------------------------------------------------------------------------------------------------------- ImageNet
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


# ------------------------------------------------------------------------------------------------------------ choosing
class _Folder:
    """The images below a folder."""

    def __init__(self, source: str, path: str | os.PathLike | None):
        self.source = source
        if path is None:
            raise BenchmarkError(f"source {source}: path: missing; it is the folder of the images")
        self.root = Path(path).expanduser()
        if not self.root.is_dir():
            raise BenchmarkError(f"source {source}: {self.root}: no such folder")

    @cached_property
    def images(self) -> list[Path]:
        """Every image, sorted by name."""
        found = []
        for folder, folders, files in os.walk(self.root):
            folders[:] = sorted(name for name in folders if not name.startswith("."))
            found += [Path(folder, name) for name in files if not name.startswith(".") and _is_image(name)]
        if not found:
            raise BenchmarkError(f"source {self.source}: {self.root} has no images ({', '.join(SUFFIXES)})")
        return sorted(found, key=self.name)

    @cached_property
    def stems(self) -> dict[str, Path]:
        """The images by their bare names."""
        return self._by(lambda image: image.stem)

    def name(self, image: Path) -> str:
        """The path below the folder without its suffix."""
        return image.relative_to(self.root).with_suffix("").as_posix()

    def _by(self, key) -> dict[str, Path]:
        found: dict[str, Path] = {}
        for image in self.images:
            if key(image) in found:
                raise BenchmarkError(f"source {self.source}: {found[key(image)]} and {image} have one name")
            found[key(image)] = image
        return found

    @cached_property
    def names(self) -> dict[str, Path]:
        """The images by their names."""
        return self._by(self.name)

    def find(self, identifier: str) -> Path:
        """The image of an id: direct look-ups first, a walk through the folder only for a bare name.

        Raises:
            BenchmarkError: an id that leaves the folder, no such image, several of this name.
        """
        check_id(identifier, f"source {self.source}")
        plain = self.root / identifier
        if plain.is_file() and _is_image(plain.name):
            return plain
        beside = [plain.with_name(plain.name + suffix) for s in SUFFIXES for suffix in (s, s.upper())]
        found = [path for path in beside if path.is_file()]
        if not found and "/" not in identifier:
            found = [image for image in self.images if identifier in (image.stem, image.name)]
        if len({path.resolve() for path in found}) > 1:
            raise BenchmarkError(f"source {self.source}: id {identifier!r} is both {found[0]} and {found[1]}")
        if not found:
            raise BenchmarkError(f"source {self.source}: no image of id {identifier!r} in {self.root}")
        return found[0]


def _is_image(name: str) -> bool:
    return name.lower().endswith(SUFFIXES)


def _load(path: Path, size: int) -> np.ndarray:
    if not isinstance(size, int) or isinstance(size, bool) or size < 1:
        raise BenchmarkError(f"{path}: size is {size!r}; it must be a whole number of pixels")
    return to_float(fit(read_image(path), (size, size)))


def _choose(folder: _Folder, count: int, seed: int, ids: Ids) -> Iterator[Path]:
    """The first ``count`` of ``ids`` or, without them, of an order drawn from ``seed``; found one after the other."""
    if ids is None:
        return _first(folder, _drawn(folder.names, seed), count, folder.names)
    wanted = read_ids(ids)
    _check_count(folder, len(wanted), count)
    return (folder.find(identifier) for identifier in wanted[:count])


def _first(folder: _Folder, names: list[str], count: int, by: dict[str, Path] | None = None) -> Iterator[Path]:
    _check_count(folder, len(names), count)
    return ((by or folder.stems)[name] for name in names[:count])


def _check_count(folder: _Folder, there: int, count: int) -> None:
    if there < count:
        raise BenchmarkError(f"source {folder.source}: {count} cases asked for; there are {there} in {folder.root}")


def _drawn(names: Iterable[str], seed: int) -> list[str]:
    return sorted(names, key=lambda name: hashlib.sha256(f"{seed}/{name}".encode()).digest())


def read_ids(ids: str | Sequence[str]) -> list[str]:
    """Ids from a list, a text file or one of the package's lists.

    Raises:
        BenchmarkError: no such file or list, no ids in it, an id twice, an id that could leave its folder.
    """
    where = "ids"
    if isinstance(ids, str):
        file = Path(ids).expanduser()
        shipped = IDS / f"{ids}.txt"
        if not file.is_file() and re.fullmatch(r"[a-z0-9_]+", ids) and shipped.is_file():
            file = shipped
        if not file.is_file():
            known = ", ".join(sorted(path.stem for path in IDS.glob("*.txt")))
            raise BenchmarkError(f"ids: {ids!r} is neither a file nor one of the lists {known}")
        where = str(file)
        ids = [line.split("#")[0].strip() for line in file.read_text().splitlines()]
    if not isinstance(ids, Sequence):
        raise BenchmarkError(f"ids: {ids!r}: a list of ids, a file or the name of a list is expected")
    found = [str(identifier) for identifier in ids if identifier != ""]
    if not found:
        raise BenchmarkError(f"{where}: no ids")
    for identifier in found:
        check_id(identifier, where)
    if twice := _repeated(found):
        raise BenchmarkError(f"{where}: id {twice!r} stands there twice")
    return found


def _repeated(names: Iterable[str]) -> str | None:
    seen: set[str] = set()
    for name in names:
        if name in seen:
            return name
        seen.add(name)
    return None


def check_id(identifier: str, where: str) -> None:
    """Refuse an id that could leave its folder.

    Raises:
        BenchmarkError: an absolute path, .., a backslash or a control character.
    """
    parts = PurePosixPath(identifier).parts
    if not parts or parts[0] == "/" or ".." in parts or re.search(r"[\\\x00-\x1f]", identifier):
        raise BenchmarkError(f"{where}: {identifier!r} is no id: a path below the folder is expected")
