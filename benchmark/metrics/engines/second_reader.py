"""What the nearest rendering says of a set, beside the classifier: its labels, and how far the set lies from them.

The classifier was trained and errs; the nearest rendering over all allowed values of the hidden attributes
(:mod:`benchmark.metrics.engines.nearest_rendering`) was not. Where both agree a label is beyond doubt; where a
measure differs between them, the difference is a reader's and not the sampler's. Measures in ``*_nearest`` are those of
``attribute_posterior`` and ``attribute_shares`` with these labels.
"""

from __future__ import annotations

import numpy as np

from benchmark.metrics.engines import exact_sets
from benchmark.metrics.registry import Metric
from benchmark.metrics.view import SetView, behind_the_hole, classifier_name, drawn_world, world_name

_NEEDS = ("attributes", "classifier", "hole")
SHARE = "attribute_share_nearest/{attribute}/{value}"
METRICS = (
    Metric(
        "nearest_distance",
        _NEEDS,
        "lower",
        "",
        "mean over samples of the RMS difference, on [-1, 1] in the hole, from the nearest picture of the world that "
        "is allowed there; 0 for exact samples",
        range=(0, 2),
        measures="plausibility",
        label="Distance from the nearest rendering",
        group="truth",
        rank=11,
    ),
    Metric(
        "reader_agreement",
        _NEEDS,
        "none",
        "share",
        "samples and hidden attributes of which the classifier reads what the nearest rendering shows",
        range=(0, 1),
        label="Agreement of the readers",
        group="truth",
        rank=14,
    ),
    Metric(
        "attribute_coverage_nearest",
        _NEEDS,
        "higher",
        "share",
        "attribute_coverage, each sample read as its nearest rendering",
        range=(0, 1),
        measures="coverage",
        label="Attribute coverage, nearest rendering",
        group="truth",
        rank=12,
    ),
    Metric(
        "attribute_tv_nearest",
        _NEEDS,
        "lower",
        "",
        "attribute_tv, each sample read as its nearest rendering",
        range=(0, 1),
        measures="coverage",
        label="Attribute TV, nearest rendering",
        group="truth",
        rank=13,
    ),
    Metric(
        SHARE,
        _NEEDS,
        "none",
        "share",
        "samples whose nearest rendering has this value, of the attributes that the hole hides",
        range=(0, 1),
        label="Share of {attribute}/{value}, nearest rendering",
        group="shares",
        rank=66,
    ),
)
NAMES = frozenset(metric.name for metric in METRICS)
KEPT = 1 << 28  # bytes of renderings that a command keeps for its other files


def measure(view: SetView, probabilities: dict[str, np.ndarray], wanted: frozenset[str]) -> dict[str, float]:
    """The second reader's measures of one set; {} where the dataset is no drawn world or there is no hole."""
    asked = any(name in NAMES or name.startswith("attribute_share_nearest") for name in wanted)
    if drawn_world(view) is None or view.hole is None or not asked:
        return {}
    found = nearest(view, probabilities)
    known = behind_the_hole(view)
    values = {"nearest_distance": float(found.distance.mean())}
    if known is None or not found.labels:  # of a picture from elsewhere, the hole need not show every attribute
        return values
    agree = [probabilities[a].argmax(axis=1) == labels for a, labels in found.labels.items()]
    truth = {attribute: known.shares[attribute] for attribute in known.hidden}
    shown = {attribute: labels[found.distance <= exact_sets.NEAR] for attribute, labels in found.labels.items()}
    values |= {
        "reader_agreement": float(np.mean(agree)),
        "attribute_coverage_nearest": exact_sets.coverage(shown, truth, len(view.images)),
        "attribute_tv_nearest": exact_sets.mean_total_variation(found.labels, truth),
    }
    for attribute, labels in found.labels.items():
        for index, value in enumerate(drawn_world(view).ATTRIBUTES[attribute]):
            values[f"attribute_share_nearest/{attribute}/{value}"] = float((labels == index).mean())
    return values


