"""Sets against the known truth of a drawn world: shares, rare values, coverage, plausibility, mirroring.

The generator is known, and so is the posterior over the attributes behind a hole (``benchmark.data.posterior``); the
measures and what exact sampling of the same N would give are those of ``benchmark.metrics.engines.exact_sets``.
"""

from __future__ import annotations

import zlib

import numpy as np

from benchmark.metrics.engines import exact_sets, second_reader
from benchmark.metrics.registry import Metric
from benchmark.metrics.view import SetFile, SetView, behind_the_hole, classifier_name, drawn_world

_NEEDS = ("attributes", "classifier", "hole")
METRICS = (
    Metric(
        "rare_value_recall",
        _NEEDS,
        "higher",
        "share",
        "1 where a sample that is a picture of the world (nearest_distance at most .2) shows, for a hidden attribute, "
        "a value of prior share 10 % or less that the hole allows",
        range=(0, 1),
        measures="coverage",
        label="Rare value shown",
        group="truth",
        rank=0,
    ),
    Metric(
        "rare_value_recall_exact",
        _NEEDS,
        "none",
        "share",
        "the probability that exact sampling of N shows one",
        range=(0, 1),
        label="Rare value shown, exact sampling",
        group="truth",
        rank=1,
    ),
    Metric(
        "attribute_coverage",
        _NEEDS,
        "higher",
        "share",
        "distinct allowed values of the hidden attributes over the most that N labels can show, of the samples that "
        "are pictures of the world (nearest_distance at most .2)",
        range=(0, 1),
        measures="coverage",
        label="Attribute coverage",
        group="truth",
        rank=2,
    ),
    Metric(
        "attribute_coverage_exact",
        _NEEDS,
        "none",
        "share",
        "its expectation under exact sampling of N",
        range=(0, 1),
        label="Attribute coverage, exact sampling",
        group="truth",
        rank=8,
    ),
    Metric(
        "plausibility",
        _NEEDS,
        "higher",
        "share",
        "samples that are read with confidence (confident_share) and lie within .2 RMS, in the hole, of one of the "
        "world's pictures that the hole allows (nearest_distance)",
        range=(0, 1),
        measures="plausibility",
        label="Plausible",
        group="truth",
        rank=3,
    ),
    Metric(
        "plausibility_exact",
        _NEEDS,
        "none",
        "share",
        "the same of N pictures drawn from the exact posterior",
        range=(0, 1),
        label="Plausible, exact sampling",
        group="truth",
        rank=9,
    ),
    Metric(
        "confident_share",
        _NEEDS,
        "higher",
        "share",
        "samples whose hidden attributes are all read as allowed values with probability over .9, and whose visible "
        "attributes are read as those of the known part; where nothing is known of them, confidence is all that counts",
        range=(0, 1),
        measures="plausibility",
        label="Read with confidence",
        group="truth",
        rank=10,
    ),
    Metric(
        "attribute_tv",
        _NEEDS,
        "lower",
        "",
        "mean over the hidden attributes of the total variation between the set's labels and the posterior",
        range=(0, 1),
        measures="coverage",
        label="Attribute TV to truth",
        group="truth",
        rank=6,
    ),
    Metric(
        "attribute_tv_exact",
        _NEEDS,
        "none",
        "",
        "its expectation under exact sampling of N: its floor",
        range=(0, 1),
        label="Attribute TV, exact sampling",
        group="truth",
        rank=7,
    ),
    Metric(
        "mirror",
        _NEEDS,
        "none",
        "share",
        "samples read as mirrored, where the hole hides whether the room's halves mirror each other (bedrooms)",
        range=(0, 1),
        label="Mirrored",
        group="truth",
        rank=4,
    ),
    Metric(
        "mirror_exact",
        _NEEDS,
        "none",
        "share",
        "the posterior's share of mirrored rooms",
        range=(0, 1),
        label="Mirrored, exact sampling",
        group="truth",
        rank=5,
    ),
    Metric(
        "attribute_tv_pool",
        (*_NEEDS, "pool"),
        "lower",
        "",
        "total variation, over all sets of the file together, between labels and posterior; mean over the attributes "
        "that any hole hides",
        "pool",
        range=(0, 1),
        measures="coverage",
        label="Attribute TV of all sets to truth",
        group="truth",
    ),
    Metric(
        "attribute_tv_pool_exact",
        (*_NEEDS, "pool"),
        "none",
        "",
        "its expectation under exact sampling of as many: its floor",
        "pool",
        range=(0, 1),
        label="Attribute TV of all sets, exact sampling",
        group="truth",
    ),
)
NAMES = frozenset(metric.name for metric in METRICS)
PLAUSIBILITY = frozenset({"plausibility", "plausibility_exact", "confident_share"})


