"""What an attribute classifier learns: to read freshly drawn pictures, spoilt and blended as a prior's samples are."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from benchmark.data.drawing import Attributes
from benchmark.data.worlds import World
from benchmark.errors import BenchmarkError
from benchmark.networks.classifier import AttributeNet
from benchmark.training.loop import Training, keyed_generator


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


def classifier_task(world: World, common: dict, blends: float) -> ReadingTask:
    """The task of a run with the settings ``common``; the share ``blends`` of its pictures lie between values."""
    if not 0 <= blends <= 1:
        raise BenchmarkError(f"--blends {blends}: a share from 0 to 1 is expected")
    table = {name: list(values) for name, values in world.ATTRIBUTES.items()}

    def pictures(count: int, generator: torch.Generator) -> tuple[Tensor, dict[str, Tensor]]:
        attributes = world.sample_attributes(count, generator)
        images = world.render(attributes)
        if not blends:
            return images, attributes.values
        rows = torch.nonzero(torch.rand(count, generator=generator) < blends)[:, 0]
        base = attributes[rows]
        which = torch.randint(len(table), (len(rows),), generator=generator)
        others = []
        for _ in range(2):  # two different attributes
            others.append(_changed(base, which, generator))
            which = (which + torch.randint(1, len(table), (len(rows),), generator=generator)) % len(table)
        images[rows], taken = blend(images[rows], [world.render(other) for other in others], generator)
        for other, nearer in zip(others, taken, strict=True):
            for name, values in other.values.items():
                moved = nearer & (values != base.values[name])
                attributes.values[name][rows[moved]] = values[moved]
        return images, attributes.values

    return ReadingTask(ClassifierTraining(**common, attributes=table, blends=blends), pictures)


def _changed(attributes: Attributes, which: Tensor, generator: torch.Generator) -> Attributes:
    """The same pictures, but of each the attribute number ``which`` (M,) has another value, all alike probable."""
    changed = attributes[torch.arange(len(attributes))]
    for number, (name, table) in enumerate(attributes.table.items()):
        step = torch.randint(1, len(table), (len(attributes),), generator=generator)
        values = (changed.values[name] + step) % len(table)
        changed.values[name][:] = torch.where(which == number, values, changed.values[name])
    return changed