def near(view: SetView, probabilities: dict[str, np.ndarray]) -> np.ndarray:
    """(N,) bool: which samples are close enough to a picture of the world to be one: ``exact_sets.NEAR``."""
    return nearest(view, probabilities).distance <= exact_sets.NEAR


def nearest(view: SetView, probabilities: dict[str, np.ndarray]):
    """:class:`nearest_rendering.Nearest` of a set's samples; ``probabilities`` are the classifier's, where to start."""
    # With the view itself, so that its id is not another's while the result lives.
    key = ("nearest", id(view))
    if len(_possible(view)[1]) > 1:
        return view.file.once(key, lambda: (view, _among_others(view, probabilities)))[1]
    return view.file.once(key, lambda: (view, nearest_of(view, view.images, probabilities)))[1]


def _among_others(view: SetView, probabilities: dict[str, np.ndarray]):
    """Of a set of no known position, found together with all others of the file behind the same hole: drawing a few
    pictures at a time takes three times as long."""
    hole, name = view.hole.tobytes(), classifier_name(view.settings)
    others = [v for v in view.file.views if v.hole is not None and v.hole.tobytes() == hole]
    others = [v for v in others if len(_possible(v)[1]) > 1]
    if not any(v is view for v in others):
        return nearest_of(view, view.images, probabilities)

    def find():
        images = np.concatenate([v.images for v in others])
        return nearest_of(view, images, view.file.read(name, images)[0])

    found = view.file.once(("nearest of elsewhere", hole), find)
    start = sum(len(v.images) for v in others[: [v is view for v in others].index(True)])
    return found[start : start + len(view.images)]


def nearest_of(view: SetView, images: np.ndarray, probabilities: dict[str, np.ndarray]):
    """The same of other pictures (M, C, H, W) of the set's case."""
    from benchmark.metrics.engines import nearest_rendering

    world, frames, allowed = _possible(view)
    if len(frames) == 1 and nearest_rendering.is_few(allowed, view.hole, images.shape[1]):
        kept = view.file.once_for_all("renderings of cases", dict)
        key = (view.case, view.hole.tobytes())
        if key not in kept:
            kept[key] = nearest_rendering.all_renderings(world, frames, allowed, view.hole)
            while len(kept) > 1 and sum(table.pixels.nbytes for table in kept.values()) > KEPT:
                del kept[next(iter(kept))]
        return kept[key].nearest(images, view.hole)
    starts = [{attribute: probabilities[attribute].argmax(axis=1) for attribute in allowed}]
    if len(frames) == 1:
        starts.append({a: np.full(len(images), int(frames.values[a][0])) for a in allowed})
        likeliest = {a: int(np.argmax(list(world.ATTRIBUTES[a].values()))) for a in allowed}
        starts.append({a: np.full(len(images), value) for a, value in likeliest.items()})
    return nearest_rendering.descend(world, frames, allowed, images, view.hole, starts)


def _possible(view: SetView):
    """The world, the positions and sizes that a picture of the case may have, and the values: attribute -> (K,).

    A case of the world has its own position; where its attributes depend on each other behind the hole, all values are
    tried. A picture from elsewhere has none: ``FRAMES`` of the world, and every value.
    """

    def find():
        import torch

        from benchmark.data.posterior import Posterior, truth_of
        from benchmark.metrics.engines.nearest_rendering import FRAMES

        world, known = drawn_world(view), behind_the_hole(view)
        if known is not None:
            return world, known.truth, {a: np.flatnonzero(known.shares[a] > 0) for a in known.hidden}
        allowed = {attribute: np.arange(len(table)) for attribute, table in world.ATTRIBUTES.items()}
        own = truth_of(view.case, world_name(view))
        if own is not None and Posterior(world_name(view), own, {}).is_picture(view.truth):
            return world, own, allowed
        return world, world.sample_attributes(FRAMES, torch.Generator().manual_seed(0)), allowed

    return view.file.once(("possible", view.case, view.hole.tobytes()), find)
