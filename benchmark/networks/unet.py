"""The ADM U-Net of guided diffusion, under the parameter names of its published checkpoints.

The network predicts from a noised image x_t (B, in_channels, H, W) and its timestep t (B,) either eps alone or eps and
variance values. One class serves the 256x256 checkpoints (ADM on ImageNet and LSUN, RePaint's CelebA-HQ) and, in a
small configuration, the embedded priors; a state dict of the family loads strictly, with no renaming.

Source: Dhariwal and Nichol, "Diffusion Models Beat GANs on Image Synthesis" (2021), section 3 and appendix; the layout
of the parameters is that of the published state dicts.
"""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from benchmark.errors import BenchmarkError
from benchmark.networks.flags import from_flags

# Multiples of `num_channels` per level that the published flags leave unsaid.
DEFAULT_CHANNEL_MULT = {512: (0.5, 1, 1, 2, 2, 4, 4), 256: (1, 1, 2, 2, 4, 4), 128: (1, 1, 2, 3, 4), 64: (1, 2, 3, 4)}


@dataclass(frozen=True)
class UNetConfig:
    """What decides the shape of a U-Net; the names are those of guided diffusion's flags.

    Attributes:
        image_size: height and width of the input in pixels; only decides which levels have attention.
        num_channels: width of the first level; level i has ``num_channels * channel_mult[i]``.
        out_channels: 3 for eps, 6 for eps and variance values.
        attention_resolutions: the heights at which residual blocks are followed by attention.
        num_heads, num_head_channels: a fixed number of heads, or (if positive, and then decisive) channels per head.
        use_scale_shift_norm: the time embedding scales and shifts the second normalisation instead of being added.
        resblock_updown: residual blocks change the resolution instead of a convolution.
        use_new_attention_order: the qkv channels are ordered (q, k, v) x heads instead of heads x (q, k, v).
    """

    image_size: int
    num_channels: int
    num_res_blocks: int
    channel_mult: tuple[float, ...] = ()
    attention_resolutions: tuple[int, ...] = ()
    in_channels: int = 3
    out_channels: int = 3
    num_heads: int = 4
    num_head_channels: int = -1
    use_scale_shift_norm: bool = False
    resblock_updown: bool = False
    use_new_attention_order: bool = False

    def __post_init__(self):
        for name in ("channel_mult", "attention_resolutions"):
            value = getattr(self, name)
            if isinstance(value, str):
                value = [float(part) if "." in part else int(part) for part in value.split(",") if part.strip()]
            object.__setattr__(self, name, tuple(value))
        if not self.channel_mult:
            if self.image_size not in DEFAULT_CHANNEL_MULT:
                raise BenchmarkError(
                    f"channel_mult: needed for image_size {self.image_size}; sizes with a default are "
                    + ", ".join(map(str, sorted(DEFAULT_CHANNEL_MULT)))
                )
            object.__setattr__(self, "channel_mult", DEFAULT_CHANNEL_MULT[self.image_size])

    @classmethod
    def from_flags(cls, flags: dict) -> UNetConfig:
        """The configuration from a dictionary of flags; lists may be comma-separated strings.

        Raises:
            BenchmarkError: a flag that this network does not know, or one that it needs and is missing.
        """
        return from_flags(cls, flags, "U-Net")

    def to_flags(self) -> dict:
        """The configuration as plain data, fit for JSON; ``from_flags`` reads it back."""
        return {k: list(v) if isinstance(v, tuple) else v for k, v in asdict(self).items()}


def timestep_embedding(t: Tensor, width: int) -> Tensor:
    """[cos(t f_i), sin(t f_i)] with f_i = 10000^(-i / (width/2)), i = 0 .. width/2 - 1; (B,) -> (B, width), float32."""
    half = width // 2
    frequencies = torch.exp(torch.arange(half, dtype=torch.float32, device=t.device) * (-math.log(10000) / half))
    angles = t.float()[:, None] * frequencies
    embedding = torch.cat([angles.cos(), angles.sin()], dim=1)
    return F.pad(embedding, (0, width % 2))


class GroupNorm32(nn.GroupNorm):
    """GroupNorm in 32 groups whose statistics are taken in float32 whatever the precision of the input."""

    def __init__(self, channels: int, eps: float = 1e-5):
        super().__init__(32, channels, eps=eps)

    def forward(self, x: Tensor) -> Tensor:
        # The CPU kernel already accumulates bfloat16 input in float32 and takes float32 weights: no copies needed.
        if x.device.type == "cpu" and x.dtype == torch.bfloat16:
            return F.group_norm(x, self.num_groups, self.weight, self.bias, self.eps)
        return F.group_norm(x.float(), self.num_groups, self.weight, self.bias, self.eps).to(x.dtype)


