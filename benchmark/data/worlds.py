"""The drawn worlds by name. Each is a module with the interface of ``World``; a new one is a file and a line here."""

from typing import Protocol

import torch
from torch import Tensor

from benchmark.data import bedrooms, cats, faces, statues
from benchmark.data.drawing import Attributes
from benchmark.errors import BenchmarkError


class World(Protocol):
    """What every world offers; ``faces`` documents the functions."""

    ATTRIBUTES: dict[str, dict[str, float]]
    PARTS: tuple[str, ...]

    def sample_attributes(self, count: int, generator: torch.Generator) -> Attributes: ...

    def render(
        self, attributes: Attributes, size: int = 64, device: torch.device | str = "cpu", parts: bool = False
    ) -> Tensor | tuple[Tensor, dict[str, Tensor]]: ...

    def part_maps(
        self, attributes: Attributes, size: int = 64, device: torch.device | str = "cpu"
    ) -> dict[str, Tensor]: ...


WORLDS: dict[str, World] = {"faces": faces, "cats": cats, "bedrooms": bedrooms, "statues": statues}


def get_world(name: str) -> World:
    """The world called ``name``; raises BenchmarkError, with the known names, if there is none."""
    if name not in WORLDS:
        raise BenchmarkError(f"unknown world {name!r}: known worlds are {', '.join(WORLDS)}")
    return WORLDS[name]
