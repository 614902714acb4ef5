"""Feature vectors of the restorations of one case: the space in which selection and diversity measure distances.

``extract({"name": NAME, ...options}, images, hole)`` gives float64 (N, F), one row per image, in the images' order.
A new feature is a function with ``@feature`` in a file of its own here.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Annotated

import numpy as np

from benchmark.discovery import modules_of, register
from benchmark.errors import BenchmarkError
from benchmark.options import Within

Feature = Callable[..., np.ndarray]
FEATURES: dict[str, Feature] = {}


def feature(function: Feature) -> Feature:
    """Enter a function (images, hole, device, *, options) -> (N, F) under its name."""
    return register(FEATURES, function.__name__, function, "feature")


@feature
def digit_pixels(images: np.ndarray, hole: np.ndarray | None, device: str = "cpu") -> np.ndarray:
    """Every pixel: (N, C, H, W) -> (N, C*H*W), in [-1, 1]."""
    return images.reshape(len(images), -1).astype(np.float64)


@feature
def hole_pixels(images: np.ndarray, hole: np.ndarray | None, device: str = "cpu") -> np.ndarray:
    """The pixels of the hole: (N, C, H, W) -> (N, C*M), M unknown pixels, in [-1, 1]; all of them without a hole."""
    return digit_pixels(images if hole is None else images[:, :, hole], hole)


@feature
def hole_pca(
    images: np.ndarray,
    hole: np.ndarray | None,
    device: str = "cpu",
    *,
    components: Annotated[int, Within(1), "Principal axes."] = 25,
) -> np.ndarray:
    """The hole's pixels on their principal axes over the images given: (N, min(components, N, C*M)).

    With X the centred pixels (N, F) and X = U S V^T their exact singular value decomposition, the features are
    X V[:, :components], largest variance first. The sign of an axis makes its largest entry positive, so that the
    result depends on nothing but the images. Source: the released baselines of arXiv 2310.16047, which take 25
    components of an unseeded randomised decomposition of one image's candidates.
    """
    if type(components) is not int or components < 1:
        raise BenchmarkError(f"features: hole_pca: components = {components!r}; a whole number, 1 or more")
    centred = hole_pixels(images, hole)
    centred -= centred.mean(axis=0)
    _, _, axes = np.linalg.svd(centred, full_matrices=False)
    axes = axes[:components]
    largest = np.take_along_axis(axes, np.abs(axes).argmax(axis=1, keepdims=True), axis=1)
    return centred @ (axes * np.where(largest < 0, -1.0, 1.0)).T


@feature
def classifier(images: np.ndarray, hole: np.ndarray | None, device: str = "cpu", *, classifier: str) -> np.ndarray:
    """The last features of the attribute classifier named ``classifier``, of the whole image: (N, F)."""
    import torch

    from benchmark.networks.classifier import load_classifier

    network = load_classifier(classifier, device)
    batches = torch.from_numpy(np.ascontiguousarray(images, np.float32)).split(64)
    with torch.inference_mode():
        return np.concatenate([network(batch.to(device)).features.double().cpu().numpy() for batch in batches])


def extract(settings: dict, images: np.ndarray, hole: np.ndarray | None = None, device: str = "cpu") -> np.ndarray:
    """Features of a set of images.

    Args:
        settings: ``{"name": a key of FEATURES, ...options of that function}``.
        images: float32 (N, C, H, W) in [-1, 1].
        hole: bool (H, W), True = unknown; None where the problem has no mask.
        device: where a network runs; no part of the settings.

    Returns:
        float64 (N, F).

    Raises:
        BenchmarkError: no such feature or option, a hole of another size or without a pixel, a pixel or a feature that
            is not finite.
    """
    name, options = settings.get("name"), {key: value for key, value in settings.items() if key != "name"}
    if name not in FEATURES:
        raise BenchmarkError(f"features: name: {name!r} is none of {', '.join(FEATURES)}")
    parameters = inspect.signature(FEATURES[name]).parameters.values()
    known = {p.name: p for p in parameters if p.kind is p.KEYWORD_ONLY}
    for key in options:
        if key not in known:
            allowed = f"only {', '.join(known)}" if known else "no options"
            raise BenchmarkError(f"features: {name} has no option {key!r}; it takes {allowed}")
    for key, parameter in known.items():
        if parameter.default is parameter.empty and key not in options:
            raise BenchmarkError(f"features: {name} needs the option {key!r}")
    if hole is not None and hole.shape != images.shape[-2:]:
        raise BenchmarkError(f"features: a hole of {hole.shape} for images of {images.shape[-2:]}; sizes must agree")
    if hole is not None and not hole.any():
        raise BenchmarkError("features: the hole has no pixel")
    if not np.isfinite(images).all():
        raise BenchmarkError("features: non-finite pixels; leave such restorations out before")
    features = FEATURES[name](images, hole, device, **options)
    if bad := int((~np.isfinite(features).all(axis=1)).sum()):
        raise BenchmarkError(f"features: {name}: {bad} of {len(images)} images have features that are not finite")
    return features


modules_of(__name__, __path__)  # a file here may enter a feature of its own
