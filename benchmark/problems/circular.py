"""Operators of circular convolution, in the Fourier basis: motion blur, and blur with decimation."""

from __future__ import annotations

import math
from functools import cached_property
from typing import TYPE_CHECKING, Annotated

import numpy as np

from benchmark.errors import BenchmarkError
from benchmark.lazy import torch
from benchmark.options import Within
from benchmark.problems.base import CUTOFF, Cutoff, Problem, check_cutoff, divides, is_number, positive_width, truncated
from benchmark.problems.kernels import centred, motion_kernel

if TYPE_CHECKING:
    from torch import Tensor


class MotionDeblurring(Problem):
    """y = F^-1 [k^ 1(|k^| >= cutoff) F x]: circular convolution with a line, without the frequencies that it all but
    erases.

    k is a line of ``length`` pixels through the centre at ``angle`` degrees from the horizontal, splatted bilinearly,
    sum 1, k^ its discrete Fourier transform. A circular convolution is diagonal in the Fourier basis: s = |k^|. A real
    orthonormal V is the discrete Hartley transform (real minus imaginary part of the unitary FFT), its own inverse; U =
    V with the phases of k^. A line's spectrum passes through 0, where A^+ would multiply rounding: frequencies with
    |k^| below ``cutoff`` are 0 in A, by default at 3e-2 as in DDRM's deblurring (a fifth to a third of all frequencies
    for lines of 5 to 9 pixels). A x differs from k * x by cutoff ||x|| at most; ``cutoff: 0`` is k * x. Measuring,
    noise and consistency are those of the truncated operator.
    """

    name = "deblurring_motion"

    def __init__(
        self,
        image_shape,
        sigma=0.0,
        *,
        length: Annotated[float, Within(1), "Pixels of the motion."] = 9.0,
        angle: Annotated[float, "Degrees of the motion, from the x axis."] = 45.0,
        cutoff: Cutoff = CUTOFF,
        device="cpu",
        dtype,
    ):
        super().__init__(image_shape, sigma)
        check_cutoff(cutoff, self.name)
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
        self.singulars = torch.tensor(truncated(magnitude, cutoff, dtype), device=device, dtype=dtype)

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
    """y = (k * x) decimated by ``factor``: circular convolution, then every factor-th pixel, beginning with the first.

    A A^T is a circular convolution of the small image, so the proximal step is exact in the Fourier domain (Zhang, Van
    Gool, Timofte, CVPR 2020, equation 5), and A^+ = A^T (A A^T)^+ too, but that eigenvalues of A A^T below 1e-6 of the
    largest (1e-12 in float64) count as 0. A itself cuts nothing. A singular system in the image's layout is not given.

    Args:
        kernel: (h, w) array, taken as it is; its centre is at (h // 2, w // 2). None = a Gaussian of standard deviation
            ``std`` pixels (factor / 2 if not given) within 3 std, at most within half the image, sum 1.
    """

    name = "super_resolution_blur"
    has_singular_system = False

    def __init__(
        self,
        image_shape,
        sigma=0.0,
        *,
        factor: Annotated[int, Within(1), "Pixels of a side that become one."] = 4,
        std: Annotated[float | None, Within(0.05, 100), "Standard deviation of the blur; half the factor."] = None,
        kernel=None,
        device="cpu",
        dtype,
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
        measured = gram > (1e-12 if gram.dtype == torch.float64 else 1e-6) * gram.max()
        gain = 1 / (gram + rho) if rho > 0 else torch.where(measured, 1 / torch.where(measured, gram, 1.0), 0.0)
        return torch.fft.ifft2(torch.fft.fft2(y) * gain).real

    def pinv(self, y):
        return self.At(self._solve(y, 0.0))

    def proximal(self, x0, y, rho):
        """x0 + A^T (A A^T + rho)^-1 (y - A x0)."""
        return x0 + self.At(self._solve(y - self.A(x0), rho))
