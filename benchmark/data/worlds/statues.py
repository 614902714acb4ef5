"""A drawn world of grey stone busts on plinths: pictures that no prior of this project was trained on.

What a prior makes of them is the question, as with the source paper's statues in the bedroom prior. The attributes are
independent of each other and drawn with the shares of ``ATTRIBUTES``:

=========== ==========================================================================================================
attribute   values and shares
=========== ==========================================================================================================
stone       marble .44 (pale), granite .36 (middle), basalt .20 (dark): all of them grey
hair        curls .40, short .34, bald .18, helmet .08 (with a crest)
beard       none .62, full .30, pointed .08
mouth       closed .60, smile .32, open .08
wreath      none .72, laurel .28 (over the forehead)
plinth      square .56, column .36 (fluted), block .08 (rough, wider than high)
background  parchment .40, slate .34, olive .18, wine .08
=========== ==========================================================================================================

Position (+-1 unit of 64 in each direction) and size (+-3 %) are uniform. ``PARTS`` are canonical regions that do not
depend on the attributes: ``face``, ``hair`` (wherever hair, helmet or wreath reaches), ``mouth``, ``bust`` (head, neck
and shoulders), ``plinth``, and ``background``, what is in none of bust, hair and plinth.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from benchmark.data import drawing
from benchmark.data.drawing import Attributes, Canvas, arc, box, colours, ellipse, intersection, polygon, segment, union
from benchmark.lazy import torch

if TYPE_CHECKING:
    from torch import Tensor

ATTRIBUTES: dict[str, dict[str, float]] = {
    "stone": {"marble": 0.44, "granite": 0.36, "basalt": 0.20},
    "hair": {"curls": 0.40, "short": 0.34, "bald": 0.18, "helmet": 0.08},
    "beard": {"none": 0.62, "full": 0.30, "pointed": 0.08},
    "mouth": {"closed": 0.60, "smile": 0.32, "open": 0.08},
    "wreath": {"none": 0.72, "laurel": 0.28},
    "plinth": {"square": 0.56, "column": 0.36, "block": 0.08},
    "background": {"parchment": 0.40, "slate": 0.34, "olive": 0.18, "wine": 0.08},
}

PALETTES: dict[str, dict[str, tuple[float, float, float]]] = {
    "stone": {"marble": (0.86, 0.86, 0.87), "granite": (0.66, 0.67, 0.68), "basalt": (0.45, 0.46, 0.48)},
    "background": {
        "parchment": (0.88, 0.80, 0.64),
        "slate": (0.30, 0.37, 0.47),
        "olive": (0.50, 0.53, 0.33),
        "wine": (0.44, 0.13, 0.20),
    },
}

PARTS = ("face", "hair", "mouth", "bust", "plinth", "background")

CENTRE, SHIFT, ZOOM, SCALE = (32.0, 24.5), 1.0, 0.03, 0.9
SHADOW = (0.04, 0.04, 0.07)


def sample_attributes(count: int, generator: torch.Generator) -> Attributes:
    """Attributes and frames of ``count`` statues, drawn as the module says from a CPU ``generator``.

    Picture i does not depend on ``count``; two calls in a row continue the stream as one longer call would.
    """
    drawn = drawing.sample_attributes(ATTRIBUTES, count, generator, CENTRE, SHIFT, ZOOM)
    return replace(drawn, frame=replace(drawn.frame, scale=SCALE * drawn.frame.scale))


def _draw(attributes: Attributes, size: int, device) -> Tensor:
    stone = colours(attributes, PALETTES, "stone")
    canvas = Canvas(attributes.frame, colours(attributes, PALETTES, "background"), size, device)
    _plinth(canvas, attributes, stone)
    _bust(canvas, attributes, stone)
    _face(canvas, attributes, stone)
    _hair(canvas, attributes, stone)
    _wreath(canvas, attributes, stone)
    return canvas.image.mul_(2).sub_(1).clamp_(-1, 1)


# ---------------------------------------------------------------------------------------------------- plinth and bust
def _plinth(canvas, attributes, stone):
    area = (-24, 25, 24, 46)
    canvas.paint(lambda u, v: box(u, v, 0, 28.6, 5.5, 2.6), 0.72 * stone, area)
    square, column, block = (attributes.is_value("plinth", value) for value in ("square", "column", "block"))
    canvas.paint(lambda u, v: box(u, v, 0, 38.5, 11.5, 8), 0.86 * stone, area, square)
    canvas.paint(lambda u, v: box(u, v, 0, 38.4, 8, 3.2), 0.70 * stone, area, square)
    canvas.paint(lambda u, v: box(u, v, 0, 38.8, 7.2, 2.6), 0.92 * stone, area, square)
    canvas.paint(lambda u, v: box(u, v, 0, 38.5, 9.5, 8), 0.90 * stone, area, column)
    flutes = lambda u, v: box((u.abs() - 4.2).abs(), v, 2.1, 39.5, 0.7, 7)  # noqa: E731
    canvas.paint(flutes, 0.62 * stone, area, column)
    canvas.paint(lambda u, v: polygon(u, v, (-16, 32), (17, 31), (20, 47), (-19, 47)), 0.80 * stone, area, block)
    canvas.paint(lambda u, v: polygon(u, v, (-9, 35), (-3, 34.5), (-6, 40)), 0.62 * stone, area, block)
    canvas.paint(lambda u, v: polygon(u, v, (5, 37), (13, 36), (9, 41)), 0.62 * stone, area, block)
    canvas.paint(lambda u, v: box(u, v, 0, 31.8, 13.5, 1.5), stone, area, square | column)
    canvas.paint(lambda u, v: box(u, v, 0, 33.6, 13, 0.6), 0.60 * stone, area, square | column)
    lee = lambda u, v: box(u, v, 7.6, 39.5, 1.9, 7.6)  # noqa: E731
    canvas.paint(lee, SHADOW, area, square | column, 0.14)


def _shoulders(u, v):
    chest = intersection(ellipse(u, v, 0, 25.5, 18, 10.5), v - 27.2)
    return intersection(chest, -ellipse(u.abs(), v, 17.5, 30, 6.5, 6.5))


def _neck(u, v):
    return polygon(u, v, (-5, 6), (5, 6), (6.5, 20), (-6.5, 20))


def _skull(u, v):
    return union(ellipse(u, v, 0, -4, 11.5, 13), ellipse(u, v, 0, 3, 9.2, 9.6))


def _ears(u, v):
    return ellipse(u.abs(), v, 11.6, -1.5, 2, 3.4)


def _bust(canvas, attributes, stone):
    area = (-20, -18, 20, 29)
    canvas.paint(_shoulders, 0.92 * stone, area)
    fold = lambda at: lambda u, v: intersection(_shoulders(u, v), arc(u, v, at, 17.5, 9, 5.5, 1.1))  # noqa: E731
    canvas.paint(fold(-1.5), 0.70 * stone, area)
    canvas.paint(lambda u, v: intersection(_shoulders(u, v), segment(u, v, 5, 19, -4, 28, 1.1)), 0.70 * stone, area)
    canvas.paint(_neck, 0.80 * stone, area)
    canvas.paint(_ears, 0.84 * stone, area)
    canvas.paint(_skull, stone, area)
    whole = lambda u, v: union(_skull(u, v), _neck(u, v), _shoulders(u, v))  # noqa: E731
    lee = lambda u, v: intersection(whole(u, v), -ellipse(u, v, -9, 0, 17.5, 44))  # noqa: E731
    canvas.paint(lee, SHADOW, area, None, 0.22)


def _face(canvas, attributes, stone):
    dark, light = 0.52 * stone, 0.45 * stone + 0.55
    area = (-11, -9, 11, 14)
    canvas.paint(lambda u, v: ellipse(u.abs(), v, 4.6, -2.4, 3.0, 2.2), 0.66 * stone, area)
    canvas.paint(lambda u, v: ellipse(u.abs(), v, 4.6, -1.9, 2.3, 1.4), light, area)
    canvas.paint(lambda u, v: arc(u.abs(), v, 4.8, -5.2, 3.0, -0.9, 1.1), dark, area)
    canvas.paint(lambda u, v: polygon(u, v, (-1.0, -5), (0.4, -5), (2.2, 3.4), (-1.6, 3.4)), light, area)
    canvas.paint(lambda u, v: polygon(u, v, (0.4, -5), (1.0, -5), (2.6, 3.6), (0.8, 3.6)), 0.66 * stone, area)
    _beard(canvas, attributes, stone)
    lips = (-6, 4, 6, 11)
    closed, smile, opened = (attributes.is_value("mouth", value) for value in ("closed", "smile", "open"))
    canvas.paint(lambda u, v: segment(u, v, -3.2, 7, 3.2, 7, 1.3), 0.42 * stone, lips, closed)
    canvas.paint(lambda u, v: arc(u, v, 0, 6.0, 4.2, 2.4, 1.4), 0.42 * stone, lips, smile)
    canvas.paint(lambda u, v: ellipse(u, v, 0, 7.3, 2.5, 2.4), 0.30 * stone, lips, opened)


def _beard(canvas, attributes, stone):
    def full(u, v):
        jaw = union(ellipse(u, v, 0, 6.5, 10.2, 9.4), *(ellipse(u.abs(), v, cu, cv, 3, 3) for cu, cv in _LOCKS))
        return intersection(jaw, -ellipse(u, v, 0, -1.5, 8.6, 7.4), -ellipse(u, v, 0, 7, 4.9, 2.9), -0.5 - v)

    area = (-13, -2, 13, 22)
    where = attributes.is_value("beard", "full")
    canvas.paint(full, 0.74 * stone, area, where)
    curls = lambda u, v: union(*(ellipse(u.abs(), v, cu, cv, 1.2, 1.2) for cu, cv in _LOCKS))  # noqa: E731
    canvas.paint(curls, 0.56 * stone, area, where)
    pointed = lambda u, v: polygon(u, v, (-4.4, 10.2), (4.4, 10.2), (0, 20.5))  # noqa: E731
    canvas.paint(pointed, 0.64 * stone, area, attributes.is_value("beard", "pointed"))


_LOCKS = ((9.2, 5.5), (7.6, 11), (4, 14.6), (0, 15.6))


# --------------------------------------------------------------------------------------------------------------- hair
_CURLS = ((0, -16.2), (5, -15.2), (9.2, -11.8), (11.8, -7), (2.6, -11.4), (7, -9.2))


def _hair(canvas, attributes, stone):
    area = (-16, -24, 16, 8)
    curls = attributes.is_value("hair", "curls")
    mass = lambda u, v: union(*(ellipse(u.abs(), v, cu, cv, 3.5, 3.5) for cu, cv in _CURLS))  # noqa: E731
    canvas.paint(mass, 0.76 * stone, area, curls)
    rings = lambda u, v: union(*(ellipse(u.abs(), v, cu, cv, 1.9, 1.9).abs() - 0.45 for cu, cv in _CURLS))  # noqa: E731
    canvas.paint(rings, 0.52 * stone, area, curls)

    def short(u, v):
        return intersection(ellipse(u, v, 0, -5, 12.6, 13.4), -box(u, v, 0, 3, 9.4, 12.5, 6), v + 2)

    where = attributes.is_value("hair", "short")
    canvas.paint(short, 0.76 * stone, area, where)
    combed = lambda u, v: intersection(short(u, v), (torch.remainder(u + 0.4 * v, 3.2) - 1.6).abs() - 0.4)  # noqa: E731
    canvas.paint(combed, 0.58 * stone, area, where)
    helmet = attributes.is_value("hair", "helmet")
    canvas.paint(lambda u, v: box(u, v, 0, -17.5, 2.6, 5.5, 2), 0.56 * stone, area, helmet)
    dome = lambda u, v: intersection(ellipse(u, v, 0, -6, 13.2, 13), v + 8.6)  # noqa: E731
    cheeks = lambda u, v: box(u.abs(), v, 10.8, -2.6, 2.2, 7.5, 1.5)  # noqa: E731
    canvas.paint(lambda u, v: union(dome(u, v), cheeks(u, v)), 0.82 * stone, area, helmet)
    canvas.paint(lambda u, v: box(u, v, 0, -9.0, 13.4, 1.2, 1), 0.56 * stone, area, helmet)


def _wreath(canvas, attributes, stone):
    area = (-15, -17, 15, -3)
    leaves = [(1.8 + 3.5 * i, -11.8 + 0.5 * i * i) for i in range(4)]

    def shape(grow):
        def leaf(u, v, cu, cv):
            w = u.abs()
            return ellipse(w + 0.7 * (v - cv), v, cu, cv, 1.6 + grow, 3.0 + grow)

        return lambda u, v: union(*(leaf(u, v, cu, cv) for cu, cv in leaves))

    where = attributes.is_value("wreath", "laurel")
    canvas.paint(shape(0.5), 0.40 * stone, area, where)
    canvas.paint(shape(-0.4), 0.40 * stone + 0.58, area, where)


# ------------------------------------------------------------------------------------------------------------- regions
_REGIONS = {
    "face": lambda u, v: ellipse(u, v, 0, 0.5, 11, 14),
    "hair": lambda u, v: intersection(box(u, v, 0, -8, 15.6, 15.6, 6), -ellipse(u, v, 0, 3.5, 8.4, 9.5)),
    "mouth": lambda u, v: box(u, v, 0, 7.2, 5.4, 3.4, 1),
    "bust": lambda u, v: union(
        _skull(u, v), _ears(u, v), _neck(u, v), _shoulders(u, v) - 0.6, ellipse(u, v, 0, 8.5, 13.6, 12.5)
    ),
    "plinth": lambda u, v: union(box(u, v, 0, 28.6, 6.2, 3.4), box(u, v, 0, 39.5, 20.5, 9.3)),
}


def part_maps(attributes: Attributes, size: int = 64, device: torch.device | str = "cpu") -> dict[str, Tensor]:
    """{name: (M, size, size) bool} for ``PARTS``: the canonical regions; they depend on the frames alone."""
    maps = drawing.regions(_REGIONS, attributes.frame, size, device)
    maps["background"] = ~(maps["bust"] | maps["hair"] | maps["plinth"])
    return {name: maps[name] for name in PARTS}


render = drawing.renderer(_draw, part_maps)
