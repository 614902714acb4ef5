"""A drawn world of cats' faces: every picture's attributes are known exactly, and so is each part's place.

The attributes are independent of each other and drawn with the shares of ``ATTRIBUTES``:

=========== ==========================================================================================================
attribute   values and shares
=========== ==========================================================================================================
ears        pointed .46, folded .28, round .18, tufted .08 (a lynx's dark tips)
eyes        round .54, almond .38 (slanted, a slit for a pupil), sleepy .08 (the upper half under the lid)
eye_colour  green .42, amber .31, blue .20, odd .07 (the left one blue, the right one amber)
pattern     solid .36, tabby .30 (stripes), bicolour .18 (white blaze, muzzle and chest), points .09 (a dark mask and
            ears), patched .07 (one dark and one white patch)
coat        ginger .34, grey .28, black .18, cream .13, brown .07
whiskers    long .52, short .26, drooping .14, none .08
mouth       closed .50, open .27, tongue .15, fangs .08
accessory   none .56, collar .22 (red, with a bell), bow .14 (blue, under the chin), crown .08
background  sky .30, sage .26, rose .22, lilac .15, night .07
=========== ==========================================================================================================

Position (+-1 unit of 64 in each direction) and size (+-3 %) are uniform. No attribute hides another one.

``PARTS`` are *canonical regions*: where a feature of any value lies, at that cat's position and size; they do not
depend on the attributes:

- ``eyes``, ``nose``, ``mouth``, ``whiskers``, ``ears``: what their names say, both of a pair;
- ``face``: the whole inner face with eyes, nose, mouth and the whiskers' roots; ``head``: all of it, without the ears;
- ``body``: chest and shoulders;
- ``accessory``: the place above the forehead and the neck;
- ``background``: what is in none of head, ears, whiskers, accessory and body.
"""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

from benchmark.data import drawing
from benchmark.data.drawing import Attributes, Canvas, arc, box, colours, ellipse, intersection, polygon, segment, union
from benchmark.lazy import torch

if TYPE_CHECKING:
    from torch import Tensor

ATTRIBUTES: dict[str, dict[str, float]] = {
    "ears": {"pointed": 0.46, "folded": 0.28, "round": 0.18, "tufted": 0.08},
    "eyes": {"round": 0.54, "almond": 0.38, "sleepy": 0.08},
    "eye_colour": {"green": 0.42, "amber": 0.31, "blue": 0.20, "odd": 0.07},
    "pattern": {"solid": 0.36, "tabby": 0.30, "bicolour": 0.18, "points": 0.09, "patched": 0.07},
    "coat": {"ginger": 0.34, "grey": 0.28, "black": 0.18, "cream": 0.13, "brown": 0.07},
    "whiskers": {"long": 0.52, "short": 0.26, "drooping": 0.14, "none": 0.08},
    "mouth": {"closed": 0.50, "open": 0.27, "tongue": 0.15, "fangs": 0.08},
    "accessory": {"none": 0.56, "collar": 0.22, "bow": 0.14, "crown": 0.08},
    "background": {"sky": 0.30, "sage": 0.26, "rose": 0.22, "lilac": 0.15, "night": 0.07},
}

BLUE, AMBER = (0.22, 0.62, 1.00), (1.00, 0.68, 0.05)
PALETTES: dict[str, dict[str, tuple[float, float, float]]] = {
    "coat": {
        "ginger": (0.96, 0.60, 0.24),
        "grey": (0.60, 0.63, 0.68),
        "black": (0.20, 0.19, 0.22),
        "cream": (0.96, 0.87, 0.70),
        "brown": (0.50, 0.31, 0.19),
    },
    "eye_colour": {"green": (0.36, 0.82, 0.22), "amber": AMBER, "blue": BLUE, "odd": BLUE},
    "background": {
        "sky": (0.52, 0.74, 0.94),
        "sage": (0.58, 0.76, 0.54),
        "rose": (0.95, 0.66, 0.68),
        "lilac": (0.72, 0.62, 0.88),
        "night": (0.13, 0.17, 0.36),
    },
}
# The second colour of a coat: stripes, points, the dark patch.
MARKINGS = {
    "coat": {
        "ginger": (0.74, 0.33, 0.06),
        "grey": (0.30, 0.32, 0.38),
        "black": (0.47, 0.45, 0.50),
        "cream": (0.55, 0.37, 0.24),
        "brown": (0.22, 0.12, 0.07),
    }
}
WHISKERS = {
    "coat": {
        "ginger": (0.25, 0.12, 0.05),
        "grey": (0.12, 0.12, 0.15),
        "black": (1.0, 1.0, 1.0),
        "cream": (0.30, 0.20, 0.12),
        "brown": (1.0, 0.96, 0.90),
    }
}

