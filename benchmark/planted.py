"""Planted sets: what a measure must not prefer to plain samples, held against every metric that claims a direction.

Worlds are those whose posterior is known: digits (the mixture's exact posterior) and drawn faces (the exact posterior
over attributes), behind two holes each. Plain sets and candidates are exact samples of the same case; the planted sets
fill the same hole, m the candidates' mean picture:

    mean         m, N times: near everything, diverse in nothing
    one          one exact sample, N times: perfect, diverse in nothing
    shrunk       m + (x - m) / 2 of the plain samples x: half as diverse, and no pictures
    mean+noise   m plus normal noise as large as the candidates' RMS deviation from m
    noise        uniform noise
    other world  pictures of another world

``MUST_LOSE`` says which of them must be worse than plain in which kind of measure. Worse means over cases: a one-sided
paired sign flip test at 5 %. Distances between the samples of a set are won by noise whatever one does; they say so,
and ``supported_distance_mean`` counts only pairs inside the support. ``EXCEPTIONS`` are what a measure cannot show.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from benchmark.jobs.measure import MeasureSettings
from benchmark.metrics.measure import measure_sets
from benchmark.metrics.registry import expand, find
from benchmark.statistics import sign_flip
from benchmark.store import SET_KEYS, Case, RestorationSet

N, CANDIDATES = 5, 60
PLAIN = "plain"
COPIES, BROKEN = ("mean", "one"), ("mean", "mean+noise", "noise", "other world")
MUST_LOSE = {
    "diversity": COPIES,
    "coverage": (*BROKEN, "one", "shrunk"),
    "support": (*BROKEN, "shrunk"),
    "plausibility": (*BROKEN, "shrunk"),
    "quality": (*BROKEN, "shrunk"),
}
LEVEL = 0.05
WINS = 0.01  # the level of "better", which is looked for everywhere
LEAST = 5  # cases: of fewer, all worse, no sign flip test has a p below LEVEL
# (metric, planted set): why the metric does not show it worse, behind one of the holes at least. It may not prefer it.
EXCEPTIONS = {
    **dict.fromkeys(
        [("off_support", "mean+noise"), ("bank_coverage", "mean+noise")],
        "behind a box of 16 pixels with 60 candidates, a third of it is told from a sample",
    ),
    **dict.fromkeys(
        [(name, which) for name in ("plausibility", "confident_share") for which in ("mean", "shrunk")],
        "where one value is likely the mean picture is nearly its picture: 4 of 5 cases; nearest_distance tells it",
    ),
    **dict.fromkeys(
        [(name, "shrunk") for name in ("rare_value_recall", "attribute_coverage", "attribute_coverage_nearest")]
        + [(name, "shrunk") for name in ("attribute_tv", "attribute_tv_nearest")],
        "a faint picture of a value is read as the value; nearest_distance tells it",
    ),
    ("rare_value_recall", "one"): "0 or 1 a set, of a value that one sample shows in a third of the cases",
    **dict.fromkeys(
        [("niqe_refit", "mean"), ("niqe_refit", "shrunk")],
        "behind a mouth few 32x32 blocks change: it tells noise and other worlds, not a blur",
    ),
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

    def values(self) -> dict[str, dict[str, np.ndarray]]:
        """Metric -> planted set -> value of each case (NaN where there is none)."""
        found: dict[str, dict[str, np.ndarray]] = {}
        shared: dict = {}
        for name, sets in self.sets.items():
            rows, _ = measure_sets(MeasureSettings(**self.settings), sets, self.cases, self.candidates, shared=shared)
            per_metric: dict[str, list[float]] = {}
            for row in rows:
                if row["index"] is None:
                    per_metric.setdefault(row["metric"], []).append(row["value"])
            for metric, values in per_metric.items():
                found.setdefault(metric, {})[name] = np.array(values)
        return found


@dataclass(frozen=True)
class Verdict:
    """A planted set against plain on one metric: of how many cases, by how much worse on average, and the one-sided p
    of paired sign flip tests for worse and for better."""

    cases: int
    worse_by: float
    p: float

    p_better: float

    @property
    def silent(self) -> bool:
        """Whether too few cases say anything, and these nothing wrong."""
        return self.cases < LEAST and self.worse_by >= 0

    @property
    def holds(self) -> bool:
        """Worse beyond chance."""
        return self.worse_by > 0 and self.p < LEVEL

    @property
    def wins(self) -> bool:
        """Better beyond chance, which nothing excuses."""
        return self.p_better < WINS


def verdict(values: dict[str, np.ndarray], metric: str, name: str) -> Verdict:
    """What ``metric``, which has a direction, says of the planted set ``name``.

    Cases where both have the worst value that there is say nothing (two exact samples of a drawn world are often equal,
    so that their smallest distance is 0), nor do cases without a value.
    """
    entry = find(metric)[1]
    direction, end = (1, entry.range[0]) if entry.direction == "higher" else (-1, entry.range[1])
    plain, planted = values[PLAIN], values[name]
    says = np.isfinite(plain) & np.isfinite(planted) & ~((plain == end) & (planted == end))
    worse = direction * (plain - planted)[says]
    p, p_better = (sign_flip(sign * worse, alternative="greater") for sign in (1, -1))
    return Verdict(len(worse), float(worse.mean()) if len(worse) else 0.0, p, p_better)


def verdicts(values: dict[str, np.ndarray], metric: str) -> dict[str, Verdict]:
    """The verdict on each planted set that ``metric`` must find worse than plain."""
    entry = find(metric)[1]
    names = MUST_LOSE.get(entry.measures, ()) if entry.direction != "none" and PLAIN in values else ()
    return {name: verdict(values, metric, name) for name in names if name in values}


HOLES = {
    "digits, left": ("digits", {"recipe": "left"}),
    "digits, box": ("digits", {"recipe": "box"}),
    "faces, mouth": ("faces", {"recipe": "parts", "parts": ["mouth"], "dilate": 3}),
    "faces, mouth and brows": ("faces", {"recipe": "parts", "parts": ["mouth", "brows"], "dilate": 2}),
}


def worlds(cases: int = 20) -> Iterator[Planted]:
    """Each of ``HOLES`` with so many cases; of digits, which cost little and show one class mostly, thrice as many."""
    for name, (dataset, recipe) in HOLES.items():
        yield _digits(name, recipe, 3 * cases) if dataset == "digits" else _faces(name, recipe, cases)


def _digits(name: str, recipe: dict, count: int) -> Planted:
    import torch

    from benchmark.data.masks import make_hole
    from benchmark.data.sources import pictures
    from benchmark.priors.mixture import load_mixture, posterior_of
    from benchmark.problems import build

    prior = load_mixture()
    hole = make_hole(recipe, (8, 8), dataset="digits", seed=0)
    problem = build({"name": "inpainting", "sigma": 0.0}, prior.shape, hole[None, None, None], dtype=prior.dtype)

    def exact(picture, number: int) -> np.ndarray:
        truth = torch.from_numpy(picture.image).to(prior.dtype)[None, None]
        generator = torch.Generator().manual_seed(zlib.crc32(picture.case.encode()))
        drawn = posterior_of(prior, problem, problem.A(truth)).sample(number, generator)
        return drawn.reshape(number, *prior.shape).clamp(-1, 1).float().numpy()

    found = list(pictures({"name": "digits"}, count, 0))
    others = [next(pictures({"name": "faces", "size": 16}, 1, seed)).image.mean(0)[None, ::2, ::2] for seed in range(N)]
    settings = {"dataset": "digits", "features": {"name": "hole_pca"}, "classifier": {"name": "digits"}}
    return _planted(name, settings, found, [hole.numpy()] * count, exact, np.stack(others))


def _faces(name: str, recipe: dict, count: int) -> Planted:
    import torch

    from benchmark.data.masks import make_hole
    from benchmark.data.posterior import posterior, truth_of
    from benchmark.data.sources import pictures
    from benchmark.data.worlds import WORLDS

    world, found, holes, known = WORLDS["faces"], list(pictures({"name": "faces"}, count, 0)), [], {}
    for picture in found:
        parts = {part: torch.from_numpy(where) for part, where in picture.parts.items()}
        hole = make_hole(recipe, (64, 64), parts, dataset="faces", case=picture.case)
        holes.append(hole.numpy())
        known[picture.case] = posterior("faces", world, truth_of(picture.case, "faces"), hole)

    def exact(picture, number: int) -> np.ndarray:
        generator = torch.Generator().manual_seed(zlib.crc32(picture.case.encode()))
        return world.render(known[picture.case].sample(number, generator), 64).numpy()

    others = np.stack([next(pictures({"name": "cats"}, 1, seed)).image for seed in range(N)])
    settings = {"features": {"name": "classifier", "classifier": "faces"}, "classifier": {"name": "faces"}}
    return _planted(name, {"dataset": "faces", **settings}, found, holes, exact, others)


def _planted(name: str, settings: dict, found: list, holes: list, exact, others: np.ndarray) -> Planted:
    cases, candidates, sets = {}, [], {}
    for picture, hole in zip(found, holes, strict=True):
        case = cases[picture.case] = Case(
            settings["dataset"], "planted", picture.case, picture.image, hole, picture.attributes
        )
        drawn = exact(picture, CANDIDATES + N + 1)
        bank, plain, one = np.split(drawn, [CANDIDATES, CANDIDATES + N])
        candidates.append(_set(case, bank, np.arange(CANDIDATES)))
        for planted, images in fillings(bank, plain, one, others, hole, picture.case).items():
            filled = np.where(hole, images, picture.image).astype(np.float32)
            # Indices beyond the candidates': no set shares its noise with one.
            sets.setdefault(planted, []).append(_set(case, filled, CANDIDATES + np.arange(N)))
    asked = [*FAMILIES, "niqe_refit"] if settings["dataset"] == "faces" else FAMILIES
    metrics = {metric: find(metric)[1] for metric in expand(asked)}
    judged = [m for m, entry in metrics.items() if entry.direction != "none" and entry.per == "set"]
    common = {"metrics": judged, "n": N, "problem": {"name": "inpainting", "sigma": 0.0}}
    return Planted(name, {**common, **settings}, cases, sets, candidates)


def fillings(bank, plain, one, others, hole: np.ndarray, case: str) -> dict[str, np.ndarray]:
    """The sets of one case by name, (N, C, H, W) each; see the module's docstring."""
    rng = np.random.default_rng(zlib.crc32(case.encode()))
    mean = bank.mean(axis=0, keepdims=True)
    size = np.sqrt(((bank - mean)[:, :, hole] ** 2).mean())
    return {
        PLAIN: plain,
        "mean": np.repeat(mean, N, axis=0),
        "one": np.repeat(one, N, axis=0),
        "shrunk": mean + (plain - mean) / 2,
        "mean+noise": (mean + size * rng.normal(size=plain.shape)).clip(-1, 1),
        "noise": rng.uniform(-1, 1, plain.shape),
        "other world": others,
    }


