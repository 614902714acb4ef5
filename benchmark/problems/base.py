"""A linear problem y = A x + 2 sigma n for a batch of cases, with its singular system A = U S V^T.

Spectral arrays z = V^T x keep the shape of the image: a coefficient for each pixel and channel, in a layout of the
operator's own, and ``singulars`` (broadcastable to z) says which are measured: s = 0 is the null space.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Annotated, TypeGuard

import numpy as np

from benchmark.errors import BenchmarkError
from benchmark.lazy import torch
from benchmark.options import Within

if TYPE_CHECKING:
    from torch import Tensor

Cutoff = Annotated[float, Within(0, 0.99), "Singular values below it are taken for 0."]
CUTOFF = 3e-2  # singular values of blurs below it are taken for 0: DDRM's deblurring (arXiv 2201.11793, released code)


def is_number(value: object) -> TypeGuard[float]:
    """Whether an option is a number (a boolean is none)."""
    return isinstance(value, int | float) and not isinstance(value, bool)


class Problem:
    """A degradation of images (..., C, H, W) in [-1, 1]; ``sigma`` is the noise level on the [0, 1] scale.

    Subclasses give ``singulars`` and the orthonormal maps ``Vt``, ``V``, ``Ut``, ``U``; everything else follows.

    Attributes:
        name: of the registry.
        image_shape: (C, H, W).
        hole: bool (B, 1, 1, H, W), True = unknown; None without a mask.
        sigma: standard deviation of the noise on the [0, 1] scale (2 sigma on tensors).
        singulars: broadcastable to (B, N, C, H, W); 0 where nothing is measured.
    """

    name = ""
    hole: Tensor | None = None
    has_singular_system = True
    keeps_constants = True  # whether a constant picture's measurement is that constant

    def __init__(self, image_shape: tuple[int, int, int], sigma: float = 0.0):
        if not (is_number(sigma) and 0 <= sigma < math.inf):
            raise BenchmarkError(f"problem.sigma: {sigma!r} is not a standard deviation; give 0 or more, on [0, 1]")
        channels, height, width = image_shape
        self.image_shape, self.sigma = (channels, height, width), float(sigma)

    singulars: Tensor

    def Vt(self, x: Tensor) -> Tensor:
        """V^T x: image to spectral array, orthonormal."""
        raise NotImplementedError

    def V(self, z: Tensor) -> Tensor:
        """V z: spectral array to image."""
        raise NotImplementedError

    def Ut(self, y: Tensor) -> Tensor:
        """U^T y, placed on the measured coefficients of a spectral array; 0 elsewhere."""
        raise NotImplementedError

    def U(self, z: Tensor) -> Tensor:
        """U z: the measured coefficients of a spectral array to a measurement."""
        raise NotImplementedError

    def A(self, x: Tensor) -> Tensor:
        """A x = U S V^T x."""
        return self.U(self.singulars * self.Vt(x))

    def At(self, y: Tensor) -> Tensor:
        """A^T y = V S U^T y."""
        return self.V(self.singulars * self.Ut(y))

    def pinv(self, y: Tensor) -> Tensor:
        """A^+ y = V S^+ U^T y."""
        return self.V(self.inverse_singulars * self.Ut(y))

    @property
    def inverse_singulars(self) -> Tensor:
        """1 / s, and 0 where s = 0."""
        measured = self.singulars > 0
        return torch.where(measured, 1 / torch.where(measured, self.singulars, 1.0), 0.0)

    def measure(self, x: Tensor, noise: Tensor | None = None) -> Tensor:
        """y = A x + 2 sigma n for images in [-1, 1]; ``noise`` n has the measurement's shape."""
        y = self.A(x)
        return y if self.sigma == 0 or noise is None else y + 2 * self.sigma * self.observed(noise)

    def observed(self, y: Tensor) -> Tensor:
        """A measurement-shaped array with what is not measured set to 0 (inpainting keeps the image's shape)."""
        return y

    def observed_count(self, y: Tensor) -> Tensor | int:
        """How many numbers one measurement holds."""
        return y[0, 0].numel()

    def proximal(self, x0: Tensor, y: Tensor, rho: float) -> Tensor:
        """argmin_z ||y - A z||^2 + rho ||z - x0||^2 = x0 + V [s (U^T y - s V^T x0) / (s^2 + rho)].

        Written as a correction to x0, so that nothing cancels when rho is tiny.
        """
        s = self.singulars
        return x0 + self.V(s * (self.Ut(y) - s * self.Vt(x0)) / (s * s + rho))

    def consistency(self, x: Tensor, y: Tensor) -> Tensor:
        """Root mean square of A x - y over the measured numbers, on the [-1, 1] scale: (B, N).

        Of the truth it is that of the noise, whose square has the mean (2 sigma)^2; of an exact sample of the posterior
        it has the same distribution as of the truth. With noise, less than that is an overfit to the noise.
        """
        residual = (self.A(x) - y).flatten(2).double()
        return (residual.square().sum(-1) / self.observed_count(y)).sqrt()

    def paste(self, x: Tensor, y: Tensor) -> Tensor:
        """x with its measured part replaced by the measurement's: x - A^+ (A x - y)."""
        return x - self.pinv(self.A(x) - y)


def divides(factor: int, image_shape: tuple[int, int, int], name: str) -> None:
    """Refuse a factor that is no whole number or does not divide height and width.

    Raises:
        BenchmarkError: naming the sizes.
    """
    _, height, width = image_shape
    if type(factor) is not int:
        raise BenchmarkError(f"problem {name}: factor {factor!r} is not a whole number; give 2, 4, 8 or 16")
    if factor < 1 or height % factor or width % factor:
        raise BenchmarkError(f"problem {name}: factor {factor} does not divide {height}x{width}; use a common divisor")


def check_cutoff(cutoff: object, name: str) -> None:
    """Refuse a cutoff of singular values that is no number from 0 to below 1, the largest that a blur has.

    Raises:
        BenchmarkError: naming the range.
    """
    if not is_number(cutoff) or not 0 <= cutoff < 1:
        raise BenchmarkError(f"problem {name}: cutoff {cutoff!r} is out of range; give 0 or more, below 1")


def truncated(singulars: np.ndarray, cutoff: float, dtype: torch.dtype) -> np.ndarray:
    """s 1(s >= max(cutoff, eps m s_max)) of singular values s, m the longer side of their array, eps of ``dtype``.

    The second limit is the usual one of a numerical rank: what is below it is rounding and says nothing of x.
    """
    least = max(cutoff, torch.finfo(dtype).eps * max(singulars.shape) * singulars.max())
    return np.where(singulars < least, 0.0, singulars)


def positive_width(std: object, image_shape: tuple[int, int, int], name: str) -> None:
    """Refuse a blur's standard deviation that is no number, not positive, or wider than the image.

    Raises:
        BenchmarkError: naming the range.
    """
    widest = max(image_shape[1:])
    if not is_number(std) or not 0 < std <= widest:
        raise BenchmarkError(f"problem {name}: std {std!r} is out of range; give more than 0, up to {widest} pixels")
