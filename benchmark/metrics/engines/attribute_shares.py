"""What restorations of drawn worlds show: the share of each value, and how far they lie from the classifier's world.

    share(a, v) = #{samples read as value v of attribute a} / N
    distance(x) = min_f RMS(x - render(reading of x, f)),  f a position and size

The reading of x is the classifier's; where the world drew the case, f is the case's own, else the best of ``FRAMES`` of
the world. The world's picture of what is read in x bounds x's distance to the nearest picture of the world from above.
Candidates are plain samples by the hundred: their shares say what a plain set of five only hints at. They stand beside
the plain set of their case and seed alone.
"""

from __future__ import annotations

import math

import numpy as np

from benchmark.metrics.registry import Metric
from benchmark.metrics.view import SetFile, SetView, behind_the_hole, classifier_name, drawn_world

_NEEDS = ("attributes", "classifier", "hole")
SHARE, EXACT, WORLD, CANDIDATES = (
    f"attribute_share{kind}/{{attribute}}/{{value}}" for kind in ("", "_exact", "_world", "_candidates")
)
FRAMES = 64
METRICS = (
    Metric(
        SHARE,
        _NEEDS,
        "none",
        "share",
        "samples read as this value, of the attributes that the hole hides; of a picture from another world, of all",
        range=(0, 1),
        label="Share of {attribute}/{value}",
        group="shares",
        rank=65,
    ),
    Metric(
        EXACT,
        _NEEDS,
        "none",
        "share",
        "the posterior's share of this value",
        range=(0, 1),
        label="Share of {attribute}/{value}, exact sampling",
        group="shares",
        rank=67,
    ),
    Metric(
        WORLD,
        _NEEDS,
        "none",
        "share",
        "the share of this value in the classifier's world, by its generator",
        range=(0, 1),
        label="Share of {attribute}/{value} in the world",
        group="shares",
        rank=69,
    ),
    Metric(
        CANDIDATES,
        (*_NEEDS, "bank"),
        "none",
        "share",
        "the share among all candidates of the case and seed, which are plain samples; beside plain sets alone",
        range=(0, 1),
        label="Share of {attribute}/{value}, candidates",
        group="shares",
        rank=68,
    ),
    Metric(
        "candidates_counted",
        (*_NEEDS, "bank"),
        "none",
        "",
        "how many candidates these are",
        range=(0, math.inf),
        label="Candidates counted",
        group="truth",
        rank=15,
    ),
    Metric(
        "world_distance",
        _NEEDS,
        "lower",
        "",
        "mean over samples of the RMS difference, on [-1, 1], from the world's picture with the attributes that are "
        "read in them",
        range=(0, 2),
        measures="plausibility",
        label="Distance from the world",
        group="truth",
        rank=16,
    ),
    Metric(
        "world_distance_hole",
        _NEEDS,
        "lower",
        "",
        "the same over the hole's pixels, at the position and size that are best there",
        range=(0, 2),
        measures="plausibility",
        label="Distance from the world, in hole",
        group="truth",
        rank=17,
    ),
    Metric(
        "world_distance_truth",
        (*_NEEDS, "truth"),
        "none",
        "",
        "the same of the picture that was restored: 0 for the world's own, read without error",
        range=(0, 2),
        label="Distance from the world, restored picture",
        group="truth",
        rank=18,
    ),
)


def measure(view: SetView, probabilities: dict[str, np.ndarray], wanted: frozenset[str]) -> dict[str, float]:
    """The shares of one set, and its distance from the world; {} where the classifier reads no drawn world."""
    world = drawn_world(view)
    if world is None or set(probabilities) != set(world.ATTRIBUTES):
        return {}
    known = behind_the_hole(view) if view.hole is not None else None
    values = {}
    if view.hole is not None and any(metric.startswith(("attribute_share", "candidates_")) for metric in wanted):
        values |= _shares(known, world, probabilities)
        values |= _candidates(view, known, world)
    if view.hole is not None and any(metric.startswith("world_distance") for metric in wanted):
        whole, hole = _distances(view, known, view.images, probabilities)
        values |= {"world_distance": float(whole.mean()), "world_distance_hole": float(hole.mean())}
        key = ("world_distance_truth", view.case, view.hole.tobytes())
        values["world_distance_truth"] = view.file.once_for_all(key, lambda: _distance_of_truth(view, known))
    return values


