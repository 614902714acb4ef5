"""What every drawn world shares: categorical attributes, object frames, signed distances, compositing.

A world is drawn in *object units*: 64 units are the picture's side, the origin is the object's centre, u points right
and v points down. A ``Frame`` places each object in its picture. A shape is a function (u, v) -> d of the signed
distance to its edge in object units, negative inside; its coverage of a pixel is clamp(1/2 - d, 0, 1) with d in pixels,
so that edges are anti-aliased and a shape changes nothing further than half a pixel from it.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from benchmark.errors import BenchmarkError
from benchmark.lazy import torch

if TYPE_CHECKING:
    from torch import Tensor

UNITS = 64.0

Table = Mapping[str, Mapping[str, float]]
Shape = Callable[["Tensor", "Tensor"], "Tensor"]
Window = tuple[float, float, float, float]


@dataclass(frozen=True)
class Frame:
    """Where each of M objects sits: ``centre_x``, ``centre_y`` in picture units, ``scale`` (1 = nominal); each (M,)."""

    centre_x: Tensor
    centre_y: Tensor
    scale: Tensor

    def __getitem__(self, index) -> Frame:
        return Frame(self.centre_x[index], self.centre_y[index], self.scale[index])

    def to(self, device) -> Frame:
        return Frame(self.centre_x.to(device), self.centre_y.to(device), self.scale.to(device))


@dataclass(frozen=True)
class Attributes:
    """What M pictures show.

    ``table``: attribute -> {value: probability}; ``values``: attribute -> (M,) int64 index of the value in the table's
    order; ``frame``: the continuous position and size. All tensors are on the CPU.
    """

    table: Table
    values: dict[str, Tensor]
    frame: Frame

    def __len__(self) -> int:
        return len(self.frame.scale)

    def __getitem__(self, index) -> Attributes:
        """The attributes of some of the pictures; ``index`` is a slice, a list, or a tensor of integers or booleans."""
        return replace(self, values={k: v[index] for k, v in self.values.items()}, frame=self.frame[index])

    def with_value(self, attribute: str, value: str) -> Attributes:
        """The same pictures, except that all of them have ``value`` for ``attribute``."""
        names = list(self.table.get(attribute, ()))
        if value not in names:
            known = f"values of {attribute!r} are {', '.join(names)}" if names else f"one of {', '.join(self.table)}"
            raise BenchmarkError(f"unknown attribute value {attribute}={value!r}: {known}")
        column = torch.full_like(self.values[attribute], names.index(value))
        return replace(self, values={**self.values, attribute: column})

    def is_value(self, attribute: str, *names: str) -> Tensor:
        """(M,) bool: which pictures have one of ``names`` as their ``attribute``."""
        order = list(self.table[attribute])
        return torch.isin(self.values[attribute], torch.tensor([order.index(n) for n in names]))

    def labels(self) -> list[dict[str, str]]:
        """One {attribute: value} per picture."""
        orders = {k: list(v) for k, v in self.table.items()}
        columns = {k: self.values[k].tolist() for k in self.table}
        return [{k: orders[k][columns[k][i]] for k in self.table} for i in range(len(self))]


def sample_attributes(
    table: Table, count: int, generator: torch.Generator, centre: tuple[float, float], shift: float, zoom: float
) -> Attributes:
    """Draw ``count`` independent pictures' attributes from ``table``, and their frames.

    The centre is uniform within ``shift`` units of ``centre`` in each direction, the scale uniform in 1 +- ``zoom``.
    ``generator`` is a CPU generator. Picture i uses the i-th run of numbers, whatever ``count`` is.
    """
    uniform = torch.rand(count, len(table) + 3, generator=generator)
    values = {}
    for column, (attribute, shares) in enumerate(table.items()):
        edges = torch.tensor(list(shares.values())).cumsum(0)[:-1]
        values[attribute] = torch.bucketize(uniform[:, column].contiguous(), edges, right=True)
    jitter = 2 * uniform[:, -3:] - 1
    frame = Frame(centre[0] + shift * jitter[:, 0], centre[1] + shift * jitter[:, 1], 1 + zoom * jitter[:, 2])
    return Attributes(table, values, frame)


def colours(attributes: Attributes, palettes: Mapping[str, Mapping[str, tuple]], attribute: str) -> Tensor:
    """The colour of each picture's value of ``attribute``, (M, 3), from ``palettes[attribute]``."""
    palette = torch.tensor([palettes[attribute][value] for value in attributes.table[attribute]])
    return palette[attributes.values[attribute]]


