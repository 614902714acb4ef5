"""How many cases and seeds a difference needs, by what varies between cases and between seeds in a run of several.

A seed is worth little where cases differ from each other, and as much as a case where the samples of one case do: with
the parts of :func:`benchmark.statistics.variance_parts` a case's mean difference over S seeds has the variance
``between + within / S``, and :func:`benchmark.statistics.needed_for` says how many cases of it show a difference.
"""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np
import pandas as pd

from benchmark import statistics
from benchmark.errors import BenchmarkError
from benchmark.publish import labels
from benchmark.publish.results.measured import POINT_KEYS

SEEDS = (1, 2, 3, 5)
OF_A_SHARE, OF_THE_REST = 0.05, 0.1  # the default difference: so much of a share, this part of plain's mean otherwise


def seeds_table(frame: pd.DataFrame, difference: float | None = None, metrics: list[str] | None = None) -> pd.DataFrame:
    """For each guided or selected point and measure: its change from plain, what varies, and the cases that it takes.

    Args:
        frame: the rows of metrics.parquet of a run with two seeds or more.
        difference: what is to be seen, of every measure; by default 0.05 of a share, a tenth of plain's mean otherwise.
        metrics: those wanted; by default all that are compared with plain.

    Returns:
        Columns dataset, task, sampler, method, eta, D, D_unit, metric, cases, seeds, change, between, within (standard
        deviations), seed_share (of a seed's part in the variance of one seed), difference, cases_with_SEEDS for
        :data:`SEEDS`; rows in the order of the file.

    Raises:
        BenchmarkError: fewer than two seeds, a difference that is not above 0, a measure that is not there.
    """
    if difference is not None and not 0 < difference < math.inf:
        raise BenchmarkError(f"a difference of {difference:g}; give one above 0")
    frame = frame[frame["index"].isna() & frame["case"].notna()]
    if frame["seed"].nunique() < 2:
        raise BenchmarkError("one seed says nothing of what another changes; measure a run with two or more")
    known = [str(name) for name in frame["metric"].unique()]
    if absent := sorted(set(metrics or []) - set(known)):
        raise BenchmarkError(f"no value of {absent[0]} in the metrics; there are {', '.join(sorted(known))}")
    wanted = metrics or [name for name in sorted(known, key=labels.rank) if labels.measure(name).tested]
    frame = frame[frame["metric"].isin(wanted)]
    return pd.DataFrame(row for metric in wanted for row in _rows(frame[frame["metric"] == metric], metric, difference))


def _rows(frame: pd.DataFrame, metric: str, difference: float | None) -> Iterator[dict]:
    for where, part in frame.groupby(["dataset", "task", "sampler"], observed=True, sort=False):
        points = {
            key: point.pivot_table(index="case", columns="seed", values="value", observed=True)
            for key, point in part.groupby(POINT_KEYS[3:], observed=True, sort=False)
        }
        plain = next((values for key, values in points.items() if key[0] == "plain"), None)
        if plain is None or not np.isfinite(plain.to_numpy()).any():
            continue
        effect = difference or _default(metric, float(np.nanmean(plain.to_numpy())))
        for key, values in points.items():
            if key[0] == "plain":
                continue
            changes = (values - plain).to_numpy()
            if not np.isfinite(changes).any():
                continue
            between, within = statistics.variance_parts(changes)
            total = between + within
            row = dict(zip(POINT_KEYS, (*where, *key), strict=True)) | {"metric": metric}
            row |= {"cases": int(np.isfinite(changes).all(axis=1).sum()), "seeds": changes.shape[1]}
            row |= {"change": float(np.nanmean(changes)), "between": math.sqrt(between), "within": math.sqrt(within)}
            row |= {"seed_share": within / total if total > 0 else math.nan, "difference": effect}
            yield row | {f"cases_with_{seeds}": _cases(effect, between + within / seeds) for seeds in SEEDS}


def _default(metric: str, plain: float) -> float:
    low, high = labels.measure(metric).bounds(None)
    return OF_A_SHARE if (low, high) == (0, 1) else OF_THE_REST * abs(plain)


def _cases(effect: float, variance: float) -> float:
    """NaN where nothing varies, or no difference is asked for."""
    return statistics.needed_for(effect / math.sqrt(variance)) if variance > 1e-24 and effect > 0 else math.nan