def prepare(file: SetFile, wanted: frozenset[str]) -> None:
    """Draw what is read in all restorations of a file, at the positions of their cases, in one batch."""
    views = [view for view in file.views if view.hole is not None]
    if not views or not any(metric.startswith("world_distance") for metric in wanted) or drawn_world(views[0]) is None:
        return
    name = classifier_name(file.settings)
    file.read_all(name)
    asked = {}
    for view in views:
        known = behind_the_hole(view)
        probabilities, _ = file.read(name, view.images)
        if known is not None and set(probabilities) == set(known.truth.values):
            asked |= _readings(view.case, known, probabilities)
    _draw(file, drawn_world(views[0]), views[0].hole.shape[-1], asked)


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


def _candidates(view: SetView, known, world) -> dict[str, float]:
    """The shares of a plain set's candidates; {} of another set, and where there are none."""
    if view.bank is None or view.keys.get("method") != "plain":
        return {}
    probabilities, _ = view.file.read(classifier_name(view.settings), view.bank)
    shares = _shares(known, world, probabilities)
    values = {
        name.replace("attribute_share/", "attribute_share_candidates/"): share
        for name, share in shares.items()
        if name.startswith("attribute_share/")
    }
    return values | {"candidates_counted": float(len(view.bank))}


def _distance_of_truth(view: SetView, known) -> float:
    truth, _ = view.file.read(classifier_name(view.settings), view.truth[None])
    return float(_distances(view, known, view.truth[None], truth)[0][0])


def _distances(
    view: SetView, known, images: np.ndarray, probabilities: dict[str, np.ndarray]
) -> tuple[np.ndarray, np.ndarray]:
    """RMS differences (N,) of images (N, C, H, W) from the world's pictures of what is read in them: everywhere, and in
    the hole."""
    import torch

    world = drawn_world(view)
    if known is not None:
        readings = _readings(view.case, known, probabilities)
        drawn = _draw(view.file, world, images.shape[-1], readings)
        pictures = np.stack([drawn[key] for key in _keys(view.case, known, probabilities)])[:, None]
    else:
        placed = world.sample_attributes(FRAMES, torch.Generator().manual_seed(0))
        placed = placed[torch.arange(FRAMES).repeat(len(images))]  # every frame for the first image, then for the next
        for attribute, values in probabilities.items():
            placed.values[attribute][:] = torch.from_numpy(values.argmax(axis=1)).repeat_interleave(FRAMES)
        pictures = world.render(placed, images.shape[-1]).numpy().reshape(len(images), FRAMES, *images.shape[1:])
    squared = ((pictures - images[:, None]) ** 2).mean(axis=2)
    return np.sqrt(squared.mean(axis=(2, 3)).min(axis=1)), np.sqrt(squared[:, :, view.hole].mean(axis=2).min(axis=1))


def _keys(case: str, known, probabilities: dict[str, np.ndarray]) -> list[tuple]:
    """Of each image the case, its position's, and the values that are read in it: what its drawing depends on."""
    labels = np.stack([probabilities[attribute].argmax(axis=1) for attribute in known.truth.values], axis=1)
    return [(case, *row) for row in labels.tolist()]


def _readings(case: str, known, probabilities: dict[str, np.ndarray]) -> dict[tuple, object]:
    """Key -> attributes (one picture) of the different readings among images of a case."""
    import torch

    from benchmark.data.posterior import repeated

    keys = list(dict.fromkeys(_keys(case, known, probabilities)))
    drawn = repeated(known.truth, len(keys))
    for i, attribute in enumerate(known.truth.values, start=1):
        drawn.values[attribute][:] = torch.tensor([key[i] for key in keys])
    return {key: drawn[row : row + 1] for row, key in enumerate(keys)}


def _draw(file: SetFile, world, size: int, asked: dict[tuple, object]) -> dict[tuple, np.ndarray]:
    """Key -> picture (C, H, W) of all that was ever asked of a file; what is new is drawn at once."""
    from benchmark.data.posterior import joined

    drawn = file.once("pictures of readings", dict)
    new = [key for key in asked if key not in drawn]
    if new:
        drawn |= dict(zip(new, world.render(joined([asked[key] for key in new]), size).numpy(), strict=True))
    return drawn
