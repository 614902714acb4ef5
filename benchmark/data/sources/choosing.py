"""Which pictures of a folder: every image below it by its name, the order that a seed draws, lists of ids.

Every source of a folder takes ``path`` (the folder), ``size`` (the side of the square that the picture is fitted to,
see ``images.fit``) and ``ids``: which pictures, in which order: a list, a text file with one id a line (# begins a
comment), or the name of one of the lists that ship with the package (``ids/``). An id is the picture's path below the
folder, with or without its suffix, or its bare name where that is unique. In a configuration, write ids in quotes: YAML
reads 00017 as a number. Without ``ids``, pictures come in an order drawn from ``seed``: by the hash of seed and name,
so that the order stays the same when other pictures join.
"""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Iterable, Iterator, Sequence
from functools import cached_property
from pathlib import Path, PurePosixPath
from typing import Annotated

import numpy as np

from benchmark.data.images import SUFFIXES, fit, read_image, to_float
from benchmark.errors import BenchmarkError

IDS = Path(__file__).with_name("ids")
Folder = Annotated[str, "The folder of the images."]
Ids = Annotated[str | Sequence[str] | None, "Which pictures: a list, a file or the name of a list."]


class ImageFolder:
    """The images below a folder."""

    def __init__(self, source: str, path: str | os.PathLike):
        self.source = source
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


def load(path: Path, size: int) -> np.ndarray:
    """A picture fitted to a square: float32 (3, size, size) in [-1, 1]."""
    return to_float(fit(read_image(path), (size, size)))


def choose(folder: ImageFolder, count: int, seed: int, ids: Ids) -> Iterator[Path]:
    """The first ``count`` of ``ids`` or, without them, of an order drawn from ``seed``; found one after the other."""
    if ids is None:
        return first(folder, drawn(folder.names, seed), count, folder.names)
    wanted = read_ids(ids)
    _check_count(folder, len(wanted), count)
    return (folder.find(identifier) for identifier in wanted[:count])


def first(folder: ImageFolder, names: list[str], count: int, by: dict[str, Path] | None = None) -> Iterator[Path]:
    """The first ``count`` of ``names``, as ``by`` knows them; by default their bare names."""
    _check_count(folder, len(names), count)
    return ((by or folder.stems)[name] for name in names[:count])


def _check_count(folder: ImageFolder, there: int, count: int) -> None:
    if there < count:
        raise BenchmarkError(f"source {folder.source}: {count} cases asked for; there are {there} in {folder.root}")


def drawn(names: Iterable[str], seed: int) -> list[str]:
    """The names in an order drawn from ``seed``."""
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
