"""Which margin, eta and D an experiment uses, chosen on cases that its tables never see (experiments/tuning.yaml).

With q the quality (a share, higher is better), c the diversity, means over cases and seeds in a dataset and task:

    margin   the smallest of ``MARGINS`` that is no less than |q(plain, one seed) - q(plain, another)| anywhere:
             a loss below what a second seed costs is none
    eta, D   of the guided points whose loss q(plain) - q(point), mean over datasets and tasks, is at most the margin,
             the one of greatest c, mean over datasets and tasks
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations

import pandas as pd

from benchmark.errors import BenchmarkError

MARGINS = (0.02, 0.05, 0.1, 0.15, 0.2)
WHERE = ["dataset", "task"]
POINT = ["method", "eta", "D", "D_unit"]


@dataclass(frozen=True)
class GuidanceChoice:
    """What was chosen, and what it was chosen from: ``points`` has a row for each guided point, best first."""

    margin: float
    eta: float
    D: float
    D_unit: str
    seed_difference: float
    points: pd.DataFrame  # eta, D, D_unit, diversity, loss


def choose(frame: pd.DataFrame, diversity: str, quality: str) -> GuidanceChoice:
    """The choice from the rows of a metrics table (keys, metric, value) of one sampler.

    Raises:
        BenchmarkError: fewer than two seeds, no plain or no guided point, a measure that is not there, seeds that
            differ by more than the largest margin.
    """
    frame = frame[frame["index"].isna() & frame["case"].notna()]
    if frame["sampler"].nunique() > 1:
        raise BenchmarkError(f"samplers {', '.join(sorted(frame['sampler'].unique()))}: a choice is made for one")
    values = {name: _points(frame, name) for name in (diversity, quality)}
    difference = _seed_difference(frame, quality)
    margin = next((margin for margin in MARGINS if margin >= difference), None)
    if margin is None:
        raise BenchmarkError(
            f"{quality} of two plain seeds differs by {difference:.3f}, more than any margin: more cases"
        )
    plain = values[quality].xs("plain", level="method").groupby(WHERE, observed=True).mean()
    guided = {name: part[part.index.get_level_values("method") != "plain"] for name, part in values.items()}
    if guided[quality].empty:
        raise BenchmarkError("no guided point to choose from")
    loss = plain.reindex(guided[quality].droplevel(POINT).index).to_numpy() - guided[quality]
    points = pd.DataFrame({"diversity": guided[diversity], "loss": loss}).groupby(POINT, observed=True).mean()
    points = points.reset_index().sort_values("diversity", ascending=False, ignore_index=True)
    allowed = points[points["loss"] <= margin]
    if allowed.empty:
        raise BenchmarkError(f"no guided point loses {margin:g} or less of {quality}: add smaller steps")
    best = allowed.iloc[0]
    chosen = (float(best["eta"]), float(best["D"]), str(best["D_unit"]))
    return GuidanceChoice(margin, *chosen, difference, points.drop(columns="method"))


def _points(frame: pd.DataFrame, metric: str) -> pd.Series:
    """Mean over cases and seeds of a metric at each point of each dataset and task."""
    found = frame[frame["metric"] == metric]
    if found.empty:
        raise BenchmarkError(f"no value of {metric} in the metrics")
    return found.groupby([*WHERE, *POINT], observed=True)["value"].mean()


def _seed_difference(frame: pd.DataFrame, metric: str) -> float:
    """The largest difference between two seeds of plain sampling in any dataset and task."""
    plain = frame[(frame["metric"] == metric) & (frame["method"] == "plain")]
    if plain["seed"].nunique() < 2:
        raise BenchmarkError("plain sampling with two seeds or more is needed, to see what a seed changes")
    seeds = plain.groupby([*WHERE, "seed"], observed=True)["value"].mean().unstack("seed")
    return float(max((seeds[a] - seeds[b]).abs().max() for a, b in combinations(seeds.columns, 2)))
