"""Operators that act pixel by pixel: inpainting, denoising, colorization."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from benchmark.errors import BenchmarkError
from benchmark.lazy import torch
from benchmark.problems.base import Problem

if TYPE_CHECKING:
    from torch import Tensor


class Inpainting(Problem):
    """y = m * x: pixels where ``hole`` is True are unknown; y keeps the image's shape and is 0 there.

    Args:
        hole: bool (B, H, W) or (B, 1, 1, H, W), True = unknown; a mask of its own for each case.
    """

    name = "inpainting"

    def __init__(self, image_shape, sigma=0.0, *, hole: Tensor | None = None, device="cpu", dtype):
        super().__init__(image_shape, sigma)
        if hole is None:
            raise BenchmarkError("problem inpainting: no hole given; the task needs a mask")
        if tuple(hole.shape[-2:]) != self.image_shape[1:]:
            raise BenchmarkError(
                f"problem inpainting: mask of {hole.shape[-2]}x{hole.shape[-1]}, the image has "
                f"{self.image_shape[1]}x{self.image_shape[2]}; give a mask of the image's size"
            )
        if not ((hole == 0) | (hole == 1)).all():
            raise BenchmarkError("problem inpainting: a mask of other values than True and False; NaN is neither")
        self.hole: Tensor = hole.to(device).reshape(-1, 1, 1, *hole.shape[-2:]).bool()
        self.singulars = (~self.hole).to(dtype)

    def Vt(self, x):
        return x

    V = Vt

    def Ut(self, y):
        return y * self.singulars

    U = Ut

    def A(self, x):
        return x * self.singulars

    At = pinv = A

    def observed(self, y):
        return y * self.singulars

    def observed_count(self, y):
        return (~self.hole).flatten(1).sum(1)[:, None] * self.image_shape[0]

    def paste(self, x, y):
        return torch.where(self.hole, x, y)


class Denoising(Problem):
    """y = x + noise: the identity."""

    name = "denoising"

    def __init__(self, image_shape, sigma=0.0, *, device="cpu", dtype):
        super().__init__(image_shape, sigma)
        self.singulars = torch.ones(1, 1, 1, device=device, dtype=dtype)

    def Vt(self, x):
        return x

    V = Ut = U = A = At = pinv = Vt


class Colorization(Problem):
    """y = the mean of the channels, (..., 1, H, W); V rotates them so that the first is sqrt C times their mean."""

    name = "colorization"

    def __init__(self, image_shape, sigma=0.0, *, device="cpu", dtype):
        super().__init__(image_shape, sigma)
        channels = self.image_shape[0]
        basis = np.linalg.qr(np.column_stack([np.ones(channels), np.eye(channels)[:, : channels - 1]]))[0]
        basis[:, 0] = 1 / math.sqrt(channels)
        self.basis = torch.tensor(basis.T.copy(), device=device, dtype=dtype)
        self.singulars = torch.zeros(channels, 1, 1, device=device, dtype=dtype)
        self.singulars[0] = 1 / math.sqrt(channels)

    def Vt(self, x):
        return torch.einsum("kc,...chw->...khw", self.basis, x)

    def V(self, z):
        return torch.einsum("kc,...khw->...chw", self.basis, z)

    def Ut(self, y):
        empty = y.new_zeros(*y.shape[:-3], self.image_shape[0] - 1, *y.shape[-2:])
        return torch.cat([y, empty], dim=-3)

    def U(self, z):
        return z[..., :1, :, :]
