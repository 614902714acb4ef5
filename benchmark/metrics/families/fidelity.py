"""How well a set agrees with the measurement and with the truth.

Distortion to the truth comes three ways: the mean over samples, the best of the N (which rises with diversity), and
that of the set's mean picture (which falls when the samples leave their mean where it was, however far they spread).
"""

from __future__ import annotations

import math

import numpy as np

from benchmark.metrics.registry import Metric
from benchmark.metrics.view import SetView

METRICS = (
    Metric(
        "consistency",
        ("measurement",),
        "none",
        "",
        "mean over samples of RMS(A x - y), pictures on [-1, 1], as the sampler recorded it before rounding; without "
        "noise 0 is agreement, with noise the truth and exact samples have the noise's RMS and less is an overfit",
        range=(0, math.inf),
        measures="fidelity",
        label="Residual of the measurement",
        group="fidelity",
        rank=59,
    ),
    Metric(
        "consistency_error",
        ("measurement", "truth"),
        "lower",
        "",
        "|consistency - RMS(A x_true - y)|: its distance from the truth's own residual, which exact samples have in "
        "distribution; without noise it is the consistency. None with noise for set files from outside, whose noise is "
        "not known. Exact samples are at most about "
        "2 sigma sqrt((1 + 1/N) / (2 m)) away, m the numbers measured",
        range=(0, math.inf),
        measures="fidelity",
        label="Consistency error",
        group="fidelity",
        rank=58,
    ),
    Metric(
        "consistency_composited",
        ("measurement", "truth"),
        "lower",
        "",
        "mean over samples of RMS(A c - A x_true), c = clip(A^+ A x_true + (I - A^+ A) x): what is left once the "
        "measured part of the truth is put back and the picture is clipped to its range, [-1, 1]",
        range=(0, math.inf),
        measures="fidelity",
        label="Consistency error, composited",
        group="fidelity",
        rank=60,
    ),
    Metric(
        "psnr",
        ("truth",),
        "higher",
        "dB",
        "10 log10(4 / MSE) of a sample against the truth",
        "sample",
        range=(0, math.inf),
        measures="fidelity",
        label="PSNR",
        group="fidelity",
    ),
    Metric(
        "psnr_mean",
        ("truth",),
        "higher",
        "dB",
        "mean over samples of the PSNR to the truth",
        range=(0, math.inf),
        measures="fidelity",
        label="PSNR, mean",
        group="quality",
        rank=48,
    ),
    Metric(
        "psnr_best",
        ("truth",),
        "higher",
        "dB",
        "highest PSNR to the truth among the N",
        range=(0, math.inf),
        measures="fidelity",
        label="PSNR, best of N",
        group="quality",
        rank=47,
    ),
    Metric(
        "psnr_of_mean",
        ("truth",),
        "higher",
        "dB",
        "PSNR of the set's mean picture to the truth",
        range=(0, math.inf),
        measures="fidelity",
        label="PSNR of the mean",
        group="quality",
        rank=51,
    ),
    Metric(
        "ssim",
        ("truth",),
        "higher",
        "",
        "structural similarity of a sample to the truth: uniform 7x7 windows, mean over channels, range 2",
        "sample",
        range=(-1, 1),
        measures="fidelity",
        label="SSIM",
        group="fidelity",
    ),
    Metric(
        "ssim_mean",
        ("truth",),
        "higher",
        "",
        "mean over samples of the SSIM to the truth",
        range=(-1, 1),
        measures="fidelity",
        label="SSIM, mean",
        group="quality",
        rank=50,
    ),
    Metric(
        "ssim_best",
        ("truth",),
        "higher",
        "",
        "highest SSIM to the truth among the N",
        range=(-1, 1),
        measures="fidelity",
        label="SSIM, best of N",
        group="quality",
        rank=49,
    ),
    Metric(
        "ssim_of_mean",
        ("truth",),
        "higher",
        "",
        "SSIM of the set's mean picture to the truth",
        range=(-1, 1),
        measures="fidelity",
        label="SSIM of the mean",
        group="quality",
        rank=52,
    ),
)
WINDOW = 7


