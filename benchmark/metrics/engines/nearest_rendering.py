"""The second reader: of all pictures that a drawn world could have behind a hole, the one that is nearest.

    z* = argmin_z RMS_hole(x - render(z, f)),    distance = RMS_hole(x - render(z*, f))

over the allowed values z of the hidden attributes, at the case's own position and size f. It knows no doubt and was
trained on nothing, so it shares no mistake with the classifier; and its distance says whether x is such a picture at
all. Where the joint values are few (``MOST`` numbers), all are drawn once and serve every set of the case; else one
attribute after another is put at its best value until none changes, from several starts (exact where attributes change
different pixels, which nearly holds: a start that stops early can only read a distance that is too large).
A picture of no known position is read at the best of ``FRAMES`` positions and sizes of the world: all are tried with
the first values, and of them the ``CLOSEST`` once more after every sweep over the values.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch

from benchmark.data.drawing import Attributes
from benchmark.data.posterior import repeated
from benchmark.data.worlds import World

MOST = 1 << 23  # numbers in a case's table of renderings: 32 MiB
FRAMES, CLOSEST = 64, 4
SWEEPS = 10
CHUNK = 256  # pictures that are drawn at once


@dataclass(frozen=True)
class Nearest:
    """``labels``: hidden attribute -> (M,) int, index of the nearest rendering's value; ``distance``: (M,), RMS over
    the hole's pixels, pictures in [-1, 1]."""

    labels: dict[str, np.ndarray]
    distance: np.ndarray

    def __getitem__(self, rows: slice) -> Nearest:
        return Nearest({attribute: values[rows] for attribute, values in self.labels.items()}, self.distance[rows])


@dataclass(frozen=True)
class Renderings:
    """All R joint values of the hidden attributes: ``labels`` (R, A) and what they draw in the hole, ``pixels`` (R, P)
    float32. Of A = 0 hidden attributes, the one picture that is left."""

    attributes: list[str]
    labels: np.ndarray
    pixels: np.ndarray

    def nearest(self, images: np.ndarray, hole: np.ndarray) -> Nearest:
        """The nearest of them to images (M, C, H, W): |x|^2 - 2 x.r + |r|^2, and the winner's distance anew, since that
        form rounds."""
        x = in_hole(images, hole)
        scores = (self.pixels**2).sum(axis=1) - 2 * x @ self.pixels.T
        best = scores.argmin(axis=1)
        labels = {attribute: self.labels[best, i] for i, attribute in enumerate(self.attributes)}
        return Nearest(labels, rms(x - self.pixels[best]))


def in_hole(images: np.ndarray, hole: np.ndarray) -> np.ndarray:
    """The hole's pixels (M, P) of images (M, C, H, W), float32."""
    return np.ascontiguousarray(images[:, :, hole].reshape(len(images), -1), np.float32)


def rms(difference: np.ndarray) -> np.ndarray:
    """Root mean square of each row."""
    return np.sqrt((np.asarray(difference, np.float64) ** 2).mean(axis=1))


def all_renderings(world: World, truth: Attributes, allowed: dict[str, np.ndarray], hole: np.ndarray) -> Renderings:
    """Every joint choice of ``allowed``, attribute -> its values, of the picture ``truth`` (one row), drawn."""
    grid = np.meshgrid(*allowed.values(), indexing="ij")
    labels = np.stack([axis.ravel() for axis in grid], axis=1) if grid else np.zeros((1, 0), int)
    drawn = repeated(truth, len(labels))
    for i, attribute in enumerate(allowed):
        drawn.values[attribute][:] = torch.from_numpy(labels[:, i])
    return Renderings(list(allowed), labels, draw_in_hole(world, drawn, hole))


def draw_in_hole(world: World, attributes: Attributes, hole: np.ndarray) -> np.ndarray:
    """The hole's pixels (M, P) of the pictures of M attributes."""
    parts = [
        in_hole(world.render(attributes[start : start + CHUNK], hole.shape[-1]).numpy(), hole)
        for start in range(0, len(attributes), CHUNK)
    ]
    return np.concatenate(parts)


def is_few(allowed: dict[str, np.ndarray], hole: np.ndarray, channels: int = 3) -> bool:
    """Whether all joint values may be drawn."""
    return float(np.prod([len(values) for values in allowed.values()])) * channels * int(hole.sum()) <= MOST


