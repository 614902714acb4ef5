"""Which weights ship with the project, and their hashes: light enough for the plan of a run (no torch)."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from pathlib import Path

from benchmark.errors import BenchmarkError

WEIGHTS = Path(__file__).resolve().parent / "files"
EXPERTS = "_experts"  # a prior of two networks: docs/worlds.md


@cache
def worlds(kind: str) -> tuple[str, ...]:
    """The worlds whose weights of a kind ship: ``unet``, ``subspace`` or ``classifier``."""
    return tuple(sorted(path.stem.removesuffix(f"_{kind}") for path in WEIGHTS.glob(f"*_{kind}.json")))


@cache
def of_prior(name: str) -> tuple[str, ...]:
    """The weights files, without ending, that an embedded prior reads; none for a prior of another kind."""
    world = name.removesuffix(EXPERTS)
    if name == f"{world}{EXPERTS}" and world in worlds("subspace"):
        return f"{world}_subspace", f"{world}_unet"
    return (name,) if (WEIGHTS / f"{name}.json").is_file() else ()


@cache
def of_classifier(name: str) -> tuple[str, ...]:
    """The weights files, without ending, that a classifier reads; the digits' is fitted and has none."""
    return (f"{name}_classifier",) if (WEIGHTS / f"{name}_classifier.json").is_file() else ()


@cache
def classifiers() -> tuple[str, ...]:
    """The worlds whose attributes a classifier reads: the digits, and those with shipped weights."""
    return "digits", *worlds("classifier")


@cache
def sha256(name: str) -> str:
    """The hash that the card of shipped weights states; loading the weights checks it.

    Raises:
        BenchmarkError: no card, or none that states a hash.
    """
    path = WEIGHTS / f"{name}.json"
    try:
        return json.loads(path.read_text())["sha256"]
    except (OSError, json.JSONDecodeError, KeyError, TypeError) as error:
        raise BenchmarkError(f"{path}: no card of shipped weights ({error})") from None


def check(planned: Mapping[str, str]) -> None:
    """Refuse a job that was planned for other shipped weights than lie here.

    Args:
        planned: ``shipped`` of its settings, name -> sha256.

    Raises:
        BenchmarkError: other weights, or none of that name.
    """
    for name, digest in planned.items():
        if sha256(name) != digest:
            raise BenchmarkError(
                f"{WEIGHTS / name}.json: weights {sha256(name)[:8]}, the job was planned for {digest[:8]}; "
                "plan it anew with this version, or run it with the version that planned it"
            )