PARTS = ("face", "eyes", "nose", "mouth", "whiskers", "ears", "accessory", "head", "body", "background")
CHECK_HOLE = {"recipe": "parts", "parts": ["face"], "dilate": 2}

CENTRE, SHIFT, ZOOM = (32.0, 36.5), 1.0, 0.03

INK = (0.10, 0.08, 0.10)
WHITE = (1.0, 1.0, 1.0)
PINK = (0.96, 0.55, 0.60)
TONGUE = (0.97, 0.38, 0.47)
RED, GOLD, BOW = (0.85, 0.10, 0.16), (1.0, 0.82, 0.16), (0.12, 0.30, 0.82)


def sample_attributes(count: int, generator: torch.Generator) -> Attributes:
    """Attributes and frames of ``count`` cats, drawn as the module says from a CPU ``generator``.

    Picture i does not depend on ``count``; two calls in a row continue the stream as one longer call would.
    """
    return drawing.sample_attributes(ATTRIBUTES, count, generator, CENTRE, SHIFT, ZOOM)


def _draw(attributes: Attributes, size: int, device) -> Tensor:
    coat, marking = colours(attributes, PALETTES, "coat"), colours(attributes, MARKINGS, "coat")
    canvas = Canvas(attributes.frame, colours(attributes, PALETTES, "background"), size, device)
    _ears(canvas, attributes, coat, marking)
    _body(canvas, attributes, coat)
    _head(canvas, attributes, coat, marking)
    _eyes(canvas, attributes)
    _mouth(canvas, attributes)
    _whiskers(canvas, attributes)
    _crown(canvas, attributes)
    return canvas.image.mul_(2).sub_(1).clamp_(-1, 1)


# ------------------------------------------------------------------------------------------------------ ears and body
def _pointed(u, v):
    return polygon(u.abs(), v, (20.5, -3), (18, -26), (3.5, -14))


def _ears(canvas, attributes, coat, marking):
    window = (-23, -33, 23, 0)
    outer = torch.where(attributes.is_value("pattern", "points")[:, None], marking, coat)
    inner = 0.45 * coat + 0.55 * torch.tensor(PINK)
    tall = attributes.is_value("ears", "pointed", "tufted")
    tufted = attributes.is_value("ears", "tufted")
    canvas.paint(lambda u, v: segment(u.abs(), v, 17.6, -24, 19.5, -31, 2.6), INK, window, tufted)
    canvas.paint(_pointed, outer, window, tall)
    canvas.paint(lambda u, v: polygon(u.abs(), v, (18, -6), (16.6, -20.5), (7.5, -13)), inner, window, tall)
    tip = lambda u, v: intersection(_pointed(u, v), v + 19.5)  # noqa: E731
    canvas.paint(tip, INK, window, tufted)
    disk = attributes.is_value("ears", "round")
    canvas.paint(lambda u, v: ellipse(u.abs(), v, 14, -13, 7.2, 7.8), outer, window, disk)
    canvas.paint(lambda u, v: ellipse(u.abs(), v, 14, -13, 4.1, 4.6), inner, window, disk)
    folded = attributes.is_value("ears", "folded")
    canvas.paint(lambda u, v: polygon(u.abs(), v, (21, -3), (20, -13), (6, -17.4), (4, -12)), outer, window, folded)


