"""What a hole hides of a drawn picture: the exact posterior over its attributes.

A world draws its attributes independently of each other, so that the visible pixels y say about attribute a only which
of its values they allow:

    p(a = v | y) = p(v) / sum of p(w) over the allowed w,  for an allowed v, else 0

and the attributes stay independent. A value is allowed where the picture drawn with it (frame and other attributes as
they are) equals the truth at every visible pixel to within half a grey level of 8 bits. An attribute with one allowed
value is visible, any other hidden; one that is wholly hidden keeps its prior shares. That several hidden values may
change together without touching a visible pixel is checked by drawing.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import torch
from torch import Tensor

from benchmark.data.drawing import Attributes, Frame
from benchmark.data.sources import TEST_SEED
from benchmark.data.worlds import WORLDS, World
from benchmark.errors import BenchmarkError

HALF_GREY = 1 / 255  # half a grey level, pictures in [-1, 1]
JOINT_DRAWS = 8


@dataclass(frozen=True)
class Posterior:
    """``shares``: attribute -> (K,) float64, p(value | visible pixels) in the order of the world's table."""

    world: str
    truth: Attributes  # one picture
    shares: dict[str, np.ndarray]

    @property
    def hidden(self) -> list[str]:
        """The attributes with more than one allowed value."""
        return [attribute for attribute, share in self.shares.items() if (share > 0).sum() > 1]

    @property
    def visible(self) -> dict[str, int]:
        """The other attributes, with the index of their value."""
        return {a: int(share.argmax()) for a, share in self.shares.items() if (share > 0).sum() == 1}

    def is_picture(self, image: np.ndarray) -> bool:
        """Whether ``image`` (C, H, W) is the truth, up to storing it with 8 bits."""
        drawn = WORLDS[self.world].render(self.truth, image.shape[-1])[0].numpy()
        return drawn.shape == image.shape and bool(np.abs(drawn - image).max() <= 1.01 * HALF_GREY)

    def sample(self, count: int, generator: torch.Generator) -> Attributes:
        """Exact posterior samples: the truth's frame and visible attributes, hidden ones drawn from their shares."""
        drawn = repeated(self.truth, count)
        for attribute, share in self.shares.items():
            weights = torch.from_numpy(share)
            drawn.values[attribute][:] = torch.multinomial(weights, count, replacement=True, generator=generator)
        return drawn


def repeated(attributes: Attributes, count: int) -> Attributes:
    """``count`` copies of one picture's attributes."""
    return attributes[torch.zeros(count, dtype=torch.int64)]


def joined(parts: list[Attributes]) -> Attributes:
    """The pictures of several attributes of one world, one after the other."""
    values = {name: torch.cat([part.values[name] for part in parts]) for name in parts[0].values}
    frame = [torch.cat([getattr(part.frame, name) for part in parts]) for name in ("centre_x", "centre_y", "scale")]
    return Attributes(parts[0].table, values, Frame(*frame))


def posterior(name: str, world: World, truth: Attributes, hole: Tensor) -> Posterior:
    """The posterior behind ``hole``, bool (H, W), True = unknown, of the picture ``truth`` (one row).

    Raises:
        BenchmarkError: hidden attributes that are not independent given the visible pixels, which this rule cannot say.
    """
    size, visible = hole.shape[-1], ~hole
    alternatives = [truth]
    for attribute, table in world.ATTRIBUTES.items():
        values = repeated(truth, len(table))
        values.values[attribute][:] = torch.arange(len(table))
        alternatives.append(values)
    images = world.render(joined(alternatives), size)  # all at once: a few at a time take three times as long
    known, start = images[0][:, visible], 1
    shares = {}
    for attribute, table in world.ATTRIBUTES.items():
        allowed = _agrees(images[start : start + len(table)], visible, known).numpy()
        start += len(table)
        share = np.array(list(table.values())) * allowed
        shares[attribute] = share / share.sum()
    found = Posterior(name, truth, shares)
    if len(found.hidden) > 1:
        together = found.sample(JOINT_DRAWS, torch.Generator().manual_seed(0))
        if not bool(_agrees(world.render(together, size), visible, known).all()):
            raise BenchmarkError(
                f"world {name}: behind this hole {', '.join(found.hidden)} depend on each other; "
                "use a hole that hides all or nothing of what they show together"
            )
    return found


def _agrees(images: Tensor, visible: Tensor, known: Tensor) -> Tensor:
    """(M,): which images (M, C, H, W) equal ``known`` (C, P) at the P visible pixels, to half a grey level."""
    return (images[:, :, visible] - known).abs().flatten(1).amax(1) <= HALF_GREY


def truth_of(case: str, world: str) -> Attributes | None:
    """Attributes and frame of a rendered case from its name (``sources``: WORLD SEED _ INDEX), or None."""
    match = re.fullmatch(rf"{re.escape(world)}(\d+)_(\d+)", case)
    if world not in WORLDS or match is None:
        return None
    seed, index = (int(number) for number in match.groups())
    drawn = WORLDS[world].sample_attributes(index + 1, torch.Generator().manual_seed(TEST_SEED + seed))
    return drawn[index : index + 1]


@lru_cache(maxsize=512)
def posterior_of_case(world: str, case: str, size: int, hole: bytes) -> Posterior | None:
    """The posterior of a rendered case behind ``hole`` (its bytes, size x size); None where the name is no such case's.

    Raises:
        BenchmarkError: as :func:`posterior`.
    """
    truth = truth_of(case, world)
    if truth is None:
        return None
    mask = torch.frombuffer(bytearray(hole), dtype=torch.bool).reshape(size, size)
    return posterior(world, WORLDS[world], truth, mask)
