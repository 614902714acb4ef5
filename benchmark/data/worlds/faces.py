"""A drawn world of cartoon faces: every picture's attributes are known exactly, and so is each part's place.

The attributes are independent of each other and drawn with the shares of ``ATTRIBUTES``; the rarest value of each has
between 3 and 10 per cent, so that there are long tails for a diverse restoration to show:

=========== ==========================================================================================================
attribute   values and shares
=========== ==========================================================================================================
mouth       smile .50 (teeth show), neutral .30, open .13, frown .07
glasses     none .70, clear .22 (a dark frame), dark .08 (tinted, the iris shows through)
brows       flat .58, raised .22, angry .14, worried .06
beard       none .70, full .17, moustache .08, goatee .05; in the hair's colour, the mouth stays free
hair        short .47, long .32, curly .13, bald .08
hair_colour brown .36, black .30, blond .20, red .09, grey .05; of the bald, the brows show it
hat         none .82, cap .12 (blue, with a visor), beanie .06 (crimson, with a pompom); the sides of the hair show
skin        peach .36, tan .28, deep .28, pale .08
eyes        brown .50, blue .28, green .16, violet .06
background  sky .30, mint .25, lilac .20, lemon .18, teal .07
=========== ==========================================================================================================

Position (+-1 unit of 64 in each direction) and size (+-3 %) are uniform. No attribute hides another one.

``PARTS`` are *canonical regions*: where a feature of any value lies, at that face's position and size. They do not
depend on the attributes, so that the outline of a hole made from them tells nothing about what it hides:

- ``mouth``, ``nose``, ``brows``: boxes that hold every value (brows: both);
- ``eyes``: both eyes; ``glasses``: lenses, bridge and temples, hence the eyes too;
- ``beard``: the lower face with the mouth, wherever a beard of any kind grows;
- ``hair``: wherever any hair style or hat reaches (above and beside the face, over the forehead and the ears);
- ``face``: head, ears and neck with all that they carry;
- ``background``: what is in none of hair, face and shirt.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from benchmark.data import drawing
from benchmark.data.drawing import Attributes, Canvas, arc, box, ellipse, intersection, parabola, segment, union
from benchmark.lazy import torch

if TYPE_CHECKING:
    from torch import Tensor

ATTRIBUTES: dict[str, dict[str, float]] = {
    "mouth": {"smile": 0.50, "neutral": 0.30, "open": 0.13, "frown": 0.07},
    "glasses": {"none": 0.70, "clear": 0.22, "dark": 0.08},
    "brows": {"flat": 0.58, "raised": 0.22, "angry": 0.14, "worried": 0.06},
    "beard": {"none": 0.70, "full": 0.17, "moustache": 0.08, "goatee": 0.05},
    "hair": {"short": 0.47, "long": 0.32, "curly": 0.13, "bald": 0.08},
    "hair_colour": {"brown": 0.36, "black": 0.30, "blond": 0.20, "red": 0.09, "grey": 0.05},
    "hat": {"none": 0.82, "cap": 0.12, "beanie": 0.06},
    "skin": {"peach": 0.36, "tan": 0.28, "deep": 0.28, "pale": 0.08},
    "eyes": {"brown": 0.50, "blue": 0.28, "green": 0.16, "violet": 0.06},
    "background": {"sky": 0.30, "mint": 0.25, "lilac": 0.20, "lemon": 0.18, "teal": 0.07},
}

PALETTES: dict[str, dict[str, tuple[float, float, float]]] = {
    "hair_colour": {
        "brown": (0.40, 0.20, 0.08),
        "black": (0.09, 0.08, 0.11),
        "blond": (0.95, 0.76, 0.22),
        "red": (0.84, 0.31, 0.06),
        "grey": (0.72, 0.73, 0.77),
    },
    "skin": {
        "peach": (0.98, 0.77, 0.60),
        "tan": (0.82, 0.58, 0.38),
        "deep": (0.57, 0.36, 0.25),
        "pale": (1.00, 0.92, 0.88),
    },
    "eyes": {
        "brown": (0.50, 0.24, 0.04),
        "blue": (0.08, 0.50, 1.00),
        "green": (0.10, 0.72, 0.22),
        "violet": (0.68, 0.22, 0.95),
    },
    "background": {
        "sky": (0.60, 0.80, 0.97),
        "mint": (0.64, 0.90, 0.70),
        "lilac": (0.80, 0.69, 0.95),
        "lemon": (0.98, 0.92, 0.58),
        "teal": (0.13, 0.52, 0.56),
    },
}

PARTS = ("mouth", "eyes", "brows", "nose", "hair", "glasses", "beard", "face", "background")
CHECK_HOLE = {"recipe": "parts", "parts": ["mouth", "brows"], "dilate": 2}

CENTRE, SHIFT, ZOOM = (32.0, 35.0), 1.0, 0.03

INK = (0.10, 0.08, 0.10)
LIPS = (0.88, 0.11, 0.20)
WHITE = (1.0, 1.0, 1.0)
SHIRT = (0.27, 0.32, 0.45)
CAP, VISOR = (0.12, 0.27, 0.72), (0.07, 0.16, 0.46)
BEANIE, STRIPE = (0.72, 0.07, 0.22), (0.96, 0.90, 0.86)


def sample_attributes(count: int, generator: torch.Generator) -> Attributes:
    """Attributes and frames of ``count`` faces, drawn as the module says from a CPU ``generator``.

    Picture i does not depend on ``count``; two calls in a row continue the stream as one longer call would.
    """
    return drawing.sample_attributes(ATTRIBUTES, count, generator, CENTRE, SHIFT, ZOOM)


def faces(count: int, seed: int, size: int = 64, device: torch.device | str = "cpu"):
    """``count`` faces of ``seed``: images (M, 3, size, size) float32 in [-1, 1], labels (a list of
    {attribute: value}), parts ({name: (M, size, size) bool}). Picture i of a seed does not depend on ``count``.
    """
    attributes = sample_attributes(count, torch.Generator().manual_seed(seed))
    images, parts = render(attributes, size, device, parts=True)
    return images, attributes.labels(), parts


def _colours(attributes: Attributes, attribute: str) -> Tensor:
    return drawing.colours(attributes, PALETTES, attribute)


def _draw(attributes: Attributes, size: int, device) -> Tensor:
    skin, hair = _colours(attributes, "skin"), _colours(attributes, "hair_colour")
    canvas = Canvas(attributes.frame, _colours(attributes, "background"), size, device)
    _hair_behind(canvas, attributes, hair)
    _head(canvas, attributes, skin)
    _beard(canvas, attributes, hair)
    _mouth(canvas, attributes)
    _hair_before(canvas, attributes, hair)
    _eyes(canvas, attributes)
    _glasses(canvas, attributes)
    _brows(canvas, attributes, 0.72 * hair)
    _hat(canvas, attributes)
    return canvas.image.mul_(2).sub_(1).clamp_(-1, 1)


def _shirt(u, v):
    return ellipse(u, v, 0, 42, 25, 17.5)


def _neck(u, v):
    return box(u, v, 0, 22, 6.5, 7, 3)


def _skull(u, v):
    return ellipse(u, v, 0, 0, 17, 22)


def _ears(u, v):
    return ellipse(u.abs(), v, 17, 2.5, 3.2, 4.2)


def _head(canvas, attributes, skin):
    canvas.paint(_shirt, SHIRT, (-26, 24, 26, 40))
    canvas.paint(_neck, 0.86 * skin, (-7, 14, 7, 30))
    canvas.paint(_ears, 0.93 * skin, (-21, -2, 21, 7))
    canvas.paint(_skull, skin, (-18, -23, 18, 23))
    canvas.paint(lambda u, v: ellipse(u.abs(), v, 11.5, 9.5, 3, 2.2), (0.95, 0.35, 0.35), (-15, 7, 15, 12), None, 0.22)
    canvas.paint(_nose, 0.72 * skin, (-4, 3, 4, 11))


def _nose(u, v):
    return arc(u, v, 0, 7.2, 2.3, 1.6, 1.5)


_CURLS = ((-17, 8), (-20.5, 2), (-21, -5), (-18.5, -12), (-14, -18), (-7.5, -21.5), (0, -23))


def _curls(u, v):
    # The bulk, then curls along its edge; |u| draws left and right at once.
    mirrored = -u.abs()
    shape = ellipse(u, v, 0, -5, 21, 18.5)
    return union(shape, *(ellipse(mirrored, v, cu, cv, 4.6, 4.6) for cu, cv in _CURLS))


def _hair_behind(canvas, attributes, hair):
    def long(u, v):
        return union(ellipse(u, v, 0, -2, 21, 23), box(u, v, 0, 14, 21, 16, 5))

    canvas.paint(long, 0.88 * hair, (-22, -26, 22, 31), attributes.is_value("hair", "long"))
    canvas.paint(_curls, 0.88 * hair, (-27, -29, 27, 14), attributes.is_value("hair", "curly"))


def _hair_before(canvas, attributes, hair):
    def short(u, v):
        crown = ellipse(u, v, 0, -2.5, 19, 22)
        opening = box(u, v, 1.5, 10, 15.4, 23.5, 9)
        return intersection(crown, -opening, v - 0.5)

    def long(u, v):
        crown = ellipse(u, v, 0, -2, 21, 23)
        sides = box(u, v, 0, 12, 21, 14, 4)
        return intersection(union(crown, sides), -box(u, v, 0, 15, 14.7, 28.3, 9))

    def curly(u, v):
        return intersection(_curls(u, v), -box(u, v, 0, 10, 15.4, 23, 9), v - 3)

    canvas.paint(short, hair, (-20, -25, 20, 1), attributes.is_value("hair", "short"))
    canvas.paint(long, hair, (-22, -26, 22, 27), attributes.is_value("hair", "long"))
    canvas.paint(curly, hair, (-27, -29, 27, 4), attributes.is_value("hair", "curly"))


def _moustache(u, v):
    return intersection(ellipse(u.abs(), v, 3.6, 10.7, 5.4, 2.3), 8.2 - v)


def _mouth_gap(u, v):
    return ellipse(u, v, 0, 14.6, 8.6, 4.1)


def _beard(canvas, attributes, hair):
    def full(u, v):
        jaw = intersection(ellipse(u, v, 0, 0.5, 17.2, 23.5), -ellipse(u, v, 0, -3, 15.5, 13.5), 3 - v)
        return union(intersection(jaw, -_mouth_gap(u, v)), _moustache(u, v))

    def goatee(u, v):
        return ellipse(u, v, 0, 21.2, 5.2, 4)

    canvas.paint(full, hair, (-19, 2, 19, 26), attributes.is_value("beard", "full"))
    canvas.paint(_moustache, hair, (-10, 7, 10, 15), attributes.is_value("beard", "moustache"))
    canvas.paint(goatee, hair, (-7, 16, 7, 27), attributes.is_value("beard", "goatee"))


_MOUTH = (-9, 9, 9, 20)


def _mouth(canvas, attributes):
    def smile(grow):
        def shape(u, v):
            below = parabola(u, v, 0, 12.6, 7.0, 5.6)
            above = parabola(u, v, 0, 12.6, 7.0, 1.2)
            return intersection(intersection(below, -above) - grow, u.abs() - 7.8)

        return shape

    where = attributes.is_value("mouth", "smile")
    canvas.paint(smile(0.9), LIPS, _MOUTH, where)
    canvas.paint(smile(-0.5), WHITE, _MOUTH, where)
    canvas.paint(
        lambda u, v: segment(u, v, -5.5, 14.8, 5.5, 14.8, 2.3), LIPS, _MOUTH, attributes.is_value("mouth", "neutral")
    )
    where = attributes.is_value("mouth", "open")
    canvas.paint(lambda u, v: ellipse(u, v, 0, 14.8, 4.6, 4.2), LIPS, _MOUTH, where)
    canvas.paint(lambda u, v: ellipse(u, v, 0, 14.8, 3.2, 2.8), (0.20, 0.02, 0.05), _MOUTH, where)
    canvas.paint(lambda u, v: arc(u, v, 0, 16.9, 6.0, -4.2, 2.1), LIPS, _MOUTH, attributes.is_value("mouth", "frown"))


def _iris(u, v):
    return ellipse(u.abs(), v, 7.0, 1.2, 3.1, 3.1)


def _eyes(canvas, attributes):
    window = (-13, -5, 13, 7)
    canvas.paint(lambda u, v: ellipse(u.abs(), v, 7.3, 1, 4.5, 4.0), WHITE, window)
    canvas.paint(_iris, _colours(attributes, "eyes"), window)
    canvas.paint(lambda u, v: ellipse(u.abs(), v, 7.0, 1.2, 1.3, 1.3), INK, window)


def _lens(u, v):
    return box(u.abs(), v, 7.4, 1.1, 6.1, 5.2, 3.6)


def _glasses(canvas, attributes):
    def frame(u, v):
        rim = _lens(u, v).abs() - 0.75
        bridge = box(u, v, 0, -0.6, 1.8, 0.75)
        temples = box(u.abs(), v, 15.5, -0.8, 2.2, 0.75)
        return union(rim, bridge, temples)

    window = (-18.5, -6, 18.5, 8)
    dark = attributes.is_value("glasses", "dark")
    canvas.paint(_lens, (0.05, 0.05, 0.08), window, dark, 0.86)
    canvas.paint(_iris, _colours(attributes, "eyes"), window, dark, 0.6)
    canvas.paint(frame, INK, window, attributes.is_value("glasses", "clear", "dark"))


def _brows(canvas, attributes, colour):
    window = (-14, -14, 14, -3)
    strokes = {
        "flat": lambda u, v: segment(u.abs(), v, 3.8, -8.0, 11.0, -8.0, 2.4),
        "raised": lambda u, v: arc(u.abs(), v, 7.4, -8.6, 3.9, -2.9, 2.3),
        "angry": lambda u, v: segment(u.abs(), v, 3.2, -6.2, 10.8, -10.6, 2.4),
        "worried": lambda u, v: segment(u.abs(), v, 3.6, -10.8, 10.8, -6.6, 2.4),
    }
    for value, shape in strokes.items():
        canvas.paint(shape, colour, window, attributes.is_value("brows", value))


def _hat(canvas, attributes):
    def dome(u, v):
        return intersection(ellipse(u, v, 0, -13, 20, 15), v + 13)

    where = attributes.is_value("hat", "cap")
    canvas.paint(dome, CAP, (-21, -29, 21, -12), where)
    canvas.paint(lambda u, v: box(u, v, 4.5, -14.6, 19, 1.7, 1.6), VISOR, (-15, -17, 24, -12), where)
    where = attributes.is_value("hat", "beanie")
    canvas.paint(lambda u, v: ellipse(u, v, 0, -28, 3.6, 3.6), STRIPE, (-4, -32, 4, -24), where)
    canvas.paint(dome, BEANIE, (-21, -29, 21, -12), where)
    canvas.paint(lambda u, v: box(u, v, 0, -15.6, 20.4, 2.8, 2), STRIPE, (-21, -19, 21, -11), where)


def _hair_region(u, v):
    above = union(ellipse(u, v, 0, -6, 26.5, 26.5), ellipse(u, v, 0, -28, 4.2, 4.2))
    beside = box(u, v, 0, 14, 26.5, 17, 5)
    bare = intersection(box(u, v, 0, 15, 13, 27, 9.5), union(_skull(u, v), _neck(u, v)) + 1)
    return intersection(union(above, beside), -bare)


def _beard_region(u, v):
    jaw = intersection(ellipse(u, v, 0, 0.5, 18.4, 25.8), -ellipse(u, v, 0, -3, 14.2, 12.2), 2 - v)
    return union(jaw, box(u, v, 0, 11, 11, 3.9))


_REGIONS = {
    "mouth": lambda u, v: box(u, v, 0, 14.6, 8.8, 5.2, 2),
    "eyes": lambda u, v: box(u.abs(), v, 7.3, 1, 5.4, 4.9, 3),
    "brows": lambda u, v: box(u.abs(), v, 7.3, -8.2, 6.2, 5.0, 1),
    "nose": lambda u, v: box(u, v, 0, 7.6, 4, 2.8, 2),
    "hair": _hair_region,
    "glasses": lambda u, v: union(box(u.abs(), v, 7.4, 1.1, 7.5, 6.6, 4), box(u, v, 0, -0.8, 18.4, 1.9)),
    "beard": _beard_region,
    "face": lambda u, v: union(_skull(u, v), _ears(u, v), _neck(u, v)),
}


def part_maps(attributes: Attributes, size: int = 64, device: torch.device | str = "cpu") -> dict[str, Tensor]:
    """{name: (M, size, size) bool} for ``PARTS``: the canonical regions; they depend on the frames alone."""
    maps = drawing.regions({**_REGIONS, "shirt": _shirt}, attributes.frame, size, device)
    maps["background"] = ~(maps["hair"] | maps["face"] | maps["shirt"])
    return {name: maps[name] for name in PARTS}


render = drawing.renderer(_draw, part_maps)
