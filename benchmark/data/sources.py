"""Where cases come from, by name: a source yields pictures with their attributes and part maps, in a fixed order.

A case's name says which picture it is, whatever the number asked for; the first n cases of a longer list are the same.
A new source is a function here (or in a file of its own) and one line in :data:`SOURCES`.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from typing import Annotated

import numpy as np

from benchmark.data import folders
from benchmark.data.picture import Picture
from benchmark.data.worlds import WORLDS, get_world
from benchmark.errors import BenchmarkError
from benchmark.options import Within

TEST_SEED = 1_000_003  # keeps cases of rendered worlds apart from what their priors were trained on


def digits(count: int, seed: int) -> Iterator[Picture]:
    """Test digits, classes taken in turn (0, 1, ..., 9, 0, ...), within a class in an order drawn from ``seed``."""
    from benchmark.data.digits import test_images

    images, labels, numbers = test_images()
    if count > len(images):
        raise BenchmarkError(f"source digits: {count} cases asked for; there are {len(images)} test images")
    order = np.random.default_rng(seed).permutation(len(images))
    queues = [[i for i in order if labels[i] == digit] for digit in range(10)]
    turns = [queue[turn] for turn in range(max(map(len, queues))) for queue in queues if turn < len(queue)]
    for i in turns[:count]:
        yield Picture(f"digit{numbers[i]:04d}", images[i], {"digit": str(labels[i])})


def _rendered(world: str) -> Callable[..., Iterator[Picture]]:
    def pictures(
        count: int, seed: int, *, size: Annotated[int, Within(16), "Pixels of a side."] = 64
    ) -> Iterator[Picture]:
        import torch

        if not isinstance(size, int) or isinstance(size, bool) or size < 16:
            raise BenchmarkError(f"source {world}: size is {size!r}; it must be a whole number of 16 pixels or more")
        renderer = get_world(world)
        attributes = renderer.sample_attributes(count, torch.Generator().manual_seed(TEST_SEED + seed))
        labels = attributes.labels()
        for i in range(count):  # one at a time: neither pictures nor part maps of a long list fill the memory
            image, parts = renderer.render(attributes[i : i + 1], size, parts=True)
            maps = {name: part[0].numpy() for name, part in parts.items()}
            yield Picture(f"{world}{seed}_{i:04d}", image[0].numpy(), labels[i], maps)

    pictures.__doc__ = (
        f"Rendered pictures of the world {world}, ``size`` pixels square; "
        "picture i of a seed does not depend on ``count``."
    )
    return pictures


SOURCES: dict[str, Callable[..., Iterator[Picture]]] = {
    "digits": digits,
    **{world: _rendered(world) for world in WORLDS},
    "image_folder": folders.image_folder,
    "celebamask_hq": folders.celebamask_hq,
    "imagenet_val": folders.imagenet_val,
    "lsun_folder": folders.lsun_folder,
}


def pictures(settings: dict, count: int, seed: int) -> Iterator[Picture]:
    """The first ``count`` pictures of the source ``{"name": ..., ...options}``.

    Raises:
        BenchmarkError: unknown source, or what the source refuses.
    """
    options = dict(settings)
    name = options.pop("name", None)
    if name not in SOURCES:
        raise BenchmarkError(f"source.name: {name!r} is not known; use one of {', '.join(SOURCES)}")
    known = list(inspect.signature(SOURCES[name]).parameters)[2:]
    if unknown := [option for option in options if option not in known]:
        has = f"its options are {', '.join(known)}" if known else "it takes none"
        raise BenchmarkError(f"source {name}: unknown option {unknown[0]!r}; {has}")
    return SOURCES[name](count, seed, **options)
