"""Recorded runs of the public reference implementations: the whole set where it stands, and a committed selection."""

from pathlib import Path

import numpy as np
import pytest

WHOLE = Path(__file__).resolve().parent.parent.parent / "shared" / "golden"
SELECTION = Path(__file__).resolve().parent / "golden_data"
COMMITTED = "committed/"  # before a run's name: the committed one, also where the whole one is at hand


def golden_path(name: str) -> Path:
    """The file of that name, of the whole set where it is there; skips the test where it is not at hand."""
    folders = (SELECTION,) if name.startswith(COMMITTED) else (WHOLE, SELECTION)
    for folder in folders:
        if (folder / name.removeprefix(COMMITTED)).is_file():
            return folder / name.removeprefix(COMMITTED)
    pytest.skip(f"{name} is not at hand")


def golden_names(*patterns: str) -> list[str]:
    """Every recorded run at hand whose name matches: those of the whole set, so that a run laid beside the others is
    tested like them, and those of the committed selection, so that it is tested where the whole set stands as well."""
    whole = {path.stem for pattern in patterns for path in WHOLE.glob(f"{pattern}.npz")}
    committed = {COMMITTED + path.stem for pattern in patterns for path in SELECTION.glob(f"{pattern}.npz")}
    return sorted(whole | committed)


def golden(name: str):
    """``numpy.load`` of the recorded npz of that name (".npz" may be left out)."""
    return np.load(golden_path(name if name.endswith(".npz") else f"{name}.npz"), allow_pickle=False)
