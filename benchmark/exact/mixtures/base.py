"""What a world of the section ``truth`` is, and the table in which it stands (no torch)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from benchmark.discovery import register
from benchmark.problems.noise import stream

if TYPE_CHECKING:
    import torch
    from torch import Tensor

    from benchmark.priors.mixture import MixturePrior


@dataclass(frozen=True)
class World:
    """A mixture as a diffusion prior, and ``truths(count, seed)``: what is measured, (count, C, H, W) float64.

    Nearly all numbers should lie in [-1, 1], to which samplers clip: each world divides its data by a constant.
    """

    prior: MixturePrior
    truths: Callable[[int, int], Tensor]


WORLDS: dict[str, Callable[..., World]] = {}


def mixture(function: Callable[..., World]) -> Callable[..., World]:
    """Enter a function of options that gives a :class:`World`, under its name.

    All parameters are options: types, defaults and ranges stand in the signature and nowhere else.
    """
    return register(WORLDS, function.__name__, function, "world")


def generators(world: str, count: int, seed: int) -> list[torch.Generator]:
    """Random numbers of each truth, so that more truths leave the first ones as they are."""
    return [stream(seed, world, str(case), "truth") for case in range(count)]
