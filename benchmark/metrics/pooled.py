"""Measures of all sets of a file together, against clean pictures: they need many, and belong to no case."""

from __future__ import annotations

import pickle
import warnings
from pathlib import Path

import numpy as np

from benchmark.errors import BenchmarkError
from benchmark.metrics import weights
from benchmark.metrics.registry import Metric
from benchmark.metrics.view import SetFile, SetView, classifier_name, drawn_world

METRICS = (
    Metric(
        "kid",
        ("pool", "truth", "weights"),
        "lower",
        "MMD^2",
        "kernel inception distance of the pooled restorations to the truths: unbiased, cubic kernel, all at once",
        "pool",
        ("inception",),
    ),
    Metric(
        "kid_{classifier}",
        ("pool", "classifier"),
        "lower",
        "MMD^2",
        "the same with the world's own classifier features, which the name says, against fresh pictures of the world",
        "pool",
    ),
)
ENOUGH = 1000


def measure(view: SetView, wanted: frozenset[str]) -> dict[str, float]:
    """Nothing: these metrics have no value for one set."""
    return {}


def measure_pool(file: SetFile, wanted: frozenset[str]) -> dict[str, float]:
    """KID of all restorations of a file; absent, and recorded as such, with fewer than ``ENOUGH`` on either side."""
    values = {}
    name = classifier_name(file.settings)
    pictures = sum(len(view.images) for view in file.views)
    enough = file.settings.get("kid_pictures", ENOUGH)
    if pictures < enough:
        for metric in sorted(wanted):
            file.fault(metric, f"absent: {pictures} pooled restorations; {enough} are needed")
        return values
    if "kid" in wanted:
        truths = np.stack(list({view.case: view.truth for view in file.views}.values()))
        if len(truths) < enough:
            file.fault("kid", f"absent: {len(truths)} truths; {enough} are needed")
        else:
            path, digest = weights.verified("inception", file.settings.get("weights") or {})
            file.record.setdefault("weights", {})["inception"] = digest
            network = file.once("inception", lambda: inception_network(path))
            values["kid"] = kid(inception(network, file.images()), inception(network, truths))
    if name and any(metric.startswith("kid_") for metric in wanted):
        clean = _world_pictures(file, pictures)
        if clean is None:
            file.fault(f"kid_{name}", "absent: the dataset is no drawn world, of which clean pictures could be had")
        else:
            file.read_all(name)
            values[f"kid_{name}"] = kid(file.read(name, file.images())[1], file.read(name, clean)[1])
    return values


def kid(a: np.ndarray, b: np.ndarray) -> float:
    """Unbiased squared maximum mean discrepancy of features (M, F) and (K, F) with k(x, y) = (x.y / F + 1)^3.

    Source: Binkowski et al. 2018. Equal distributions have expectation 0, so that small negative values occur.
    """
    a, b = np.asarray(a, np.float64), np.asarray(b, np.float64)
    m, n = len(a), len(b)

    def kernel(x, y):
        return (x @ y.T / x.shape[1] + 1) ** 3

    aa, bb = kernel(a, a), kernel(b, b)
    within = (aa.sum() - np.trace(aa)) / (m * (m - 1)) + (bb.sum() - np.trace(bb)) / (n * (n - 1))
    return float(within - 2 * kernel(a, b).mean())


def _world_pictures(file: SetFile, count: int) -> np.ndarray | None:
    import torch

    view = file.views[0]
    world = drawn_world(view)
    if world is None:
        return None
    attributes = world.sample_attributes(count, torch.Generator().manual_seed(ENOUGH))
    return world.render(attributes, view.truth.shape[-1]).numpy()


def inception_network(path: Path):
    """pyiqa's InceptionV3 for FID with the state of a file, its output the 2048 features of the last pooling.

    Raises:
        BenchmarkError: a file that is no state of this network.
    """
    import torch
    from pyiqa.archs import inception as archs

    def load(network, *_, **__):
        network.load_state_dict(torch.load(path, map_location="cpu", weights_only=True), assign=True)

    original, archs.load_pretrained_network = archs.load_pretrained_network, load
    try:
        with warnings.catch_warnings(), torch.device("meta"):
            warnings.simplefilter("ignore")
            return archs.InceptionV3([archs.InceptionV3.BLOCK_INDEX_BY_DIM[2048]]).eval()
    except (pickle.UnpicklingError, RuntimeError, TypeError, AttributeError) as error:
        reason = str(error).splitlines()[0]
        raise BenchmarkError(f"{path}: not the state of the InceptionV3 for FID: {reason}") from None
    finally:
        archs.load_pretrained_network = original


def inception(network, images: np.ndarray, chunk: int = 32) -> np.ndarray:
    """Features (M, 2048), bilinearly resized to 299x299, of pictures (M, C, H, W) in [-1, 1]."""
    import torch

    pictures = ((torch.as_tensor(images, dtype=torch.float32) + 1) / 2).clamp(0, 1)
    pictures = pictures.expand(-1, 3, -1, -1) if pictures.shape[1] == 1 else pictures
    with torch.inference_mode():
        return np.concatenate(
            [
                network(batch, resize_input=True, normalize_input=True)[0].flatten(1).numpy()
                for batch in pictures.split(chunk)
            ]
        )
