"""Jobs, and the contract of their settings: one dataclass for each kind, whose fields say what each key means.

``plan`` makes them, commands read them (``SampleSettings.load(args.settings)``), stages take them, and their JSON is
what a file's fingerprint is taken of. A module here for each stage; contract.py has the reader, points.py what a plan
is made of.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from benchmark.jobs.cases import CasesSettings
from benchmark.jobs.contract import Settings
from benchmark.jobs.exact import ExactSettings
from benchmark.jobs.gallery import GallerySettings
from benchmark.jobs.measure import MeasureSettings
from benchmark.jobs.points import PLAIN, Job, Point, algorithm_at, named, point
from benchmark.jobs.publish import ExactReportSettings, PublishSettings
from benchmark.jobs.sample import SampleSettings
from benchmark.jobs.select import SelectSettings
from benchmark.jobs.weights import WeightsSettings

__all__ = ["KINDS", "PLAIN", "Job", "Point", "Settings", "algorithm_at", "named", "point", "read"]

KINDS: dict[str, type[Settings]] = {
    "cases": CasesSettings,
    "sample": SampleSettings,
    "candidates": SampleSettings,
    "select": SelectSettings,
    "measure": MeasureSettings,
    "gallery": GallerySettings,
    "truth": ExactSettings,
    "publish": PublishSettings,
    "truth-report": ExactReportSettings,
    "weights": WeightsSettings,
}


def read(kind: str, mapping: Mapping[str, Any]) -> Settings:
    """The settings of a job of this kind, from a JSON object.

    Raises:
        BenchmarkError: what :meth:`Settings.from_json` refuses.
    """
    return KINDS[kind].from_json(mapping)
