"""What the restorations show, as read by the dataset's classifier: how many different things, how evenly.

A label is the classifier's most probable value. The entropy of the N labels of a set is H = -sum p log2 p with p the
labels' shares, at most log2 N bits; it is the plug-in estimate, low for small N, so compare for one N only.
"""

from __future__ import annotations

import numpy as np

from benchmark.metrics import attribute_shares, attribute_truth
from benchmark.metrics.registry import Metric
from benchmark.metrics.view import SetFile, SetView, classifier_name, drawn_world

METRICS = (
    Metric(
        "attribute_distinct",
        ("attributes", "classifier"),
        "higher",
        "samples",
        "number of different vectors of the hole's attributes in the set",
    ),
    Metric(
        "attribute_entropy",
        ("attributes", "classifier"),
        "higher",
        "bits",
        "mean over the hole's attributes (those whose visible evidence lies in the hole) of the labels' entropy",
    ),
    Metric(
        "attribute_entropy/{attribute}",
        ("attributes", "classifier"),
        "higher",
        "bits",
        "entropy of the labels of one attribute",
    ),
    Metric(
        "attribute_confidence",
        ("attributes", "classifier"),
        "higher",
        "1",
        "mean over samples and the hole's attributes of the classifier's largest probability",
    ),
    *attribute_truth.METRICS,
    *attribute_shares.METRICS,
    Metric("class_distinct", ("classifier",), "higher", "classes", "number of different classes (digits) in the set"),
    Metric("class_entropy", ("classifier",), "higher", "bits", "entropy of the classes (digits) in the set"),
    Metric("class_confidence", ("classifier",), "higher", "1", "mean over samples of the largest class probability"),
)
CLASS_ATTRIBUTES = ("digit", "class", "label")
HIDDEN_SHARE = 0.75
FACES_PER_VALUE = 4


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
    values |= attribute_truth.measure(view, probabilities, wanted)
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
    return attribute_truth.measure_pool(file, wanted)


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
    evidence = view.file.once_for_all(("evidence", world.__name__, size), lambda: _evidence(world, size))
    return [attribute for attribute, where in evidence.items() if where[view.hole].sum() >= HIDDEN_SHARE * where.sum()]


def _evidence(world, size: int) -> dict[str, np.ndarray]:
    """attribute -> (size, size): the mean squared change of each pixel between the attribute's values."""
    import torch

    base = world.sample_attributes(FACES_PER_VALUE, torch.Generator().manual_seed(0))
    evidence = {}
    for attribute, shares in world.ATTRIBUTES.items():
        pictures = torch.stack([world.render(base.with_value(attribute, value), size) for value in shares])
        change = pictures.var(dim=0, unbiased=False).mean(dim=(0, 1))
        evidence[attribute] = change.numpy()
    return evidence
