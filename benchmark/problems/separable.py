"""Operators that are a matrix product from the left and one from the right: reductions and separable blurs."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import TYPE_CHECKING, Annotated

import numpy as np

from benchmark.errors import BenchmarkError
from benchmark.lazy import torch
from benchmark.options import Within
from benchmark.problems.base import CUTOFF, Cutoff, Problem, check_cutoff, divides, positive_width, truncated
from benchmark.problems.kernels import bicubic_matrix, blur_matrix

if TYPE_CHECKING:
    from torch import Tensor


class Separable(Problem):
    """y = H_c X W_c^T for each channel: H (h, height) and W (w, width) dense 1-D operators, both with truncated SVD.

    H_c = sum_{s_i >= cutoff} s_i u_i v_i^T, and W_c likewise; with ``cutoff`` 0, H and W themselves (but for singular
    values that are rounding: :func:`benchmark.problems.base.truncated`). Measuring, noise, consistency and the exact
    posterior are those of the truncated operator. The time is that of two small matrix products.
    """

    def __init__(self, image_shape, sigma, sides: Iterable[np.ndarray], cutoff: float, device, dtype):
        super().__init__(image_shape, sigma)
        check_cutoff(cutoff, self.name)
        self.rows, self.columns = (self._svd(one, cutoff, device, dtype) for one in sides)
        self.singulars = self.rows[1][:, None] * self.columns[1][None, :]

    @staticmethod
    def _svd(operator: np.ndarray, cutoff: float, device, dtype) -> tuple[Tensor, Tensor, Tensor]:
        u, s, vt = np.linalg.svd(operator.astype(np.float64), full_matrices=True)
        padded = np.zeros(operator.shape[1])
        padded[: len(s)] = truncated(s, cutoff, dtype)
        left, singulars, right = (torch.tensor(a.copy(), device=device, dtype=dtype) for a in (u, padded, vt))
        return left, singulars, right

    def Vt(self, x):
        return self.rows[2] @ x @ self.columns[2].mT

    def V(self, z):
        return self.rows[2].mT @ z @ self.columns[2]

    def Ut(self, y):
        z = self.rows[0].mT @ y @ self.columns[0]
        _, height, width = self.image_shape
        z = torch.nn.functional.pad(z, (0, width - z.shape[-1], 0, height - z.shape[-2]))
        return z * (self.singulars > 0)

    def U(self, z):
        h, w = self.rows[0].shape[0], self.columns[0].shape[0]
        return self.rows[0] @ (z * (self.singulars > 0))[..., :h, :w] @ self.columns[0].mT


class SuperResolutionAverage(Separable):
    """y = the mean of each factor x factor block. Every singular value is 1 / factor; nothing is cut."""

    name = "super_resolution_average"

    def __init__(
        self,
        image_shape,
        sigma=0.0,
        *,
        factor: Annotated[int, Within(1), "Pixels of a side that become one."] = 4,
        device="cpu",
        dtype,
    ):
        divides(factor, image_shape, self.name)
        sides = [np.kron(np.eye(side // factor), np.full((1, factor), 1 / factor)) for side in image_shape[1:]]
        super().__init__(image_shape, sigma, sides, 0.0, device, dtype)


class SuperResolutionBicubic(Separable):
    """y = antialiased bicubic reduction by ``factor``: a = -1/2 cubic stretched over 4 factor taps, mirrored edges.

    In one dimension y_i = sum_j k((j - c_i) / factor) x_j with c_i = factor (i + 1/2) - 1/2, the weights k divided by
    their sum, and x mirrored about the edge between pixels (x_{-1} = x_0). Nothing is cut: the smallest singular value
    is above .17 for factors to 16 at 256 pixels. The 1-D operator of MATLAB's imresize and of DDRM's SRConv (arXiv
    2201.11793, appendix).
    """

    name = "super_resolution_bicubic"

    def __init__(
        self,
        image_shape,
        sigma=0.0,
        *,
        factor: Annotated[int, Within(1), "Pixels of a side that become one."] = 4,
        device="cpu",
        dtype,
    ):
        divides(factor, image_shape, self.name)
        super().__init__(image_shape, sigma, (bicubic_matrix(s, factor) for s in image_shape[1:]), 0.0, device, dtype)


class GaussianDeblurring(Separable):
    """y = H_c X W_c^T, H and W the blur by a Gaussian of standard deviation ``std`` pixels, SVD cut at ``cutoff``.

    The blur itself is (k * x)_i = sum_j k_j x_{i+j} with k_j ~ exp(-j^2 / (2 std^2)) for |j| <= max(1, ceil(3 std)),
    sum 1, and x mirrored about the edge between pixels. What a wide blur leaves of fine detail is below rounding, and
    A^+ would multiply it by 1 / s: so singular values of H and W below ``cutoff`` are 0 in A, by default 3e-2 as in
    DDRM's deblurring. A x differs from k * x by cutoff ||x|| at most; ``cutoff: 0`` is k * x.
    """

    name = "deblurring_gaussian"

    def __init__(
        self,
        image_shape,
        sigma=0.0,
        *,
        std: Annotated[float, Within(0.05, 100), "Standard deviation of the blur in pixels."] = 3.0,
        cutoff: Cutoff = CUTOFF,
        device="cpu",
        dtype,
    ):
        positive_width(std, image_shape, self.name)
        reach = max(1, math.ceil(3 * std))
        kernel = np.exp(-0.5 * (np.arange(-reach, reach + 1) / std) ** 2)
        super().__init__(image_shape, sigma, (blur_matrix(s, kernel) for s in image_shape[1:]), cutoff, device, dtype)


class UniformDeblurring(Separable):
    """y = H_c X W_c^T, H and W the mean over ``width`` neighbours (``width`` odd), their SVD cut at ``cutoff``.

    The blur itself is the mean over ``width`` x ``width`` pixels around each, x mirrored about the edge between pixels.
    Its response passes through 0, where A^+ would multiply rounding; singular values of H and W below ``cutoff`` are 0
    in A, by default 3e-2 as in DDRM's deblurring. A x differs from the mean by cutoff ||x|| at most; ``cutoff: 0`` is
    the mean.
    """

    name = "deblurring_uniform"

    def __init__(
        self,
        image_shape,
        sigma=0.0,
        *,
        width: Annotated[int, Within(1), "Pixels of the blur, an odd number."] = 9,
        cutoff: Cutoff = CUTOFF,
        device="cpu",
        dtype,
    ):
        if type(width) is not int or width < 1 or width % 2 == 0:
            raise BenchmarkError(f"problem {self.name}: width {width!r} is not odd; give 3, 5, 7, ...")
        sides = (blur_matrix(side, np.ones(width)) for side in image_shape[1:])
        super().__init__(image_shape, sigma, sides, cutoff, device, dtype)
