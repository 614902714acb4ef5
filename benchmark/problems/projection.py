"""Random projections: a few numbers measured of an image, each a random mixture of all its pixels."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from benchmark.errors import BenchmarkError
from benchmark.lazy import torch
from benchmark.options import Within
from benchmark.problems.base import Problem

if TYPE_CHECKING:
    from torch import Tensor

SMALLEST = 0.2  # singular values are drawn between this and 1


class RandomProjection(Problem):
    """y = U S V_r^T x, (..., rows, 1, 1): V_r orthonormal (d, rows), U (rows, rows), random, s uniform in [0.2, 1].

    V completes V_r to a basis of the image's d = C H W numbers; it is the product of ``rows`` Householder reflections
    H_i = I - tau_i v_i v_i^T of a Gaussian matrix, so that a rotation costs rows d and no d x d matrix is held. The
    measured coefficients come first in the spectral array.

    Args:
        rows: how many numbers are measured, 1 to d.
        seed: of the operator; a list of seeds gives each case of the batch an operator of its own.

    Raises:
        BenchmarkError: more rows than the image has numbers, or fewer than one; a seed that is no whole number.
    """

    name = "random_projection"
    keeps_constants = False

    def __init__(
        self,
        image_shape,
        sigma=0.0,
        *,
        rows: Annotated[int, Within(1), "Numbers that are measured."] = 4,
        seed: Annotated[int | list[int], Within(0), "Of the projections, or one for each picture."] = 0,
        device="cpu",
        dtype,
    ):
        super().__init__(image_shape, sigma)
        d = self.image_shape[0] * self.image_shape[1] * self.image_shape[2]
        if type(rows) is not int or not 1 <= rows <= d:
            raise BenchmarkError(f"problem {self.name}: rows {rows!r} of an image of {d} numbers; give 1 to {d}")
        seeds = seed if isinstance(seed, list) and seed else [seed]
        if any(type(one) is not int for one in seeds):
            raise BenchmarkError(f"problem {self.name}: seed {seed!r}; give a whole number, or one for each case")
        self.rows = rows
        if isinstance(seed, int):
            u, s, reflectors, tau = _draw(d, rows, seed)
        else:  # a dimension for the cases, and one of the samples' for what is broadcast against them
            u, s, reflectors, tau = (torch.stack(part) for part in zip(*(_draw(d, rows, one) for one in seed)))
            s, reflectors, tau = s[:, None], reflectors[:, None], tau[:, None]
        self.u, reflectors, tau = (part.to(device, dtype) for part in (u, reflectors, tau))
        self.reflections = [(reflectors[..., i, :], tau[..., i, None]) for i in range(rows)]
        padded = torch.nn.functional.pad(s, (0, d - rows))
        self.singulars = padded.reshape(*s.shape[:-1], *self.image_shape).to(device, dtype)

    def _reflect(self, x: Tensor, reflections: list[tuple[Tensor, Tensor]]) -> Tensor:
        flat = x.flatten(-3)
        for v, tau in reflections:
            flat = flat - tau * (flat * v).sum(-1, keepdim=True) * v
        return flat.reshape(x.shape)

    def Vt(self, x):
        return self._reflect(x, self.reflections)

    def V(self, z):
        return self._reflect(z, self.reflections[::-1])

    def Ut(self, y):
        measured = y.flatten(-3) @ self.u
        d = self.image_shape[0] * self.image_shape[1] * self.image_shape[2]
        padded = torch.nn.functional.pad(measured, (0, d - self.rows))
        return padded.reshape(*y.shape[:-3], *self.image_shape)

    def U(self, z):
        measured = z.flatten(-3)[..., : self.rows] @ self.u.mT
        return measured.reshape(*z.shape[:-3], self.rows, 1, 1)


def _draw(d: int, rows: int, seed: int) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """U (rows, rows), s (rows,) descending, the reflections' vectors (rows, d) and factors (rows,); float64."""
    g = torch.Generator().manual_seed(seed)
    factored, tau = torch.geqrf(torch.randn(d, rows, generator=g, dtype=torch.float64))
    u = torch.linalg.qr(torch.randn(rows, rows, generator=g, dtype=torch.float64))[0]
    s = SMALLEST + (1 - SMALLEST) * torch.rand(rows, generator=g, dtype=torch.float64)
    reflectors = factored.tril(-1) + torch.eye(d, rows, dtype=torch.float64)
    return u, s.sort(descending=True).values, reflectors.mT.contiguous(), tau
