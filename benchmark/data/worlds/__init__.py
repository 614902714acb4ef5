"""The drawn worlds by name. Each file of this folder is one, a module with the interface of :class:`World`."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, Protocol

from benchmark.errors import BenchmarkError

if TYPE_CHECKING:
    import torch
    from torch import Tensor

    from benchmark.data.drawing import Attributes


class World(Protocol):
    """What every world offers; ``faces`` and :func:`benchmark.data.drawing.renderer` document the functions."""

    ATTRIBUTES: dict[str, dict[str, float]]
    PARTS: tuple[str, ...]
    CHECK_HOLE: dict[str, Any]  # where a classifier ships: the mask behind which check-classifier has it read

    def sample_attributes(self, count: int, generator: torch.Generator) -> Attributes: ...

    def render(
        self, attributes: Attributes, size: int = 64, device: torch.device | str = "cpu", parts: bool = False
    ) -> Tensor | tuple[Tensor, dict[str, Tensor]]: ...

    def part_maps(
        self, attributes: Attributes, size: int = 64, device: torch.device | str = "cpu"
    ) -> dict[str, Tensor]: ...


class _Worlds(Mapping):
    """The worlds by name; a world's module is imported when it is asked for, since drawing needs torch."""

    names = tuple(info.name for info in pkgutil.iter_modules(__path__))

    def __getitem__(self, name: str) -> World:
        if name not in self.names:
            raise KeyError(name)
        return importlib.import_module(f"{__name__}.{name}")

    def __iter__(self) -> Iterator[str]:
        return iter(self.names)

    def __len__(self) -> int:
        return len(self.names)


WORLDS: Mapping[str, World] = _Worlds()


def get_world(name: str) -> World:
    """The world called ``name``; raises BenchmarkError, with the known names, if there is none."""
    if name not in WORLDS:
        raise BenchmarkError(f"unknown world {name!r}: known worlds are {', '.join(WORLDS)}")
    return WORLDS[name]
