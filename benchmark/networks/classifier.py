"""A small network that reads the attributes of a rendered picture: one answer per attribute, and features.

    features = relu(W f(x) + b),  probabilities of attribute a = softmax(W_a features + b_a)

f is a stack of 3x3 convolutions on the 2x2 pixel-unshuffled picture, halved three times; its 4x4 grid is kept, since
where a feature lies says what it is.
"""

from __future__ import annotations

import os
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from benchmark.errors import BenchmarkError
from benchmark.weights.checkpoints import load_strictly, shipped


class Reading(NamedTuple):
    """What the classifier reads in M pictures.

    Attributes:
        probabilities: attribute -> (M, K), K values in the order of the world's table; rows sum to 1.
        features: (M, F), the layer before the answers, >= 0.
    """

    probabilities: dict[str, Tensor]
    features: Tensor


class AttributeNet(nn.Module):
    """Pictures (M, 3, 64, 64) in [-1, 1] -> logits {attribute: (M, K)} and features (M, F).

    Args:
        attributes: {attribute: number of its values}.
        widths: channels at 32x32, 16x16, 8x8 and 4x4 pixels.
        features: F.
    """

    def __init__(self, attributes: dict[str, int], widths: tuple[int, ...] = (32, 48, 64, 64), features: int = 128):
        super().__init__()
        layers: list[nn.Module] = []
        channels = 12
        for level, width in enumerate(widths):
            layers += _convolution(channels, width, stride=1 if level == 0 else 2) + _convolution(width, width)
            channels = width
        self.trunk = nn.Sequential(*layers)
        side = 32 >> (len(widths) - 1)
        self.features = nn.Linear(channels * side * side, features)
        self.heads = nn.ModuleDict({name: nn.Linear(features, count) for name, count in attributes.items()})

    def forward(self, x: Tensor) -> tuple[dict[str, Tensor], Tensor]:
        features = F.relu(self.features(self.trunk(F.pixel_unshuffle(x, 2)).flatten(1)))
        return {name: head(features) for name, head in self.heads.items()}, features


def _convolution(channels: int, out: int, stride: int = 1) -> list[nn.Module]:
    return [nn.Conv2d(channels, out, 3, stride, padding=1, bias=False), nn.GroupNorm(8, out), nn.ReLU()]


class Classifier:
    """A trained AttributeNet: ``classifier(x)`` reads pictures (M, 3, 64, 64) in [-1, 1]; no gradients.

    Attributes:
        attributes: {attribute: [its values]}, in the order of the probabilities.
        device: where it computes; pictures are brought there.
    """

    def __init__(self, network: AttributeNet, attributes: dict[str, list[str]], device: torch.device | str = "cpu"):
        self.attributes = attributes
        self.device = torch.device(device)
        self.network = network.to(self.device).eval().requires_grad_(False)

    @torch.no_grad()
    def __call__(self, x: Tensor, batch: int = 500) -> Reading:
        """Read pictures, at most ``batch`` at a time."""
        if x.dim() != 4 or x.shape[1:] != (3, 64, 64):
            raise BenchmarkError(f"the attribute classifier reads pictures (M, 3, 64, 64), not {tuple(x.shape)}")
        parts = [self.network(part.to(self.device, torch.float32)) for part in x.split(batch)]
        probabilities = {
            name: torch.cat([logits[name] for logits, _ in parts]).softmax(dim=1) for name in self.attributes
        }
        return Reading(probabilities, torch.cat([features for _, features in parts]))


def load_classifier(
    name: str = "faces", device: torch.device | str = "cpu", path: str | os.PathLike | None = None
) -> Classifier:
    """The shipped attribute classifier of world ``name`` (``benchmark/weights/files/NAME_classifier.safetensors``).

    Raises:
        BenchmarkError: missing or damaged weights or card (see checkpoints.shipped), or weights that do not fit.
    """
    card, state, path = shipped(f"{name.removesuffix('_classifier')}_classifier", path)
    counts = {attribute: len(values) for attribute, values in card["attributes"].items()}
    network = AttributeNet(counts, tuple(card["network"]["widths"]), card["network"]["features"])
    return Classifier(load_strictly(network, state, path), card["attributes"], device)
