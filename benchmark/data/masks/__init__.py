"""Mask recipes: a recipe, a small dictionary, becomes a hole: boolean (H, W), True = unknown.

``{"recipe": NAME, **parameters}``. A new one is a function of (picture, parameters) with ``@recipe`` in any file here:

- shapes.py: left, right, top, bottom, box, polygon, and the regular ones of RePaint: ev2li, nn2, ex64, genhalf
- strokes.py: thin, medium, thick: LaMa's random strokes and boxes (thin and thick are RePaint's other two)
- parts.py: parts of the picture by their names
- pictures.py: mask_image (any image as mask), mask_folder (a folder of irregular masks)
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from benchmark.data.masks import parts as _parts
from benchmark.data.masks.base import RECIPES, Nameless, Parts, Picture, Pictures, Shape, recipe
from benchmark.discovery import modules_of
from benchmark.errors import BenchmarkError
from benchmark.options import option_faults

if TYPE_CHECKING:
    from torch import Tensor

modules_of(__name__, __path__)  # each enters its recipes
dilate = _parts.dilate
__all__ = ["RECIPES", "Nameless", "Picture", "Pictures", "dilate", "make_hole", "recipe"]


def make_hole(
    recipe: Mapping, shape: Shape, parts: Parts | None = None, *, dataset: str = "", case: str = "", seed: int = 0
) -> Tensor:
    """The hole of ``recipe`` for a picture of ``shape`` = (H, W): a boolean (H, W) tensor, True = unknown.

    ``parts`` ({name: (H, W) bool}) are the picture's own; only the recipe ``parts`` needs them. ``dataset``, ``case``
    and ``seed`` say which picture it is: random recipes are drawn from them, and some look up a mask by the case's
    name. Same arguments, same hole. Raises BenchmarkError for an unknown recipe, parameter or part, a parameter out of
    range, a mask file that cannot be used, and a hole that covers nothing or everything.
    """
    name, options = recipe.get("recipe"), {k: v for k, v in recipe.items() if k != "recipe"}
    if name not in RECIPES:
        raise BenchmarkError(f"unknown mask recipe {name!r}: known recipes are {', '.join(sorted(RECIPES))}")
    function = RECIPES[name]
    for fault in option_faults(function.options, options, f"mask recipe {name}"):
        raise BenchmarkError(fault)
    if reason := function.refuses(options):
        raise BenchmarkError(f"mask recipe {name}: it {reason}")
    hole = function(Picture((shape[0], shape[1]), parts, dataset, case, seed), **options)
    if not hole.any() or hole.all():
        what = "the hole covers the whole picture" if hole.all() else "the hole is empty"
        raise BenchmarkError(f"mask recipe {name!r} at {shape[0]}x{shape[1]}: {what}; some pixels must be on each side")
    return hole
