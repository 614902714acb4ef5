"""Any images below a folder."""

from __future__ import annotations

from collections.abc import Iterator

from benchmark.data.picture import Picture
from benchmark.data.sources.base import Size, source
from benchmark.data.sources.choosing import Folder, Ids, ImageFolder, choose, load


@source
def image_folder(
    count: int,
    seed: int,
    *,
    path: Folder,
    size: Size = 256,
    ids: Ids = None,
) -> Iterator[Picture]:
    """Any images below a folder, of any common format and size; a case's name is the path without its suffix."""
    folder = ImageFolder("image_folder", path)
    for image in choose(folder, count, seed, ids):
        yield Picture(folder.name(image), load(image, size))
