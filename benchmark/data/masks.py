"""Mask recipes: a recipe, a small dictionary, becomes a hole: boolean (H, W), True = unknown.

``{"recipe": NAME, **parameters}``. A new recipe is one function of (shape, parts, parameters) with ``@_recipe``.
"""

import inspect
from collections.abc import Callable, Mapping

import torch
import torch.nn.functional as F
from torch import Tensor

from benchmark.errors import BenchmarkError

Shape = tuple[int, int]
Parts = Mapping[str, Tensor]

RECIPES: dict[str, Callable[..., Tensor]] = {}


def make_hole(recipe: Mapping, shape: Shape, parts: Parts | None = None) -> Tensor:
    """The hole of ``recipe`` for a picture of ``shape`` = (H, W): a boolean (H, W) tensor, True = unknown.

    ``parts`` ({name: (H, W) bool}) are the picture's own; only the recipe ``parts`` needs them. Raises BenchmarkError
    for an unknown recipe, parameter or part, a parameter out of range, and a hole that covers nothing or everything.
    """
    name, options = recipe.get("recipe"), {k: v for k, v in recipe.items() if k != "recipe"}
    if name not in RECIPES:
        raise BenchmarkError(f"unknown mask recipe {name!r}: known recipes are {', '.join(sorted(RECIPES))}")
    function = RECIPES[name]
    known = list(inspect.signature(function).parameters)[2:]
    for key in options:
        if key not in known:
            wanted = f"known parameters are {', '.join(known)}" if known else "it takes none"
            raise BenchmarkError(f"mask recipe {name!r}: unknown parameter {key!r}: {wanted}")
    hole = function(tuple(shape), parts, **options)
    if not hole.any() or hole.all():
        what = "the hole covers the whole picture" if hole.all() else "the hole is empty"
        raise BenchmarkError(f"mask recipe {name!r} at {shape[0]}x{shape[1]}: {what}; some pixels must be on each side")
    return hole


def dilate(mask: Tensor, radius: int) -> Tensor:
    """Every pixel whose centre is within ``radius`` pixels of a True pixel's centre; mask (H, W) bool."""
    offsets = torch.arange(-radius, radius + 1, device=mask.device)
    disk = (offsets[:, None] ** 2 + offsets[None, :] ** 2 <= radius**2).float()
    return F.conv2d(mask[None, None].float(), disk[None, None], padding=radius)[0, 0] > 0.5


def _recipe(function):
    RECIPES[function.__name__.strip("_")] = function
    return function


def _rows(shape: Shape) -> Tensor:
    return torch.arange(shape[0])[:, None].expand(shape)


def _columns(shape: Shape) -> Tensor:
    return torch.arange(shape[1])[None, :].expand(shape)


@_recipe
def left(shape: Shape, parts: Parts | None) -> Tensor:
    """The left half: columns below W // 2."""
    return _columns(shape) < shape[1] // 2


@_recipe
def right(shape: Shape, parts: Parts | None) -> Tensor:
    """The right half: what ``left`` leaves."""
    return _columns(shape) >= shape[1] // 2


@_recipe
def top(shape: Shape, parts: Parts | None) -> Tensor:
    """The top half: rows below H // 2."""
    return _rows(shape) < shape[0] // 2


@_recipe
def bottom(shape: Shape, parts: Parts | None) -> Tensor:
    """The bottom half: what ``top`` leaves."""
    return _rows(shape) >= shape[0] // 2


@_recipe
def box(shape: Shape, parts: Parts | None, fraction: float = 0.5) -> Tensor:
    """A box in the picture's centre, each side ``fraction`` of the picture's (0 < fraction < 1), to whole pixels."""
    if not _is_number(fraction) or not 0 < fraction < 1:
        raise BenchmarkError(f"mask recipe 'box': fraction is {fraction!r}; it must lie strictly between 0 and 1")
    hole = torch.zeros(shape, dtype=torch.bool)
    (top_, height), (left_, width) = (((side - round(side * fraction)) // 2, round(side * fraction)) for side in shape)
    hole[top_ : top_ + height, left_ : left_ + width] = True
    return hole


def _parts(
    shape: Shape,
    parts_of_picture: Parts | None,
    parts: list[str] | tuple[str, ...] = (),
    dilate: int = 3,
    min_area: float = 0.005,
    max_area: float = 0.5,
) -> Tensor:
    """The union of the named ``parts`` of the picture, grown by a disk of radius ``dilate`` pixels.

    ``min_area`` and ``max_area`` are the limits of the hole's share of the picture.
    """
    where = "mask recipe 'parts'"
    if parts_of_picture is None:
        raise BenchmarkError(f"{where}: this picture has no part maps; use a drawn world or another recipe")
    if isinstance(parts, str) or not parts:
        raise BenchmarkError(f"{where}: parts is {parts!r}; it must be a list of names: {', '.join(parts_of_picture)}")
    for name in parts:
        if name not in parts_of_picture:
            raise BenchmarkError(f"{where}: unknown part {name!r}: known parts are {', '.join(parts_of_picture)}")
        if tuple(parts_of_picture[name].shape) != shape:
            found = "x".join(map(str, parts_of_picture[name].shape))
            raise BenchmarkError(f"{where}: part {name!r} is {found}; it must be {shape[0]}x{shape[1]}")
    if not isinstance(dilate, int) or isinstance(dilate, bool) or dilate < 0:
        raise BenchmarkError(f"{where}: dilate is {dilate!r}; it must be a whole number of pixels, 0 or more")
    if not (_is_number(min_area) and _is_number(max_area) and 0 <= min_area < max_area <= 1):
        raise BenchmarkError(f"{where}: min_area {min_area!r}, max_area {max_area!r}; 0 <= min_area < max_area <= 1")
    hole = _dilate(torch.stack([parts_of_picture[name] for name in parts]).any(0), dilate)
    area = hole.float().mean().item()
    if not min_area <= area <= max_area:
        raise BenchmarkError(
            f"{where}: {'+'.join(parts)} grown by {dilate} covers {area:.1%} of the picture; "
            f"min_area and max_area allow {min_area:.1%} to {max_area:.1%}"
        )
    return hole


# The recipe's own parameters are called `parts` and `dilate`, hence the private names here.
_dilate = dilate
_recipe(_parts)


def _is_number(value) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