def in_chunks(draw: Callable, attributes: Attributes, size: int, device: torch.device | str, chunk: int = 64) -> Tensor:
    """``draw(attributes, size, device)`` in batches that still fit a core's cache: larger ones are slower."""
    step = chunk if torch.device(device).type == "cpu" else 4096
    images = torch.empty(len(attributes), 3, size, size, device=device)
    for start in range(0, len(attributes), step):
        images[start : start + step] = draw(attributes[start : start + step], size, device)
    return images


def renderer(draw: Callable, part_maps: Callable) -> Callable:
    """A world's ``render``: images (M, 3, size, size) float32 in [-1, 1] on ``device``, as ``draw`` draws some.

    With ``parts``, also {name: (M, size, size) bool}, the world's ``part_maps``.
    """

    def render(
        attributes: Attributes, size: int = 64, device: torch.device | str = "cpu", parts: bool = False
    ) -> Tensor | tuple[Tensor, dict[str, Tensor]]:
        images = in_chunks(draw, attributes, size, device)
        return (images, part_maps(attributes, size, device)) if parts else images

    return render


def regions(
    shapes: Mapping[str, Callable], frame: Frame, size: int, device: torch.device | str = "cpu"
) -> dict[str, Tensor]:
    """{name: (M, size, size) bool}: the pixels that lie in each shape by more than a half."""
    frame = frame.to(device)
    return {name: coverage(frame, shape, size)[0] > 0.5 for name, shape in shapes.items()}


def ellipse(u: Tensor, v: Tensor, cu: float, cv: float, ru: float, rv: float) -> Tensor:
    """Distance to the ellipse of centre (cu, cv) and radii (ru, rv), exact to first order at its edge."""
    pu, pv = (u - cu) / ru, (v - cv) / rv
    if ru == rv:
        return ((pu * pu + pv * pv).sqrt() - 1) * ru
    k = (pu * pu + pv * pv).sqrt()
    gradient = ((pu / ru).square() + (pv / rv).square()).sqrt()
    return k * (k - 1) / gradient.clamp_min(1e-6)


def box(u: Tensor, v: Tensor, cu: float, cv: float, hu: float, hv: float, radius: float = 0.0) -> Tensor:
    """Distance to the box of centre (cu, cv) and half sides (hu, hv), its corners rounded by ``radius``."""
    qu, qv = (u - cu).abs() - (hu - radius), (v - cv).abs() - (hv - radius)
    outside = (qu.clamp_min(0).square() + qv.clamp_min(0).square()).sqrt()
    return outside + torch.maximum(qu, qv).clamp_max(0) - radius


def segment(u: Tensor, v: Tensor, u0: float, v0: float, u1: float, v1: float, width: float) -> Tensor:
    """Distance to the round-ended stroke from (u0, v0) to (u1, v1), ``width`` wide."""
    du, dv = u1 - u0, v1 - v0
    along = (((u - u0) * du + (v - v0) * dv) / (du * du + dv * dv)).clamp(0, 1)
    return ((u - u0 - along * du).square() + (v - v0 - along * dv).square()).sqrt() - width / 2


def parabola(u: Tensor, v: Tensor, cu: float, cv: float, half: float, sag: float) -> Tensor:
    """Signed height below (positive) the curve v = cv + sag (1 - ((u - cu) / half)^2), over the slope's length."""
    p = (u - cu) / half
    slope = 2 * sag / half * p
    return (v - cv - sag * (1 - p * p)) / (1 + slope * slope).sqrt()


def arc(u: Tensor, v: Tensor, cu: float, cv: float, half: float, sag: float, width: float) -> Tensor:
    """Distance to a stroke along ``parabola`` from u = cu - half to cu + half; sag > 0 hangs down, as a smile does."""
    p = (u - cu).abs()
    line = parabola(u, v, cu, cv, half, sag).abs()
    end = ((p - half).square() + (v - cv).square()).sqrt()
    return torch.where(p > half, end, line) - width / 2