class ResBlock(nn.Module):
    """x -> skip(x) + conv(silu(norm(conv(silu(norm(x)))))), conditioned on the time embedding.

    ``resize`` is "up" (nearest, x2), "down" (mean of 2x2) or None; it acts on both branches, before the first conv.
    """

    def __init__(self, channels: int, out: int, embedding: int, scale_shift: bool, resize: str | None = None):
        super().__init__()
        self.scale_shift = scale_shift
        self.resize = {"up": upsample, "down": downsample, None: None}[resize]
        # The gaps in the numbering stand for activations and dropout, which have no parameters.
        self.in_layers = nn.Sequential(GroupNorm32(channels), nn.SiLU(), nn.Conv2d(channels, out, 3, padding=1))
        self.emb_layers = nn.Sequential(nn.SiLU(), nn.Linear(embedding, 2 * out if scale_shift else out))
        self.out_layers = nn.Sequential(
            GroupNorm32(out), nn.SiLU(), nn.Identity(), zeroed(nn.Conv2d(out, out, 3, padding=1))
        )
        self.skip_connection = nn.Identity() if channels == out else nn.Conv2d(channels, out, 1)

    def forward(self, x: Tensor, embedding: Tensor) -> Tensor:
        norm, activation, convolution = self.in_layers
        h = activation(norm(x))
        if self.resize:
            h, x = self.resize(h), self.resize(x)
        h = convolution(h)
        condition = self.emb_layers(embedding).to(h.dtype)[:, :, None, None]
        norm, *rest = self.out_layers
        if self.scale_shift:
            scale, shift = condition.chunk(2, dim=1)
            h = torch.addcmul(shift, norm(h), 1 + scale)
        else:
            h = norm(h + condition)
        for layer in rest:
            h = layer(h)
        return self.skip_connection(x) + h