def _flaps(canvas, attributes, coat, marking):
    """The folded ears' tips, which hang before the head."""
    folded = attributes.is_value("ears", "folded")
    outer = torch.where(attributes.is_value("pattern", "points")[:, None], marking, coat)
    flap = lambda grow: lambda u, v: polygon(u.abs(), v, (21, -13.2), (6, -17.2), (17.6, -5.6)) - grow  # noqa: E731
    canvas.paint(flap(0.9), 0.45 * outer, (-23, -20, 23, -4), folded)
    canvas.paint(flap(-0.3), 0.86 * outer, (-23, -20, 23, -4), folded)


def _trunk(u, v):
    return ellipse(u, v, 0, 34, 19, 18)


def _body(canvas, attributes, coat):
    canvas.paint(_trunk, 0.86 * coat, (-20, 14, 20, 31))
    white = attributes.is_value("pattern", "bicolour")
    canvas.paint(lambda u, v: ellipse(u, v, 0, 30, 9, 13), WHITE, (-10, 15, 10, 31), white)
    collar = attributes.is_value("accessory", "collar")
    canvas.paint(lambda u, v: arc(u, v, 0, 17.5, 15, 3.6, 4.2), RED, (-18, 13, 18, 25), collar)
    canvas.paint(lambda u, v: ellipse(u, v, 0, 23.2, 2.9, 2.9), GOLD, (-4, 19, 4, 27), collar)
    canvas.paint(lambda u, v: segment(u, v, 0, 23.6, 0, 25, 1.0), INK, (-4, 19, 4, 27), collar)
    bow = attributes.is_value("accessory", "bow")
    window = (-12, 14, 12, 28)
    canvas.paint(lambda u, v: polygon(u.abs(), v, (0, 20.2), (10.5, 15.8), (10.5, 26.6), (0, 22.2)), BOW, window, bow)
    canvas.paint(lambda u, v: ellipse(u, v, 0, 21.2, 2.4, 2.7), (0.07, 0.16, 0.50), window, bow)


# -------------------------------------------------------------------------------------------------------------- head
def _skull(u, v):
    cheeks = polygon(u.abs(), v, (12, 0), (24.5, 9.5), (10, 15))
    return union(ellipse(u, v, 0, 0, 20.5, 17.5), cheeks)


def _head(canvas, attributes, coat, marking):
    window = (-26, -19, 26, 19)
    canvas.paint(_skull, coat, window)
    canvas.paint(_stripes, marking, window, attributes.is_value("pattern", "tabby"))
    points = attributes.is_value("pattern", "points")
    canvas.paint(lambda u, v: ellipse(u, v, 0, 4, 15.2, 12.2), marking, window, points)
    patched = attributes.is_value("pattern", "patched")
    dark = lambda u, v: intersection(_skull(u, v), ellipse(u, v, 11.5, -6.5, 12.5, 11))  # noqa: E731
    pale = lambda u, v: intersection(_skull(u, v), ellipse(u, v, -10.5, 11, 12, 9))  # noqa: E731
    canvas.paint(dark, marking, window, patched)
    canvas.paint(pale, WHITE, window, patched)
    blaze = lambda u, v: union(polygon(u, v, (-1, -13), (1, -13), (6.5, 8), (-6.5, 8)), ellipse(u, v, 0, 10, 11.5, 7.2))  # noqa: E731
    canvas.paint(blaze, WHITE, window, attributes.is_value("pattern", "bicolour"))
    shade = lambda u, v: intersection(_skull(u, v), -ellipse(u, v, 0, -4, 24.5, 19))  # noqa: E731
    canvas.paint(shade, INK, window, None, 0.16)
    _flaps(canvas, attributes, coat, marking)
    canvas.paint(lambda u, v: ellipse(u.abs(), v, 3.7, 10.8, 4.4, 3.6), WHITE, (-9, 6, 9, 16), None, 0.30)