def _set(case: Case, images: np.ndarray, index: np.ndarray) -> RestorationSet:
    keys = {"dataset": case.dataset, "task": "planted", "case": case.case, "sampler": "exact", "method": "plain"}
    keys |= {"eta": 0.0, "D": 0.0, "D_unit": "rms", "D_rms": 0.0, "seed": 0}
    n = len(images)
    columns = {"nfe": np.zeros(n, int), "seconds": np.zeros(n), "gate_open": np.zeros(n)}
    columns |= {"finite": np.full(n, True), "consistency": np.zeros(n)}
    return RestorationSet({key: keys[key] for key in SET_KEYS}, index, images, columns)


# -------------------------------------------------------------------------------------------------------------- tables
def long_table(world: str, values: dict[str, dict[str, np.ndarray]]) -> list[str]:
    """One world's means over cases, a metric a line; bold where a set must be worse than plain and is not shown to."""
    names = list(next(iter(values.values())))
    lines = [f"| {world}: measure | measures | better | {' | '.join(names)} |", "|---|---|---|" + "--:|" * len(names)]
    for metric, found in values.items():
        entry, wrong = find(metric)[1], {name for name, one in verdicts(found, metric).items() if not one.holds}
        means = {name: np.nanmean(column) if np.isfinite(column).any() else np.nan for name, column in found.items()}
        cells = [f"**{means[name]:.3g}**" if name in wrong else f"{means[name]:.3g}" for name in names]
        lines.append(f"| `{metric}` | {entry.measures} | {entry.direction} | {' | '.join(cells)} |")
    return lines


