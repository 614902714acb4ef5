"""A denoiser for high noise that sees a picture's coordinates on its world's principal directions, and nothing else.

    z = Q (x_t - sqrt(abar) m),   x0 = m + Q^T (c_skip z + c_out F(c_in z, t)),

with the mean picture m, K orthonormal directions as the rows of Q, and F a small residual network. For a coordinate of
variance lambda

    c_skip = sqrt(abar) lambda / s,  c_out = sqrt(lambda (1 - abar) / s),  c_in = 1 / sqrt(s),
    s = abar lambda + 1 - abar,

so that F = 0 is the best linear estimate and what F has to learn has variance one. At high noise all that can be known
of a drawn picture is in a few hundred coordinates, and the noise outside of them, nearly all of it, is gone at once:
this network costs a hundredth of a U-Net's evaluation and decides more exactly what a picture shows.

Sources: Jing et al., "Subspace Diffusion Generative Models" (2022); Balaji et al., "eDiff-I: Text-to-Image Diffusion
Models with an Ensemble of Expert Denoisers" (2022); the coefficients are those of Karras et al., "Elucidating the
Design Space of Diffusion-Based Generative Models" (2022), table 1, for each coordinate by itself.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from benchmark.networks.unet import timestep_embedding

EMBEDDING = 128  # channels of the timestep's embedding


@dataclass(frozen=True)
class SubspaceConfig:
    """Sizes: K coordinates of pictures of ``pixels`` = C H W numbers; ``blocks`` of ``width`` channels, each with a
    layer of ``hidden`` ones inside."""

    pixels: int = 12288
    coordinates: int = 256
    width: int = 384
    hidden: int = 1024
    blocks: int = 3

    def to_flags(self) -> dict:
        """The configuration as plain data."""
        return asdict(self)


class SubspaceNet(nn.Module):
    """x0 of noised pictures, at timesteps of high noise.

    Args:
        config: the sizes.
        alphas_cumprod: abar, float64 (T,).

    Buffers ``mean`` (D,), ``basis`` (K, D) and ``variances`` (K,) are filled by :meth:`span` or by loading weights.
    """

    def __init__(self, config: SubspaceConfig, alphas_cumprod: Tensor):
        super().__init__()
        self.config = config
        self.register_buffer("mean", torch.zeros(config.pixels))
        self.register_buffer("basis", torch.zeros(config.coordinates, config.pixels))
        self.register_buffer("variances", torch.ones(config.coordinates))
        self.register_buffer("alphas_cumprod", alphas_cumprod.float(), persistent=False)
        self.time = nn.Sequential(nn.Linear(EMBEDDING // 2, EMBEDDING), nn.SiLU())
        self.first = nn.Linear(config.coordinates, config.width)
        self.blocks = nn.ModuleList(_ResidualBlock(config.width, config.hidden) for _ in range(config.blocks))
        self.norm = nn.LayerNorm(config.width)
        self.last = nn.Linear(config.width, config.coordinates)

    def span(self, mean: Tensor, basis: Tensor, variances: Tensor) -> SubspaceNet:
        """Set the subspace; returns the network."""
        self.mean.copy_(mean)
        self.basis.copy_(basis)
        self.variances.copy_(variances)
        return self

    def coefficients(self, t: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """c_skip, c_out, c_in of timesteps t (M,), each (M, K)."""
        abar = self.alphas_cumprod[t][:, None]
        total = abar * self.variances + 1 - abar
        return abar.sqrt() * self.variances / total, (self.variances * (1 - abar) / total).sqrt(), total.rsqrt()

    def residual(self, z: Tensor, t: Tensor) -> Tensor:
        """F: scaled coordinates (M, K) and timesteps (M,) -> (M, K)."""
        embedding = self.time(timestep_embedding(t, EMBEDDING // 2))
        h = self.first(z)
        for block in self.blocks:
            h = block(h, embedding)
        return self.last(self.norm(h))

    def denoise(self, z: Tensor, t: Tensor) -> Tensor:
        """Coordinates of x0 from those of x_t, (M, K) -> (M, K)."""
        skip, out, scale = self.coefficients(t)
        return skip * z + out * self.residual(scale * z, t)

    def forward(self, x: Tensor, t: Tensor) -> Tensor:
        """Pictures x_t (M, C, H, W) at timesteps t (M,) -> their x0, the same shape."""
        signal = self.alphas_cumprod[t].sqrt()[:, None]
        z = (x.flatten(1) - signal * self.mean) @ self.basis.T
        return (self.mean + self.denoise(z, t) @ self.basis).view_as(x)


class _ResidualBlock(nn.Module):
    """h -> h + W2 silu(W1 modulated(norm(h))), scaled and shifted by the timestep; begins as the identity."""

    def __init__(self, width: int, hidden: int):
        super().__init__()
        self.norm = nn.LayerNorm(width, elementwise_affine=False)
        self.modulation = nn.Linear(EMBEDDING, 2 * width)
        self.inner = nn.Linear(width, hidden)
        self.outer = nn.Linear(hidden, width)
        for layer in (self.modulation, self.outer):
            nn.init.zeros_(layer.weight)
            nn.init.zeros_(layer.bias)

    def forward(self, h: Tensor, embedding: Tensor) -> Tensor:
        scale, shift = self.modulation(embedding).chunk(2, dim=1)
        return h + self.outer(F.silu(self.inner(torch.addcmul(shift, self.norm(h), 1 + scale))))
