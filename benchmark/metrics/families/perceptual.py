"""LPIPS: between the samples of a set, in the whole picture and in the hole, and to the truth.

The mean over the unordered pairs of a set is what the source paper calls LPIPS diversity. ``alex`` is the network that
LPIPS is mostly reported with, ``vgg`` the one with which the source paper's baselines select. Every picture goes
through each network once; :mod:`benchmark.metrics.engines.lpips_pairs` says exactly what is computed.
"""

from __future__ import annotations

import math
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from benchmark.metrics.families.diversity import condensed, mean_and_min
from benchmark.metrics.registry import NOISE_WINS, Metric
from benchmark.metrics.view import SetFile, SetView
from benchmark.weights import of_metrics

if TYPE_CHECKING:
    import lpips

BACKBONES = {"alex": "alexnet", "vgg": "vgg16"}


def _declared(net: str, backbone: str) -> tuple[Metric, ...]:
    def metric(name: str, needs: tuple[str, ...], label: str, rank: int, definition: str) -> Metric:
        words = f"{definition} (LPIPS {net}, version 0.1)"
        of = {"weights": (backbone,), "range": (0, math.inf), "label": f"LPIPS {net}{label}", "rank": rank}
        if "truth" in needs:
            of |= {"measures": "fidelity", "group": "quality"}
            return Metric(f"lpips_{net}_{name}", needs, "lower", "", words, **of)
        of |= {"measures": "diversity", "group": "diversity"}
        return Metric(f"lpips_{net}_{name}", needs, "higher", "", words + NOISE_WINS, **of)

    pairs, hole, truth = ("pairs", "weights"), ("pairs", "hole", "weights"), ("truth", "weights")
    return (
        metric("mean", pairs, "", 22, "mean over pairs: the source paper's LPIPS diversity"),
        metric("min", pairs, ", smallest", 33, "smallest pair"),
        metric("hole_mean", hole, " in hole", 34, "mean over pairs of the mean of the LPIPS map over the hole"),
        metric("hole_min", hole, " in hole, smallest", 35, "smallest pair's mean of the LPIPS map over the hole"),
        metric("to_truth_mean", truth, " to truth mean", 53, "mean over samples of the distance to the truth"),
        metric("to_truth_best", truth, " to truth best", 53, "smallest distance to the truth among the N"),
        metric("to_truth_of_mean", truth, " to truth of mean", 53, "distance of the set's mean picture to the truth"),
    )


METRICS = tuple(metric for net, backbone in BACKBONES.items() for metric in _declared(net, backbone))


def prepare(file: SetFile, wanted: frozenset[str]) -> None:
    """Load the networks that are asked for, by hash.

    Raises:
        BenchmarkError: a weights file with a wrong hash or of another form.
    """
    from benchmark.metrics.engines import lpips_pairs

    for net in _networks(wanted):
        path, digest = of_metrics.verified(BACKBONES[net], file.settings.weights)
        model = _loaded(net, path, digest, file.device)
        file.record.setdefault("weights", {})[BACKBONES[net]] = digest
        file.record["weights"][f"lpips heads {net} 0.1"] = lpips_pairs.HEADS[net]
        file.once(("lpips", net), lambda model=model: model)


@lru_cache(maxsize=2)
def _loaded(net: str, path: Path, digest: str, device: str) -> lpips.LPIPS:
    """The network, once in a process that measures several set files."""
    from benchmark.metrics.engines import lpips_pairs

    return lpips_pairs.load(net, path, device)


def _networks(wanted: frozenset[str]) -> list[str]:
    return [net for net in BACKBONES if any(name.startswith(f"lpips_{net}_") for name in wanted)]


def measure(view: SetView, wanted: frozenset[str]) -> dict[str, float]:
    """The LPIPS metrics of a set; NaN for pictures too small for the network."""
    values = {}
    for net in _networks(wanted):
        model = view.file.once(("lpips", net), lambda: None)
        values |= {f"lpips_{net}_{name}": value for name, value in of_set(model, net, view).items()}
    return values


def of_set(model: lpips.LPIPS, net: str, view: SetView) -> dict[str, float]:
    """The LPIPS metrics of a set with one network."""
    from benchmark.metrics.engines import lpips_pairs

    n, size = len(view.images), view.images.shape[-2:]
    if min(size) < lpips_pairs.SMALLEST[net]:
        smallest = lpips_pairs.SMALLEST[net]
        view.file.fault(f"lpips_{net}", f"pictures of {size[0]}x{size[1]}; LPIPS needs {smallest}x{smallest}")
        names = ("mean", "min", "hole_mean", "hole_min", "to_truth_mean", "to_truth_best", "to_truth_of_mean")
        return dict.fromkeys(names, np.nan)
    mean = view.images.mean(axis=0, dtype=np.float64).astype(np.float32)
    pictures = np.concatenate([view.images, view.truth[None], mean[None]])
    whole, *hole = lpips_pairs.matrices(model, pictures, [None] if view.hole is None else [None, view.hole])
    values = dict(zip(("mean", "min"), mean_and_min(condensed(whole[:n, :n]))))
    if hole:
        values |= dict(zip(("hole_mean", "hole_min"), mean_and_min(condensed(hole[0][:n, :n]))))
    to_truth = whole[:n, n]
    return {
        **values,
        "to_truth_mean": float(to_truth.mean()),
        "to_truth_best": float(to_truth.min()),
        "to_truth_of_mean": float(whole[n + 1, n]),
    }
