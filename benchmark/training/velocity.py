"""What the embedded priors learn: v on pixel-unshuffled images.

    v = sqrt(abar_t) eps - sqrt(1 - abar_t) x0,   x_t = sqrt(abar_t) x0 + sqrt(1 - abar_t) eps,   hence exactly
    eps = sqrt(abar_t) v + sqrt(1 - abar_t) x_t,  x0 = sqrt(abar_t) x_t - sqrt(1 - abar_t) v.

The loss is the mean squared error in v with t uniform: in terms of x0 its weight is 1 + SNR(t), so that high noise,
where colours and attributes are decided, keeps its weight; with the loss in eps (weight SNR) it loses it, and colours
drift.

Source: Salimans and Ho, "Progressive Distillation for Fast Sampling of Diffusion Models" (2022), section 4, appendix D.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from benchmark.data.worlds import World
from benchmark.networks.unet import UNet, UNetConfig
from benchmark.priors.protocol import linear_alphas_cumprod
from benchmark.training.loop import Training, keyed_generator

# The prior's U-Net, on 12x32x32: narrow where pixels are many, attention where a face's attributes must agree.
PRIOR_UNET = {
    "image_size": 32,
    "in_channels": 12,
    "out_channels": 12,
    "num_channels": 64,
    "num_res_blocks": 1,
    "channel_mult": [1, 1, 2],
    "attention_resolutions": [8],
    "num_head_channels": 32,
    "use_scale_shift_norm": True,
    "use_new_attention_order": True,
}


@dataclass(frozen=True)
class PriorTraining(Training):
    """A training run of a prior.

    Attributes:
        unet: flags of the network (see UNetConfig).
        unshuffle: side of the squares of pixels that become channels of the network's input.
    """

    unet: dict = field(default_factory=dict)
    unshuffle: int = 2


@dataclass(frozen=True)
class VelocityTask:
    """Learning v from freshly drawn images.

    Attributes:
        images: (count, generator) -> images (count, C, H, W) in [-1, 1].
        alphas_cumprod: abar, float64 (T,).
    """

    settings: PriorTraining
    images: Callable[[int, torch.Generator], Tensor]
    alphas_cumprod: Tensor
    bands: int = 10

    def build(self) -> nn.Module:
        return UNet(UNetConfig.from_flags(self.settings.unet))

    def draw(self, step: int) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Bands of the timestep, unshuffled images, timesteps, noise."""
        batch, seed, timesteps = self.settings.batch, self.settings.seed, len(self.alphas_cumprod)
        images = F.pixel_unshuffle(self.images(batch, keyed_generator(seed, "images", step)), self.settings.unshuffle)
        generator = keyed_generator(seed, "noise", step)
        # One t in each of `batch` equal intervals: uniform, with less variance than independent draws.
        u = (torch.arange(batch) + torch.rand(batch, generator=generator)) / batch
        t = (u * timesteps).long().clamp_(max=timesteps - 1)
        noise = torch.randn(images.shape, generator=generator)
        return t * self.bands // timesteps, images, t, noise

    def losses(self, network: nn.Module, images: Tensor, t: Tensor, noise: Tensor) -> Tensor:
        """Mean squared error in v of each image, (b,)."""
        abar = self.alphas_cumprod.to(t.device)[t].float()[:, None, None, None]
        signal, sigma = abar.sqrt(), (1 - abar).sqrt()
        target = signal * noise - sigma * images
        return (network(signal * images + sigma * noise, t).float() - target).square().mean(dim=(1, 2, 3))


def prior_task(world: World, common: dict, flags: dict) -> VelocityTask:
    """The task of a run with the settings ``common``; ``flags`` of the U-Net differ from the defaults."""

    def images(count: int, generator: torch.Generator) -> Tensor:
        return world.render(world.sample_attributes(count, generator))

    settings = PriorTraining(**common, unet={**PRIOR_UNET, **flags})
    return VelocityTask(settings, images, linear_alphas_cumprod())
