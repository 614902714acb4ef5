"""Natural scene statistics after NIQE, in batches and for blocks of any size, so that they can be refitted.

Mittal, Soundararajan and Bovik 2013, "Making a completely blind image quality analyzer". For each of two scales: the
luma, mean-subtracted and contrast-normalised (equations 1 to 3), cut into blocks, and of each block 18 features: the
parameters of the asymmetric generalised Gaussian of the coefficients and of the products of neighbours in four
directions (equations 4 to 8). The 36 features of the blocks make a Gaussian, and quality is its distance to the
Gaussian of clean pictures (equation 10). Features of the first scale are pyiqa's to 1e-4; the second scale's differ by
how the picture's edge is treated when it is halved.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

CHUNK = 4  # pictures at a time: what a core's cache holds
LUMA = (0.299, 0.587, 0.114)
SHAPES = torch.arange(0.2, 10.001, 0.001, dtype=torch.float64)
_RATIO = (2 * torch.lgamma(2 / SHAPES) - torch.lgamma(1 / SHAPES) - torch.lgamma(3 / SHAPES)).exp()
_MIDDLE = (_RATIO[1:] + _RATIO[:-1]) / 2
DIRECTIONS = ((0, 1), (1, 0), (1, 1), (1, -1))


@dataclass(frozen=True)
class Model:
    """The Gaussian of the block features of clean pictures: mean (36,), covariance (36, 36), from ``blocks`` blocks."""

    mean: np.ndarray
    covariance: np.ndarray
    block: int
    stride: int
    blocks: int


def luma(images: np.ndarray) -> Tensor:
    """Pictures (N, C, H, W) in [-1, 1] -> Y of YIQ in 0..255, rounded: (N, 1, H, W) float64."""
    pixels = (torch.as_tensor(images, dtype=torch.float64) + 1) / 2
    if pixels.shape[1] == 3:
        pixels = (pixels * torch.tensor(LUMA, dtype=torch.float64)[:, None, None]).sum(1, keepdim=True)
    return (pixels.clamp(0, 1) * 255).round()


def normalised(images: Tensor) -> Tensor:
    """(I - mu) / (sigma + 1) with mu, sigma of a 7x7 Gaussian window of standard deviation 7/6, edges replicated.

    sigma = sqrt(|E I^2 - mu^2|): where the window is flat the difference is rounding, of either sign.
    """
    line = torch.exp(-(torch.arange(-3, 4, dtype=torch.float64) ** 2) / (2 * (7 / 6) ** 2))
    window = (line[:, None] * line / line.sum() ** 2)[None, None]
    padded = F.pad(images, (3, 3, 3, 3), mode="replicate")
    mean, square = F.conv2d(padded, window), F.conv2d(padded**2, window)
    return (images - mean) / ((square - mean**2).abs().sqrt() + 1)


def block_features(images: np.ndarray, block: int, stride: int | None = None) -> Tensor:
    """36 features of every block: pictures (N, C, H, W) in [-1, 1] -> (N, blocks, 36); NaN where a block is flat.

    Blocks are ``block`` pixels wide at the first scale and half of it at the second, ``stride`` pixels apart (default:
    side by side), rows first. The picture is cut to a whole number of strides.
    """
    stride = stride or block
    return torch.cat(
        [_block_features(luma(images[i : i + CHUNK]), block, stride) for i in range(0, len(images), CHUNK)]
    )


def _block_features(picture: Tensor, block: int, stride: int) -> Tensor:
    height, width = ((side - block) // stride * stride + block for side in picture.shape[-2:])
    picture = picture[..., :height, :width]
    scales = []
    for scale in (1, 2):
        patches = F.unfold(normalised(picture), block // scale, stride=stride // scale)
        patches = patches.transpose(1, 2).unflatten(2, (block // scale, block // scale))
        scales.append(_features(patches))
        picture = F.interpolate(picture, scale_factor=0.5, mode="bicubic", antialias=True)
    return torch.cat(scales, -1)


def _features(blocks: Tensor) -> Tensor:
    """18 features of each block (..., b, b)."""
    alpha, left, right = _fit(blocks)
    features = [alpha, (left + right) / 2]
    for direction in DIRECTIONS:
        alpha, left, right = _fit(blocks * torch.roll(blocks, direction, dims=(-2, -1)))
        mean = (right - left) * (torch.lgamma(2 / alpha) - torch.lgamma(1 / alpha)).exp()
        features += [alpha, mean, left, right]
    return torch.stack(features, -1)


def _fit(blocks: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Shape and the two scales of the asymmetric generalised Gaussian of each block, by moments.

    The shape is the nearest of .2, .201, ..., 10 by its ratio of moments, so that heavier and lighter tails end there.
    NaN where no coefficient is below 0, or none above.
    """
    values = blocks.flatten(-2)
    squares = values.square()
    below, above = values < 0, values > 0
    left = ((squares * below).sum(-1) / below.sum(-1)).sqrt()
    right = ((squares * above).sum(-1) / above.sum(-1)).sqrt()
    gamma = left / right
    ratio = values.abs().mean(-1).square() / squares.mean(-1)
    ratio = ratio * (gamma**3 + 1) * (gamma + 1) / (gamma**2 + 1).square()
    alpha = SHAPES[torch.bucketize(ratio.nan_to_num(0.0), _MIDDLE)]
    scale = (torch.lgamma(1 / alpha) - torch.lgamma(3 / alpha)).exp().sqrt()
    alpha = torch.where(ratio.isnan(), torch.nan, alpha)
    return alpha, left * scale, right * scale


def fit(images: np.ndarray, block: int, stride: int | None = None) -> Model:
    """The Gaussian of all blocks of clean pictures; flat blocks are left out, none is chosen by its sharpness.

    Raises:
        ValueError: fewer than 72 blocks, twice the number of features.
    """
    features = block_features(images, block, stride).flatten(0, 1).numpy()
    features = features[np.isfinite(features).all(1)]
    if len(features) < 72:
        raise ValueError(f"{len(features)} blocks of {block}x{block} that are not flat; 72 are needed")
    return Model(features.mean(0), np.cov(features, rowvar=False), block, stride or block, len(features))


def score(images: np.ndarray, model: Model) -> np.ndarray:
    """sqrt((mu - mu_i)^T ((S + S_i) / 2)^+ (mu - mu_i)) of each picture, (N,); NaN with under 2 blocks not flat."""
    scores = np.full(len(images), np.nan)
    for row, features in enumerate(block_features(images, model.block, model.stride).numpy()):
        features = features[np.isfinite(features).all(1)]
        if len(features) >= 2:
            difference = model.mean - features.mean(0)
            pooled = (model.covariance + np.cov(features, rowvar=False)) / 2
            scores[row] = np.sqrt(difference @ np.linalg.pinv(pooled) @ difference)
    return scores
