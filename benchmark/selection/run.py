"""From candidates to a set file: N of every case's, picked by one strategy; the result is a set file like any other."""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np

from benchmark import __version__, store
from benchmark.device import pick_device
from benchmark.errors import BenchmarkError
from benchmark.features import extract
from benchmark.jobs.select import SelectSettings
from benchmark.selection import strategies
from benchmark.weights import shipped


def run(settings: SelectSettings, candidates: list[str], cases: str, output: str | Path, device: str = "auto") -> None:
    """Select N of the candidates of every case and seed, and write them.

    Args:
        candidates, cases: paths of the shards, in any order, and of the cases file.
        device: where a feature network runs.

    Raises:
        BenchmarkError: an unknown strategy, feature or option, files of other settings, a case without candidates
            enough, other shipped weights.
    """
    strategies.check(settings.strategy)
    shipped.check(settings.shipped)
    where = pick_device(device).type
    known = store.read_cases(cases, settings.cases)
    rows = []
    for pool in candidate_pools(candidates, settings):
        name = pool[0]["case"]
        if name not in known:
            raise BenchmarkError(f"{cases}: has no case {name!r}, of which there are candidates")
        rows += select_rows(pool, known[name].hole, settings, where)
    provenance = {"package": __version__, "candidates": sorted(Path(path).name for path in candidates)}
    store.write_table(output, "sets", rows, settings.json, provenance)


def candidate_pools(paths: list[str], settings: SelectSettings) -> list[list[dict]]:
    """The candidates as one list of rows per (case, seed), ordered by index; the order of the shards does not matter.

    With ``candidate_files``, the fingerprints of the shards, every shard must carry one of them, and every one of them
    must have its shard. With ``candidates`` every pool must hold that many.

    Raises:
        BenchmarkError: a shard with other settings, missing, given twice, or of another dataset, task or sampler;
            rows that are not candidates of one plain point; another number of candidates than the settings say.
    """
    expected, found = settings.candidate_files, set()
    pools: dict[tuple, dict[int, dict]] = {}
    for path in paths:
        table = store.read_table(path, "sets", expected or None)
        found.add(store.fingerprint_of(table))
        for row in table.to_pylist():
            for name in ("dataset", "task", "sampler"):
                said = getattr(settings, name)
                if said not in (None, row[name]):
                    raise BenchmarkError(f"{path}: {name} is {row[name]!r}, the settings say {said!r}")
            pool = pools.setdefault((row["dataset"], row["task"], row["sampler"], row["case"], row["seed"]), {})
            if row["index"] in pool:
                raise BenchmarkError(
                    f"{path}: case {row['case']!r}: candidate {row['index']} is there already; give every shard once"
                )
            pool[row["index"]] = row
    if missing := [one for one in expected if one not in found]:
        raise BenchmarkError(f"--candidates: no shard with fingerprint {', '.join(missing)}; give all of them")
    for key in sorted(pools):
        points = {(row["method"], row["eta"], row["D"], row["D_unit"]) for row in pools[key].values()}
        if len(points) > 1:
            raise BenchmarkError(
                f"--candidates: case {key[3]!r}: candidates of several points of the grid: {sorted(points)}"
            )
        count, wanted = len(pools[key]), settings.candidates
        if wanted not in (None, count):
            raise BenchmarkError(f"--candidates: case {key[3]!r} has {count} candidates, the settings say {wanted}")
    return [[pools[key][index] for index in sorted(pools[key])] for key in sorted(pools)]


def select_rows(pool: list[dict], hole: np.ndarray | None, settings: SelectSettings, device: str) -> list[dict]:
    """The N selected rows of one pool of M candidates, in the order of picking, as rows of a set file.

    Non-finite candidates are never picked. ``index`` stays the candidate's, ``method`` becomes the strategy's name.
    What a set costs is what its candidates cost: ``nfe`` and ``seconds`` are the totals over all M candidates, finite
    or not, spread over the N rows (the remainder of nfe on the first ones, so that the sum is exact). Where fewer than
    N candidates are finite the set cannot be computed: its rows are the first candidates, finite ones first, all
    marked ``finite`` = False.

    Raises:
        BenchmarkError: fewer candidates than N, features of a finite candidate that are not finite.
    """
    n = settings.n
    if len(pool) < n:
        raise BenchmarkError(
            f"select: fewer candidates than N: case {pool[0]['case']!r} has {len(pool)} for N = {n}; sample more"
        )
    finite = [row for row in pool if row["finite"]]
    computable = len(finite) >= n
    if computable:
        images = np.stack([store.decode_image(row["image"]) for row in finite])
        features = extract(feature_settings(settings), images, hole, device)
        try:
            picks = strategies.select(settings.strategy, features, n, pool_seed(pool[0], settings.seed))
        except BenchmarkError as error:
            raise BenchmarkError(f"case {pool[0]['case']!r}: {error}") from None
        chosen = [finite[i] for i in picks]
    else:
        chosen = (finite + [row for row in pool if not row["finite"]])[:n]
    nfe, seconds = sum(row["nfe"] or 0 for row in pool), sum(row["seconds"] or 0.0 for row in pool)
    return [
        row
        | {"method": settings.strategy["name"], "finite": computable}
        | {"nfe": nfe // n + (position < nfe % n), "seconds": seconds / n}
        for position, row in enumerate(chosen)
    ]


def feature_settings(settings: SelectSettings) -> dict:
    """The settings' features; the classifier's name, where it is left out, is the dataset's: a world has its own."""
    if settings.features.get("name") == "classifier" and settings.dataset is not None:
        return {"classifier": settings.dataset} | settings.features
    return settings.features


def pool_seed(row: dict, seed: int) -> int:
    """A seed of its own for every (seed of the settings, dataset, case, seed of the candidates)."""
    key = f"{seed}/{row['dataset']}/{row['case']}/{row['seed']}"
    return int.from_bytes(hashlib.sha256(key.encode()).digest()[:4], "big")
