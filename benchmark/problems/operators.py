"""The operators. A new one is a class here and one line in :data:`PROBLEMS`."""

from __future__ import annotations

import math
from functools import cached_property

import numpy as np
import torch
from torch import Tensor

from benchmark.errors import BenchmarkError
from benchmark.problems.base import Problem, divides, is_number, positive_width
from benchmark.problems.kernels import bicubic_matrix, blur_matrix, centred, motion_kernel


class Inpainting(Problem):
    """y = m * x: pixels where ``hole`` is True are unknown; y keeps the image's shape and is 0 there.

    Args:
        hole: bool (B, H, W) or (B, 1, 1, H, W), True = unknown; a mask of its own for each case.
    """

    name = "inpainting"

    def __init__(self, image_shape, sigma=0.0, *, hole: Tensor | None = None, device="cpu", dtype=torch.float32):
        super().__init__(image_shape, sigma)
        if hole is None:
            raise BenchmarkError("problem inpainting: no hole given; the task needs a mask")
        if tuple(hole.shape[-2:]) != self.image_shape[1:]:
            raise BenchmarkError(
                f"problem inpainting: mask of {hole.shape[-2]}x{hole.shape[-1]}, the image has "
                f"{self.image_shape[1]}x{self.image_shape[2]}; give a mask of the image's size"
            )
        self.hole = hole.to(device).reshape(-1, 1, 1, *hole.shape[-2:]).bool()
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

    def __init__(self, image_shape, sigma=0.0, *, device="cpu", dtype=torch.float32):
        super().__init__(image_shape, sigma)
        self.singulars = torch.ones(1, 1, 1, device=device, dtype=dtype)

    def Vt(self, x):
        return x

    V = Ut = U = A = At = pinv = Vt


class Colorization(Problem):
    """y = the mean of the channels, (..., 1, H, W); V rotates them so that the first is sqrt C times their mean."""

    name = "colorization"

    def __init__(self, image_shape, sigma=0.0, *, device="cpu", dtype=torch.float32):
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


