"""Weights files of the metrics that others trained: where they lie, and the hash by which each is known.

Which files there are is told by the registry of weights (``benchmark/weights/public.yaml``). They lie where their
libraries look for them, under the cache folder of torch (``$TORCH_HOME/hub``, by default ``~/.cache/torch/hub``). A
file is loaded only when its sha256 begins with the recorded digits. The settings of ``measure`` may name another file
or hash: ``{"weights": {"alexnet": {"path": "...", "sha256": "..."}}}``.
"""

from __future__ import annotations

import re
from functools import lru_cache
from pathlib import Path

from benchmark.errors import BenchmarkError
from benchmark.store import sha256_of
from benchmark.weights.public import lookup, torch_hub_folder

# Entries of the registry of weights that metrics use.
WEIGHTS = ("alexnet", "vgg16", "niqe", "inception")

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


def locate(name: str, overrides: dict) -> tuple[Path, str]:
    """The path of a weights file and the hash that it must have, whether or not it is there."""
    entry, override = lookup(name), overrides.get(name, {})
    path = Path(override["path"]).expanduser() if "path" in override else entry.path()
    return path, override.get("sha256", entry.files[0].sha256)


def absent(name: str, overrides: dict) -> str | None:
    """Why a weights file cannot be used, or None where it is there (its hash is checked by :func:`verified`)."""
    path, _ = locate(name, overrides)
    if path.is_file():
        return None
    what = lookup(name).what
    return f"no weights of {name} ({what}): put the file at {path}, or run `python -m benchmark weights fetch {name}`"


def absent_pyiqa(metric: str, overrides: dict) -> str | None:
    """Why a metric of pyiqa cannot be computed, or None; metrics whose file is not known here pass."""
    path = pyiqa_file(metric, overrides)[0]
    if path is None or path.is_file():
        return None
    return f"no weights of pyiqa's {metric}: put its file at {path}"


def pyiqa_file(metric: str, overrides: dict) -> tuple[Path | None, str | None]:
    """The file of a metric of pyiqa and what is known of its sha256; None for what is not known.

    The names of pyiqa's own files carry the first 8 digits.
    """
    override = overrides.get(f"pyiqa:{metric}")
    if override is not None:
        return Path(override["path"]).expanduser(), override["sha256"]
    name = PYIQA_FILES.get(metric)
    if name is None:
        return None, None
    digits = re.search(r"-([0-9a-f]{8})\.\w+$", name)
    expected = lookup("niqe").files[0].sha256 if metric == "niqe" else digits and digits[1]
    return torch_hub_folder() / "pyiqa" / name, expected


def verified(name: str, overrides: dict) -> tuple[Path, str]:
    """The path of a weights file and its full sha256.

    Raises:
        BenchmarkError: no such file, or its hash is not the expected one.
    """
    path, expected = locate(name, overrides)
    return path, check(path, expected, lookup(name).what)


def check(path: Path, expected: str, what: str) -> str:
    """The sha256 of a file, which must begin with ``expected``.

    Raises:
        BenchmarkError: no such file, or another hash.
    """
    if not path.is_file():
        raise BenchmarkError(f"{path}: no such file; {what} belongs there")
    state = path.stat()
    found = _sha256(path, state.st_mtime_ns, state.st_size)
    if not expected or not found.startswith(expected):
        raise BenchmarkError(f"{path}: sha256 is {found}, expected {expected}: not {what}; replace or delete the file")
    return found


@lru_cache
def _sha256(path: Path, changed: int, size: int) -> str:
    """The sha256 of a file, read once while it stays as it is: a process measures several set files."""
    return sha256_of(path)
