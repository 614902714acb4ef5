"""The settings of a metrics file: what is measured of one or several set files, and with what."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, ClassVar

from benchmark.errors import BenchmarkError
from benchmark.jobs.contract import HASHES, LEFT_OUT, Settings


@dataclass(frozen=True, kw_only=True, slots=True)
class MeasureSettings(Settings):
    """``measure``: the metrics of set files of one dataset, task and sampler.

    Raises:
        BenchmarkError: a classifier without name, sets of none, a number of cases or an option of niqe_refit below 1.
    """

    JOB: ClassVar[str] = "measure"

    metrics: list[str]
    """Names of metrics and of families of metrics; each metric once."""
    features: dict[str, Any]
    """The space of distances: a feature's name and its options."""
    classifier: dict[str, Any] | None = None
    """The classifier of the dataset's attributes, ``{"name": ...}``; None where there is none."""
    dataset: str | None = field(default=None, metadata=LEFT_OUT)
    """The dataset's name."""
    task: str | None = field(default=None, metadata=LEFT_OUT)
    """The task's name."""
    sampler: str | None = field(default=None, metadata=LEFT_OUT)
    """The sampler's name."""
    problem: dict[str, Any] | None = field(default=None, metadata=LEFT_OUT)
    """The degradation, for measures of the measurement; inpainting without noise where it is left out."""
    n: int | None = field(default=None, metadata=LEFT_OUT)
    """Samples that each set must have; by default those of the first."""
    seed: int | None = field(default=None, metadata=LEFT_OUT)
    """The configuration's first."""
    cases: str | None = field(default=None, metadata=LEFT_OUT)
    """The fingerprint that the cases file must carry."""
    sets: list[str] | None = field(default=None, metadata=LEFT_OUT)
    """The fingerprints that the set files must carry, in the order of ``--sets``."""
    candidates: list[str] | None = field(default=None, metadata=LEFT_OUT)
    """The fingerprints that the candidates must carry, in the order of ``--candidates``."""
    shipped: dict[str, str] = field(default_factory=dict, metadata=HASHES)
    """The shipped weights that features and classifier read, name -> sha256."""
    weights: dict[str, dict[str, str]] = field(default_factory=dict, metadata=LEFT_OUT)
    """Other files of metrics' networks than the usual: name -> path, sha256."""
    niqe_refit: dict[str, int] = field(default_factory=dict, metadata=LEFT_OUT)
    """Options of the metric of this name."""
    kid_cases: int | None = field(default=None, metadata=LEFT_OUT)
    """Truths that pooled distances need, where the metrics' own number is not meant."""

    def __post_init__(self) -> None:
        if self.classifier is not None and "name" not in self.classifier:
            raise BenchmarkError(f"classifier: {self.classifier} has no name; give null where there is no classifier")
        counts = {"n": self.n, "kid_cases": self.kid_cases}
        for name, value in [*counts.items(), *((f"niqe_refit.{name}", item) for name, item in self.niqe_refit.items())]:
            if value is not None and value < 1:
                raise BenchmarkError(f"{name}: {value} is below 1; give 1 or more")
