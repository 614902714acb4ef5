"""What a metric sees: one set of restorations with its truth, and what all sets of a file share.

Networks look at every image of a file once, in one batch: the first metric that asks pays, the others find the result.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from benchmark.errors import BenchmarkError
from benchmark.jobs.measure import MeasureSettings
from benchmark.store import Case, RestorationSet


@dataclass(frozen=True)
class Bank:
    """The finite candidates of one case and seed; a candidate's index is that of its noise stream."""

    images: np.ndarray  # (M, C, H, W)
    index: np.ndarray  # int (M,)


@dataclass(frozen=True)
class SetView:
    """N restorations of one case; images float32 (C, H, W) in [-1, 1]."""

    images: np.ndarray  # (N, C, H, W)
    truth: np.ndarray  # (C, H, W)
    hole: np.ndarray | None  # bool (H, W), True = unknown
    keys: dict  # SET_KEYS -> value
    columns: dict[str, np.ndarray]  # nfe, seconds, gate_open, finite, consistency: (N,)
    attributes: dict[str, str]  # of the truth
    bank: np.ndarray | None  # (M, C, H, W): candidates of the same case and seed
    others: np.ndarray | None  # bool (M,): the candidates that no sample of the set shares its noise stream with
    file: SetFile

    @property
    def case(self) -> str:
        return self.keys["case"]

    @property
    def settings(self) -> MeasureSettings:
        return self.file.settings

    def features(self) -> np.ndarray:
        """Features (N, F) of the images by the features of the settings, float64."""
        return self.file.once(("features", self.case, self.keys["seed"]), lambda: self.file.extract(self, self.images))

    def bank_features(self) -> tuple[np.ndarray, np.ndarray]:
        """Features of the images (N, F) and of the bank (M, F) in one common space."""

        def both() -> np.ndarray:
            return self.file.extract(self, np.concatenate([self.images, self.bank]))

        joint = self.file.once(("bank features", self.case, self.keys["seed"]), both)
        return joint[: len(self.images)], joint[len(self.images) :]

    def per_image(self, name: str, function: Callable[[np.ndarray], Any]) -> np.ndarray:
        """``function`` of all images of the file at once, (M, C, H, W) -> (M, ...): the rows of this set's images."""
        start = self.file.offset(self)
        return self.file.once(("images", name), lambda: function(self.file.images()))[start : start + len(self.images)]


