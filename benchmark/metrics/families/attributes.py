"""What the restorations show, as read by the dataset's classifier: how many different things, how evenly.

A label is the classifier's most probable value. The entropy of the N labels of a set is H = -sum p log2 p with p the
labels' shares, at most log2 N bits; it is the plug-in estimate, low for small N, so compare for one N only.
"""

from __future__ import annotations

import math
from functools import lru_cache

import numpy as np

from benchmark.metrics.engines import attribute_posterior, attribute_shares, second_reader
from benchmark.metrics.registry import NOISE_WINS, Metric
from benchmark.metrics.view import SetFile, SetView, classifier_name, drawn_world

METRICS = (
    Metric(
        "attribute_distinct",
        ("attributes", "classifier"),
        "higher",
        "",
        "number of different vectors of the hole's attributes in the set",
        range=(1, math.inf),
        measures="diversity",
        up_to_n=True,
        label="Distinct attribute vectors",
        group="diversity",
        rank=29,
    ),
    Metric(
        "attribute_entropy",
        ("attributes", "classifier"),
        "higher",
        "bits",
        "mean over the hole's attributes (those whose visible evidence lies in the hole) of the labels' entropy",
        range=(0, math.inf),
        measures="diversity",
        label="Attribute entropy",
        group="diversity",
        rank=25,
    ),
    Metric(
        "attribute_entropy/{attribute}",
        ("attributes", "classifier"),
        "higher",
        "bits",
        "entropy of the labels of one attribute" + NOISE_WINS,
        range=(0, math.inf),
        measures="diversity",
        label="Entropy of {attribute}",
        group="diversity",
        rank=32,
    ),
    Metric(
        "attribute_confidence",
        ("attributes", "classifier"),
        "higher",
        "",
        "mean over samples and the hole's attributes of the classifier's largest probability",
        range=(0, 1),
        measures="confidence",
        label="Attribute confidence",
        group="quality",
        rank=63,
    ),
    *attribute_posterior.METRICS,
    *second_reader.METRICS,
    *attribute_shares.METRICS,
    Metric(
        "class_distinct",
        ("classifier",),
        "higher",
        "",
        "number of different classes (digits) in the set" + NOISE_WINS,
        range=(1, math.inf),
        measures="diversity",
        up_to_n=True,
        label="Distinct classes",
        group="diversity",
        rank=30,
    ),
    Metric(
        "class_entropy",
        ("classifier",),
        "higher",
        "bits",
        "entropy of the classes (digits) in the set" + NOISE_WINS,
        range=(0, math.inf),
        measures="diversity",
        label="Class entropy",
        group="diversity",
        rank=26,
    ),
    Metric(
        "class_confidence",
        ("classifier",),
        "higher",
        "",
        "mean over samples of the largest class probability",
        range=(0, 1),
        measures="confidence",
        label="Class confidence",
        group="quality",
        rank=64,
    ),
)
CLASS_ATTRIBUTES = ("digit", "class", "label")
HIDDEN_SHARE = 0.75
FACES_PER_VALUE = 4


def prepare(file: SetFile, wanted: frozenset[str]) -> None:
    """What is done once for all sets of a file: see ``attribute_shares.prepare``."""
    attribute_shares.prepare(file, wanted)


def measure(view: SetView, wanted: frozenset[str]) -> dict[str, float]:
    """The attribute metrics of a set; a classifier of one attribute (digits) gives the class metrics."""
    name = classifier_name(view.settings)
    view.file.read_all(name)
    probabilities, _ = view.file.read(name, view.images)
    labels = {attribute: values.argmax(axis=1) for attribute, values in probabilities.items()}
    entropies = {attribute: entropy(values) for attribute, values in labels.items()}
    if set(probabilities) <= set(CLASS_ATTRIBUTES):
        (attribute,) = probabilities
        return {
            "class_distinct": float(len(set(labels[attribute].tolist()))),
            "class_entropy": entropies[attribute],
            "class_confidence": float(probabilities[attribute].max(axis=1).mean()),
        }
    values = {f"attribute_entropy/{attribute}": value for attribute, value in entropies.items()}
    values |= attribute_posterior.measure(view, probabilities, wanted)
    values |= second_reader.measure(view, probabilities, wanted)
    values |= attribute_shares.measure(view, probabilities, wanted)
    relevant = [attribute for attribute in hidden_attributes(view) if attribute in labels]
    if not relevant:
        view.file.fault(f"attribute_entropy, case {view.case}", "this hole hides no attribute")
        return {**values, **dict.fromkeys(("attribute_distinct", "attribute_entropy", "attribute_confidence"), np.nan)}
    vectors = np.stack([labels[attribute] for attribute in relevant], axis=1)
    confidence = np.mean([probabilities[attribute].max(axis=1).mean() for attribute in relevant])
    return {
        "attribute_distinct": float(len(np.unique(vectors, axis=0))),
        "attribute_entropy": float(np.mean([entropies[attribute] for attribute in relevant])),
        "attribute_confidence": float(confidence),
        **values,
    }


def measure_pool(file: SetFile, wanted: frozenset[str]) -> dict[str, float]:
    """Total variation of all restorations of a file together, in drawn worlds."""
    return attribute_posterior.measure_pool(file, wanted)


def entropy(labels: np.ndarray) -> float:
    """-sum p log2 p of the shares of integer labels (N,), in bits."""
    shares = np.bincount(labels) / len(labels)
    shares = shares[shares > 0]
    return float(-(shares * np.log2(shares)).sum()) + 0.0


def hidden_attributes(view: SetView) -> list[str]:
    """The attributes whose visible evidence lies in the hole.

    For each attribute, a few of the world's pictures are drawn once with every value; the change of the pixels from the
    values' mean is the evidence, and the attribute is hidden where at least ``HIDDEN_SHARE`` of its squared sum lies in
    the hole. A world that is not drawn, or a problem without a hole, hides all attributes.
    """
    world = drawn_world(view)
    if world is None or view.hole is None:
        return sorted(view.attributes)
    size = view.hole.shape[0]
    evidence = _evidence(world, size)
    return [attribute for attribute, where in evidence.items() if where[view.hole].sum() >= HIDDEN_SHARE * where.sum()]


@lru_cache(maxsize=8)
def _evidence(world, size: int) -> dict[str, np.ndarray]:
    """attribute -> (size, size): the mean squared change of each pixel between the attribute's values."""
    import torch

    from benchmark.data.posterior import joined

    base = world.sample_attributes(FACES_PER_VALUE, torch.Generator().manual_seed(0))
    choices = [(attribute, value) for attribute, shares in world.ATTRIBUTES.items() for value in shares]
    pictures = world.render(joined([base.with_value(*choice) for choice in choices]), size)  # at once: thrice as fast
    evidence = {}
    for attribute in world.ATTRIBUTES:
        rows = [i for i, choice in enumerate(choices) if choice[0] == attribute]
        of_attribute = pictures.unflatten(0, (len(choices), FACES_PER_VALUE))[rows]
        evidence[attribute] = of_attribute.var(dim=0, unbiased=False).mean(dim=(0, 1)).numpy()
    return evidence