def descend(
    world: World,
    frames: Attributes,
    allowed: dict[str, np.ndarray],
    images: np.ndarray,
    hole: np.ndarray,
    starts: list[dict[str, np.ndarray]],
) -> Nearest:
    """The nearest rendering by coordinate descent, for images (M, C, H, W).

    Args:
        frames: pictures whose positions and sizes are tried, one or many; attributes that are not in ``allowed`` keep
            the first one's values.
        starts: of each start, attribute -> (M,) values; the best end of all is the result.
    """
    x = in_hole(images, hole)
    best = None
    for start in starts:
        found = _descend(world, frames, allowed, x, hole, start)
        if best is None:
            best = found
            continue
        better = found.distance < best.distance
        labels = {a: np.where(better, found.labels[a], values) for a, values in best.labels.items()}
        best = Nearest(labels, np.where(better, found.distance, best.distance))
    return best


def _descend(world, frames: Attributes, allowed, x: np.ndarray, hole, start: dict[str, np.ndarray]) -> Nearest:
    state = repeated(frames[0:1], len(x))
    for attribute, values in allowed.items():
        inside = np.isin(start[attribute], values)
        state.values[attribute][:] = torch.from_numpy(np.where(inside, start[attribute], values[0]))
    distance = np.full(len(x), np.inf)
    active = np.arange(len(x))
    closest = np.tile(np.arange(len(frames)), (len(x), 1))  # of each picture, the frames still tried
    for _ in range(SWEEPS):
        before = distance[active].copy()
        if len(frames) > 1 or not allowed:
            closest = _best_frame(world, frames, closest, state, x, hole, distance, active)
        for attribute, values in allowed.items():
            _best_value(world, attribute, values, state, x, hole, distance, active)
        active = active[distance[active] < before - 1e-9]
        if not len(active):
            break
    return Nearest({attribute: state.values[attribute].numpy().copy() for attribute in allowed}, distance)


def _best_value(world, attribute, values, state, x, hole, distance, active) -> None:
    """Put ``attribute`` of the active pictures at its best value, the others as they are."""
    tried = state[torch.from_numpy(np.repeat(active, len(values)))]
    tried.values[attribute][:] = torch.from_numpy(np.tile(values, len(active)))
    apart = _apart(world, tried, x, hole, np.repeat(active, len(values))).reshape(len(active), len(values))
    state.values[attribute][torch.from_numpy(active)] = torch.from_numpy(values[apart.argmin(axis=1)])
    distance[active] = apart.min(axis=1)


def _best_frame(world, frames, closest, state, x, hole, distance, active) -> np.ndarray:
    """Put the active pictures at the best of their ``closest`` frames (M, K), their values as they are.

    Returns:
        The ``CLOSEST`` of these, (M, CLOSEST).
    """
    count = closest.shape[1]
    tried = state[torch.from_numpy(np.repeat(active, count))]
    placed = frames.frame[torch.from_numpy(closest[active].ravel())]
    for name in ("centre_x", "centre_y", "scale"):
        getattr(tried.frame, name)[:] = getattr(placed, name)
    apart = _apart(world, tried, x, hole, np.repeat(active, count)).reshape(len(active), count)
    order = np.take_along_axis(closest[active], apart.argsort(axis=1), axis=1)[:, :CLOSEST]
    best = frames.frame[torch.from_numpy(np.ascontiguousarray(order[:, 0]))]
    for name in ("centre_x", "centre_y", "scale"):
        getattr(state.frame, name)[torch.from_numpy(active)] = getattr(best, name)
    distance[active] = apart.min(axis=1)
    kept = closest[:, : order.shape[1]].copy()
    kept[active] = order
    return kept


def _apart(world, tried: Attributes, x: np.ndarray, hole, rows: np.ndarray) -> np.ndarray:
    """RMS differences of the pictures of ``tried`` from those rows of x, a chunk of drawings at a time."""
    result = np.empty(len(rows))
    for start in range(0, len(rows), CHUNK):
        part = slice(start, start + CHUNK)
        result[part] = rms(draw_in_hole(world, tried[part], hole) - x[rows[part]])
    return result