@dataclass
class SetFile:
    """The good sets of a file, the settings of the measurement, and what has been computed for all of them."""

    settings: MeasureSettings
    device: str = "cpu"
    cases: dict[str, Case] = field(default_factory=dict)  # all of the dataset's, measured in this file or not
    peak_memory: float | None = None  # bytes, of the job that sampled the sets
    views: list[SetView] = field(default_factory=list)
    faults: dict[str, str] = field(default_factory=dict)  # set, or metric and case -> why it has no value
    record: dict = field(default_factory=dict)  # what the families put into the metadata: weights, flags
    ours: bool = True  # whether the sets were restored from the package's own measurements
    shared: dict = field(default_factory=dict)  # what holds for the dataset; the files of one command share it
    _cache: dict = field(default_factory=dict)

    def add(self, restorations: RestorationSet, case: Case, bank: Bank | None = None) -> SetView:
        """Add a set, give back its view."""
        view = SetView(
            restorations.images,
            case.image,
            case.hole,
            restorations.keys,
            restorations.columns,
            case.attributes,
            None if bank is None else bank.images,
            None if bank is None else ~np.isin(bank.index, restorations.index),
            self,
        )
        self.views.append(view)
        return view

    def once(self, key: object, compute: Callable[[], Any]) -> Any:
        """``compute()``, or what it gave the first time for this key."""
        if key not in self._cache:
            self._cache[key] = compute()
        return self._cache[key]

    def once_for_all(self, key: object, compute: Callable[[], Any]) -> Any:
        """The same for what depends on the dataset alone, so that a command's other files find it too."""
        if key not in self.shared:
            self.shared[key] = compute()
        return self.shared[key]

    def images(self) -> np.ndarray:
        """All images of all sets, one after the other: (M, C, H, W)."""
        return self.once("all images", lambda: np.concatenate([view.images for view in self.views]))

    def offset(self, view: SetView) -> int:
        """Where a set's images begin in :meth:`images`."""
        offsets = self.once("offsets", lambda: _offsets(self.views))
        return offsets[id(view)]

    def fault(self, where: str, reason: str) -> None:
        """Record why something has no value; goes into the metadata and to standard error."""
        self.faults.setdefault(where, reason)

    # --------------------------------------------------------------------------------------------- classifier, features
    def read(self, name: str, images: np.ndarray) -> tuple[dict[str, np.ndarray], np.ndarray]:
        """A classifier's reading of images (M, C, H, W): ({attribute: probabilities (M, K)}, features (M, F)).

        An image that was read before is not read again.
        """
        known = self.shared.setdefault(("readings", name), {})
        keys = [hashlib.blake2b(image.tobytes(), digest_size=16).digest() for image in images]
        new = {key: image for key, image in zip(keys, images, strict=True) if key not in known}
        if new:
            probabilities, features = self._run_classifier(name, np.stack(list(new.values())))
            for row, key in enumerate(new):
                known[key] = ({attribute: values[row] for attribute, values in probabilities.items()}, features[row])
        rows = [known[key] for key in keys]
        return {a: np.stack([row[0][a] for row in rows]) for a in rows[0][0]}, np.stack([row[1] for row in rows])

    def read_all(self, name: str) -> None:
        """Read all images of the file in one batch, and its banks where they will be needed."""
        self.once(("read all", name), lambda: self.read(name, self.images()) and True)
        if self._feature_classifier() == name and self._holds_banks():
            for view in self.views:
                if view.bank is not None:
                    self.once(("read bank", name, id(view.bank)), lambda bank=view.bank: self.read(name, bank) and True)

    def _holds_banks(self) -> bool:
        """Whether a metric that is asked for compares features with those of a bank."""
        from benchmark.metrics.registry import expand, find

        wanted = expand(self.settings.metrics)
        return any({"bank", "features"} <= set(find(metric)[1].needs) for metric in wanted)

    def _run_classifier(self, name: str, images: np.ndarray) -> tuple[dict[str, np.ndarray], np.ndarray]:
        import torch

        network = self.once(("classifier", name), lambda: load_classifier(name, self.device))
        chunks = []
        with torch.inference_mode():
            for batch in torch.from_numpy(images).split(256):
                reading = network(batch.to(self.device))
                chunks.append(
                    (
                        {key: value.double().cpu().numpy() for key, value in reading.probabilities.items()},
                        reading.features.double().cpu().numpy(),
                    )
                )
        probabilities = {key: np.concatenate([chunk[0][key] for chunk in chunks]) for key in chunks[0][0]}
        return probabilities, np.concatenate([chunk[1] for chunk in chunks])

    def extract(self, view: SetView, images: np.ndarray) -> np.ndarray:
        """Features (M, F) of images of a set's case, by the features of the settings.

        ``hole_pca``, whose axes depend on the pictures that it is given, is measured in the hole's pixels themselves:
        for a set the distances are the same, and a bank's do not depend on the set that is held against it.
        """
        from benchmark.features import extract

        settings, name = self.settings.features, self._feature_classifier()
        if name is not None:
            self.read_all(name)
            return self.read(name, images)[1]
        return extract({"name": "hole_pixels"} if settings.get("name") == "hole_pca" else settings, images, view.hole)

    def _feature_classifier(self) -> str | None:
        """The classifier whose features are the dataset's, by default its own; None for features of another kind."""
        settings = self.settings.features
        if settings.get("name") != "classifier":
            return None
        return settings.get("classifier") or classifier_name(self.settings)


def load_classifier(name: str, device: str):
    """A classifier by name: ``images -> Reading(probabilities, features)``."""
    if name == "digits":
        from benchmark.data.digits import digit_classifier

        return digit_classifier()
    from benchmark.networks.classifier import load_classifier

    return load_classifier(name, device)


def _offsets(views: list[SetView]) -> dict[int, int]:
    starts, total = {}, 0
    for view in views:
        starts[id(view)] = total
        total += len(view.images)
    return starts


def drawn_world(view: SetView):
    """The module of the world that draws a set's dataset, or None where the pictures are no drawings."""
    from benchmark.data.worlds import WORLDS

    name = classifier_name(view.settings) or ""
    return WORLDS.get(name.removesuffix("_classifier")) or WORLDS.get(view.keys["dataset"])


def classifier_name(settings: MeasureSettings) -> str | None:
    """The name of the dataset's classifier, or None."""
    return settings.classifier["name"] if settings.classifier else None


def behind_the_hole(view: SetView):
    """The posterior of a set's case behind its hole, or None where nothing is known of it: the truth is a picture of
    another world than the classifier's, or the hole leaves attributes that depend on each other (recorded as a fault).
    """
    return view.file.once(("behind the hole", view.case, view.hole.tobytes()), lambda: _behind_the_hole(view))


def _behind_the_hole(view: SetView):
    from benchmark.data.posterior import posterior_of_case

    name = world_name(view)
    try:
        known = posterior_of_case(name, view.case, view.hole.shape[-1], np.ascontiguousarray(view.hole).tobytes())
    except BenchmarkError as error:
        view.file.fault(f"attribute_tv, case {view.case}", str(error))
        return None
    if known is None or not known.is_picture(view.truth):
        return None
    return known


def world_name(view: SetView) -> str:
    """The name of :func:`drawn_world`."""
    return drawn_world(view).__name__.rsplit(".", 1)[1]
