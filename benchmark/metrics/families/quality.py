"""Quality without a reference: NIQE as pyiqa computes it, NIQE refitted on clean pictures, and pyiqa's other metrics.

NIQE rewards the natural statistics of the whole picture, most of which is known in inpainting, and at 256x256 it sees
the upper left 192x192 alone; hence ``niqe_corners``. A picture that it cannot score (flat, too small) has NaN and is
counted in ``niqe_undefined``. pyiqa's licence allows non-commercial use alone, and so do the weights' that it serves.
"""

from __future__ import annotations

import math
import os
import sys
import warnings
from contextlib import contextmanager, redirect_stdout
from pathlib import Path

import numpy as np

from benchmark import store
from benchmark.errors import BenchmarkError
from benchmark.metrics.registry import Metric
from benchmark.metrics.view import SetFile, SetView, drawn_world
from benchmark.weights import of_metrics

METRICS = (
    Metric(
        "niqe",
        ("weights",),
        "lower",
        "",
        "mean over samples of NIQE by pyiqa's defaults: YIQ luma, whole 96x96 blocks from upper left, original model",
        weights=("niqe",),
        range=(0, math.inf),
        measures="quality",
        label="NIQE",
        group="quality",
        rank=43,
    ),
    Metric(
        "niqe_corners",
        ("weights",),
        "lower",
        "",
        "mean over samples and over the four 192x192 corners of the same NIQE, so that every pixel of 256x256 counts",
        weights=("niqe",),
        range=(0, math.inf),
        measures="quality",
        label="NIQE, corner crops",
        group="quality",
        rank=45,
    ),
    Metric(
        "niqe_undefined",
        ("weights",),
        "lower",
        "",
        "samples that NIQE cannot score",
        weights=("niqe",),
        range=(0, math.inf),
        measures="quality",
        label="Samples without NIQE",
        group="quality",
        rank=54,
    ),
    Metric(
        "niqe_refit",
        (),
        "lower",
        "",
        "mean over samples of NIQE's distance to the dataset's own clean pictures, 32x32 blocks at a stride of 16 "
        "(block and stride are settings); on another scale than NIQE",
        range=(0, math.inf),
        measures="quality",
        label="NIQE, refitted",
        group="quality",
        rank=44,
    ),
    Metric(
        "pyiqa:{name}",
        ("weights",),
        "none",
        "",
        "mean over samples of any no-reference metric of pyiqa",
        label="{name}",
        group="quality",
        rank=55,
    ),
)
CORNER = 192
SMALLEST = 96
TENSORS_ONLY = "TORCH_FORCE_WEIGHTS_ONLY_LOAD"
REFIT = {"block": 32, "stride": 16, "images": 128, "seed": 20240}


def prepare(file: SetFile, wanted: frozenset[str]) -> None:
    """Load what is asked for, weights by hash, and record the flags.

    Raises:
        BenchmarkError: a weights file with a wrong hash, a metric that pyiqa does not have.
    """
    if wanted & {"niqe", "niqe_corners", "niqe_undefined"}:
        path, digest = of_metrics.verified("niqe", file.settings.weights)
        file.record.setdefault("weights", {})["niqe"] = digest
        metric = _create("niqe", path)
        flags = {"color_space": metric.net.color_space, "crop_border": metric.net.crop_border, "block": SMALLEST}
        file.record["niqe"] = {**flags, "by": "pyiqa", "device": "cpu"}
        file.once("niqe", lambda: metric)
    for name in _pyiqa_names(wanted):
        overrides = file.settings.weights
        path, expected = of_metrics.pyiqa_file(name, overrides)
        if expected:
            digest = of_metrics.check(path, expected, f"the weights of pyiqa's {name}")
            file.record.setdefault("weights", {})[f"pyiqa:{name}"] = digest
        metric = _create(name, path if f"pyiqa:{name}" in overrides else None)
        file.once(("pyiqa", name), lambda metric=metric: metric)


