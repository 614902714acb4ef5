"""How far the restorations of a plain set lie apart, during sampling and at its end: what to choose D from."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np
import torch

from benchmark import store
from benchmark.device import pick_device
from benchmark.errors import BenchmarkError
from benchmark.jobs.sample import SampleSettings
from benchmark.priors.load import FOLDER, REGISTRY, load_prior
from benchmark.sampling import SAMPLERS
from benchmark.sampling.guidance import NearestNeighbour, threshold_norm
from benchmark.sampling.noise import Streams
from benchmark.sampling.run import check_cases, prepare
from benchmark.sampling.settings import algorithm_of

QUANTILES = (0.05, 0.25, 0.5, 0.75, 0.95)
SHARES = (0.25, 0.5, 0.75)
MOST_ROWS = 10


def while_sampling(
    settings: SampleSettings, cases_path: str | Path, device: str, batch_size: int,
    weights_dir: str | Path = FOLDER, weights_registry: str | Path | None = None,
) -> dict[int, np.ndarray]:  # fmt: skip
    """What a gate would have seen: {t: RMS distance of every clean estimate to its nearest neighbour}, t descending.

    Samples the plain sets of ``settings`` under a guidance of step size 0, which records and moves nothing. The
    distance is the preset's own, in the units of D_rms; NaN or infinite for an estimate that is not finite.

    Args:
        weights_dir: where the weights of public models lie. weights_registry: what they are; by default our own list.

    Raises:
        BenchmarkError: settings with a guidance, with n below 2, or of a sampler that takes none.
    """
    if batch_size < 1:
        raise BenchmarkError(f"--batch-size {batch_size}: give 1 or more")
    if settings.guidance is not None:
        raise BenchmarkError("--settings: guidance given; D is chosen from plain sampling, whose samples do not repel")
    if settings.n < 2:
        raise BenchmarkError(f"n: a set of {settings.n} has no neighbours; give n of 2 or more")
    name, options = algorithm_of(settings.algorithm)
    where, n = pick_device(device), settings.n
    prior = load_prior(settings.prior, where, weights_dir, weights_registry or REGISTRY)
    cases = list(store.read_cases(cases_path, settings.cases).values())
    check_cases(cases, prior, settings, cases_path)
    sets = [(case, seed) for seed in settings.seeds for case in cases]
    together = max(1, batch_size // n)
    found: dict[int, list[np.ndarray]] = {}
    for start in range(0, len(sets), together):
        group = sets[start : start + together]
        problem, y = prepare(settings.problem, settings.dataset, prior, group, where)
        keys = [[(seed, settings.dataset, case.case, index) for index in range(n)] for case, seed in group]
        zero, inf = torch.zeros(len(group), device=where), torch.full((len(group),), math.inf, device=where)
        region = None if problem.hole is None else problem.hole.to(prior.dtype)
        unit = torch.as_tensor(threshold_norm(1.0, "rms", n, problem.image_shape, problem.hole)).reshape(-1, 1).cpu()
        guide, noise = NearestNeighbour(zero, inf, region), Streams(keys, prior.shape, where, prior.dtype)
        with torch.no_grad():
            t = 999  # of the first state, which has no neighbours yet
            for state in SAMPLERS[name](prior, problem, y, noise, guide, **options):
                if state.repulsion is not None:
                    found.setdefault(t, []).append((state.repulsion.distance.cpu() / unit).numpy().ravel())
                t = state.t
    if not found:
        raise BenchmarkError(f"algorithm.name: {name} takes no guidance; D means nothing to it")
    return {t: np.concatenate(found[t]) for t in sorted(found, reverse=True)}


def of_finished_sets(paths: list[str], cases_path: str | Path) -> np.ndarray:
    """RMS distance over the hole of every restoration in plain set files to its nearest neighbour.

    A restoration that is not finite has no picture in the file: it has NaN and is nobody's neighbour.

    Raises:
        BenchmarkError: guided or selected sets, sets of one restoration, sets of other cases.
    """
    cases = store.read_cases(cases_path)
    sets = [one for path in paths for one in store.read_sets(path)]
    if any(one.keys["method"] != "plain" for one in sets):
        raise BenchmarkError("--sets: guided or selected sets among them; give plain ones, whose samples do not repel")
    if any(len(one.images) < 2 for one in sets):
        raise BenchmarkError("--sets: sets of one restoration have no neighbours; give n of 2 or more")
    distances = []
    for one in sets:
        if one.keys["case"] not in cases:
            raise BenchmarkError(f"{cases_path}: no case {one.keys['case']}; give these sets' cases file")
        hole = cases[one.keys["case"]].hole
        points = (one.images if hole is None else one.images[:, :, hole]).reshape(len(one.images), -1).astype(float)
        rms = np.sqrt(np.square(points[:, None] - points[None]).mean(-1))
        np.fill_diagonal(rms, np.inf)
        finite = one.columns["finite"].astype(bool)
        nearest = np.where(finite[:, None] & finite, rms, np.inf).min(1)
        distances.append(np.where(np.isfinite(nearest), nearest, np.nan))
    return np.concatenate(distances)


def quantile_table(by_label: Mapping[object, np.ndarray], what: str) -> Iterator[str]:
    """Lines: quantiles of the distances under some of their labels, in order, and three values for D from all of them.

    Args:
        what: the gate is open for a share of.

    Raises:
        BenchmarkError: no finite distance.
    """
    distances, labels = np.concatenate(list(by_label.values())), list(by_label)
    finite = np.isfinite(distances)
    if not finite.any():
        raise BenchmarkError("distances: no restoration has a finite neighbour; there is nothing to choose D from")
    if not finite.all():
        yield f"{(~finite).sum()} of {len(distances)} distances are not finite and left out"
    yield f"{'t':>5} " + " ".join(f"{quantile:6.0%}" for quantile in QUANTILES)
    for position in np.linspace(0, len(labels) - 1, min(MOST_ROWS, len(labels))):
        label = labels[round(position)]
        values = by_label[label][np.isfinite(by_label[label])]
        quantiles = np.quantile(values, QUANTILES) if len(values) else [np.nan] * len(QUANTILES)
        yield f"{label!s:>5} " + " ".join(f"{value:6.3f}" for value in quantiles)
    suggested = ", ".join(f"{float(f'{value:.2g}'):g}" for value in np.quantile(distances[finite], SHARES))
    yield f"suggested D (unit rms): {suggested}: the gate is open for 25, 50 and 75 % of {what}"
