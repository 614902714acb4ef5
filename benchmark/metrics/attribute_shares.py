"""What restorations of drawn worlds show: the share of each value, and how far they lie from the classifier's world.

    share(a, v) = #{samples read as value v of attribute a} / N
    distance(x) = min_f RMS(x - render(reading of x, f)),  f a position and size

The reading of x is the classifier's; where the world drew the case, f is the case's own, else the best of ``FRAMES`` of
the world. The world's picture of what is read in x bounds x's distance to the nearest picture of the world from above.
"""

from __future__ import annotations

import numpy as np

from benchmark.metrics.attribute_truth import behind_the_hole
from benchmark.metrics.registry import Metric
from benchmark.metrics.view import SetView, classifier_name, drawn_world

SHARE, EXACT, WORLD = (f"attribute_share{kind}/{{attribute}}/{{value}}" for kind in ("", "_exact", "_world"))
FRAMES = 64
METRICS = (
    Metric(
        SHARE,
        ("attributes", "classifier", "hole"),
        "none",
        "share",
        "samples read as this value, of the attributes that the hole hides; of a picture from another world, of all",
    ),
    Metric(EXACT, ("attributes", "classifier", "hole"), "none", "share", "the posterior's share of this value"),
    Metric(
        WORLD,
        ("attributes", "classifier", "hole"),
        "none",
        "share",
        "the share of this value in the classifier's world, by its generator",
    ),
    Metric(
        "world_distance",
        ("attributes", "classifier", "hole"),
        "lower",
        "[-1, 1] units",
        "mean over samples of the RMS difference from the world's picture with the attributes that are read in them",
    ),
    Metric(
        "world_distance_hole",
        ("attributes", "classifier", "hole"),
        "lower",
        "[-1, 1] units",
        "the same over the hole's pixels, at the position and size that are best there",
    ),
    Metric(
        "world_distance_truth",
        ("attributes", "classifier", "hole", "truth"),
        "none",
        "[-1, 1] units",
        "the same of the picture that was restored: 0 for the world's own, read without error",
    ),
)


def measure(view: SetView, probabilities: dict[str, np.ndarray], wanted: frozenset[str]) -> dict[str, float]:
    """The shares of one set, and its distance from the world; {} where the classifier reads no drawn world."""
    world = drawn_world(view)
    if world is None or set(probabilities) != set(world.ATTRIBUTES):
        return {}
    known = behind_the_hole(view) if view.hole is not None else None
    values = {}
    if view.hole is not None and any(metric.startswith("attribute_share") for metric in wanted):
        values |= _shares(known, world, probabilities)
    if view.hole is not None and any(metric.startswith("world_distance") for metric in wanted):
        truth, _ = view.file.read(classifier_name(view.settings), view.truth[None])
        whole, hole = _distances(world, known, view.images, probabilities, view.hole)
        values |= {"world_distance": float(whole.mean()), "world_distance_hole": float(hole.mean())}
        values["world_distance_truth"] = float(_distances(world, known, view.truth[None], truth, view.hole)[0][0])
    return values


def _shares(known, world, probabilities: dict[str, np.ndarray]) -> dict[str, float]:
    values = {}
    for attribute in world.ATTRIBUTES if known is None else known.hidden:
        labels = probabilities[attribute].argmax(axis=1)
        for index, (value, share) in enumerate(world.ATTRIBUTES[attribute].items()):
            values[f"attribute_share/{attribute}/{value}"] = float((labels == index).mean())
            values[f"attribute_share_world/{attribute}/{value}"] = share
            if known is not None:
                values[f"attribute_share_exact/{attribute}/{value}"] = float(known.shares[attribute][index])
    return values


def _distances(
    world, known, images: np.ndarray, probabilities: dict[str, np.ndarray], hole: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """RMS differences (N,) of images (N, C, H, W) from the world's pictures of what is read in them: everywhere, and in
    the hole."""
    import torch

    count = 1 if known is not None else FRAMES
    placed = known.truth if known is not None else world.sample_attributes(FRAMES, torch.Generator().manual_seed(0))
    drawn = placed[torch.arange(count).repeat(len(images))]  # every frame for the first image, then for the next
    for attribute, values in probabilities.items():
        drawn.values[attribute][:] = torch.from_numpy(values.argmax(axis=1)).repeat_interleave(count)
    pictures = world.render(drawn, images.shape[-1]).numpy().reshape(len(images), count, *images.shape[1:])
    squared = ((pictures - images[:, None]) ** 2).mean(axis=2)
    return np.sqrt(squared.mean(axis=(2, 3)).min(axis=1)), np.sqrt(squared[:, :, hole].mean(axis=2).min(axis=1))
