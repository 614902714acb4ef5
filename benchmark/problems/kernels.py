"""Kernels: the matrices of 1-D reductions and blurs, and canvases for circular convolution (NumPy, float64)."""

from __future__ import annotations

import math

import numpy as np

from benchmark.errors import BenchmarkError


def _reflected(index: np.ndarray, side: int) -> np.ndarray:
    """Indices beyond the edges, mirrored about the edge between pixels (-1 -> 0, side -> side - 1)."""
    index = index % (2 * side)
    return np.where(index >= side, 2 * side - 1 - index, index)


def bicubic_matrix(side: int, factor: int) -> np.ndarray:
    """The 1-D bicubic reduction (side / factor, side), rows summing to 1.

    Row i holds the cubic with a = -1/2 at (j - c) / factor, c = factor (i + 1/2) - 1/2 the block's middle, for pixels j
    within 2 factor of it, those beyond the edges folded back.
    """
    middle = factor / 2 - 0.5  # of the first block
    taps = np.arange(math.ceil(middle - 2 * factor), math.floor(middle + 2 * factor) + 1)
    x = np.abs((taps - middle) / factor)
    a = -0.5
    near = (a + 2) * x**3 - (a + 3) * x**2 + 1
    far = a * x**3 - 5 * a * x**2 + 8 * a * x - 4 * a
    kernel = np.where(x <= 1, near, np.where(x < 2, far, 0.0))
    kernel /= kernel.sum()
    matrix = np.zeros((side // factor, side))
    for row in range(side // factor):
        np.add.at(matrix[row], _reflected(row * factor + taps, side), kernel)
    return matrix


def blur_matrix(side: int, kernel: np.ndarray) -> np.ndarray:
    """The 1-D correlation with an odd ``kernel`` (normalised), (side, side), edges mirrored."""
    kernel, reach = kernel / kernel.sum(), len(kernel) // 2
    matrix = np.zeros((side, side))
    for row in range(side):
        np.add.at(matrix[row], _reflected(np.arange(row - reach, row + reach + 1), side), kernel)
    return matrix


def centred(kernel, shape: tuple[int, int]) -> np.ndarray:
    """A kernel (h, w), an array or lists, on a canvas of ``shape`` with its centre at (0, 0), for circular convolution.

    Raises:
        BenchmarkError: no two-dimensional array of finite numbers, or one larger than the canvas.
    """
    try:
        kernel = np.asarray(kernel, np.float64)
    except (TypeError, ValueError):
        kernel = np.array(np.nan)
    if kernel.ndim != 2 or kernel.size == 0 or not np.isfinite(kernel).all():
        raise BenchmarkError("problem kernel: not a grid of finite numbers; give rows of equal length")
    h, w = kernel.shape
    if h > shape[0] or w > shape[1]:
        raise BenchmarkError(f"problem kernel: {h}x{w} is larger than the image {shape[0]}x{shape[1]}")
    canvas = np.zeros(shape)
    canvas[:h, :w] = kernel
    return np.roll(canvas, (-(h // 2), -(w // 2)), (0, 1))


def motion_kernel(shape: tuple[int, int], length: float, angle: float) -> np.ndarray:
    """A line through (0, 0), the centre for circular convolution, ``angle`` degrees from the horizontal.

    8 ceil(length) points evenly from -(length - 1) / 2 to (length - 1) / 2 along it, each shared out bilinearly to four
    pixels; sum 1. What reaches beyond the canvas of ``shape`` comes in again at the other side.
    """
    points = np.linspace(-(length - 1) / 2, (length - 1) / 2, max(2, math.ceil(length) * 8))
    canvas = np.zeros(shape)
    for p in points:
        y, x = -p * math.sin(math.radians(angle)), p * math.cos(math.radians(angle))
        y0, x0 = math.floor(y), math.floor(x)
        for dy, dx in ((0, 0), (0, 1), (1, 0), (1, 1)):
            weight = abs(1 - dy - (y - y0)) * abs(1 - dx - (x - x0))
            canvas[(y0 + dy) % shape[0], (x0 + dx) % shape[1]] += weight
    return canvas / canvas.sum()
