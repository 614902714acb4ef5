"""What a set cost, and how its sampling went."""

from __future__ import annotations

import math

import numpy as np

from benchmark.metrics.registry import Metric
from benchmark.metrics.view import SetView

METRICS = (
    Metric(
        "nfe",
        (),
        "lower",
        "",
        "network evaluations for the whole set: the sum over its samples",
        range=(0, math.inf),
        measures="cost",
        label="Network evaluations",
        group="cost",
        rank=70,
    ),
    Metric(
        "seconds",
        (),
        "lower",
        "s",
        "wall-clock time for the whole set: the sum over its samples' shares",
        range=(0, math.inf),
        measures="cost",
        label="Time",
        group="cost",
        rank=71,
    ),
    Metric(
        "peak_memory",
        (),
        "lower",
        "bytes",
        "peak memory of the job that sampled the set, where it recorded it",
        range=(0, math.inf),
        measures="cost",
        label="Peak memory",
        group="cost",
        rank=72,
    ),
    Metric(
        "finite_share",
        (),
        "higher",
        "share",
        "share of samples without a non-finite pixel",
        range=(0, 1),
        measures="quality",
        label="Finite samples",
        group="fidelity",
        rank=61,
    ),
    Metric(
        "gate_open",
        (),
        "none",
        "share",
        "share of (sample, step) pairs in which the guidance acted",
        range=(0, 1),
        label="Guidance active",
        group="guidance",
        rank=62,
    ),
)


def measure(view: SetView, wanted: frozenset[str]) -> dict[str, float]:
    """The cost of a set; needs no pictures."""
    return of_columns(view.columns, view.file.peak_memory)


def of_columns(columns: dict[str, np.ndarray], peak_memory: float | None = None) -> dict[str, float]:
    """The same from the set file's columns alone, so that a set whose pictures cannot be measured still has a cost."""
    values = {
        "nfe": float(np.sum(_numbers(columns["nfe"]))),
        "seconds": float(np.sum(_numbers(columns["seconds"]))),
        "finite_share": float(np.mean(_numbers(columns["finite"]))),
        "gate_open": float(np.mean(_numbers(columns["gate_open"]))),
    }
    return values if peak_memory is None else {**values, "peak_memory": float(peak_memory)}


def _numbers(column: np.ndarray) -> np.ndarray:
    return np.array([np.nan if value is None else value for value in column], np.float64)
