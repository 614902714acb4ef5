"""Planted sets: what a measure must not prefer to plain samples, held against every metric that claims a direction.

Worlds are those whose posterior is known: digits (the mixture's exact posterior behind half a digit) and drawn faces
(the exact posterior behind a mouth). Plain sets and candidates are exact samples of the same case; the planted sets
fill the same hole:

    mean         the candidates' mean picture N times: near everything, diverse in nothing
    one          one exact sample N times: perfect, diverse in nothing
    noise        uniform noise
    other world  pictures of another world

``mean`` and ``one`` must be worse than plain in every measure of diversity and coverage; ``mean``, ``noise`` and
``other world`` in every measure of support, coverage, plausibility and quality. Distances between the samples of a set
are won by noise whatever one does; they say so, and ``supported_distance_mean`` counts only pairs inside the support.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from benchmark.metrics.measure import measure_sets
from benchmark.metrics.registry import expand, find
from benchmark.store import SET_KEYS, Case, RestorationSet

N, CANDIDATES = 5, 60
PLAIN = "plain"
COPIES, BROKEN = ("mean", "one"), ("mean", "noise", "other world")
MUST_LOSE = {
    "diversity": COPIES,
    "coverage": (*BROKEN, "one"),
    "support": BROKEN,
    "plausibility": BROKEN,
    "quality": BROKEN,
}
FAMILIES = ["bank", "diversity", "attributes"]


@dataclass(frozen=True)
class Planted:
    """One world's cases with their sets by name, candidates, and the settings of their measurement."""

    world: str
    settings: dict
    cases: dict[str, Case]
    sets: dict[str, list[RestorationSet]]
    candidates: list[RestorationSet]

    def values(self) -> dict[str, dict[str, float]]:
        """Metric -> planted set -> mean over cases (NaN where there is no value)."""
        found: dict[str, dict[str, float]] = {}
        shared: dict = {}
        for name, sets in self.sets.items():
            rows, _ = measure_sets(self.settings, sets, self.cases, self.candidates, shared=shared)
            per_metric: dict[str, list[float]] = {}
            for row in rows:
                if row["index"] is None:
                    per_metric.setdefault(row["metric"], []).append(row["value"])
            for metric, values in per_metric.items():
                known = [value for value in values if value == value]
                found.setdefault(metric, {})[name] = float(np.mean(known)) if known else float("nan")
        return found


def worst_or_equal(values: dict[str, float], metric: str) -> Iterator[str]:
    """The planted sets that ``metric`` should find worse than plain and does not.

    Where plain sets have the worst value that there is (two exact samples of a drawn world are often equal, so that
    their smallest distance is 0), nothing can be worse and equal values are no fault.
    """
    entry = find(metric)[1]
    if entry.direction == "none" or PLAIN not in values:
        return
    sign, end = (1, entry.range[0]) if entry.direction == "higher" else (-1, entry.range[1])
    for name in MUST_LOSE.get(entry.measures, ()):
        if name not in values or values[PLAIN] == values[name] == end:
            continue
        if not sign * values[name] < sign * values[PLAIN]:
            yield name


def worlds(cases: int = 8) -> Iterator[Planted]:
    """Digits behind their left half and faces behind the mouth."""
    yield _digits(cases)
    yield _faces(cases)


def _digits(count: int) -> Planted:
    import torch

    from benchmark.data.masks import make_hole
    from benchmark.data.sources import pictures
    from benchmark.priors.mixture import load_mixture, posterior_of
    from benchmark.problems import build

    prior = load_mixture()
    hole = make_hole({"recipe": "left"}, (8, 8), dataset="digits", seed=0)
    problem = build({"name": "inpainting", "sigma": 0.0}, prior.shape, hole[None, None, None], dtype=prior.dtype)

    def exact(picture, number: int) -> np.ndarray:
        truth = torch.from_numpy(picture.image).to(prior.dtype)[None, None]
        generator = torch.Generator().manual_seed(zlib.crc32(picture.case.encode()))
        drawn = posterior_of(prior, problem, problem.A(truth)).sample(number, generator)
        return drawn.reshape(number, *prior.shape).clamp(-1, 1).float().numpy()

    found = list(pictures({"name": "digits"}, count, 0))
    others = [next(pictures({"name": "faces", "size": 16}, 1, seed)).image.mean(0)[None, ::2, ::2] for seed in range(N)]
    settings = {"features": {"name": "hole_pca"}, "classifier": {"name": "digits"}}
    return _planted("digits", settings, found, [hole.numpy()] * count, exact, np.stack(others))


