"""The DDPM network (``Model`` of the PyTorch ports), under the parameter names of its published checkpoints.

The network predicts eps from a noised image x_t (B, in_channels, H, W) and its timestep t (B,). It differs from the ADM
U-Net (``unet.py``) in the order of the time embedding, in the epsilon of its normalisations, in the padding of its
downsampling, in having one attention head, and in its names.

Source: Ho, Jain and Abbeel, "Denoising Diffusion Probabilistic Models" (2020), appendix B; the layout of the parameters
is that of the published state dicts (``celeba_hq.ckpt`` of SDEdit).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from benchmark.networks.flags import from_flags
from benchmark.networks.unet import GroupNorm32, upsample

EPS = 1e-6  # of every normalisation


@dataclass(frozen=True)
class DDPMConfig:
    """What decides the shape of a DDPM network; the names are those of the published configurations.

    Attributes:
        image_size: height and width of the input in pixels; only decides which levels have attention.
        ch: width of the first level; level i has ``ch * ch_mult[i]``.
        attn_resolutions: the heights at which residual blocks are followed by attention.
        resamp_with_conv: a convolution follows the doubling, and one of stride 2 does the halving.
    """

    image_size: int
    ch: int
    ch_mult: tuple[int, ...]
    num_res_blocks: int
    attn_resolutions: tuple[int, ...] = ()
    in_channels: int = 3
    out_ch: int = 3
    resamp_with_conv: bool = True

    @classmethod
    def from_flags(cls, flags: dict) -> DDPMConfig:
        """The configuration from a dictionary of flags.

        Raises:
            BenchmarkError: a flag that this network does not know, or one that it needs and is missing.
        """
        listed = {key: tuple(value) if isinstance(value, list) else value for key, value in flags.items()}
        return from_flags(cls, listed, "DDPM")


def timestep_embedding(t: Tensor, width: int) -> Tensor:
    """[sin(t f_i), cos(t f_i)] with f_i = 10000^(-i / (width/2 - 1)); (B,) -> (B, width), float32."""
    half = width // 2
    exponents = torch.arange(half, dtype=torch.float32, device=t.device) * (-math.log(10000) / (half - 1))
    angles = t.float()[:, None] * exponents.exp()
    return F.pad(torch.cat([angles.sin(), angles.cos()], dim=1), (0, width % 2))


class ResnetBlock(nn.Module):
    """x -> shortcut(x) + conv(silu(norm(conv(silu(norm(x))) + embedding)))."""

    def __init__(self, channels: int, out: int, embedding: int):
        super().__init__()
        self.norm1 = GroupNorm32(channels, EPS)
        self.conv1 = nn.Conv2d(channels, out, 3, padding=1)
        self.temb_proj = nn.Linear(embedding, out)
        self.norm2 = GroupNorm32(out, EPS)
        self.conv2 = nn.Conv2d(out, out, 3, padding=1)
        if channels != out:
            self.nin_shortcut = nn.Conv2d(channels, out, 1)

    def forward(self, x: Tensor, embedding: Tensor) -> Tensor:
        h = self.conv1(F.silu(self.norm1(x)))
        h = h + self.temb_proj(F.silu(embedding)).to(h.dtype)[:, :, None, None]
        h = self.conv2(F.silu(self.norm2(h)))
        return h + (self.nin_shortcut(x) if hasattr(self, "nin_shortcut") else x)


class AttnBlock(nn.Module):
    """Self-attention over the pixels with one head and a residual connection; (B, C, H, W) -> the same."""

    def __init__(self, channels: int):
        super().__init__()
        self.norm = GroupNorm32(channels, EPS)
        self.q, self.k, self.v, self.proj_out = (nn.Conv2d(channels, channels, 1) for _ in range(4))

    def forward(self, x: Tensor) -> Tensor:
        h = self.norm(x)
        q, k, v = (layer(h).flatten(2).transpose(1, 2)[:, None] for layer in (self.q, self.k, self.v))
        h = F.scaled_dot_product_attention(q, k, v)[:, 0]  # softmax(q k^T / sqrt(C)) v
        return x + self.proj_out(h.transpose(1, 2).reshape(x.shape))


class Downsample(nn.Module):
    """A 3x3 convolution of stride 2, padded below and to the right only; without one, the mean of each 2x2 square."""

    def __init__(self, channels: int, with_conv: bool):
        super().__init__()
        if with_conv:
            self.conv = nn.Conv2d(channels, channels, 3, stride=2)

    def forward(self, x: Tensor) -> Tensor:
        return self.conv(F.pad(x, (0, 1, 0, 1))) if hasattr(self, "conv") else F.avg_pool2d(x, 2)


class Upsample(nn.Module):
    """Nearest-neighbour doubling, then a 3x3 convolution."""

    def __init__(self, channels: int, with_conv: bool):
        super().__init__()
        if with_conv:
            self.conv = nn.Conv2d(channels, channels, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        return self.conv(upsample(x)) if hasattr(self, "conv") else upsample(x)


class DDPM(nn.Module):
    """The DDPM network: ``net(x, t)`` with x (B, in_channels, H, W) and t (B,) original timesteps, 0 .. 999.

    Returns eps (B, out_ch, H, W) in x's dtype. H and W must be divisible by 2^(levels - 1).
    ``use_dtype`` puts the convolutions but the last one into half precision; embedding and normalisation stay float32.
    """

    def __init__(self, config: DDPMConfig):
        super().__init__()
        self.config = config
        self.dtype = torch.float32
        embedding = 4 * config.ch
        self.temb = nn.Module()
        self.temb.dense = nn.ModuleList([nn.Linear(config.ch, embedding), nn.Linear(embedding, embedding)])
        self.conv_in = nn.Conv2d(config.in_channels, config.ch, 3, padding=1)

        def level(blocks: list[tuple[int, int]], number: int) -> nn.Module:
            stage = nn.Module()
            stage.block = nn.ModuleList(ResnetBlock(channels, out, embedding) for channels, out in blocks)
            attends = config.image_size // 2**number in config.attn_resolutions
            stage.attn = nn.ModuleList(AttnBlock(out) for _, out in blocks if attends)
            return stage

        widths = [config.ch * multiple for multiple in config.ch_mult]
        channels, skips = config.ch, [config.ch]
        self.down = nn.ModuleList()
        for number, out in enumerate(widths):
            stage = level([(channels if j == 0 else out, out) for j in range(config.num_res_blocks)], number)
            channels = out
            skips += [out] * config.num_res_blocks
            if number + 1 < len(widths):
                stage.downsample = Downsample(out, config.resamp_with_conv)
                skips.append(out)
            self.down.append(stage)

        self.mid = nn.Module()
        self.mid.block_1 = ResnetBlock(channels, channels, embedding)
        self.mid.attn_1 = AttnBlock(channels)
        self.mid.block_2 = ResnetBlock(channels, channels, embedding)

        stages = []
        for number, out in reversed(list(enumerate(widths))):
            blocks = []
            for _ in range(config.num_res_blocks + 1):
                blocks.append((channels + skips.pop(), out))
                channels = out
            stage = level(blocks, number)
            if number > 0:
                stage.upsample = Upsample(out, config.resamp_with_conv)
            stages.insert(0, stage)
        self.up = nn.ModuleList(stages)  # up[i] works at the resolution of down[i]

        self.norm_out = GroupNorm32(channels, EPS)
        self.conv_out = nn.Conv2d(channels, config.out_ch, 3, padding=1)

    def use_dtype(self, dtype: torch.dtype) -> DDPM:
        """Put the convolutions of the trunk into ``dtype`` (float32, float16, bfloat16); returns the network itself."""
        for part in (self.conv_in, self.down, self.mid, self.up):
            for module in part.modules():
                if isinstance(module, nn.Conv2d):
                    module.to(dtype)
        self.dtype = dtype
        return self

    def forward(self, x: Tensor, t: Tensor) -> Tensor:
        first, second = self.temb.dense
        embedding = second(F.silu(first(timestep_embedding(t, self.config.ch))))
        skips = [self.conv_in(x.to(self.dtype))]
        for stage in self.down:
            for j, block in enumerate(stage.block):
                h = block(skips[-1], embedding)
                skips.append(stage.attn[j](h) if stage.attn else h)
            if hasattr(stage, "downsample"):
                skips.append(stage.downsample(skips[-1]))
        h = self.mid.block_2(self.mid.attn_1(self.mid.block_1(skips[-1], embedding)), embedding)
        for stage in reversed(self.up):
            for j, block in enumerate(stage.block):
                h = block(torch.cat([h, skips.pop()], dim=1), embedding)
                h = stage.attn[j](h) if stage.attn else h
            if hasattr(stage, "upsample"):
                h = stage.upsample(h)
        return self.conv_out(F.silu(self.norm_out(h.to(x.dtype))))