def polygon(u: Tensor, v: Tensor, *corners: tuple[float, float]) -> Tensor:
    """Distance to the convex polygon of these corners, in either order; exact but near a corner's outside."""
    around = list(zip(corners, corners[1:] + corners[:1]))
    turn = 1 if sum(a[0] * b[1] - b[0] * a[1] for a, b in around) > 0 else -1
    sides = []
    for (u0, v0), (u1, v1) in around:
        length = turn * math.hypot(u1 - u0, v1 - v0)
        sides.append((u - u0) * ((v1 - v0) / length) - (v - v0) * ((u1 - u0) / length))
    return intersection(*sides)


def union(*distances: Tensor) -> Tensor:
    """Distance to what lies in any of the shapes."""
    return _fold(torch.minimum, distances)


def intersection(*distances: Tensor) -> Tensor:
    """Distance to what lies in all of the shapes; ``intersection(a, -b)`` is a without b."""
    return _fold(torch.maximum, distances)


def _fold(combine, distances):
    total = distances[0]
    for other in distances[1:]:
        total = combine(total, other)
    return total


def coverage(frame: Frame, shape: Shape, size: int, window: Window | None = None) -> tuple[Tensor, tuple[slice, slice]]:
    """How much of each pixel ``shape`` covers, (M, h, w) in [0, 1], and the rows and columns it was computed for.

    ``window`` = (u0, v0, u1, v1) bounds the shape in object units; without it the whole picture is computed.
    """
    rows, columns = _pixels(frame, size, window)
    pitch = UNITS / size
    x = (torch.arange(columns.start, columns.stop, device=frame.scale.device) + 0.5) * pitch
    y = (torch.arange(rows.start, rows.stop, device=frame.scale.device) + 0.5) * pitch
    scale = frame.scale[:, None, None]
    u = (x[None, None, :] - frame.centre_x[:, None, None]) / scale
    v = (y[None, :, None] - frame.centre_y[:, None, None]) / scale
    distance = shape(u, v) * (-scale / pitch)
    return distance.add_(0.5).clamp_(0, 1), (rows, columns)


def _pixels(frame, size, window):
    if window is None:
        return slice(0, size), slice(0, size)
    u0, v0, u1, v1 = window
    ends = torch.stack(
        [
            (frame.centre_y + frame.scale * v0).min(),
            (frame.centre_y + frame.scale * v1).max(),
            (frame.centre_x + frame.scale * u0).min(),
            (frame.centre_x + frame.scale * u1).max(),
        ]
    ).tolist()
    low = [min(max(math.floor(e * size / UNITS) - 1, 0), size - 1) for e in ends[::2]]
    high = [min(max(math.ceil(e * size / UNITS) + 1, 1), size) for e in ends[1::2]]
    return slice(low[0], high[0]), slice(low[1], high[1])


class Canvas:
    """M pictures being painted: ``image`` (M, 3, size, size) float32 in [0, 1], objects placed by ``frame``."""

    def __init__(self, frame: Frame, background: Tensor, size: int, device: torch.device | str = "cpu"):
        self._host, self.frame, self.size = frame, frame.to(device), size
        self.image = background.to(device)[:, :, None, None].repeat(1, 1, size, size)

    def paint(
        self,
        shape: Shape,
        colour: Tensor | tuple[float, float, float],
        window: Window | None = None,
        where: Tensor | None = None,
        opacity: float = 1.0,
    ) -> None:
        """Paint ``shape`` over the pictures of ``where`` (CPU (M,) bool, default all).

        ``colour`` is one RGB triple or one per picture, (M, 3), in [0, 1]; ``window`` as in ``coverage``.
        """
        device = self.image.device
        colour = torch.as_tensor(colour, dtype=torch.float32).expand(len(self._host.scale), 3)
        frame = self.frame
        index = None
        if where is not None and not bool(where.all()):
            index = where.nonzero()[:, 0]
            if not len(index):
                return
            colour = colour[index]
            index = index.to(device)
            frame = frame[index]
        alpha, (rows, columns) = coverage(frame, shape, self.size, window)
        alpha = alpha[:, None] if opacity == 1 else alpha[:, None] * opacity
        view = self.image[:, :, rows, columns]
        under = view if index is None else view[index]
        # In this form a covered pixel is exactly the colour, whatever was under it.
        over = under * (1 - alpha) + alpha * colour.to(device)[:, :, None, None]
        if index is None:
            view.copy_(over)
        else:
            view[index] = over
