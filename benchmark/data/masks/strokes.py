"""Random holes as LaMa draws them (Suvorov et al. 2022, the 256x256 evaluation masks): brush strokes and boxes.

A mask is either strokes or boxes; thin masks are always strokes, of medium and thick ones 3 in 13 are boxes. A stroke
is a chain of 1 to 5 straight segments; each has a width, a length and a direction of its own, the next one starts
where it ends. Numbers are pixels of a picture whose shorter side is 256; at another size the same drawing is taken by
the nearest pixel. What hides more than half of the picture is drawn anew. This is written from the published
parameters, with random numbers of its own (``base.Draws``): the distribution is LaMa's, the single masks are not those
of its generator.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from benchmark.data.images import fit_nearest
from benchmark.data.masks.base import Draws, Picture, Variant, drawn_by_name, draws, recipe
from benchmark.lazy import torch

if TYPE_CHECKING:
    from torch import Tensor

SIDE = 256
LARGEST = 0.5
DIRECTIONS = 4  # LaMa's max_angle: directions 0.01 + 0, 1, 2 or 3 radians
SEGMENTS = 5
LEAST_LENGTH, LEAST_WIDTH = 10, 5
BOX_SHARE = 0.3 / 1.3


@dataclass(frozen=True)
class Strokes:
    """``times``: least and greatest number of strokes; ``width``, ``length``: LaMa's max_width and max_len."""

    times: tuple[int, int]
    width: int
    length: int


@dataclass(frozen=True)
class Boxes:
    """``margin`` to the picture's edge; ``side``, ``times``: least and greatest."""

    margin: int
    side: tuple[int, int]
    times: tuple[int, int]


# LaMa's generator draws the number of strokes up to one more than its configuration says (thick 5, medium 5, thin 50),
# and so does this one.
THIN = Strokes((4, 51), 10, 40), None
MEDIUM = Strokes((4, 6), 50, 100), Boxes(0, (10, 50), (1, 5))
THICK = Strokes((1, 6), 100, 200), Boxes(10, (30, 150), (1, 3))


@recipe(lacks=drawn_by_name)
def thin(picture: Picture, variant: Variant = 0) -> Tensor:
    """LaMa's thin masks: 4 to 51 strokes, 5 to 14 wide. Another ``variant`` is another mask of the same case."""
    return _draw(picture, *THIN, draws(picture, "thin", variant))


@recipe(lacks=drawn_by_name)
def medium(picture: Picture, variant: Variant = 0) -> Tensor:
    """LaMa's medium masks: 4 to 6 strokes, 5 to 54 wide, or 1 to 5 boxes of sides 10 to 50."""
    return _draw(picture, *MEDIUM, draws(picture, "medium", variant))


@recipe(lacks=drawn_by_name)
def thick(picture: Picture, variant: Variant = 0) -> Tensor:
    """LaMa's thick masks: 1 to 6 strokes, 5 to 104 wide, or 1 to 3 boxes of sides 30 to 150."""
    return _draw(picture, *THICK, draws(picture, "thick", variant))


def _draw(picture: Picture, strokes: Strokes, boxes: Boxes | None, random: Draws) -> Tensor:
    shorter = min(picture.shape)
    height, width = (round(side * SIDE / shorter) for side in picture.shape)
    while True:
        hole = np.zeros((height, width), bool)
        if boxes is not None and random.uniform() < BOX_SHARE:
            _draw_boxes(hole, boxes, random)
        else:
            _draw_strokes(hole, strokes, random)
        if 0 < hole.mean() <= LARGEST:
            return torch.from_numpy(fit_nearest(hole, picture.shape).copy())


def _draw_strokes(hole: np.ndarray, kind: Strokes, random: Draws) -> None:
    height, width = hole.shape
    for stroke in range(random.between(*kind.times)):
        x, y = random.below(width), random.below(height)
        for _ in range(1 + random.below(SEGMENTS)):
            angle = 0.01 + random.below(DIRECTIONS)
            angle = 2 * math.pi - angle if stroke % 2 == 0 else angle
            length = LEAST_LENGTH + random.below(kind.length)
            thickness = LEAST_WIDTH + random.below(kind.width)
            to_x = min(max(int(x + length * math.sin(angle)), 0), width)
            to_y = min(max(int(y + length * math.cos(angle)), 0), height)
            # OpenCV, with which LaMa draws, makes lines of odd thickness as wide as those of the next even one
            draw_line(hole, (x, y), (to_x, to_y), thickness + thickness % 2)
            x, y = to_x, to_y


def _draw_boxes(hole: np.ndarray, kind: Boxes, random: Draws) -> None:
    height, width = hole.shape
    low, high = kind.side
    high = min(high, height - 2 * kind.margin - 1, width - 2 * kind.margin - 1)
    for _ in range(random.between(*kind.times)):
        w, h = random.between(low, high), random.between(low, high)
        x = random.between(kind.margin, width - kind.margin - w)
        y = random.between(kind.margin, height - kind.margin - h)
        hole[y : y + h, x : x + w] = True


def draw_line(hole: np.ndarray, start: tuple[int, int], end: tuple[int, int], thickness: int) -> None:
    """Mark the pixels (x, y) within ``thickness`` / 2 of the segment from ``start`` to ``end``, in whole numbers alone.

    With s the segment and p the way from its start: the nearest point is an end where p.s <= 0 or p.s >= s.s, and else
    the squared distance is (p x s)^2 / s.s; both sides are multiplied out.
    """
    (x0, y0), (x1, y1) = start, end
    reach = thickness // 2 + 1
    rows = slice(max(min(y0, y1) - reach, 0), max(y0, y1) + reach + 1)
    columns = slice(max(min(x0, x1) - reach, 0), max(x0, x1) + reach + 1)
    window = hole[rows, columns]
    py = np.arange(window.shape[0], dtype=np.int64)[:, None] + rows.start - y0
    px = np.arange(window.shape[1], dtype=np.int64)[None, :] + columns.start - x0
    sx, sy = x1 - x0, y1 - y0
    square, along = sx * sx + sy * sy, px * sx + py * sy
    at_start, at_end = px * px + py * py, (px - sx) ** 2 + (py - sy) ** 2
    beside = (px * sy - py * sx) ** 2
    limit = thickness * thickness
    between = (along > 0) & (along < square) & (4 * beside <= limit * square)
    window |= between | (4 * np.minimum(at_start, at_end) <= limit)
