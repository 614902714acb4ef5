"""An experiment's variants with other N and other numbers of candidates K, and the commands that make their files.

One thing changes at a time: every N with the configuration's own K, every K with its own N. Files are named by the
fingerprint of what made them, so that variants share what they have in common: candidates are cut into shards of one
size, and those of a small bank are the first of a large one.
"""

from __future__ import annotations

import copy
import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from benchmark import store
from benchmark.config import check
from benchmark.errors import BenchmarkError
from benchmark.jobs import Job
from benchmark.plan import Plan


@dataclass(frozen=True)
class Variant:
    """The plan of an experiment with ``n`` samples a set and ``bank`` candidates a case."""

    n: int
    bank: int
    plan: Plan


def own_bank(config: dict) -> int:
    """K of a configuration: the number of candidates, the same for all of its datasets and samplers.

    Raises:
        BenchmarkError: a dataset without candidates, selection or a guided point in it, or of several K.
    """
    counts = set()
    for name, dataset in config["datasets"].items():
        candidates, selection = dataset.get("candidates"), dataset.get("selection") or {}
        if not candidates or not selection.get("guided"):
            raise BenchmarkError(f"datasets.{name}: no selection with guided; what depends on N and K is in there")
        count = candidates["count"]
        counts |= set(count.values()) if isinstance(count, dict) else {count}
    if len(counts) != 1:
        raise BenchmarkError(f"datasets: candidates of {sorted(counts)}; one number for all is needed")
    return counts.pop()


def variants(config: dict, ns: list[int], banks: list[int], source: str) -> list[Variant]:
    """The variants of a checked configuration: (n, own K) for all n, then (own n, K) for all other K; each once.

    Args:
        source: the configuration's name for messages.

    Raises:
        BenchmarkError: n below 2, a bank smaller than an n, or what :func:`own_bank` and the configuration's own check
            refuse.
    """
    own_n, own_k = config["n"], own_bank(config)
    if min([*ns, own_n]) < 2:
        raise BenchmarkError(f"--n: {min([*ns, own_n])} samples have no neighbours; give 2 or more")
    points = list(dict.fromkeys([*((n, own_k) for n in sorted(ns)), *((own_n, k) for k in sorted(banks))]))
    shard = math.gcd(own_k, *banks)
    found = []
    for n, bank in points:
        changed = copy.deepcopy(config)
        changed |= {"n": n, "run": f"{config['run']}_n{n}_bank{bank}", "toy": False}
        for dataset in changed["datasets"].values():
            dataset["candidates"] |= {"count": bank, "shard_size": shard}
        found.append(Variant(n, bank, Plan(check(changed, f"{source} with n = {n}, {bank} candidates"))))
    return found


def file_of(job: Job, folder: Path) -> Path:
    """Where the file of a job lies: by its kind and fingerprint."""
    return folder / job.kind / f"{job.fingerprint}.parquet"


def commands(variant: Variant, folder: Path, device: str, batch_size: int) -> Iterator[tuple[Path, list[str]]]:
    """(file, words of the command that writes it) of every job up to the measures, in an order that can be run."""
    plan = variant.plan
    at = {path: str(file_of(job, folder)) for path, job in plan.jobs.items()}
    for job in plan.of_kind("cases", "sample", "candidates", "select", "measure"):
        file = file_of(job, folder)
        words = ["--settings", job.json, "--output", str(file)]
        words += ["--cases", at[job.inputs["cases"]]] if "cases" in job.inputs else []
        for name in ("sets", "candidates"):
            files = [at[path] for path in job.inputs.get(name, [])]
            words += [f"--{name}", *files] if files else []
        if job.kind in ("sample", "candidates"):
            words += ["--device", device, "--batch-size", str(batch_size), "--quiet"]
        yield file, ["sample" if job.kind == "candidates" else job.kind, *words]


def manifest(variant: Variant, folder: Path) -> str:
    """What ``collect`` gathers of a variant: one line ``FINGERPRINT PATH`` for each file of measures."""
    jobs = variant.plan.of_kind("measure")
    return "\n".join(f"{job.fingerprint} {file_of(job, folder)}" for job in jobs)


def make(variant: Variant, folder: Path, device: str, batch_size: int, run: Callable[[list[str]], int]) -> Path:
    """Make what is missing of a variant's files, one command after the other, and its file of all metrics.

    Args:
        run: a command by its words; gives its exit status.

    Returns:
        The file of all metrics.

    Raises:
        BenchmarkError: a command that failed.
    """
    steps = list(commands(variant, folder, device, batch_size))
    missing = [(file, words) for file, words in steps if not file.is_file()]
    print(f"N = {variant.n}, K = {variant.bank}: {len(missing)} of {len(steps)} files to make", flush=True)
    name = f"n{variant.n}_bank{variant.bank}"
    listed, metrics = folder / f"{name}.txt", folder / f"{name}.parquet"
    store.write_text(listed, manifest(variant, folder))
    for file, words in [*missing, (metrics, ["collect", "--manifest", str(listed), "--output", str(metrics)])]:
        if run(words) != 0:
            raise BenchmarkError(f"{file}: `{words[0]}` did not write it; see the line above")
    return metrics
