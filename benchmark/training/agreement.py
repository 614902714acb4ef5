"""How far a classifier of a drawn world can be believed on a prior's samples, which are no pictures of the world.

Two readings that were trained on nothing stand beside it, each the nearest of pictures that are drawn at the case's own
position and size (:mod:`benchmark.metrics.engines.nearest_rendering`):

    allowed: over the values of the hidden attributes that the visible pixels allow, as the second reader does;
    free:    over the values of the visible attributes as well that draw something in the hole.

A sample that breaks what is visible (a patch of the wrong colour under the mouth) has no good picture among the allowed
ones, and a hidden value is then chosen for what it covers of the difference. The free reading has no such reason: where
allowed and free differ, the allowed one is at fault; where classifier and free differ, most often the classifier.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch

from benchmark.data.posterior import Posterior, repeated
from benchmark.data.worlds import WORLDS
from benchmark.metrics.engines import nearest_rendering
from benchmark.metrics.engines.exact_sets import NEAR

READERS = ("classifier", "allowed", "free")
DRAWS = 1e-3  # squared difference in the hole, summed: what is less draws nothing there


@dataclass(frozen=True)
class Readings:
    """Labels of M samples of one case: reader -> hidden attribute -> (M,) int; ``distance``: (M,), the free reading's
    RMS over the hole."""

    labels: dict[str, dict[str, np.ndarray]]
    distance: np.ndarray


def free_values(known: Posterior, hole: np.ndarray) -> dict[str, np.ndarray]:
    """Attribute -> the values that the free reading tries: the allowed ones of the hidden attributes, and all of the
    visible ones that draw most in the hole, as many attributes as can be drawn jointly (``nearest_rendering.MOST``)."""
    world = WORLDS[known.world]
    tried = {attribute: np.flatnonzero(known.shares[attribute] > 0) for attribute in known.hidden}
    drawn = {}
    for attribute in known.visible:
        alternatives = repeated(known.truth, len(world.ATTRIBUTES[attribute]))
        alternatives.values[attribute][:] = torch.arange(len(alternatives))
        pixels = nearest_rendering.draw_in_hole(world, alternatives, hole)
        drawn[attribute] = ((pixels - pixels[known.visible[attribute]]) ** 2).sum(axis=1).max()
    for attribute in sorted(drawn, key=drawn.get, reverse=True):
        more = {**tried, attribute: np.arange(len(world.ATTRIBUTES[attribute]))}
        if drawn[attribute] > DRAWS and nearest_rendering.is_few(more, hole):
            tried = more
    return tried


def readings(known: Posterior, hole: np.ndarray, images: np.ndarray, probabilities: dict) -> Readings:
    """What the three readers see in images (M, 3, H, W), samples of one case behind ``hole``, bool (H, W).

    Args:
        probabilities: the classifier's, attribute -> (M, K).

    The allowed reading is the free one among the pictures that keep the case's visible attributes.
    """
    table = nearest_rendering.all_renderings(WORLDS[known.world], known.truth, free_values(known, hole), hole)
    kept = np.ones(len(table.labels), bool)
    for column, attribute in enumerate(table.attributes):
        if attribute in known.visible:
            kept &= table.labels[:, column] == known.visible[attribute]
    inside = nearest_rendering.Renderings(table.attributes, table.labels[kept], table.pixels[kept])
    free = table.nearest(images, hole)
    labels = {
        "classifier": {a: np.asarray(probabilities[a]).argmax(axis=1) for a in known.hidden},
        "allowed": inside.nearest(images, hole).labels,
        "free": free.labels,
    }
    return Readings({r: {a: values[a] for a in known.hidden} for r, values in labels.items()}, free.distance)


def compare(parts: list[Readings], world: str) -> dict:
    """Agreement and shares of all cases together, as data.

    ``agreement``: pair of readers -> share of samples that both read alike; ``near``: the same of the samples whose
    free reading lies within ``exact_sets.NEAR``; ``shares``: value -> reader -> share. ``all`` is over every hidden
    attribute of every sample.
    """
    attributes = [a for a in WORLDS[world].ATTRIBUTES if any(a in part.labels["free"] for part in parts)]
    rows, everything = {}, []
    for attribute in attributes:
        of = [part for part in parts if attribute in part.labels["free"]]
        read = {reader: np.concatenate([part.labels[reader][attribute] for part in of]) for reader in READERS}
        near = np.concatenate([part.distance for part in of]) <= NEAR
        everything.append((read, near))
        rows[attribute] = {
            **_agreement(read, near),
            "shares": {
                value: {reader: float((labels == index).mean()) for reader, labels in read.items()}
                for index, value in enumerate(WORLDS[world].ATTRIBUTES[attribute])
            },
        }
    read = {reader: np.concatenate([read[reader] for read, _ in everything]) for reader in READERS}
    rows["all"] = _agreement(read, np.concatenate([near for _, near in everything]))
    return rows


def _agreement(read: dict[str, np.ndarray], near: np.ndarray) -> dict:
    result = {"samples": len(near), "near_samples": int(near.sum()), "agreement": {}, "near": {}}
    for one, other in (("classifier", "allowed"), ("classifier", "free"), ("allowed", "free")):
        same = read[one] == read[other]
        result["agreement"][f"{one}, {other}"] = float(same.mean())
        result["near"][f"{one}, {other}"] = float(same[near].mean()) if near.any() else float("nan")
    return result
