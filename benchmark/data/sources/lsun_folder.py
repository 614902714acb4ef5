"""Images exported from an LSUN database (Yu et al.; 2015, arXiv 1506.03365)."""

from __future__ import annotations

from collections.abc import Iterator

from benchmark.data.picture import Picture
from benchmark.data.sources.base import Size, source
from benchmark.data.sources.choosing import Folder, Ids, ImageFolder, choose, first, load


@source
def lsun_folder(
    count: int,
    seed: int,
    *,
    path: Folder,
    size: Size = 256,
    ids: Ids = None,
    category: str | None = None,
) -> Iterator[Picture]:
    """Images exported from an LSUN database, flat or in folders by the first letters of the key, which names the case.

    Without ``ids``: in the order of the keys (which are hashes, hence an order by chance; ``seed`` is not used).
    ``category`` (bedroom, cat, ...) becomes an attribute.
    """
    folder = ImageFolder("lsun_folder", path)
    images = choose(folder, count, seed, ids) if ids is not None else first(folder, sorted(folder.stems), count)
    for image in images:
        yield Picture(image.stem, load(image, size), {} if category is None else {"category": str(category)})
