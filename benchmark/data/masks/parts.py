"""Holes from the parts of a picture: what a drawn world or a parsing map calls mouth, hair, eyes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from benchmark.data.masks.base import RECIPES, Picture, check_limits
from benchmark.discovery import register
from benchmark.errors import BenchmarkError
from benchmark.lazy import torch
from benchmark.options import Within

if TYPE_CHECKING:
    from torch import Tensor


def dilate(mask: Tensor, radius: int) -> Tensor:
    """Every pixel whose centre is within ``radius`` pixels of a True pixel's centre; mask (H, W) bool."""
    offsets = torch.arange(-radius, radius + 1, device=mask.device)
    disk = (offsets[:, None] ** 2 + offsets[None, :] ** 2 <= radius**2).float()
    return torch.nn.functional.conv2d(mask[None, None].float(), disk[None, None], padding=radius)[0, 0] > 0.5


def _parts(
    picture: Picture,
    parts: list[str] | tuple[str, ...] = (),
    dilate: Annotated[int, Within(0), "Pixels by which the hole is widened."] = 3,
    min_area: Annotated[float, Within(0, 1), "Least share of the picture."] = 0.005,
    max_area: Annotated[float, Within(0, 1), "Largest share of the picture."] = 0.5,
) -> Tensor:
    """The union of the named ``parts`` of the picture, grown by a disk of radius ``dilate`` pixels.

    ``min_area`` and ``max_area`` are the limits of the hole's share of the picture.
    """
    where, maps = "mask recipe 'parts'", picture.parts
    if maps is None:
        raise BenchmarkError(
            f"{where}: this picture has no part maps (drawn worlds and CelebAMask-HQ with its annotation have); "
            "use another recipe"
        )
    if isinstance(parts, str) or not parts:
        raise BenchmarkError(f"{where}: parts is {parts!r}; it must be a list of names: {', '.join(maps)}")
    for name in parts:
        if name not in maps:
            raise BenchmarkError(f"{where}: unknown part {name!r}: known parts are {', '.join(maps)}")
        if tuple(maps[name].shape) != picture.shape:
            found, wanted = ("x".join(map(str, shape)) for shape in (maps[name].shape, picture.shape))
            raise BenchmarkError(f"{where}: part {name!r} is {found}; it must be {wanted}")
    if not isinstance(dilate, int) or isinstance(dilate, bool) or dilate < 0:
        raise BenchmarkError(f"{where}: dilate is {dilate!r}; it must be a whole number of pixels, 0 or more")
    check_limits(where, min_area, max_area)
    hole = _dilate(torch.stack([maps[name] for name in parts]).any(0), dilate)
    area = hole.float().mean().item()
    if not min_area <= area <= max_area:
        raise BenchmarkError(
            f"{where}: {'+'.join(parts)} grown by {dilate} covers {area:.1%} of the picture; "
            f"min_area and max_area allow {min_area:.1%} to {max_area:.1%}"
        )
    return hole


# The recipe's own parameters are called `parts` and `dilate`, hence the private names here.
_dilate = dilate
register(RECIPES, "parts", _parts, "recipe")