def short_table(found: dict[str, dict[str, dict[str, np.ndarray]]]) -> list[str]:
    """A sign for each metric and planted set, over all holes where cases say anything; see :func:`sign`."""
    names = list(dict.fromkeys(name for kind in MUST_LOSE.values() for name in kind))
    lines = [f"| measure | measures | {' | '.join(names)} |", "|---|---|" + ":-:|" * len(names)]
    for metric in dict.fromkeys(find(metric)[1].name for values in found.values() for metric in values):
        measures = find(metric)[1].measures
        if measures in MUST_LOSE:
            signs = [sign(found, metric, name, name in MUST_LOSE[measures]) for name in names]
            lines.append(f"| `{metric}` | {measures} | {' | '.join(signs)} |")
    return lines


def sign(found: dict, metric: str, name: str, must: bool) -> str:
    """+ better than plain beyond chance behind a hole; − worse behind each, (−) behind some, ? behind none; blank where
    it need not be worse and is not better. A metric with a placeholder stands for all its values."""
    said = [
        verdict(columns, value, name)
        for values in found.values()
        for value, columns in values.items()
        if find(value)[1].name == metric
    ]
    if any(one.wins for one in said):
        return "+"
    worse = [one.holds for one in said if not one.silent]
    return "" if not must else "−" if all(worse) else "(−)" if any(worse) else "?"
