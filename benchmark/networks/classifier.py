"""A small network that reads the attributes of a rendered picture: one answer per attribute, and features.

    features = relu(W f(x) + b),  probabilities of attribute a = softmax(W_a features + b_a)

f is a stack of 3x3 convolutions on the 2x2 pixel-unshuffled picture, halved three times; its 4x4 grid is kept, since
where a feature lies says what it is.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from benchmark.errors import BenchmarkError
from benchmark.networks.training import Training, keyed_generator
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


# ------------------------------------------------------------------------------------------------------------ training
@dataclass(frozen=True)
class ClassifierTraining(Training):
    """A training run of a classifier.

    Attributes:
        attributes: {attribute: [its values]}.
        blends: the share of pictures that lie between values, see :func:`blend`.
    """

    attributes: dict = field(default_factory=dict)
    blends: float = 0.0
    widths: tuple[int, ...] = (32, 48, 64, 64)
    features: int = 128


@dataclass(frozen=True)
class ReadingTask:
    """Learning to read attributes from freshly drawn, spoilt pictures.

    ``pictures``: (count, generator) -> pictures (count, 3, 64, 64) and {attribute: index of its value (count,)}; those
    that lie between values are among them.
    """

    settings: ClassifierTraining
    pictures: Callable[[int, torch.Generator], tuple[Tensor, dict[str, Tensor]]]
    bands: int = 1

    def build(self) -> nn.Module:
        counts = {name: len(values) for name, values in self.settings.attributes.items()}
        return AttributeNet(counts, tuple(self.settings.widths), self.settings.features)

    def draw(self, step: int) -> tuple[Tensor, Tensor, Tensor]:
        """Bands (all 0), pictures, value indices (B, attributes)."""
        generator = keyed_generator(self.settings.seed, "pictures", step)
        pictures, values = self.pictures(self.settings.batch, generator)
        spoilt = spoil(pictures, generator, strongly=self.settings.blends > 0)
        labels = torch.stack([values[name] for name in self.settings.attributes], dim=1)
        return torch.zeros(len(labels), dtype=torch.int64), spoilt, labels

    def losses(self, network: nn.Module, pictures: Tensor, labels: Tensor) -> Tensor:
        """Sum of the attributes' cross entropies, per picture, (b,)."""
        logits, _ = network(pictures)
        columns = labels.unbind(dim=1)
        return sum(
            F.cross_entropy(logits[name].float(), column, reduction="none")
            for name, column in zip(self.settings.attributes, columns)
        )


def blend(drawn: Tensor, others: list[Tensor], generator: torch.Generator) -> tuple[Tensor, list[Tensor]]:
    """Pictures between those drawn and others that differ from them, as a prior leaves them that did not decide:

        x = d + sum_j m_j (o_j - d),    m_j in [0, 1]: one number for a picture, or a smooth field of its own

    Args:
        drawn: d, (B, C, H, W). others: o_1 ... o_J, each of one attribute changed.

    Returns:
        x, and for each j which pictures are nearer to o_j than to d where the two differ, (B,) bool: the squared
        distance from d is sum (m (o - d))^2, that from o is sum ((1 - m) (o - d))^2.
    """
    size, mixed, taken = drawn.shape[-1], drawn.clone(), []
    for other in others:
        change = other - drawn
        number = torch.rand((len(drawn), 1, 1, 1), generator=generator)
        coarse = torch.randn((len(drawn), 1, 5, 5), generator=generator)
        smooth = F.interpolate(coarse, size=(size, size), mode="bicubic", align_corners=True)
        local = torch.rand((len(drawn), 1, 1, 1), generator=generator) < 0.5
        share = torch.where(local, torch.sigmoid(4 * smooth + 6 * (number - 0.5)), number)
        mixed += share * change
        squared = change**2
        taken.append((((1 - share) ** 2 - share**2) * squared).sum(dim=(1, 2, 3)) < 0)
    return mixed.clamp_(-1, 1), taken


def spoil(pictures: Tensor, generator: torch.Generator, strongly: bool = False) -> Tensor:
    """Half of the pictures with what samples of a prior suffer from: a little noise, blur, and a shift of colour.

    So the classifier's confidence on slightly imperfect pictures is learned, not extrapolated. ``strongly``: blurred
    twice over, and with stains, noise that is smooth over some pixels.
    """
    count = len(pictures)

    def uniform(*shape: int) -> Tensor:
        return torch.rand(shape, generator=generator)

    chosen = (uniform(count, 1, 1, 1) < 0.5).float()
    kernel = torch.tensor([0.25, 0.5, 0.25])
    kernel = (kernel[:, None] * kernel).expand(3, 1, 3, 3)

    def blurred(x: Tensor) -> Tensor:
        return F.conv2d(F.pad(x, (1, 1, 1, 1), mode="replicate"), kernel, groups=3)

    spoilt = pictures
    for _ in range(2 if strongly else 1):
        spoilt = torch.lerp(spoilt, blurred(spoilt), uniform(count, 1, 1, 1))
    spoilt = spoilt * (1 + 0.1 * (uniform(count, 1, 1, 1) - 0.5)) + 0.1 * (uniform(count, 3, 1, 1) - 0.5)
    spoilt = spoilt + 0.15 * uniform(count, 1, 1, 1) * torch.randn(pictures.shape, generator=generator)
    if strongly:
        for side in (8, 20):
            stains = torch.randn((count, 3, side, side), generator=generator)
            stains = F.interpolate(stains, size=pictures.shape[-2:], mode="bilinear", align_corners=False)
            spoilt = spoilt + 0.08 * uniform(count, 1, 1, 1) * stains
    return torch.lerp(pictures, spoilt, chosen)
