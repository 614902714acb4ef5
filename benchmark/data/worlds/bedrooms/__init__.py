"""A drawn world of bedrooms in perspective: every picture's attributes are known exactly, and so is each part's place.

One looks at the back wall over the foot of a double bed. Bed, picture and rug stand on the picture's vertical axis and
are symmetric; window, lamp, wardrobe and plant stand in the left half. ``symmetry`` says what stands in the right half:
the exact mirror image of the left one, or something else. The attributes are independent of each other and drawn with
the shares of ``ATTRIBUTES``:

=========== ==========================================================================================================
attribute   values and shares
=========== ==========================================================================================================
symmetry    mirrored .44 (the right half is the left one's mirror image), door .28, bookcase .20, armchair .08
bed         plain .48, striped .30, quilted .14 (a checkerboard), dotted .08: the bedspread's pattern
bedspread   blue .40, red .30, green .22, yellow .08
window      day .42 (white frame, blue sky), curtains .28, none .22, night .08 (a moon)
lamp        none .34, shade .36, globe .22, candle .08; all but none on a bedside table
wardrobe    oak .40, none .30, white .22, turquoise .08
picture     none .34, landscape .36, stripes .22, mirror .08 (round): above the bed
rug         none .36, oval .34 (crimson), striped .22 (blue and cream), black .08 (with a golden line)
plant       none .44, bush .32, cactus .16, tulips .08: in a pot, in front of the wardrobe's place
wall        cream .34, blue .26, green .20, pink .13, plum .07
floor       oak .42, walnut .28, grey .22, tiles .08 (white and teal)
=========== ==========================================================================================================

Height (+-1 unit of 64) and size (+-3 %) are uniform; the axis is always the picture's middle, so that ``mirrored``
pictures equal their mirror images pixel by pixel (pictures of an even side). No attribute hides another one, except
that what stands in the left half decides what a mirrored room shows in its right half.

``PARTS`` are *canonical regions*: where a feature of any value lies, at that room's height and size; they do not depend
on the attributes, and those of window, lamp, wardrobe and plant hold their mirror image's place too:

- ``left_half``, ``right_half``: the picture's halves, exactly;
- ``bed``, ``window``, ``lamp``, ``wardrobe``, ``picture``, ``rug``, ``plant``: what their names say.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from benchmark.data import drawing
from benchmark.data.drawing import Attributes, Canvas, box, colours, polygon, union
from benchmark.data.worlds.bedrooms import pieces
from benchmark.data.worlds.bedrooms.pieces import PALETTES
from benchmark.lazy import torch

if TYPE_CHECKING:
    from torch import Tensor

ATTRIBUTES: dict[str, dict[str, float]] = {
    "symmetry": {"mirrored": 0.44, "door": 0.28, "bookcase": 0.20, "armchair": 0.08},
    "bed": {"plain": 0.48, "striped": 0.30, "quilted": 0.14, "dotted": 0.08},
    "bedspread": {"blue": 0.40, "red": 0.30, "green": 0.22, "yellow": 0.08},
    "window": {"day": 0.42, "curtains": 0.28, "none": 0.22, "night": 0.08},
    "lamp": {"shade": 0.36, "none": 0.34, "globe": 0.22, "candle": 0.08},
    "wardrobe": {"oak": 0.40, "none": 0.30, "white": 0.22, "turquoise": 0.08},
    "picture": {"landscape": 0.36, "none": 0.34, "stripes": 0.22, "mirror": 0.08},
    "rug": {"none": 0.36, "oval": 0.34, "striped": 0.22, "black": 0.08},
    "plant": {"none": 0.44, "bush": 0.32, "cactus": 0.16, "tulips": 0.08},
    "wall": {"cream": 0.34, "blue": 0.26, "green": 0.20, "pink": 0.13, "plum": 0.07},
    "floor": {"oak": 0.42, "walnut": 0.28, "grey": 0.22, "tiles": 0.08},
}

PARTS = ("left_half", "right_half", "bed", "window", "lamp", "wardrobe", "picture", "rug", "plant")
CHECK_HOLE = {"recipe": "right"}

CENTRE, SHIFT, ZOOM = (32.0, 32.0), 1.0, 0.03


def sample_attributes(count: int, generator: torch.Generator) -> Attributes:
    """Attributes and frames of ``count`` rooms, drawn as the module says from a CPU ``generator``.

    Picture i does not depend on ``count``; two calls in a row continue the stream as one longer call would.
    """
    drawn = drawing.sample_attributes(ATTRIBUTES, count, generator, CENTRE, SHIFT, ZOOM)
    return replace(drawn, frame=replace(drawn.frame, centre_x=torch.full((count,), CENTRE[0])))


def _draw(attributes: Attributes, size: int, device) -> Tensor:
    wall = colours(attributes, PALETTES, "wall")
    canvas = Canvas(attributes.frame, wall, size, device)
    pieces.floor(canvas, attributes)
    pieces.walls(canvas, attributes, wall)
    pieces.window(canvas, attributes)
    pieces.wardrobe(canvas, attributes)
    pieces.lamp(canvas, attributes)
    pieces.plant(canvas, attributes)
    pieces.right_half(canvas, attributes)
    pieces.rug(canvas, attributes)
    pieces.picture(canvas, attributes)
    pieces.bed(canvas, attributes)
    _mirror(canvas.image, attributes)
    return canvas.image.mul_(2).sub_(1).clamp_(-1, 1)


def _mirror(image: Tensor, attributes: Attributes) -> None:
    """Put the left half's mirror image over the right half of mirrored rooms."""
    where = attributes.is_value("symmetry", "mirrored").nonzero()[:, 0].to(image.device)
    half = image.shape[-1] // 2
    image[where, :, :, image.shape[-1] - half :] = image[where, :, :, :half].flip(-1)


# ------------------------------------------------------------------------------------------------------------- regions
_REGIONS = {
    "bed": lambda u, v: union(box(u, v, 0, 1.6, 11.2, 8), box(u, v, 0, 17.5, 13.2, 10)),
    "window": lambda u, v: box(u.abs(), v, 15.8, -10, 6.8, 8.8),
    "lamp": lambda u, v: box(u.abs(), v, 15.6, 3.9, 5.4, 8.4),
    "wardrobe": lambda u, v: polygon(u.abs(), v, (22.2, -18), (22.2, 13), (36, 21.5), (36, -26)),
    "picture": lambda u, v: box(u, v, 0, -13, 9, 6.6),
    "rug": lambda u, v: box(u, v, 0, 22.5, 23, 8.6),
    "plant": lambda u, v: box(u.abs(), v, 24.8, 19.4, 8.2, 10.6),
}


def part_maps(attributes: Attributes, size: int = 64, device: torch.device | str = "cpu") -> dict[str, Tensor]:
    """{name: (M, size, size) bool} for ``PARTS``: the canonical regions; they depend on the frames alone."""
    maps = drawing.regions(_REGIONS, attributes.frame, size, device)
    left = (torch.arange(size, device=device) < size / 2).expand(len(attributes), size, size)
    maps |= {"left_half": left, "right_half": ~left}
    return {name: maps[name] for name in PARTS}


render = drawing.renderer(_draw, part_maps)