def measure(view: SetView, wanted: frozenset[str]) -> dict[str, float | np.ndarray]:
    """The fidelity metrics of a set; SSIM is NaN for pictures smaller than its window."""
    truth, mean = view.truth, view.images.mean(axis=0, dtype=np.float64)
    psnrs = psnr(view.images, truth)
    values = {
        "consistency": float(np.mean(view.columns["consistency"].astype(np.float64))),
        "psnr": psnrs,
        "psnr_mean": float(psnrs.mean()),
        "psnr_best": float(psnrs.max()),
        "psnr_of_mean": float(psnr(mean[None], truth)[0]),
    }
    if wanted & {"ssim", "ssim_mean", "ssim_best", "ssim_of_mean"}:
        ssims = ssim(view.images, truth)
        values |= {
            "ssim": ssims,
            "ssim_mean": float(ssims.mean()),
            "ssim_best": float(ssims.max()),
            "ssim_of_mean": float(ssim(mean[None], truth)[0]),
        }
    if "consistency_error" in wanted:
        values["consistency_error"] = abs(values["consistency"] - consistency_of_truth(view))
    if "consistency_composited" in wanted:
        values["consistency_composited"] = consistency_composited(view)
    return values


def psnr(images: np.ndarray, truth: np.ndarray) -> np.ndarray:
    """10 log10(2^2 / MSE) for images (N, C, H, W) and truth (C, H, W) in [-1, 1]; infinite where they are equal."""
    error = ((images.astype(np.float64) - truth) ** 2).mean(axis=(1, 2, 3))
    with np.errstate(divide="ignore"):
        return 10 * np.log10(4 / error)


def ssim(images: np.ndarray, truth: np.ndarray) -> np.ndarray:
    """Structural similarity to the truth, (N,), by scikit-image: uniform 7x7 windows, sample covariance, data range 2.

    The mean over channels and over the pixels whose window lies inside. Source: Wang et al. 2004.
    """
    from skimage.metrics import structural_similarity

    if min(truth.shape[1:]) < WINDOW:
        return np.full(len(images), np.nan)
    truth = truth.astype(np.float64)
    return np.array(
        [
            structural_similarity(image.astype(np.float64), truth, win_size=WINDOW, data_range=2.0, channel_axis=0)
            for image in images
        ]
    )


def consistency_of_truth(view: SetView) -> float:
    """RMS(A x_true - y) with the y that the sampler had: that of the noise of the case's and seed's measurement.

    An exact sample and the truth have the same distribution given y, and so the same distribution of the residual.
    Restorations from outside had another y, whose noise is not known: NaN.
    """
    settings = view.settings.problem or {"name": "inpainting"}
    if not settings.get("sigma"):
        return 0.0
    if not view.file.ours:
        view.file.fault("consistency_error", "set file from outside: the noise of its measurements is not known")
        return float("nan")
    import torch

    from benchmark.problems.noise import measurement

    problem, truth = _problem(view, settings), torch.from_numpy(view.truth)[None, None]
    y = measurement(problem, truth, [(view.keys["seed"], view.keys["dataset"], view.case)])
    return float(problem.consistency(truth, y))


def consistency_composited(view: SetView) -> float:
    """RMS(A c - A x_true) of the clipped composite c, mean over samples; the noise of the measurement plays no part."""
    settings = view.settings.problem or {"name": "inpainting"}
    if settings["name"] == "inpainting" and view.hole is not None:
        composite = np.where(view.hole, view.images, view.truth).clip(-1, 1)
        errors = (composite - view.truth)[:, :, ~view.hole].astype(np.float64)
        return float(np.sqrt((errors**2).mean(axis=(1, 2))).mean())
    import torch

    problem = _problem(view, {**settings, "sigma": 0.0})
    truth, images = torch.from_numpy(view.truth)[None, None], torch.from_numpy(view.images)[None]
    measured = problem.A(truth)
    composite = (problem.pinv(measured) + images - problem.pinv(problem.A(images))).clamp(-1, 1)
    errors = (problem.A(composite) - measured).flatten(2).double()
    return float(errors.square().mean(2).sqrt().mean())


def _problem(view: SetView, settings: dict):
    """The problem of a set's case, built once for all sets of a command where no hole makes it the case's own."""
    import torch

    from benchmark import problems

    if view.hole is not None:
        return problems.build(settings, view.truth.shape, hole=torch.from_numpy(view.hole)[None, None, None])
    key = ("problem", repr(sorted(settings.items())), view.truth.shape)
    return view.file.once_for_all(key, lambda: problems.build(settings, view.truth.shape))
