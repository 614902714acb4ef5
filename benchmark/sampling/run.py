"""From cases to a set file: all cases and seeds of one grid point, in as few batches as memory allows."""

from __future__ import annotations

import inspect
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import torch
from torch import Tensor

from benchmark import __version__, store
from benchmark.errors import BenchmarkError
from benchmark.priors.registry import load_prior
from benchmark.priors.schedule import ddrm_timesteps, jump_schedule, travel_schedule
from benchmark.problems import build
from benchmark.sampling import SAMPLERS
from benchmark.sampling.guidance import build_guidance
from benchmark.sampling.noise import Streams, stream

INJECTED = ("prior", "problem", "y", "noise", "guide")


@dataclass(frozen=True)
class Finished:
    """The restorations of one batch of sets: images (B, N, C, H, W) on the CPU and their columns (B, N)."""

    images: Tensor
    gate_open: Tensor
    consistency: Tensor
    nfe: int
    seconds: float
    D_rms: list[float]


def pick_device(name: str) -> torch.device:
    """auto: a GPU where there is one. Raises BenchmarkError when cuda is asked for and absent."""
    if name == "cuda" and not torch.cuda.is_available():
        raise BenchmarkError("--device cuda: this machine has no usable GPU; use auto or cpu")
    return torch.device("cuda" if name == "cuda" or (name == "auto" and torch.cuda.is_available()) else "cpu")


def algorithm_of(settings: dict) -> tuple[str, dict]:
    """The sampler's name and its options, checked against its signature.

    Raises:
        BenchmarkError: unknown sampler or option.
    """
    options = dict(settings)
    name = options.pop("name", None)
    if name not in SAMPLERS:
        raise BenchmarkError(f"algorithm.name: {name!r} is not known; use one of {', '.join(SAMPLERS)}")
    known = [key for key in inspect.signature(SAMPLERS[name]).parameters if key not in INJECTED]
    for option in options:
        if option not in known:
            raise BenchmarkError(f"algorithm.{option}: {name} has no such option; it has {', '.join(known)}")
    return name, options


def evaluations(name: str, options: dict) -> int | None:
    """Network evaluations per sample, for the progress bar; None where unknown."""
    defaults = {key: part.default for key, part in inspect.signature(SAMPLERS[name]).parameters.items()}
    values = {**defaults, **options}
    steps = values.get("steps")
    if not isinstance(steps, int):
        return None
    if name == "repaint":
        walk = jump_schedule(steps, values["jump_length"], values["jump_n_sample"])
    elif name == "ddnm":
        walk = travel_schedule(steps, values["travel_length"], values["travel_repeat"])
    else:
        return len(ddrm_timesteps(steps)) if name == "ddrm" else steps
    return sum(b < a for a, b in pairwise(walk))


def sample(
    settings: dict, cases_path: str | Path, output: str | Path, device: str = "auto", batch_size: int = 320,
    threads: int | None = None, quiet: bool = False,
) -> None:  # fmt: skip
    """Sample every case and seed of ``settings`` (docs/architecture.md, section 7) and write the set file.

    Raises:
        BenchmarkError: settings that no sampler can run, a cases file of other settings, missing weights.
    """
    if threads:
        torch.set_num_threads(threads)
    name, options = algorithm_of(settings["algorithm"])
    if settings["n"] < 1:
        raise BenchmarkError(f"n: {settings['n']} restorations asked for; give 1 or more")
    cases = list(store.read_cases(cases_path, settings.get("cases")).values())
    where = pick_device(device)
    prior = load_prior(settings["prior"], where)
    for case in cases:
        if case.image.shape != tuple(prior.shape):
            raise BenchmarkError(
                f"{cases_path}: case {case.case} is {'x'.join(map(str, case.image.shape))}, the prior "
                f"{settings['prior']['name']} works on {'x'.join(map(str, prior.shape))}"
            )
    sets = [(case, seed) for seed in settings["seeds"] for case in cases]
    rows = []
    with _progress(name, options, settings, quiet) as bar:
        for group, indices, done in _batches(settings, prior, sets, where, batch_size, bar):
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
    store.write_table(output, "sets", rows, settings, provenance)


