"""The settings of a job that fetches weights which others trained."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from benchmark.jobs.contract import Settings


@dataclass(frozen=True, kw_only=True, slots=True)
class WeightsSettings(Settings):
    """``weights fetch NAME``: it has no ``--settings``; what it fetches is its fingerprint."""

    JOB: ClassVar[str] = "weights"

    name: str
    """The entry of the registry of weights."""