def measure(view: SetView, wanted: frozenset[str]) -> dict[str, float]:
    """The quality metrics of a set: means over the samples that have a value."""
    values = {}
    if wanted & {"niqe", "niqe_undefined"}:
        scores = view.per_image("niqe", lambda images: niqe(view.file, images))
        values |= {"niqe": _mean(scores), "niqe_undefined": float(np.isnan(scores).sum())}
        if np.isnan(scores).any():
            size = "x".join(map(str, view.images.shape[-2:]))
            view.file.fault(
                f"niqe, {view.case}",
                f"{int(np.isnan(scores).sum())} of {len(scores)} samples have no NIQE: {size} pixels, "
                f"{SMALLEST}x{SMALLEST} that are not flat are needed",
            )
    if "niqe_corners" in wanted:
        values["niqe_corners"] = _mean(view.per_image("niqe_corners", lambda images: corners(view.file, images)))
    if "niqe_refit" in wanted:
        values["niqe_refit"] = _refitted(view)
    for name in _pyiqa_names(wanted):
        metric = view.file.once(("pyiqa", name), lambda: None)
        scores = view.per_image(f"pyiqa:{name}", lambda images, metric=metric: scored(metric, images))
        values[f"pyiqa:{name}"] = _mean(scores)
    return values


def _pyiqa_names(wanted: frozenset[str]) -> list[str]:
    return sorted(name.removeprefix("pyiqa:") for name in wanted if name.startswith("pyiqa:") and "{" not in name)


def _mean(scores: np.ndarray) -> float:
    known = scores[np.isfinite(scores)]
    return float(known.mean()) if len(known) else np.nan


# ---------------------------------------------------------------------------------------------------------------- pyiqa
def _create(name: str, path: Path | None):
    """A no-reference metric of pyiqa on the CPU; never fetches anything.

    Raises:
        BenchmarkError: pyiqa has no such metric, it needs a reference, or its weights are absent.
    """
    import pyiqa

    if name not in pyiqa.list_models(metric_mode="NR"):
        raise BenchmarkError(f"metrics: pyiqa has no no-reference metric {name!r}")
    options = {} if path is None else {"pretrained_model_path": str(path)}
    try:
        with offline(name):
            return pyiqa.create_metric(name, device="cpu", **options)
    except BenchmarkError:
        raise
    except Exception as error:  # pyiqa's hundred metrics read their files in as many ways
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise BenchmarkError(f"pyiqa:{name}: its weights file cannot be loaded: {reason}") from None


@contextmanager
def offline(name: str):
    """Within, a metric of pyiqa that wants to fetch its weights is a one-line error, and files are loaded as tensors
    alone (torch's ``weights_only``)."""
    from pyiqa.utils import download_util

    def refuse(url, *_, **__):
        raise BenchmarkError(f"pyiqa:{name}: weights are absent: put {url.rsplit('/', 1)[-1]} into {cache}")

    cache = download_util.DEFAULT_CACHE_DIR
    fetch, forced = download_util.download_url_to_file, os.environ.get(TENSORS_ONLY)
    download_util.download_url_to_file = refuse
    os.environ[TENSORS_ONLY] = "1"
    try:
        with redirect_stdout(sys.stderr):
            yield
    finally:
        download_util.download_url_to_file = fetch
        os.environ.pop(TENSORS_ONLY)
        if forced is not None:
            os.environ[TENSORS_ONLY] = forced


def scored(metric, images: np.ndarray, chunk: int = 32) -> np.ndarray:
    """A pyiqa metric of pictures (N, C, H, W) in [-1, 1]: (N,); NaN for those that it cannot score.

    In batches; a batch that fails is gone through picture by picture.
    """
    import torch

    pictures = ((torch.as_tensor(images, dtype=torch.float32) + 1) / 2).clamp(0, 1)
    pictures = pictures.expand(-1, 3, -1, -1) if pictures.shape[1] == 1 else pictures
    scores = []
    for batch in pictures.split(chunk):
        try:
            scores.append(_batch(metric, batch))
        except (RuntimeError, ValueError, AssertionError, np.linalg.LinAlgError):
            scores += [_single(metric, picture[None]) for picture in batch]
    return np.concatenate(scores)