def _batches(settings: dict, prior, sets: list, device, batch_size: int, bar) -> Iterator[tuple[list, list, Finished]]:
    """Groups of sets with their sample indices, sampled; the batch is halved and tried again when memory runs out.

    Guided sets stay whole; plain ones may be split by samples.
    """
    n, first = settings["n"], settings.get("first_index", 0)
    whole = settings.get("guidance") is not None
    chunk = n if whole else min(n, batch_size)
    pending = [
        (sets[i : i + max(1, batch_size // chunk)], list(range(first + a, first + min(a + chunk, n))))
        for a in range(0, n, chunk)
        for i in range(0, len(sets), max(1, batch_size // chunk))
    ]
    while pending:
        group, indices = pending.pop(0)
        try:
            yield group, indices, run_batch(settings, prior, group, indices, device, bar)
        except torch.OutOfMemoryError:
            torch.cuda.empty_cache()
            if len(group) > 1:
                halves = [(group[: len(group) // 2], indices), (group[len(group) // 2 :], indices)]
            elif not whole and len(indices) > 1:
                halves = [(group, indices[: len(indices) // 2]), (group, indices[len(indices) // 2 :])]
            else:
                raise BenchmarkError(
                    f"out of memory with {len(indices)} sample(s) at once; use a device with more memory or a smaller n"
                ) from None
            print(
                f"memory ran out: trying again with batches of {len(halves[0][0]) * len(halves[0][1])}", file=sys.stderr
            )
            pending = halves + pending


def run_batch(settings: dict, prior, group: list, indices: list[int], device, bar=None) -> Finished:
    """One batch: the sets of ``group`` (pairs of case and seed), the samples ``indices`` of each."""
    started = time.perf_counter()
    name, options = algorithm_of(settings["algorithm"])
    dataset = settings["dataset"]
    truth = torch.stack([torch.from_numpy(case.image) for case, _ in group])[:, None].to(device, prior.dtype)
    holes = None
    if group[0][0].hole is not None:
        holes = torch.stack([torch.from_numpy(case.hole) for case, _ in group])
    problem = build(settings["problem"], prior.shape, hole=holes, device=device, dtype=prior.dtype)
    y = problem.A(truth)
    if problem.sigma > 0:
        generators = [stream(seed, dataset, case.case, "measurement") for case, seed in group]
        drawn = torch.stack([torch.randn(y.shape[1:], generator=generator) for generator in generators])
        y = problem.measure(truth, drawn.to(device, prior.dtype))
    keys = [[(seed, dataset, case.case, index) for index in indices] for case, seed in group]
    noise = Streams(keys, prior.shape, device, prior.dtype)
    guide, D_rms = build_guidance(settings.get("guidance"), problem, len(indices), len(group), device, prior.dtype)
    opened = torch.zeros(len(group), len(indices), device=device)
    guided, state = 0, None
    with torch.no_grad():
        for state in SAMPLERS[name](prior, problem, y, noise, guide, **options):
            if state.repulsion is not None:
                opened += state.repulsion.gate
                guided += 1
            if bar is not None:
                bar.update(state.nfe - bar.seen)
                bar.seen = state.nfe
        if bar is not None:
            bar.seen = 0
        consistency = problem.consistency(state.x, y)
    images = state.x.float().cpu()
    seconds = time.perf_counter() - started
    return Finished(images, (opened / max(1, guided)).cpu(), consistency.cpu(), state.nfe, seconds, D_rms)


def _rows(settings: dict, group: list, indices: list[int], done: Finished) -> Iterator[dict]:
    guidance = settings.get("guidance") or {"eta": 0.0, "D": 0.0, "D_unit": "rms"}
    share = done.seconds / (len(group) * len(indices))
    for b, (case, seed) in enumerate(group):
        for i, index in enumerate(indices):
            image = done.images[b, i]
            finite = bool(image.isfinite().all())
            yield {
                **{key: settings[key] for key in ("dataset", "task", "sampler", "method")},
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


def _progress(name: str, options: dict, settings: dict, quiet: bool):
    from tqdm import tqdm

    label = "/".join(settings[key] for key in ("dataset", "task", "sampler"))
    bar = tqdm(total=evaluations(name, options), desc=label, unit="step", disable=quiet, file=sys.stderr)
    bar.seen = 0
    return bar