def _stripes(u, v):
    w = u.abs()
    forehead = union(segment(w, v, 0, -16, 0, -8.5, 2.4), segment(w, v, 5.4, -15.5, 4.4, -8.8, 2.2))
    cheeks = union(segment(w, v, 20, 1.0, 15.5, 3.0, 2.2), segment(w, v, 20.5, 6.4, 14.5, 7.0, 2.2))
    return union(forehead, segment(w, v, 10.6, -13.4, 8.8, -8.6, 2.0), cheeks)


# -------------------------------------------------------------------------------------------------- eyes, nose, mouth
_EYES = (-17, -8, 17, 8)


def _round_eye(u, v):
    return ellipse(u.abs(), v, 9, 0, 5.0, 5.0)


def _almond_eye(u, v):
    w = u.abs()
    return ellipse(w, v + 0.36 * (w - 9), 9, 0, 5.8, 3.3)


def _sleepy_eye(u, v):
    return intersection(ellipse(u.abs(), v, 9, -0.6, 5.2, 5.2), 0.2 - v)


def _eyes(canvas, attributes):
    colour = colours(attributes, PALETTES, "eye_colour")
    odd = attributes.is_value("eye_colour", "odd")
    for value, shape in (("round", _round_eye), ("almond", _almond_eye), ("sleepy", _sleepy_eye)):
        where = attributes.is_value("eyes", value)
        canvas.paint(lambda u, v, shape=shape: shape(u, v) - 0.9, INK, _EYES, where)
        canvas.paint(shape, colour, _EYES, where)
        right = lambda u, v, shape=shape: intersection(shape(u, v), -u)  # noqa: E731
        canvas.paint(right, AMBER, _EYES, where & odd)
    pupil = lambda u, v: ellipse(u.abs(), v, 9, 0.1, 2.4, 3.4)  # noqa: E731
    canvas.paint(pupil, INK, _EYES, attributes.is_value("eyes", "round"))
    slit = lambda u, v: ellipse(u.abs(), v, 9, 0, 1.1, 3.2)  # noqa: E731
    canvas.paint(slit, INK, _EYES, attributes.is_value("eyes", "almond"))
    low = lambda u, v: intersection(ellipse(u.abs(), v, 9, 0.8, 2.0, 2.6), 0.2 - v)  # noqa: E731
    canvas.paint(low, INK, _EYES, attributes.is_value("eyes", "sleepy"))
    lid = lambda u, v: segment(u.abs(), v, 3.4, 0.2, 14.8, 0.2, 2.0)  # noqa: E731
    canvas.paint(lid, INK, _EYES, attributes.is_value("eyes", "sleepy"))
    glint = lambda u, v: union(ellipse(u, v, -10.4, -1.6, 1.1, 1.1), ellipse(u, v, 7.6, -1.6, 1.1, 1.1))  # noqa: E731
    canvas.paint(glint, WHITE, _EYES, attributes.is_value("eyes", "round", "almond"))


_MOUTH = (-8, 6, 8, 20)


def _lip_line(u, v):
    return union(segment(u, v, 0, 7, 0, 10.4, 1.1), arc(u.abs(), v, 3.1, 10.3, 3.1, 2.4, 1.2))


def _mouth(canvas, attributes):
    opened = attributes.is_value("mouth", "open")
    canvas.paint(lambda u, v: ellipse(u, v, 0, 13.8, 3.9, 4.0), INK, _MOUTH, opened)
    canvas.paint(lambda u, v: ellipse(u, v, 0, 15.2, 2.5, 1.9), TONGUE, _MOUTH, opened)
    tongue = attributes.is_value("mouth", "tongue")
    canvas.paint(lambda u, v: box(u, v, 0, 14.0, 3.2, 4.4, 3.1), (0.50, 0.10, 0.16), _MOUTH, tongue)
    canvas.paint(lambda u, v: box(u, v, 0, 13.8, 2.4, 3.8, 2.4), TONGUE, _MOUTH, tongue)
    fangs = attributes.is_value("mouth", "fangs")
    grin = lambda u, v: intersection(ellipse(u, v, 0, 10.6, 6.6, 5.4), 10.4 - v)  # noqa: E731
    fang = lambda u, v: polygon(u.abs(), v, (1.5, 10.6), (5.6, 10.6), (3.5, 16.8))  # noqa: E731
    canvas.paint(grin, (0.45, 0.05, 0.10), _MOUTH, fangs)
    canvas.paint(fang, WHITE, _MOUTH, fangs)
    canvas.paint(_lip_line, INK, _MOUTH)
    canvas.paint(lambda u, v: polygon(u, v, (-3.2, 4.6), (3.2, 4.6), (0, 8.2)) - 0.4, PINK, (-5, 3, 5, 10))


