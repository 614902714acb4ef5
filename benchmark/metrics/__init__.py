"""Measures of a set of restorations: one module per family, listed in :mod:`benchmark.metrics.registry`."""

from benchmark.metrics.registry import FAMILIES, Metric, available_metrics, describe

__all__ = ["FAMILIES", "Metric", "available_metrics", "describe"]