def _batch(metric, batch) -> np.ndarray:
    import torch

    with torch.inference_mode(), warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="cov", category=UserWarning)  # a flat picture has no blocks to vary
        return np.atleast_1d(metric(batch).double().cpu().numpy().squeeze())


def _single(metric, picture) -> np.ndarray:
    try:
        return _batch(metric, picture)
    except (RuntimeError, ValueError, AssertionError, np.linalg.LinAlgError):
        return np.array([np.nan])


def niqe(file: SetFile, images: np.ndarray) -> np.ndarray:
    """NIQE of pictures (N, C, H, W): (N,); NaN for flat ones and for those smaller than 96x96."""
    if min(images.shape[-2:]) < SMALLEST:
        return np.full(len(images), np.nan)
    return scored(file.once("niqe", lambda: None), images)


def corners(file: SetFile, images: np.ndarray) -> np.ndarray:
    """Mean NIQE of the four 192x192 corners of each picture: (N,); NaN for pictures smaller than that."""
    height, width = images.shape[-2:]
    if min(height, width) < CORNER:
        file.fault("niqe_corners", f"pictures of {height}x{width}; {CORNER}x{CORNER} are needed")
        return np.full(len(images), np.nan)
    places = {(top, left) for top in (0, height - CORNER) for left in (0, width - CORNER)}
    crops = [images[..., top : top + CORNER, left : left + CORNER] for top, left in sorted(places)]
    return np.mean([niqe(file, crop) for crop in crops], axis=0)


# ------------------------------------------------------------------------------------------------------------ refitted
def _refitted(view: SetView) -> float:
    from benchmark.metrics.engines import niqe_features

    options = {**REFIT, **view.settings.niqe_refit}
    size = view.truth.shape
    if min(size[1:]) < options["block"]:
        block = options["block"]
        view.file.fault("niqe_refit", f"pictures of {size[1]}x{size[2]}; blocks of {block}x{block} are needed")
        return np.nan
    # Fitted to the dataset, not to the file, so that every point of the grid is held to one model.
    model, found = view.file.once_for_all(
        ("niqe_refit", size, store.canonical(options)), lambda: _fitted(view, options)
    )
    if model is None:
        view.file.fault("niqe_refit", found)
        return np.nan
    view.file.record["niqe_refit"] = found
    return _mean(view.per_image("niqe_refit", lambda images: niqe_features.score(images, model)))


def _fitted(view: SetView, options: dict) -> tuple:
    """The model of the clean pictures and what is recorded of it; or None, and why there is none."""
    from benchmark.metrics.engines import niqe_features

    images, source = _clean_pictures(view, options)
    try:
        model = niqe_features.fit(images, options["block"], options["stride"])
    except ValueError as error:
        return None, f"{error} ({len(images)} {source})"
    flags = {"block": model.block, "stride": model.stride, "blocks": model.blocks}
    return model, {**flags, "pictures": len(images), "source": source}


def _clean_pictures(view: SetView, options: dict) -> tuple[np.ndarray, str]:
    """Renders of the dataset's world; where it is not drawn, the truths of all its cases."""
    world = drawn_world(view)
    if world is None:
        truths = [case.image for case in view.file.cases.values() if case.image.shape == view.truth.shape]
        return np.stack(truths), "truths of the cases"
    import torch

    attributes = world.sample_attributes(options["images"], torch.Generator().manual_seed(options["seed"]))
    pictures = world.render(attributes, view.truth.shape[-1]).numpy()
    # Stored pictures have 8 bits; so have these.
    return np.rint((pictures + 1) * 127.5) / 127.5 - 1, "renders of the world"
