"""What a world of the section ``truth`` is, and the table in which it stands (no torch)."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from benchmark.discovery import register
from benchmark.options import Option, options_of, with_defaults
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


Shape = tuple[int, int, int]  # (C, H, W)


class Mixture:
    """A registered world: called as its function is."""

    def __init__(self, function: Callable[..., World], shape: Callable[[Mapping[str, Any]], Shape | None]):
        functools.update_wrapper(self, function)
        self.function, self._shape = function, shape

    def __call__(self, **options: Any) -> World:
        return self.function(**options)

    @cached_property
    def options(self) -> dict[str, Option]:
        """Its options by name."""
        return options_of(self.function, positional=0)

    def shape(self, options: Mapping[str, Any]) -> Shape | None:
        """(C, H, W) of its points with these options; None where that is not known before it is built."""
        return self._shape(with_defaults(self.options, options))


WORLDS: dict[str, Mixture] = {}


def unknown(options: Mapping[str, Any]) -> None:
    """The shape of points that are not known before there are some."""


def mixture(
    function: Callable[..., World] | None = None, *, shape: Callable[[Mapping[str, Any]], Shape | None] = unknown
) -> Any:
    """Enter a function of options that gives a :class:`World`, under its name.

    All parameters are options: types, defaults and ranges stand in the signature and nowhere else.

    Args:
        shape: from the options, defaults filled in, to (C, H, W) of the points: what a problem has to go with.
    """

    def enter(function: Callable[..., World]) -> Mixture:
        return register(WORLDS, function.__name__, Mixture(function, shape), "world")

    return enter if function is None else enter(function)


def generators(world: str, count: int, seed: int) -> list[torch.Generator]:
    """Random numbers of each truth, so that more truths leave the first ones as they are."""
    return [stream(seed, world, str(case), "truth") for case in range(count)]
