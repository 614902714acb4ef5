"""Measures of all sets of a file together, against clean pictures: they need many cases, and belong to none.

Restorations of one case share its known part, so that two of them are more alike than two pictures of the world,
however well they are drawn. The kernel's means therefore take pairs of different cases alone: then exact restorations
of cases that were drawn from the world are, pair by pair, independent pictures of the world, and the measure's
expectation over cases is 0 for them. It still varies with the cases, more than with the pictures:
``kid_{classifier}_exact``, which comes with it, is the same of as many exact completions of the same cases, and what
differs from it is the sampler's doing.
"""

from __future__ import annotations

import pickle
import warnings
import zlib
from pathlib import Path

import numpy as np

from benchmark.errors import BenchmarkError
from benchmark.metrics.registry import Metric
from benchmark.metrics.view import SetFile, SetView, behind_the_hole, classifier_name, drawn_world
from benchmark.weights import of_metrics

METRICS = (
    Metric(
        "kid",
        ("pool", "truth", "weights"),
        "lower",
        "",
        "kernel inception distance (squared MMD) of the pooled restorations to the truths: cubic kernel, unbiased over "
        "cases, for no pair is of one case",
        "pool",
        ("inception",),
        measures="quality",
        label="KID",
        group="quality",
        rank=57,
    ),
    Metric(
        "kid_{classifier}_exact",
        ("pool", "classifier", "hole"),
        "none",
        "",
        "kid_{classifier} of as many exact posterior completions of the same cases: what these cases leave of it",
        "pool",
        label="KID {classifier}, exact completions",
        group="other",
        rank=56,
    ),
    Metric(
        "kid_{classifier}",
        ("pool", "classifier"),
        "lower",
        "",
        "the same with the features of the world's own classifier, which the name says, in units of their RMS, against "
        "fresh pictures of the world",
        "pool",
        measures="quality",
        label="KID {classifier}",
        group="quality",
        rank=57,
    ),
)
# Cases that are asked for. Of exact completions of faces' mouths and brows, five to a case, the standard deviation
# over draws of the cases is .068 with 12 of them, .020 with 40, .007 with 100; of the difference from other exact
# completions of the same cases, a quarter of it.
ENOUGH, ENOUGH_TRUTHS = 30, 1000
FRESH = 2000  # pictures of the world that restorations are compared with
SEED = 1000


def measure(view: SetView, wanted: frozenset[str]) -> dict[str, float]:
    """Nothing: these metrics have no value for one set."""
    return {}


def measure_pool(file: SetFile, wanted: frozenset[str]) -> dict[str, float]:
    """KID of all restorations of a file; absent, and recorded as such, with fewer cases than ``ENOUGH``.

    ``kid_cases`` of the settings asks for another number of cases.
    """
    cases = np.concatenate([[view.case] * len(view.images) for view in file.views])
    count = len(set(cases.tolist()))
    values, measured = {}, []
    for metric in sorted(wanted):
        enough = file.settings.kid_cases or (ENOUGH_TRUTHS if metric == "kid" else ENOUGH)
        if count < enough:
            file.fault(metric, f"absent: restorations of {count} cases; {enough} are needed")
        else:
            measured.append(metric)
    if "kid" in measured:
        values["kid"] = _inception_kid(file, cases)
    if any(metric.startswith("kid_") for metric in measured):
        values |= _classifier_kid(file, cases) | _exact_kid(file)
    return values


