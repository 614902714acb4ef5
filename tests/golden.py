"""The recorded runs of the public reference implementations: the whole set where it stands, a selection elsewhere."""

from pathlib import Path

import numpy as np
import pytest

FOLDERS = (
    Path(__file__).resolve().parent.parent.parent / "shared" / "golden",
    Path(__file__).resolve().parent / "golden_data",
)


def golden_path(name: str) -> Path:
    """The file of that name; skips the test where it is not at hand."""
    for folder in FOLDERS:
        if (folder / name).is_file():
            return folder / name
    pytest.skip(f"{name} is not at hand")


def golden_names(*patterns: str) -> list[str]:
    """The recorded runs at hand whose names match, so that a run laid beside the others is tested like them."""
    return sorted({path.stem for folder in FOLDERS for pattern in patterns for path in folder.glob(f"{pattern}.npz")})


def golden(name: str):
    """``numpy.load`` of the recorded npz of that name (".npz" may be left out)."""
    return np.load(golden_path(name if name.endswith(".npz") else f"{name}.npz"), allow_pickle=False)
