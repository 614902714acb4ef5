"""From cases to a set file: all cases and seeds of one grid point, in as few batches as memory allows."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from benchmark import __version__, store
from benchmark.device import pick_device
from benchmark.errors import BenchmarkError
from benchmark.jobs.sample import SampleSettings
from benchmark.priors.load import REGISTRY, load_prior
from benchmark.problems import build
from benchmark.problems.noise import measurement
from benchmark.sampling import SAMPLERS
from benchmark.sampling.guidance import build_guidance
from benchmark.sampling.noise import Streams
from benchmark.sampling.progress import Progress
from benchmark.sampling.settings import algorithm_of
from benchmark.weights import shipped


@dataclass(frozen=True)
class Finished:
    """The restorations of one batch of sets: images (B, N, C, H, W) on the CPU and their columns (B, N)."""

    images: Tensor
    gate_open: Tensor
    consistency: Tensor
    nfe: int
    seconds: float
    D_rms: list[float]


def set_threads(threads: int | None) -> None:
    """CPU threads for the arithmetic; None leaves them as they are. Raises BenchmarkError below 1."""
    if threads is not None:
        if threads < 1:
            raise BenchmarkError(f"--threads {threads}: give 1 or more")
        torch.set_num_threads(threads)


# ------------------------------------------------------------------------------------------------------------ sampling
def sample(
    settings: SampleSettings, cases_path: str | Path, output: str | Path, device: str = "auto", batch_size: int = 320,
    threads: int | None = None, quiet: bool = False,
    weights_dir: str | Path = "weights", weights_registry: str | Path | None = None,
) -> None:  # fmt: skip
    """Sample every case and seed of ``settings`` and write the set file.

    Args:
        weights_dir: where the weights of public models lie. weights_registry: what they are; by default our own list.

    Raises:
        BenchmarkError: settings that no sampler can run, a cases file of other settings, missing or other weights.
    """
    if batch_size < 1:
        raise BenchmarkError(f"--batch-size {batch_size}: give 1 or more")
    set_threads(threads)
    shipped.check(settings.shipped)
    algorithm_of(settings.algorithm)
    cases = list(store.read_cases(cases_path, settings.cases).values())
    where = pick_device(device)
    prior = load_prior(settings.prior, where, weights_dir, weights_registry or REGISTRY)
    check_cases(cases, prior, settings, cases_path)
    sets = [(case, seed) for seed in settings.seeds for case in cases]
    rows: list[dict] = []
    with Progress(settings, len(sets) * settings.n, quiet) as progress:
        for group, indices, done in _batches(settings, prior, sets, where, batch_size, progress):
            rows += _rows(settings, group, indices, done)
    order = {(case.case, seed): position for position, (case, seed) in enumerate(sets)}
    rows.sort(key=lambda row: (order[row["case"], row["seed"]], row["index"]))
    provenance = {
        "package": __version__,
        "torch": torch.__version__,
        "device": torch.cuda.get_device_name(where) if where.type == "cuda" else "cpu",
        "dtype": str(prior.dtype),
        "weights_sha256": getattr(prior, "sha256", None),
    }
    if where.type == "cuda":
        provenance["peak_memory"] = torch.cuda.max_memory_allocated(where)
    store.write_table(output, "sets", rows, settings.json, provenance)


def check_cases(cases: list, prior, settings: SampleSettings, path: str | Path) -> None:
    """Refuse cases of another size than the prior's, and masks of another size or that hide nothing or everything."""
    if not cases:
        raise BenchmarkError(f"{path}: no cases in it; a run needs one at least")
    for case in cases:
        if case.image.shape != tuple(prior.shape):
            raise BenchmarkError(
                f"{path}: case {case.case} is {'x'.join(map(str, case.image.shape))}, the prior "
                f"{settings.prior['name']} works on {'x'.join(map(str, prior.shape))}"
            )
        if settings.problem.get("name") != "inpainting":
            continue
        if case.hole is None:
            raise BenchmarkError(f"{path}: case {case.case} has no mask, which problem inpainting needs")
        if case.hole.shape != case.image.shape[1:]:
            raise BenchmarkError(
                f"{path}: case {case.case}: mask of {'x'.join(map(str, case.hole.shape))} for an image of "
                f"{'x'.join(map(str, case.image.shape[1:]))}; give a mask of the image's size"
            )
        if case.hole.all() or not case.hole.any():
            what = "everything" if case.hole.all() else "nothing"
            raise BenchmarkError(f"{path}: case {case.case}: its mask hides {what}; give one that hides a part")


