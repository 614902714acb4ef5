"""A drawn world in coordinates: its principal directions, and pictures with each of their alternatives.

The directions are those of the largest variance under a weight that makes every attribute count alike: without it, thin
features (whiskers, brows) drown in coloured areas. They are rotated within their span so that coordinates are
uncorrelated, largest variance first.
"""

from __future__ import annotations

import multiprocessing
import os
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import torch
from torch import Tensor

from benchmark.data.drawing import Attributes
from benchmark.data.worlds import World, get_world
from benchmark.store import atomic
from benchmark.training.loop import keyed_generator

CHUNK = 125  # scenes drawn at a time
MEASURED = 4000  # pictures that the directions are computed from
LEAST, MOST = 0.2, 8.0  # of the mean weight of a pixel


@dataclass(frozen=True)
class Scenes:
    """Pictures of a world in coordinates, each with its alternatives.

    Attributes:
        mean (D,), basis (K, D), variances (K,): the subspace.
        coordinates: (M, K), of x0.
        differences: (M, V, K) float16: of x0 minus x0 redrawn with each of the V values of all attributes, in order.
        values: {attribute: (M,) index of its value}.
        shares: {attribute: {value: share}}, the world's own, V values in all.
    """

    mean: Tensor
    basis: Tensor
    variances: Tensor
    coordinates: Tensor
    differences: Tensor
    values: dict[str, Tensor]
    shares: dict[str, dict[str, float]]


def differences(world: World, attributes: Attributes, size: int = 64) -> tuple[Tensor, Tensor]:
    """Pictures (M, C, H, W), and what each loses when redrawn with each value of each attribute, (M, V, C, H, W).

    The V values of all attributes stand in the order of the world's table; a picture's own value has the difference 0.
    """
    pictures = world.render(attributes, size)
    return pictures, torch.stack(list(_differences(world, attributes, pictures)), dim=1)


def _differences(world: World, attributes: Attributes, pictures: Tensor) -> Iterator[Tensor]:
    for name, table in world.ATTRIBUTES.items():
        for index in range(len(table)):
            others = (attributes.values[name] != index).nonzero()[:, 0]
            difference = torch.zeros_like(pictures)
            if len(others):
                redrawn = attributes[others]
                redrawn.values[name][:] = index
                difference[others] = pictures[others] - world.render(redrawn, pictures.shape[-1])
            yield difference


def pixel_weights(world: World, seed: int, size: int = 64) -> Tensor:
    """(H, W), mean about 1: the sum over attributes of where each one's variance lies, its total made 1."""
    attributes = world.sample_attributes(64, keyed_generator(seed, "weights"))
    shares = torch.tensor([share for table in world.ATTRIBUTES.values() for share in table.values()])
    energy = (differences(world, attributes, size)[1].square().mean(0).sum(1) * shares[:, None, None]).split(
        [len(table) for table in world.ATTRIBUTES.values()]
    )
    weights = sum(part.sum(0) / part.sum() for part in energy)
    return (weights / weights.mean()).clamp(LEAST, MOST)


def metric(world: World, basis: Tensor, seed: int, size: int = 64) -> Tensor:
    """Q W Q^T (K, K), W the weights of the pixels: an error's squared length in which every attribute counts alike."""
    weight = pixel_weights(world, seed, size).expand(3, size, size).flatten()
    return (basis * weight) @ basis.T


def directions(world: World, count: int, seed: int, size: int = 64) -> tuple[Tensor, Tensor, Tensor]:
    """The mean picture (D,), ``count`` orthonormal directions (count, D) and the coordinates' variances (count,)."""
    pictures = world.render(world.sample_attributes(MEASURED, keyed_generator(seed, "directions")), size).flatten(1)
    mean = pictures.mean(0)
    centred = pictures - mean
    weight = pixel_weights(world, seed, size).expand(3, size, size).flatten().sqrt()
    weighted = centred * weight
    _, vectors = torch.linalg.eigh(weighted @ weighted.T)
    span, _ = torch.linalg.qr((weighted.T @ vectors[:, -count:]) / weight[:, None])
    coordinates = centred @ span
    variances, rotation = torch.linalg.eigh(coordinates.T @ coordinates / len(coordinates))
    return mean, (span @ rotation).flip(1).T.contiguous(), variances.flip(0)


def scenes(name: str, count: int, coordinates: int, seed: int, processes: int = 1) -> Scenes:
    """``count`` scenes of the world ``name`` in its first ``coordinates`` directions; minutes of drawing.

    They depend on the seed and the counts alone, not on ``processes``.
    """
    world = get_world(name)
    mean, basis, variances = directions(world, coordinates, seed)
    attributes = world.sample_attributes(count, keyed_generator(seed, "scenes"))
    draw = partial(_chunk, name, attributes, mean, basis)
    starts = range(0, count, CHUNK)
    if processes > 1:
        with multiprocessing.get_context("spawn").Pool(processes) as pool:
            drawn = pool.map(draw, starts)
    else:
        drawn = [draw(start) for start in starts]
    own, others = ([torch.from_numpy(part[i]) for part in drawn] for i in (0, 1))
    shares = {name: dict(table) for name, table in world.ATTRIBUTES.items()}
    return Scenes(mean, basis, variances, torch.cat(own), torch.cat(others), attributes.values, shares)


def kept_scenes(
    folder: str | os.PathLike, name: str, count: int, coordinates: int, seed: int, processes: int = 1
) -> Scenes:
    """The :func:`scenes` of these arguments, read from ``folder`` where a run has drawn them before."""
    kept = Path(folder) / f"scenes_{name}_{count}_{seed}.pt"
    if kept.exists():
        return Scenes(**torch.load(kept, weights_only=True))
    drawn = scenes(name, count, coordinates, seed, processes)
    kept.parent.mkdir(parents=True, exist_ok=True)
    with atomic(kept) as path:
        torch.save(vars(drawn), path)
    return drawn


def _chunk(name: str, attributes: Attributes, mean: Tensor, basis: Tensor, start: int):
    """Coordinates and differences of one chunk, as arrays: a tensor's shared memory would not outlive its process."""
    world = get_world(name)
    part = attributes[start : start + CHUNK]
    threads = torch.get_num_threads()
    torch.set_num_threads(1)  # sums over several threads round differently
    try:
        pictures = world.render(part)
        own = (pictures.flatten(1) - mean) @ basis.T
        others = [(difference.flatten(1) @ basis.T).half() for difference in _differences(world, part, pictures)]
    finally:
        torch.set_num_threads(threads)
    return own.numpy(), torch.stack(others, dim=1).numpy()
