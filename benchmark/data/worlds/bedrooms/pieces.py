"""What a drawn bedroom is made of: the empty room, and one function per piece of furniture (see ``bedrooms``).

Every function paints on a ``Canvas`` whose units have their origin in the picture's middle, u to the right, v down.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from benchmark.data.drawing import Attributes, Canvas, box, colours, ellipse, intersection, polygon, segment, union
from benchmark.lazy import torch

if TYPE_CHECKING:
    from torch import Tensor

PALETTES: dict[str, dict[str, tuple[float, float, float]]] = {
    "bedspread": {
        "blue": (0.20, 0.42, 0.80),
        "red": (0.80, 0.18, 0.22),
        "green": (0.22, 0.58, 0.32),
        "yellow": (0.98, 0.80, 0.18),
    },
    "wardrobe": {
        "oak": (0.64, 0.42, 0.22),
        "none": (0, 0, 0),
        "white": (0.95, 0.94, 0.92),
        "turquoise": (0.16, 0.66, 0.68),
    },
    "wall": {
        "cream": (0.95, 0.89, 0.74),
        "blue": (0.66, 0.80, 0.93),
        "green": (0.72, 0.84, 0.66),
        "pink": (0.96, 0.76, 0.79),
        "plum": (0.44, 0.28, 0.46),
    },
    "floor": {
        "oak": (0.82, 0.63, 0.40),
        "walnut": (0.45, 0.28, 0.17),
        "grey": (0.62, 0.62, 0.64),
        "tiles": (0.93, 0.94, 0.93),
    },
}

WHITE, INK = (0.98, 0.98, 0.97), (0.10, 0.09, 0.11)
CEILING, SKIRTING = (0.97, 0.96, 0.94), (0.99, 0.98, 0.96)
WOOD, DARK_WOOD = (0.55, 0.34, 0.18), (0.36, 0.21, 0.11)
SKY, NIGHT, MOON = (0.48, 0.76, 0.98), (0.08, 0.10, 0.28), (1.0, 0.95, 0.70)
CURTAIN, CURTAIN_FOLD = (0.86, 0.34, 0.20), (0.66, 0.22, 0.12)
GOLD, GLOW = (1.0, 0.80, 0.20), (1.0, 0.93, 0.62)
LEAF, DARK_LEAF, POT = (0.20, 0.55, 0.22), (0.10, 0.36, 0.15), (0.78, 0.40, 0.22)
TEAL, CRIMSON, NAVY = (0.22, 0.60, 0.62), (0.70, 0.10, 0.24), (0.16, 0.26, 0.56)

# The vanishing point, and the back wall's edges. A line into the depth passes through the vanishing point.
VANISH = -5.0
SIDE, TOP, FOOT = 22.0, -20.0, 9.0


def _deep(near: float, depth: float) -> float:
    """Where a point of the floor line or of a side wall, ``near`` on the back wall, comes ``depth`` times closer."""
    return VANISH + (near - VANISH) * depth


# ----------------------------------------------------------------------------------------------------- the empty room
def floor(canvas: Canvas, attributes: Attributes) -> None:
    """The floor first, everywhere below the back wall; the side walls then cover its ends."""
    colour = colours(attributes, PALETTES, "floor")
    window = (-40, FOOT - 1, 40, 40)
    canvas.paint(lambda u, v: FOOT - v, colour, window)

    def boards(u, v):
        # Lines through the vanishing point, 5.5 units apart on the back wall's foot.
        depth = (v - VANISH).clamp_min(1) / (FOOT - VANISH)
        across = u / depth / 5.5
        return intersection((across - torch.floor(across) - 0.5).abs() * 5.5 * depth - 0.35 * depth, FOOT - v)

    canvas.paint(boards, 0.78 * colour, window, attributes.is_value("floor", "oak", "walnut"))

    def tiles(u, v):
        depth = (v - VANISH).clamp_min(1) / (FOOT - VANISH)
        across, along = u / depth / 4.4 + 0.5, torch.log(depth) / 0.22
        odd = torch.sin(torch.pi * across) * torch.sin(torch.pi * along)
        return intersection(-4.4 * depth / torch.pi * odd, FOOT - v)

    canvas.paint(tiles, TEAL, window, attributes.is_value("floor", "tiles"))


def _side(u, v):
    w = u.abs()
    return polygon(w, v, (SIDE, TOP), (SIDE, FOOT), (2 * SIDE, _deep(FOOT, 2)), (2 * SIDE, _deep(TOP, 2)))


def walls(canvas: Canvas, attributes: Attributes, wall: Tensor) -> None:
    canvas.paint(lambda u, v: v - TOP, CEILING, (-40, -40, 40, TOP + 1))
    canvas.paint(_side, 0.84 * wall, (-40, -40, 40, 40))
    edge = lambda u, v: union(  # noqa: E731
        box(u, v, 0, FOOT - 0.8, SIDE, 0.8),
        segment(u.abs(), v, SIDE, FOOT - 0.6, 2 * SIDE, _deep(FOOT, 2) - 1.2, 1.8),
    )
    canvas.paint(edge, SKIRTING, (-40, FOOT - 4, 40, 30))


# ---------------------------------------------------------------------------------------------------------- left half
def window(canvas: Canvas, attributes: Attributes) -> None:
    area = (-22, -19, -10, 4)
    day, night, curtains = (attributes.is_value("window", v) for v in ("day", "night", "curtains"))
    shown = day | night | curtains
    canvas.paint(lambda u, v: box(u, v, -15.8, -10, 5.2, 6.8), WHITE, area, shown)
    pane = lambda u, v: box(u, v, -15.8, -10, 4.1, 5.7)  # noqa: E731
    canvas.paint(pane, SKY, area, day | curtains)
    canvas.paint(lambda u, v: intersection(pane(u, v), -6.6 - v), (0.45, 0.72, 0.36), area, day)
    canvas.paint(pane, NIGHT, area, night)
    canvas.paint(lambda u, v: ellipse(u, v, -14.6, -11.8, 2.1, 2.1), MOON, area, night)
    cross = lambda u, v: intersection(pane(u, v), union((u + 15.8).abs() - 0.5, (v + 10.4).abs() - 0.5))  # noqa: E731
    canvas.paint(cross, WHITE, area, day)
    drapes = lambda u, v: polygon((u + 15.8).abs(), v, (2.0, -17.2), (6.0, -17.2), (6.0, -2.0), (4.4, -2.0))  # noqa: E731
    canvas.paint(drapes, CURTAIN, area, curtains)
    canvas.paint(lambda u, v: box(u, v, -15.8, -17.2, 6.2, 0.8), CURTAIN_FOLD, area, curtains)


def wardrobe(canvas: Canvas, attributes: Attributes) -> None:
    colour = colours(attributes, PALETTES, "wardrobe")
    where = ~attributes.is_value("wardrobe", "none")
    near, far = 1.60, 1.08
    area = (-38, -30, -20, 24)
    # Its front is parallel to the side wall, a little into the room: columns at two depths.
    front = (
        (-21.5 * far, _deep(-15, far)),
        (-21.5 * far, _deep(FOOT, far) + 0.4),
        (-21.5 * near, _deep(FOOT, near)),
        (-21.5 * near, _deep(-15, near)),
    )
    canvas.paint(lambda u, v: polygon(u, v, *front) - 0.7, 0.55 * colour, area, where)
    canvas.paint(lambda u, v: polygon(u, v, *front), colour, area, where)
    middle = 1.28
    split = lambda u, v: segment(u, v, -21.5 * middle, _deep(-14.4, middle), -21.5 * middle, _deep(FOOT, middle), 0.9)  # noqa: E731
    canvas.paint(split, 0.55 * colour, area, where)
    knobs = lambda u, v: union(ellipse(u, v, -25.9, -1.4, 0.8, 0.9), ellipse(u, v, -29.3, -1.2, 0.8, 0.9))  # noqa: E731
    canvas.paint(knobs, GOLD, area, where)


def lamp(canvas: Canvas, attributes: Attributes) -> None:
    area = (-22, -4, -10, 14)
    shade, globe, candle = (attributes.is_value("lamp", v) for v in ("shade", "globe", "candle"))
    where = shade | globe | candle
    canvas.paint(lambda u, v: box(u, v, -15.6, 8.6, 4.2, 2.9), WOOD, area, where)
    canvas.paint(lambda u, v: box(u, v, -15.6, 5.8, 4.8, 0.7), DARK_WOOD, area, where)
    canvas.paint(lambda u, v: box(u, v, -15.6, 8.6, 2.8, 0.5), DARK_WOOD, area, where)
    canvas.paint(lambda u, v: box(u, v, -15.6, 4.0, 0.6, 1.8), INK, area, shade)
    cone = lambda u, v: polygon(u, v, (-17.6, -2.2), (-13.6, -2.2), (-11.8, 2.8), (-19.4, 2.8))  # noqa: E731
    canvas.paint(cone, GOLD, area, shade)
    canvas.paint(lambda u, v: box(u, v, -15.6, 4.6, 1.8, 0.7), INK, area, globe)
    canvas.paint(lambda u, v: ellipse(u, v, -15.6, 1.2, 3.5, 3.5), 0.75 * torch.tensor(GLOW), area, globe)
    canvas.paint(lambda u, v: ellipse(u, v, -15.6, 1.2, 2.8, 2.8), WHITE, area, globe)
    canvas.paint(lambda u, v: box(u, v, -15.6, 3.0, 1.2, 2.4), (0.80, 0.20, 0.30), area, candle)
    canvas.paint(lambda u, v: ellipse(u, v, -15.6, -1.4, 1.3, 2.2), (1.0, 0.62, 0.08), area, candle)


def plant(canvas: Canvas, attributes: Attributes) -> None:
    area = (-34, 6, -18, 34)
    bush, cactus, tulips = (attributes.is_value("plant", v) for v in ("bush", "cactus", "tulips"))
    where = bush | cactus | tulips
    canvas.paint(lambda u, v: polygon(u, v, (-28.2, 22), (-20.6, 22), (-21.8, 29), (-27, 29)), POT, area, where)
    leaves = (
        (-28, 17.5, 3.0),
        (-20.8, 17.5, 3.0),
        (-24.4, 13.4, 3.6),
        (-27, 13.8, 2.8),
        (-21.8, 13.8, 2.8),
        (-24.4, 18.6, 3.8),
    )
    crown = lambda grow: lambda u, v: union(*(ellipse(u, v, cu, cv, r + grow, r + grow) for cu, cv, r in leaves))  # noqa: E731
    canvas.paint(crown(0.5), DARK_LEAF, area, bush)
    canvas.paint(crown(-0.6), LEAF, area, bush)
    stem = lambda u, v: union(  # noqa: E731
        box(u, v, -24.4, 16.4, 2.3, 6.4, 2.2),
        segment(u, v, -28.8, 13.6, -28.8, 17, 2.2),
        segment(u, v, -28.8, 17.4, -24.4, 17.4, 2.2),
        segment(u, v, -20, 12, -20, 15, 2.2),
        segment(u, v, -20, 15.4, -24.4, 15.4, 2.2),
    )
    canvas.paint(stem, (0.36, 0.66, 0.34), area, cactus)
    stalks = lambda u, v: union(  # noqa: E731
        segment(u, v, -24.4, 22, -24.4, 12.5, 1.3),
        segment(u, v, -24.4, 22, -28, 15, 1.3),
        segment(u, v, -24.4, 22, -20.8, 15, 1.3),
    )
    canvas.paint(stalks, LEAF, area, tulips)
    places = ((-24.4, 11), (-28.2, 13.8), (-20.6, 13.8))
    heads = lambda u, v: union(*(ellipse(u, v, cu, cv, 2.0, 2.5) for cu, cv in places))  # noqa: E731
    canvas.paint(heads, (0.98, 0.24, 0.46), area, tulips)


# --------------------------------------------------------------------------------------------------------- right half
def right_half(canvas: Canvas, attributes: Attributes) -> None:
    _door(canvas, attributes.is_value("symmetry", "door"))
    _bookcase(canvas, attributes.is_value("symmetry", "bookcase"))
    _armchair(canvas, attributes.is_value("symmetry", "armchair"))


def _door(canvas, where):
    area = (9, -20, 24, FOOT + 2)
    canvas.paint(lambda u, v: box(u, v, 15.6, -3.4, 5.6, 12.4), WHITE, area, where)
    canvas.paint(lambda u, v: box(u, v, 15.6, -2.8, 4.5, 11.8), (0.66, 0.36, 0.18), area, where)
    panels = lambda u, v: box(u, (v + 3.0).abs(), 15.6, 5.4, 2.7, 3.9)  # noqa: E731
    canvas.paint(panels, (0.50, 0.25, 0.11), area, where)
    canvas.paint(lambda u, v: ellipse(u, v, 12.5, -2.2, 1.0, 1.0), GOLD, area, where)


_BOOKS = ((0.80, 0.18, 0.20), (0.18, 0.40, 0.74), (0.96, 0.78, 0.22), (0.22, 0.58, 0.36), (0.90, 0.88, 0.82))


def _bookcase(canvas, where):
    area = (9, -19, 24, FOOT + 3)
    canvas.paint(lambda u, v: box(u, v, 15.8, -4.0, 5.8, 13.6), DARK_WOOD, area, where)
    for shelf in range(4):
        for book in range(5):
            colour = _BOOKS[(book + 2 * shelf) % 5]
            cu, top = 11.9 + 1.95 * book, -15.9 + 6.5 * shelf + 0.7 * ((book * 3 + shelf) % 3)
            bottom = -11.4 + 6.5 * shelf
            book_at = (cu, (top + bottom) / 2, 0.95, (bottom - top) / 2)
            canvas.paint(lambda u, v, at=book_at: box(u, v, *at), colour, (10, top - 1, 22, bottom + 1), where)


def _armchair(canvas, where):
    area = (12, -6, 36, 30)
    cloth, dark = (0.55, 0.30, 0.60), (0.38, 0.18, 0.43)
    canvas.paint(lambda u, v: box(u, v, 22.8, 9.0, 6.8, 9.0, 4), cloth, area, where)
    canvas.paint(lambda u, v: box((u - 22.8).abs(), v, 7.4, 15.4, 2.4, 5.6, 2.2), dark, area, where)
    canvas.paint(lambda u, v: box(u, v, 22.8, 17.6, 5.4, 3.4, 1), cloth, area, where)
    canvas.paint(lambda u, v: box(u, v, 22.8, 14.4, 5.4, 1.0), dark, area, where)
    canvas.paint(lambda u, v: box((u - 22.8).abs(), v, 6.8, 22.2, 1.0, 1.6), INK, area, where)


# ------------------------------------------------------------------------------------------------------------- middle
def rug(canvas: Canvas, attributes: Attributes) -> None:
    area = (-26, 12, 26, 36)
    oval = attributes.is_value("rug", "oval")
    shape = lambda grow: lambda u, v: ellipse(u, v, 0, 22.6, 21.5 + grow, 7.2 + 0.6 * grow)  # noqa: E731
    canvas.paint(shape(0), CRIMSON, area, oval)
    canvas.paint(shape(-2.0), (0.96, 0.80, 0.62), area, oval)
    canvas.paint(shape(-4.0), CRIMSON, area, oval)
    carpet = lambda u, v: polygon(u, v, (-17.5, 15.4), (17.5, 15.4), (22, 29.6), (-22, 29.6))  # noqa: E731
    striped, black = attributes.is_value("rug", "striped"), attributes.is_value("rug", "black")
    canvas.paint(carpet, (0.95, 0.92, 0.82), area, striped)
    bands = lambda u, v: intersection(carpet(u, v), union(*((v - at).abs() - 1.2 for at in (17.2, 22.4, 27.6))))  # noqa: E731
    canvas.paint(bands, NAVY, area, striped)
    canvas.paint(carpet, INK, area, black)
    canvas.paint(lambda u, v: (carpet(u, v) + 1.8).abs() - 0.6, GOLD, area, black)


def picture(canvas: Canvas, attributes: Attributes) -> None:
    area = (-10, -20, 10, -6)
    landscape, stripes, mirror = (attributes.is_value("picture", v) for v in ("landscape", "stripes", "mirror"))
    framed = landscape | stripes
    canvas.paint(lambda u, v: box(u, v, 0, -13, 8.2, 5.0), INK, area, framed)
    inside = lambda u, v: box(u, v, 0, -13, 7.0, 3.8)  # noqa: E731
    canvas.paint(inside, (1.0, 0.80, 0.52), area, landscape)
    hills = lambda u, v: intersection(inside(u, v), polygon(u.abs(), v, (1.0, -9), (4.2, -14.6), (9, -9)))  # noqa: E731
    canvas.paint(hills, (0.16, 0.44, 0.36), area, landscape)
    canvas.paint(lambda u, v: ellipse(u, v, 0, -13.6, 1.7, 1.7), (0.92, 0.22, 0.10), area, landscape)
    canvas.paint(inside, WHITE, area, stripes)
    bars = lambda u, v: intersection(inside(u, v), union(u.abs() - 1.0, (u.abs() - 4.6).abs() - 1.0))  # noqa: E731
    canvas.paint(bars, (0.10, 0.35, 0.75), area, stripes)
    canvas.paint(lambda u, v: ellipse(u, v, 0, -13, 5.8, 5.8), GOLD, area, mirror)
    canvas.paint(lambda u, v: ellipse(u, v, 0, -13, 4.5, 4.5), (0.80, 0.90, 0.95), area, mirror)


def _spread(u, v):
    return polygon(u, v, (-9.6, 7.5), (9.6, 7.5), (12.6, 17), (12.6, 23.5), (-12.6, 23.5), (-12.6, 17))


def bed(canvas: Canvas, attributes: Attributes) -> None:
    area = (-14, -7, 14, 30)
    canvas.paint(lambda u, v: union(box(u, v, 0, 2.8, 10.6, 6), ellipse(u, v, 0, -2.4, 10.6, 3.4)), WOOD, area)
    canvas.paint(
        lambda u, v: union(box(u, v, 0, 3.4, 9, 5), ellipse(u, v, 0, -1.8, 9, 2.6)), 0.8 * torch.tensor(WOOD), area
    )
    canvas.paint(lambda u, v: box(u.abs(), v, 11.4, 24.6, 1.0, 2.2), DARK_WOOD, area)
    canvas.paint(lambda u, v: polygon(u, v, (-9.4, 4.2), (9.4, 4.2), (10, 9), (-10, 9)), WHITE, area)
    canvas.paint(lambda u, v: box(u.abs(), v, 4.7, 3.4, 4.0, 2.3, 1.6), (0.80, 0.82, 0.86), area)
    canvas.paint(lambda u, v: box(u.abs(), v, 4.7, 3.1, 3.5, 1.8, 1.4), WHITE, area)
    colour = colours(attributes, PALETTES, "bedspread")
    canvas.paint(_spread, colour, area)
    pale = 0.25 * colour + 0.75

    def bands(u, v):
        w = u.abs()
        return intersection(_spread(u, v), union(w - 1.2, (w - 5.6).abs() - 1.2, (w - 10.2).abs() - 1.2))

    canvas.paint(bands, pale, area, attributes.is_value("bed", "striped"))

    def checks(u, v):
        odd = torch.sin(u * (torch.pi / 4.2) + torch.pi / 2) * torch.sin((v - 7.5) * (torch.pi / 4.0))
        return intersection(_spread(u, v), -1.3 * odd)

    canvas.paint(checks, pale, area, attributes.is_value("bed", "quilted"))
    places = ((0, 11), (6, 11), (3, 14.5), (9, 14.5), (0, 18.3), (6, 18.3), (3, 21.6), (9, 21.6))
    dots = lambda u, v: union(*(ellipse(u.abs(), v, cu, cv, 1.2, 1.2) for cu, cv in places))  # noqa: E731
    canvas.paint(dots, WHITE, area, attributes.is_value("bed", "dotted"))
    canvas.paint(
        lambda u, v: polygon(u, v, (-12.6, 17), (12.6, 17), (12.6, 23.5), (-12.6, 23.5)), INK, area, None, 0.22
    )
    canvas.paint(lambda u, v: polygon(u, v, (-9.6, 7.2), (9.6, 7.2), (10.2, 9.2), (-10.2, 9.2)), WHITE, area)