class Separable(Problem):
    """y = H X W^T for each channel, H (h, height) and W (w, width) dense 1-D operators with their SVD.

    Singular values of the 1-D operators below ``cutoff`` are set to 0, as DDRM does with 3e-2; A is the operator that
    remains. The time is that of two small matrix products.
    """

    cutoff = 3e-2

    def __init__(self, image_shape, sigma, rows: np.ndarray, columns: np.ndarray, device, dtype):
        super().__init__(image_shape, sigma)
        self.rows, self.columns = self._svd(rows, device, dtype), self._svd(columns, device, dtype)
        self.singulars = self.rows[1][:, None] * self.columns[1][None, :]

    def _svd(self, operator: np.ndarray, device, dtype) -> tuple[Tensor, Tensor, Tensor]:
        u, s, vt = np.linalg.svd(operator.astype(np.float64), full_matrices=True)
        s = np.where(s < self.cutoff, 0.0, s)
        padded = np.zeros(operator.shape[1])
        padded[: len(s)] = s
        return tuple(torch.tensor(a.copy(), device=device, dtype=dtype) for a in (u, padded, vt))

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
    """y = the mean of each factor x factor block."""

    name = "super_resolution_average"

    def __init__(self, image_shape, sigma=0.0, *, factor: int = 4, device="cpu", dtype=torch.float32):
        divides(factor, image_shape, self.name)
        sides = [np.kron(np.eye(side // factor), np.full((1, factor), 1 / factor)) for side in image_shape[1:]]
        super().__init__(image_shape, sigma, *sides, device, dtype)


class SuperResolutionBicubic(Separable):
    """y = antialiased bicubic reduction by ``factor``: a = -1/2 cubic stretched over 4 factor taps, reflected edges.

    The 1-D operator of MATLAB's imresize and of DDRM's SRConv (arXiv 2201.11793, appendix).
    """

    name = "super_resolution_bicubic"

    def __init__(self, image_shape, sigma=0.0, *, factor: int = 4, device="cpu", dtype=torch.float32):
        divides(factor, image_shape, self.name)
        super().__init__(image_shape, sigma, *(bicubic_matrix(s, factor) for s in image_shape[1:]), device, dtype)


class GaussianDeblurring(Separable):
    """y = x blurred by a Gaussian of standard deviation ``std`` pixels, reflected edges."""

    name = "deblurring_gaussian"
    cutoff = 3e-2

    def __init__(self, image_shape, sigma=0.0, *, std: float = 3.0, device="cpu", dtype=torch.float32):
        positive_width(std, image_shape, self.name)
        reach = max(1, math.ceil(3 * std))
        kernel = np.exp(-0.5 * (np.arange(-reach, reach + 1) / std) ** 2)
        super().__init__(image_shape, sigma, *(blur_matrix(s, kernel) for s in image_shape[1:]), device, dtype)


class UniformDeblurring(Separable):
    """y = the mean over ``width`` x ``width`` pixels around each (``width`` odd), reflected edges."""

    name = "deblurring_uniform"

    def __init__(self, image_shape, sigma=0.0, *, width: int = 9, device="cpu", dtype=torch.float32):
        if type(width) is not int or width < 1 or width % 2 == 0:
            raise BenchmarkError(f"problem {self.name}: width {width!r} is not odd; give 3, 5, 7, ...")
        super().__init__(image_shape, sigma, *(blur_matrix(s, np.ones(width)) for s in image_shape[1:]), device, dtype)


class MotionDeblurring(Problem):
    """y = k * x, circular convolution with a line of ``length`` pixels at ``angle`` degrees.

    A circular convolution is diagonal in the Fourier basis: s = |k^|. A real orthonormal V is the discrete Hartley
    transform (real minus imaginary part of the unitary FFT), its own inverse; U = V with the phases of k^.
    """

    name = "deblurring_motion"
    cutoff = 3e-2

    def __init__(
        self, image_shape, sigma=0.0, *, length: float = 9.0, angle: float = 45.0, device="cpu", dtype=torch.float32
    ):
        super().__init__(image_shape, sigma)
        longest = sum(self.image_shape[1:])
        if not is_number(length) or not 1 <= length <= longest:
            raise BenchmarkError(f"problem {self.name}: length {length!r} is out of range; give 1 to {longest} pixels")
        if not is_number(angle) or not math.isfinite(angle):
            raise BenchmarkError(f"problem {self.name}: angle {angle!r} is not a direction; give degrees")
        kernel = motion_kernel(image_shape[1:], length, angle)
        spectrum = np.fft.fft2(kernel)
        magnitude = np.abs(spectrum)
        phase = np.where(magnitude > 0, spectrum / np.where(magnitude > 0, magnitude, 1), 1)
        complex_dtype = torch.complex128 if dtype == torch.float64 else torch.complex64
        self.phase = torch.tensor(phase, device=device, dtype=complex_dtype)
        self.singulars = torch.tensor(np.where(magnitude < self.cutoff, 0.0, magnitude), device=device, dtype=dtype)

    def Vt(self, x):
        spectrum = torch.fft.fft2(x, norm="ortho")
        return spectrum.real - spectrum.imag

    V = Vt

    def Ut(self, y):
        turned = torch.fft.ifft2(torch.fft.fft2(y) * self.phase.conj()).real
        return self.Vt(turned) * (self.singulars > 0)

    def U(self, z):
        image = self.V(z * (self.singulars > 0))
        return torch.fft.ifft2(torch.fft.fft2(image) * self.phase).real


class SuperResolutionBlur(Problem):
    """y = (k * x) decimated by ``factor``: circular convolution, then every factor-th pixel.

    A A^T is a circular convolution of the small image, so pseudo-inverse and proximal step are exact in the Fourier
    domain (Zhang, Van Gool, Timofte, CVPR 2020, equation 5); a singular system in the image's layout is not given.

    Args:
        kernel: (h, w) array; None = a Gaussian of standard deviation ``std`` pixels (factor / 2 if not given).
    """

    name = "super_resolution_blur"
    has_singular_system = False

    def __init__(
        self,
        image_shape,
        sigma=0.0,
        *,
        factor: int = 4,
        std: float | None = None,
        kernel=None,
        device="cpu",
        dtype=torch.float32,
    ):
        divides(factor, image_shape, self.name)
        super().__init__(image_shape, sigma)
        self.factor = factor
        if kernel is None:
            std = factor / 2 if std is None else std
            positive_width(std, image_shape, self.name)
            reach = min(math.ceil(3 * std), (min(image_shape[1:]) - 1) // 2)
            line = np.exp(-0.5 * (np.arange(-reach, reach + 1) / std) ** 2)
            kernel = np.outer(line, line) / line.sum() ** 2
        spectrum = np.fft.fft2(centred(kernel, image_shape[1:]))
        complex_dtype = torch.complex128 if dtype == torch.float64 else torch.complex64
        self.spectrum = torch.tensor(spectrum, device=device, dtype=complex_dtype)

    def A(self, x):
        blurred = torch.fft.ifft2(torch.fft.fft2(x) * self.spectrum).real
        return blurred[..., :: self.factor, :: self.factor]

    def At(self, y):
        _, height, width = self.image_shape
        spread = y.new_zeros(*y.shape[:-2], height, width)
        spread[..., :: self.factor, :: self.factor] = y
        return torch.fft.ifft2(torch.fft.fft2(spread) * self.spectrum.conj()).real

    @cached_property
    def _gram(self) -> Tensor:
        """Eigenvalues of A A^T on the small image's frequencies: the mean of |k^|^2 over the aliases."""
        f, (_, height, width) = self.factor, self.image_shape
        power = self.spectrum.abs().square().reshape(f, height // f, f, width // f)
        return power.mean(dim=(0, 2))

    def _solve(self, y: Tensor, rho: float) -> Tensor:
        gram = self._gram
        cutoff = 1e-12 if gram.dtype == torch.float64 else 1e-6
        gain = 1 / (gram.clamp_min(cutoff) + rho)
        if rho == 0:
            gain = torch.where(gram > cutoff, gain, 0.0)
        return torch.fft.ifft2(torch.fft.fft2(y) * gain).real

    def pinv(self, y):
        return self.At(self._solve(y, 0.0))

    def proximal(self, x0, y, rho):
        """x0 + A^T (A A^T + rho)^-1 (y - A x0)."""
        return x0 + self.At(self._solve(y - self.A(x0), rho))
