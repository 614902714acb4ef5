"""Holes from the parts of a picture: what a drawn world or a parsing map calls mouth, hair, eyes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Any

from benchmark.data.masks.base import LargestArea, LeastArea, Picture, Pictures, area_fault, recipe
from benchmark.errors import BenchmarkError, suggestion
from benchmark.lazy import torch
from benchmark.options import Within

if TYPE_CHECKING:
    from torch import Tensor


def dilate(mask: Tensor, radius: int) -> Tensor:
    """Every pixel whose centre is within ``radius`` pixels of a True pixel's centre; mask (H, W) bool."""
    offsets = torch.arange(-radius, radius + 1, device=mask.device)
    disk = (offsets[:, None] ** 2 + offsets[None, :] ** 2 <= radius**2).float()
    return torch.nn.functional.conv2d(mask[None, None].float(), disk[None, None], padding=radius)[0, 0] > 0.5


def _refuses(options: Mapping[str, Any]) -> str | None:
    return area_fault(options) if options["parts"] else "has no parts; give names of parts of the picture"


def _lacks(options: Mapping[str, Any], pictures: Pictures) -> str | None:
    if not pictures.parts:
        return "hides parts of the picture, and these have none that are known; use another recipe"
    for name in options["parts"]:
        if name not in pictures.parts:
            return f"hides the part {name!r}, which these have not{suggestion(name, list(pictures.parts))}"
    return None


def _parts(
    picture: Picture,
    parts: Annotated[list[str], "Names of parts of the picture, whose union is the hole."],
    dilate: Annotated[int, Within(0, 1000), "Pixels by which the hole is widened."] = 3,
    min_area: LeastArea = 0.005,
    max_area: LargestArea = 0.5,
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
    for name in parts:
        if name not in maps:
            raise BenchmarkError(f"{where}: unknown part {name!r}: known parts are {', '.join(maps)}")
        if tuple(maps[name].shape) != picture.shape:
            found, wanted = ("x".join(map(str, shape)) for shape in (maps[name].shape, picture.shape))
            raise BenchmarkError(f"{where}: part {name!r} is {found}; it must be {wanted}")
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
_parts.__name__ = "parts"
recipe(refuses=_refuses, lacks=_lacks)(_parts)