class Attention(nn.Module):
    """Self-attention over the pixels, with a residual connection; (B, C, H, W) -> the same."""

    def __init__(self, channels: int, heads: int, new_order: bool):
        super().__init__()
        if channels % heads:
            raise BenchmarkError(f"attention: {channels} channels cannot be split into {heads} heads")
        self.heads, self.new_order = heads, new_order
        self.norm = GroupNorm32(channels)
        self.qkv = nn.Conv1d(channels, 3 * channels, 1)
        self.proj_out = zeroed(nn.Conv1d(channels, channels, 1))

    def forward(self, x: Tensor) -> Tensor:
        batch, channels, height, width = x.shape
        tokens = self.norm(x).flatten(2).transpose(1, 2)  # (B, T, C): no copy in channels-last memory
        # A width-1 convolution is a matrix product over channels.
        qkv = F.linear(tokens, self.qkv.weight[:, :, 0], self.qkv.bias)
        if self.new_order:
            q, k, v = qkv.view(batch, -1, 3, self.heads, channels // self.heads).permute(2, 0, 3, 1, 4)
        else:
            q, k, v = qkv.view(batch, -1, self.heads, 3, channels // self.heads).permute(3, 0, 2, 1, 4)
        # softmax(q k^T / sqrt(d)) v; the fused kernels keep the softmax in float32.
        h = F.scaled_dot_product_attention(q, k, v).transpose(1, 2).reshape(batch, -1, channels)
        h = F.linear(h, self.proj_out.weight[:, :, 0], self.proj_out.bias)
        return x + h.transpose(1, 2).reshape(batch, channels, height, width)


class Downsample(nn.Module):
    """A 3x3 convolution of stride 2."""

    def __init__(self, channels: int):
        super().__init__()
        self.op = nn.Conv2d(channels, channels, 3, stride=2, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        return self.op(x)


class Upsample(nn.Module):
    """Nearest-neighbour doubling, then a 3x3 convolution."""

    def __init__(self, channels: int):
        super().__init__()
        self.conv = nn.Conv2d(channels, channels, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        return self.conv(upsample(x))


class TimestepEmbedSequential(nn.Sequential):
    """Layers in turn; the residual blocks among them are given the time embedding."""

    def forward(self, x: Tensor, embedding: Tensor) -> Tensor:
        for layer in self:
            x = layer(x, embedding) if isinstance(layer, ResBlock) else layer(x)
        return x


class UNet(nn.Module):
    """The ADM U-Net: ``net(x, t)`` with x (B, in_channels, H, W) and t (B,) original timesteps, 0 .. 999.

    Returns (B, out_channels, H, W) in x's dtype. H and W must be divisible by 2^(levels - 1).
    ``use_dtype`` puts the convolutions of the trunk into half precision; embedding, normalisation, softmax and the last
    convolution stay in float32, as in the published implementation.
    """

    def __init__(self, config: UNetConfig):
        super().__init__()
        self.config = config
        self.dtype = torch.float32
        width = config.num_channels
        embedding = 4 * width
        self.time_embed = nn.Sequential(nn.Linear(width, embedding), nn.SiLU(), nn.Linear(embedding, embedding))

        def residual(channels: int, out: int, resize: str | None = None) -> ResBlock:
            return ResBlock(channels, out, embedding, config.use_scale_shift_norm, resize)

        def attention(channels: int) -> Attention:
            per_head = config.num_head_channels
            heads = channels // per_head if per_head > 0 else config.num_heads
            return Attention(channels, heads, config.use_new_attention_order)

        def stage(channels: int, out: int, level: int) -> list[nn.Module]:
            attends = config.image_size // 2**level in config.attention_resolutions
            return [residual(channels, out), *([attention(out)] if attends else [])]

        widths = [int(multiple * width) for multiple in config.channel_mult]
        channels = widths[0]
        self.input_blocks = nn.ModuleList(
            [TimestepEmbedSequential(nn.Conv2d(config.in_channels, channels, 3, padding=1))]
        )
        skips = [channels]  # widths of the skip connections, in the order in which they are made
        for level, out in enumerate(widths):
            for _ in range(config.num_res_blocks):
                self.input_blocks.append(TimestepEmbedSequential(*stage(channels, out, level)))
                channels = out
                skips.append(channels)
            if level + 1 < len(widths):
                shrink = residual(channels, channels, "down") if config.resblock_updown else Downsample(channels)
                self.input_blocks.append(TimestepEmbedSequential(shrink))
                skips.append(channels)

        self.middle_block = TimestepEmbedSequential(
            residual(channels, channels), attention(channels), residual(channels, channels)
        )

        self.output_blocks = nn.ModuleList()
        for level, out in reversed(list(enumerate(widths))):
            for index in range(config.num_res_blocks + 1):
                layers = stage(channels + skips.pop(), out, level)
                channels = out
                if level > 0 and index == config.num_res_blocks:
                    layers.append(residual(channels, channels, "up") if config.resblock_updown else Upsample(channels))
                self.output_blocks.append(TimestepEmbedSequential(*layers))

        last = zeroed(nn.Conv2d(channels, config.out_channels, 3, padding=1))
        self.out = nn.Sequential(GroupNorm32(channels), nn.SiLU(), last)

    def use_dtype(self, dtype: torch.dtype) -> UNet:
        """Put the convolutions of the trunk into ``dtype`` (float32, float16, bfloat16); returns the network itself."""
        for blocks in (self.input_blocks, self.middle_block, self.output_blocks):
            for module in blocks.modules():
                if isinstance(module, nn.Conv1d | nn.Conv2d):
                    module.to(dtype)
        self.dtype = dtype
        return self

    def forward(self, x: Tensor, t: Tensor) -> Tensor:
        embedding = self.time_embed(timestep_embedding(t, self.config.num_channels))
        h = x.to(self.dtype)
        skips = []
        for block in self.input_blocks:
            h = block(h, embedding)
            skips.append(h)
        h = self.middle_block(h, embedding)
        for block in self.output_blocks:
            h = block(torch.cat([h, skips.pop()], dim=1), embedding)
        return self.out(h.to(x.dtype))


def upsample(x: Tensor) -> Tensor:
    """Each pixel becomes a 2x2 square of itself."""
    return F.interpolate(x, scale_factor=2, mode="nearest")


def downsample(x: Tensor) -> Tensor:
    """Each 2x2 square becomes its mean."""
    return F.avg_pool2d(x, 2)


def zeroed(module: nn.Module) -> nn.Module:
    """The module with its parameters at zero, so that a residual branch starts as the identity."""
    for parameter in module.parameters():
        nn.init.zeros_(parameter)
    return module