def kid(a: np.ndarray, b: np.ndarray, of_a: np.ndarray | None = None, of_b: np.ndarray | None = None) -> float:
    """Unbiased squared maximum mean discrepancy of features (M, F) and (K, F) with k(x, y) = (x.y / F + 1)^3:

        mean k(a_i, a_j) + mean k(b_i, b_j) - 2 mean k(a_i, b_j),   each over the pairs of different cases

    Args:
        of_a, of_b: the case of each picture, (M,) and (K,); without them each is a case of its own.

    Source: Binkowski et al. 2018; with cases a U-statistic whose pairs are independent where cases are. Equal
    distributions have expectation 0, so that small negative values occur. NaN where no pair is left.
    """
    a, b = np.asarray(a, np.float64), np.asarray(b, np.float64)
    of_a = np.array([f"a {i}" for i in range(len(a))]) if of_a is None else np.asarray(of_a)
    of_b = np.array([f"b {i}" for i in range(len(b))]) if of_b is None else np.asarray(of_b)

    def mean(x, y, of_x, of_y) -> float:
        apart = of_x[:, None] != of_y[None]
        kernel = (x @ y.T / x.shape[1] + 1) ** 3
        return float(kernel[apart].mean()) if apart.any() else np.nan

    return mean(a, a, of_a, of_a) + mean(b, b, of_b, of_b) - 2 * mean(a, b, of_a, of_b)


def _inception_kid(file: SetFile, cases: np.ndarray) -> float:
    """Of all restorations, to the truths of their cases."""
    truths = {view.case: view.truth for view in file.views}
    path, digest = of_metrics.verified("inception", file.settings.weights)
    file.record.setdefault("weights", {})["inception"] = digest
    network = file.once("inception", lambda: inception_network(path))
    a, b = inception(network, file.images()), inception(network, np.stack(list(truths.values())))
    return kid(a, b, cases, np.array(list(truths)))


def _classifier_kid(file: SetFile, cases: np.ndarray) -> dict[str, float]:
    """Of all restorations, to fresh pictures of the world, in the classifier's features."""
    name = classifier_name(file.settings)
    if drawn_world(file.views[0]) is None:
        file.fault(f"kid_{name}", "absent: the dataset is no drawn world, of which clean pictures could be had")
        return {}
    file.read_all(name)
    return {f"kid_{name}": _kid_to_world(file, file.read(name, file.images())[1], cases)}


def _exact_kid(file: SetFile) -> dict[str, float]:
    """The same of as many exact posterior completions of the same cases; {} where a posterior is not known."""
    import torch

    from benchmark.data.posterior import joined

    name, world = classifier_name(file.settings), drawn_world(file.views[0])
    if world is None or any(view.hole is None or behind_the_hole(view) is None for view in file.views):
        file.fault(f"kid_{name}_exact", "absent: there are cases whose exact completions are not known")
        return {}
    counts: dict[str, int] = {}
    known = {}
    for view in file.views:
        counts[view.case] = counts.get(view.case, 0) + len(view.images)
        known[view.case] = behind_the_hole(view)

    def features() -> np.ndarray:
        drawn = [
            known[case].sample(count, torch.Generator().manual_seed(zlib.crc32(case.encode())))
            for case, count in counts.items()
        ]
        return file.read(name, world.render(joined(drawn), file.views[0].truth.shape[-1]).numpy())[1]

    holes = {view.case: view.hole.tobytes() for view in file.views}
    found = file.once_for_all(("exact completions", *counts.items(), *holes.values()), features)
    return {f"kid_{name}_exact": _kid_to_world(file, found, np.repeat(list(counts), list(counts.values())))}


def _kid_to_world(file: SetFile, features: np.ndarray, cases: np.ndarray) -> float:
    """KID to fresh pictures of the world, in units of their RMS, so that all three powers of the kernel have a say."""
    fresh = _world_features(file)
    unit = np.sqrt((fresh**2).mean())
    return kid(features / unit, fresh / unit, cases)


def _world_features(file: SetFile) -> np.ndarray:
    """The classifier's features of ``FRESH`` pictures of its world."""
    import torch

    name, world = classifier_name(file.settings), drawn_world(file.views[0])
    size = file.views[0].truth.shape[-1]

    def features() -> np.ndarray:
        attributes = world.sample_attributes(FRESH, torch.Generator().manual_seed(SEED))
        return file.read(name, world.render(attributes, size).numpy())[1]

    return file.once_for_all(("fresh pictures", name, size), features)


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
