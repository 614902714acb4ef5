"""Weights files of the metrics that others trained: where they lie, and the hash by which each is known.

They lie where their libraries look for them, under the cache folder of torch (``$TORCH_HOME/hub``, by default
``~/.cache/torch/hub``). A file is loaded only when its sha256 is the recorded one. The settings may name another file
and its hash: ``{"weights": {"alexnet": {"path": "...", "sha256": "..."}}}``.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from benchmark.errors import BenchmarkError
from benchmark.store import sha256_of


@dataclass(frozen=True)
class WeightsFile:
    """``path`` under the cache folder; ``sha256``: the whole hash or the first digits that are known of it."""

    path: str
    sha256: str
    what: str


# Hashes: file names of their publishers (first 8 digits) and records of third parties (the rest).
WEIGHTS = {
    "alexnet": WeightsFile(
        "checkpoints/alexnet-owt-7be5be79.pth",
        "7be5be791159472b1fbf3c69796f7cb30dca7ad8466c2df70058c37116cdee02",
        "AlexNet trained on ImageNet (torchvision)",
    ),
    "vgg16": WeightsFile(
        "checkpoints/vgg16-397923af.pth",
        "397923af8e79cdbb6a7127f12361acd7a2f83e06b05044ddf496e83de57a5bf0",
        "VGG16 trained on ImageNet (torchvision)",
    ),
    "niqe": WeightsFile(
        "pyiqa/niqe_modelparameters.mat",
        "fa2aa4d12dd9595c",
        "NIQE's natural image statistics (the LIVE laboratory's original file)",
    ),
    "inception": WeightsFile(
        "pyiqa/pt_inception-2015-12-05-6726825d.pth",
        "6726825d",
        "InceptionV3 for FID and KID",
    ),
}

# Files of pyiqa's own metrics, as far as they are known here; None: the metric needs no file.
PYIQA_FILES = {
    "piqe": None,
    "niqe": "niqe_modelparameters.mat",
    "niqe_matlab": "niqe_matlab_params.mat",
    "ilniqe": "ILNIQE_templateModel.mat",
    "brisque": "brisque_svm_weights.pth",
    "brisque_matlab": "brisque_matlab.mat",
    "musiq": "musiq_koniq_ckpt-e95806b9.pth",
    "topiq_nr": "cfanet_nr_koniq_res50-9a73138b.pth",
}


def cache_folder() -> Path:
    """The folder in which torch and pyiqa keep downloaded weights."""
    default = Path(os.environ.get("XDG_CACHE_HOME", "~/.cache")) / "torch"
    return Path(os.environ.get("TORCH_HOME", default)).expanduser() / "hub"


def locate(name: str, overrides: dict) -> tuple[Path, str]:
    """The path of a weights file and the hash that it must have, whether or not it is there."""
    known, override = WEIGHTS[name], overrides.get(name, {})
    path = Path(override["path"]).expanduser() if "path" in override else cache_folder() / known.path
    return path, override.get("sha256", known.sha256)


def absent(name: str, overrides: dict) -> str | None:
    """Why a weights file cannot be used, or None where it is there (its hash is checked by :func:`verified`)."""
    path, _ = locate(name, overrides)
    if path.is_file():
        return None
    return f"no weights of {name}: put {WEIGHTS[name].what} at {path}"


def absent_pyiqa(metric: str, overrides: dict) -> str | None:
    """Why a metric of pyiqa cannot be computed, or None; metrics whose file is not known here pass."""
    if f"pyiqa:{metric}" in overrides:
        path = Path(overrides[f"pyiqa:{metric}"]["path"]).expanduser()
    elif PYIQA_FILES.get(metric) is None:
        return None
    else:
        path = cache_folder() / "pyiqa" / PYIQA_FILES[metric]
    return None if path.is_file() else f"no weights of pyiqa's {metric}: put its file at {path}"


def verified(name: str, overrides: dict) -> tuple[Path, str]:
    """The path of a weights file and its full sha256.

    Raises:
        BenchmarkError: no such file, or its hash is not the expected one.
    """
    path, expected = locate(name, overrides)
    return path, check(path, expected, WEIGHTS[name].what)


def check(path: Path, expected: str, what: str) -> str:
    """The sha256 of a file, which must begin with ``expected``.

    Raises:
        BenchmarkError: no such file, or another hash.
    """
    if not path.is_file():
        raise BenchmarkError(f"{path}: no such file; {what} belongs there")
    found = sha256_of(path)
    if not expected or not found.startswith(expected):
        raise BenchmarkError(f"{path}: sha256 is {found}, expected {expected}: not {what}; replace or delete the file")
    return found