def _whiskers(canvas, attributes):
    colour = colours(attributes, WHISKERS, "coat")

    def straight(reach):
        def shape(u, v):
            w = u.abs()
            ends = ((9.5, 1.6), (10.8, 0.0), (12.0, -1.6))
            return union(*(segment(w, v, 8.5, v0, reach, v0 - 2.4 * rise, 1.0) for v0, rise in ends))

        return shape

    canvas.paint(straight(28.5), colour, (-30, 3, 30, 18), attributes.is_value("whiskers", "long"))
    canvas.paint(straight(17.5), colour, (-20, 3, 20, 18), attributes.is_value("whiskers", "short"))
    canvas.paint(_drooping, colour, (-30, 3, 30, 22), attributes.is_value("whiskers", "drooping"))


def _drooping(u, v):
    w = u.abs()
    bends = (((8.5, 9.5), (17, 9.5), (25.5, 14.5)), ((8.5, 11), (16, 13), (21.5, 19.5)))
    strokes = [segment(w, v, *a, *b, 1.0) for line in bends for a, b in pairwise(line)]
    return union(*strokes)


def _crown(canvas, attributes):
    def shape(u, v):
        sides = polygon(u.abs(), v, (9, -15), (10, -25.5), (3, -18), (3, -15))
        return union(box(u, v, 0, -16.6, 9, 2.2), polygon(u, v, (-4.5, -16), (0, -27), (4.5, -16)), sides)

    where = attributes.is_value("accessory", "crown")
    canvas.paint(lambda u, v: shape(u, v) - 0.7, (0.55, 0.36, 0.02), (-12, -30, 12, -12), where)
    canvas.paint(lambda u, v: shape(u, v) + 0.2, GOLD, (-12, -30, 12, -12), where)
    gems = lambda u, v: ellipse(u.abs(), v, 4.4, -16.6, 1.3, 1.3)  # noqa: E731
    canvas.paint(gems, RED, (-12, -30, 12, -12), where)


# ------------------------------------------------------------------------------------------------------------- regions
_REGIONS = {
    "face": lambda u, v: ellipse(u, v, 0, 4, 18, 15),
    "eyes": lambda u, v: box(u.abs(), v, 9, 0, 7.2, 6.8, 3),
    "nose": lambda u, v: box(u, v, 0, 6.4, 4.4, 3.0, 1.5),
    "mouth": lambda u, v: box(u, v, 0, 13.0, 7.6, 6.8, 3),
    "whiskers": lambda u, v: box(u.abs(), v, 18.5, 12.6, 11.4, 8.2, 2),
    "ears": lambda u, v: box(u.abs(), v, 12.4, -17.6, 10.9, 15.2, 2),
    "accessory": lambda u, v: union(box(u, v, 0, -21.2, 12, 8), box(u, v, 0, 21, 17.5, 7)),
    "head": lambda u, v: _skull(u, v) - 1.5,
    "body": _trunk,
}


def part_maps(attributes: Attributes, size: int = 64, device: torch.device | str = "cpu") -> dict[str, Tensor]:
    """{name: (M, size, size) bool} for ``PARTS``: the canonical regions; they depend on the frames alone."""
    maps = drawing.regions(_REGIONS, attributes.frame, size, device)
    cat = ("head", "ears", "whiskers", "accessory", "body")
    maps["background"] = ~torch.stack([maps[name] for name in cat]).any(0)
    return {name: maps[name] for name in PARTS}


render = drawing.renderer(_draw, part_maps)
