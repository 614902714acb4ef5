"""What the publishing stage writes: tables and figures enter themselves here, and the workflow asks what there will be.

Every module of ``publish/tables`` and ``publish/figures`` (of metrics.parquet) and of ``publish/exact`` (of
truth.parquet) is read for what it declares by :func:`table` and :func:`figure`; so a new one is a file of these
folders. Their modules import neither pandas nor matplotlib at the top: planning a run reads them.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

from benchmark.discovery import modules_of, register
from benchmark.jobs.publish import BLOCKS, ExactReportSettings, PublishSettings

if TYPE_CHECKING:
    from matplotlib import figure as matplotlib_figure

    from benchmark.publish.document import Document

TABLE_FORMATS = ("csv", "md", "tex", "html")
FIGURE_FORMATS = ("png", "svg")
Asked = PublishSettings | ExactReportSettings
LAST = 1000  # the rank of what names none
ONCE = ("",)  # the datasets of a figure that is of none of them


@dataclass(frozen=True)
class Table:
    """A table: ``asked`` of the settings says whether a run has it, ``make`` gives the csv's records and the document.

    ``caption``: what the report says of it, as reStructuredText.
    """

    name: str
    caption: str
    asked: Callable[[Asked], object]
    make: Callable[..., tuple[list[dict], Document]]
    rank: int


@dataclass(frozen=True)
class Figure:
    """A figure for each of the ``datasets`` that the settings give: ``draw`` makes one of what was measured and, unless
    it is drawn :data:`ONCE`, the dataset."""

    name: str
    caption: str
    datasets: Callable[[Asked], Iterable[str]]
    draw: Callable[..., matplotlib_figure.Figure]
    rank: int

    def files(self, settings: Asked) -> dict[str, str]:
        """The name of each file without its suffix -> the dataset."""
        return {"_".join(filter(None, [self.name, dataset])): dataset for dataset in self.datasets(settings)}


_ENTERED: dict[tuple[str, type], dict[str, Table | Figure]] = {}


def has_blocks(settings: PublishSettings) -> bool:
    """Whether any list of blocks has one."""
    return bool(datasets_of(settings))


def datasets_of(settings: PublishSettings, *lists: str) -> list[str]:
    """The datasets that have a block in one of these lists (in any of :data:`BLOCKS`), in the order of their first."""
    blocks = (block for name in lists or BLOCKS for block in settings.tables.get(name, []))
    return list(dict.fromkeys(block.dataset for block in blocks))


def table(name: str, caption: str, asked: Callable[..., object] = has_blocks, rank: int = LAST) -> Callable:
    """Enter a table that the function makes; those of the lowest ``rank`` come first."""

    def enter(make: Callable) -> Callable:
        _enter(Table(name, caption, asked, make, rank), make)
        return make

    return enter


def figure(name: str, caption: str, datasets: Callable[..., Iterable[str]] = datasets_of, rank: int = LAST) -> Callable:
    """Enter a figure that the function draws; those of the lowest ``rank`` come first."""

    def enter(draw: Callable) -> Callable:
        _enter(Figure(name, caption, datasets, draw, rank), draw)
        return draw

    return enter


def _enter(entry: Table | Figure, function: Callable) -> None:
    room = function.__module__.split(".")[-2]
    register(_ENTERED.setdefault((room, type(entry)), {}), entry.name, entry, type(entry).__name__.lower())


def tables(room: str = "tables") -> dict[str, Table]:
    """The tables of ``tables`` or ``exact``, by name, in their order."""
    return _entered(room, Table)


def figures(room: str = "figures") -> dict[str, Figure]:
    """The figures of ``figures`` or ``exact``, by name, in their order."""
    return _entered(room, Figure)


@cache
def _entered(room: str, kind: type) -> dict:
    package = importlib.import_module(f"benchmark.publish.{room}")
    modules_of(package.__name__, list(package.__path__))
    return dict(sorted(_ENTERED.get((room, kind), {}).items(), key=lambda item: (item[1].rank, item[0])))


def table_names(settings: Asked, room: str = "tables") -> list[str]:
    """The tables of a run, each written as csv, md, tex and html."""
    return [name for name, one in tables(room).items() if one.asked(settings)]


def figure_names(settings: Asked, room: str = "figures") -> list[str]:
    """The figures of a run, each written as png and svg: NAME_DATASET."""
    return [name for one in figures(room).values() for name in one.files(settings)]


def captions(settings: Asked, *rooms: str) -> dict[str, str]:
    """What the report says of each file of a run, by ``table_NAME`` and ``figure_NAME``."""
    found = {}
    for room in rooms:
        found |= {f"table_{name}": tables(room)[name].caption for name in table_names(settings, room)}
        found |= {f"figure_{name}": one.caption for one in figures(room).values() for name in one.files(settings)}
    return found