def _faces(count: int) -> Planted:
    import torch

    from benchmark.data.masks import make_hole
    from benchmark.data.posterior import posterior, truth_of
    from benchmark.data.sources import pictures
    from benchmark.data.worlds import WORLDS

    world, found, holes = WORLDS["faces"], list(pictures({"name": "faces"}, count, 0)), []
    recipe = {"recipe": "parts", "parts": ["mouth"], "dilate": 3}
    known = {}
    for picture in found:
        parts = {name: torch.from_numpy(part) for name, part in picture.parts.items()}
        hole = make_hole(recipe, (64, 64), parts, dataset="faces", case=picture.case)
        holes.append(hole.numpy())
        known[picture.case] = posterior("faces", world, truth_of(picture.case, "faces"), hole)

    def exact(picture, number: int) -> np.ndarray:
        generator = torch.Generator().manual_seed(zlib.crc32(picture.case.encode()))
        return world.render(known[picture.case].sample(number, generator), 64).numpy()

    others = np.stack([next(pictures({"name": "cats"}, 1, seed)).image for seed in range(N)])
    settings = {"features": {"name": "classifier", "classifier": "faces"}, "classifier": {"name": "faces"}}
    return _planted("faces", settings, found, holes, exact, others)


def _planted(world: str, settings: dict, found: list, holes: list, exact, others: np.ndarray) -> Planted:
    cases, candidates, sets = {}, [], {}
    for picture, hole in zip(found, holes, strict=True):
        cases[picture.case] = Case(world, "planted", picture.case, picture.image, hole, picture.attributes)
        drawn = exact(picture, CANDIDATES + N + 1)
        bank, plain, one = drawn[:CANDIDATES], drawn[CANDIDATES:-1], drawn[-1:]
        candidates.append(_set(cases[picture.case], bank, np.arange(CANDIDATES)))
        rng = np.random.default_rng(zlib.crc32(picture.case.encode()))
        fillings = {
            PLAIN: plain,
            "mean": np.repeat(bank.mean(axis=0, keepdims=True), N, axis=0),
            "one": np.repeat(one, N, axis=0),
            "noise": rng.uniform(-1, 1, plain.shape).astype(np.float32),
            "other world": others,
        }
        for name, images in fillings.items():
            filled = np.where(hole, images, picture.image).astype(np.float32)
            # Indices beyond the candidates': no set shares its noise with one.
            sets.setdefault(name, []).append(_set(cases[picture.case], filled, CANDIDATES + np.arange(N)))
    metrics = [name for name in expand(FAMILIES) if not find(name)[1].weights and find(name)[1].per == "set"]
    metrics += ["niqe_refit"] if world == "faces" else []
    common = {"metrics": metrics, "dataset": world, "n": N, "problem": {"name": "inpainting", "sigma": 0.0}}
    return Planted(world, {**common, **settings}, cases, sets, candidates)


def _set(case: Case, images: np.ndarray, index: np.ndarray) -> RestorationSet:
    keys = {"dataset": case.dataset, "task": "planted", "case": case.case, "sampler": "exact", "method": "plain"}
    keys |= {"eta": 0.0, "D": 0.0, "D_unit": "rms", "D_rms": 0.0, "seed": 0}
    n = len(images)
    columns = {"nfe": np.zeros(n, int), "seconds": np.zeros(n), "gate_open": np.zeros(n)}
    columns |= {"finite": np.full(n, True), "consistency": np.zeros(n)}
    return RestorationSet({key: keys[key] for key in SET_KEYS}, index, images, columns)