def measure(view: SetView, probabilities: dict[str, np.ndarray], wanted: frozenset[str]) -> dict[str, float]:
    """The measures of one set; {} where the dataset is no drawn world or there is no hole."""
    world = drawn_world(view)
    if world is None or view.hole is None or not NAMES & wanted:
        return {}
    known = behind_the_hole(view)
    values = _plausibility(view, world, known, probabilities) if wanted & PLAUSIBILITY else {}
    if known is None:
        return values
    posterior = {attribute: known.shares[attribute] for attribute in known.hidden}
    if not posterior:
        view.file.fault(f"attribute_tv, case {view.case}", "this hole hides no attribute")
        return values
    labels = {attribute: probabilities[attribute].argmax(axis=1) for attribute in posterior}
    n = len(view.images)
    near = second_reader.near(view, probabilities)  # what is no picture of the world shows nothing of it
    shown = {attribute: found[near] for attribute, found in labels.items()}
    values |= {
        "attribute_coverage": exact_sets.coverage(shown, posterior, n),
        "attribute_coverage_exact": exact_sets.expected_coverage(posterior, n),
        "attribute_tv": exact_sets.mean_total_variation(labels, posterior),
        "attribute_tv_exact": float(np.mean([exact_sets.expected_total_variation([p], n) for p in posterior.values()])),
    }
    rare = exact_sets.rare_values(posterior, {a: np.array(list(world.ATTRIBUTES[a].values())) for a in posterior})
    if rare:
        values["rare_value_recall"] = exact_sets.rare_recall(shown, rare)
        values["rare_value_recall_exact"] = exact_sets.expected_rare_recall(posterior, rare, n)
    if "mirrored" in world.ATTRIBUTES.get("symmetry", {}) and "symmetry" in posterior:
        mirrored = list(world.ATTRIBUTES["symmetry"]).index("mirrored")
        values["mirror"] = float((labels["symmetry"] == mirrored).mean())
        values["mirror_exact"] = float(posterior["symmetry"][mirrored])
    return values


def measure_pool(file: SetFile, wanted: frozenset[str]) -> dict[str, float]:
    """Total variation between all labels of a file and the mean posterior of its cases, and its floor."""
    if not wanted & {"attribute_tv_pool", "attribute_tv_pool_exact"} or drawn_world(file.views[0]) is None:
        return {}
    name = classifier_name(file.settings)
    file.read_all(name)
    posteriors: dict[str, list[np.ndarray]] = {}
    labels: dict[str, list[np.ndarray]] = {}
    for view in file.views:
        known = behind_the_hole(view) if view.hole is not None else None
        if known is None:
            continue
        probabilities, _ = file.read(name, view.images)
        for attribute in known.hidden:
            posteriors.setdefault(attribute, []).append(known.shares[attribute])
            labels.setdefault(attribute, []).append(probabilities[attribute].argmax(axis=1))
    if not posteriors:
        return {}
    n = len(file.views[0].images)
    variation = [
        exact_sets.total_variation(exact_sets.shares_of(np.concatenate(labels[a]), len(own[0])), np.mean(own, axis=0))
        for a, own in posteriors.items()
    ]
    floor = [exact_sets.expected_total_variation(own, n) for own in posteriors.values()]
    return {"attribute_tv_pool": float(np.mean(variation)), "attribute_tv_pool_exact": float(np.mean(floor))}


def _plausibility(view: SetView, world, known, probabilities: dict[str, np.ndarray]) -> dict[str, float]:
    """Of the set, and of as many exact posterior samples read by the same two readers."""
    import torch

    def exact() -> float:
        generator = torch.Generator().manual_seed(zlib.crc32(view.case.encode()))
        pictures = world.render(known.sample(len(view.images), generator), view.hole.shape[-1]).numpy()
        read = view.file.read(classifier_name(view.settings), pictures)[0]
        near = second_reader.nearest_of(view, pictures, read).distance <= exact_sets.NEAR
        return float((exact_sets.confident(read, known.shares) & near).mean())

    confident = exact_sets.confident(probabilities, {} if known is None else known.shares)
    values = {
        "plausibility": float((confident & second_reader.near(view, probabilities)).mean()),
        "confident_share": float(confident.mean()),
    }
    if known is not None:
        key = ("plausibility_exact", view.case, view.hole.tobytes(), len(view.images))
        values["plausibility_exact"] = view.file.once_for_all(key, exact)
    return values