def _batches(
    settings: SampleSettings, prior, sets: list, device, batch_size: int, progress
) -> Iterator[tuple[list, list, Finished]]:
    """Groups of sets with their sample indices, sampled; the batch is halved and tried again when memory runs out.

    Guided sets stay whole; plain ones may be split by samples.
    """
    n, first = settings.n, settings.first_index
    whole = settings.guidance is not None
    chunk = n if whole else min(n, batch_size)
    pending = [
        (sets[i : i + max(1, batch_size // chunk)], list(range(first + a, first + min(a + chunk, n))))
        for a in range(0, n, chunk)
        for i in range(0, len(sets), max(1, batch_size // chunk))
    ]
    while pending:
        group, indices = pending.pop(0)
        try:
            done = run_batch(settings, prior, group, indices, device, progress)
        except RuntimeError as error:
            if not _out_of_memory(error):
                raise
            done = None
        if done is not None:
            yield group, indices, done
            continue
        progress.undo()
        if device.type == "cuda":
            torch.cuda.empty_cache()
        if len(group) > 1:
            halves = [(group[: len(group) // 2], indices), (group[len(group) // 2 :], indices)]
        elif not whole and len(indices) > 1:
            halves = [(group, indices[: len(indices) // 2]), (group, indices[len(indices) // 2 :])]
        else:
            raise BenchmarkError(
                f"out of memory with {len(indices)} sample(s) at once; use a device with more memory or a smaller n"
            )
        print(f"memory ran out: trying again with batches of {len(halves[0][0]) * len(halves[0][1])}", file=sys.stderr)
        pending = halves + pending


def _out_of_memory(error: RuntimeError) -> bool:
    """Whether a GPU's or the machine's memory ran out; PyTorch has a class of its own for the former alone."""
    return isinstance(error, torch.OutOfMemoryError) or "can't allocate memory" in str(error)


def prepare(problem: dict, dataset: str, prior, group: list, device) -> tuple:
    """The problem of ``{"name", ...}`` and the measurement (B, 1, ...) of a group of pairs (case, seed)."""
    truth = torch.stack([torch.from_numpy(case.image) for case, _ in group])[:, None].to(device, prior.dtype)
    holes = None
    if group[0][0].hole is not None:
        holes = torch.stack([torch.from_numpy(case.hole) for case, _ in group])
    built = build(problem, prior.shape, hole=holes, device=device, dtype=prior.dtype)
    return built, measurement(built, truth, [(seed, dataset, case.case) for case, seed in group])


def run_batch(settings: SampleSettings, prior, group: list, indices: list[int], device, progress=None) -> Finished:
    """One batch: the sets of ``group`` (pairs of case and seed), the samples ``indices`` of each."""
    started = time.perf_counter()
    name, options = algorithm_of(settings.algorithm)
    problem, y = prepare(settings.problem, settings.dataset, prior, group, device)
    keys = [[(seed, settings.dataset, case.case, index) for index in indices] for case, seed in group]
    noise = Streams(keys, prior.shape, device, prior.dtype)
    guide, D_rms = build_guidance(settings.guidance, problem, len(indices), len(group), device, prior.dtype)
    opened = torch.zeros(len(group), len(indices), device=device)
    guided = 0
    with torch.no_grad():
        for state in SAMPLERS[name](prior, problem, y, noise, guide, **options):
            if state.repulsion is not None:
                opened += state.repulsion.gate
                guided += 1
            if progress is not None:
                progress.reach(state.nfe, len(group) * len(indices))
        consistency = problem.consistency(state.x, y)
    images = state.x.float().cpu()
    seconds = time.perf_counter() - started
    if progress is not None:
        progress.keep()
    return Finished(images, (opened / max(1, guided)).cpu(), consistency.cpu(), state.nfe, seconds, D_rms)


def _rows(settings: SampleSettings, group: list, indices: list[int], done: Finished) -> Iterator[dict]:
    guidance = settings.guidance or {"eta": 0.0, "D": 0.0, "D_unit": "rms"}
    share = done.seconds / (len(group) * len(indices))
    for b, (case, seed) in enumerate(group):
        for i, index in enumerate(indices):
            image = done.images[b, i]
            finite = bool(image.isfinite().all())
            yield {
                **{key: getattr(settings, key) for key in ("dataset", "task", "sampler", "method")},
                "case": case.case,
                "eta": float(guidance["eta"]),
                "D": float(guidance["D"]),
                "D_unit": guidance.get("D_unit") or "rms",
                "D_rms": done.D_rms[b],
                "seed": seed,
                "index": index,
                "image": store.encode_image(image.numpy(), f"{case.case}_{seed}_{index:03d}.png"),
                "nfe": done.nfe,
                "seconds": share,
                "gate_open": float(done.gate_open[b, i]),
                "finite": finite,
                "consistency": float(done.consistency[b, i]) if finite else None,
            }
