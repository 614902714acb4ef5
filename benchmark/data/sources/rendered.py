"""Rendered pictures: every world of :mod:`benchmark.data.worlds` is a source of its name."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial

from benchmark.data.picture import Picture
from benchmark.data.sources.base import Size, source
from benchmark.data.worlds import WORLDS, get_world
from benchmark.lazy import torch

TEST_SEED = 1_000_003  # keeps cases of rendered worlds apart from what their priors were trained on


def _rendered(world: str) -> Callable[..., Iterator[Picture]]:
    def pictures(count: int, seed: int, *, size: Size = 64) -> Iterator[Picture]:
        renderer = get_world(world)
        attributes = renderer.sample_attributes(count, torch.Generator().manual_seed(TEST_SEED + seed))
        labels = attributes.labels()
        for i in range(count):  # one at a time: neither pictures nor part maps of a long list fill the memory
            image, parts = renderer.render(attributes[i : i + 1], size, parts=True)
            maps = {name: part[0].numpy() for name, part in parts.items()}
            yield Picture(f"{world}{seed}_{i:04d}", image[0].numpy(), labels[i], maps)

    pictures.__name__ = world
    pictures.__doc__ = (
        f"Rendered pictures of the world {world}, ``size`` pixels square; "
        "picture i of a seed does not depend on ``count``."
    )
    return pictures


def _parts(world: str) -> tuple[str, ...]:
    return WORLDS[world].PARTS


for _world in WORLDS:
    source(parts=partial(_parts, _world))(_rendered(_world))
