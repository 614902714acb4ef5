"""What only a GPU can show: that it samples what the CPU samples, how fast, and what of that time is not the network's.

Needs torch, numpy and this checkout alone; published networks get random weights, which change neither shapes nor time.
Without a GPU the same script runs in a small form, so that it is known to work before one is there.
"""

from __future__ import annotations

import contextlib
import json
import statistics
from collections import deque
from collections.abc import Callable, Generator, Iterator
from functools import partial
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from benchmark.device import pick_device
from benchmark.errors import BenchmarkError
from benchmark.priors.load import load_prior
from benchmark.sampling import SAMPLERS
from benchmark.sampling.noise import Streams
from benchmark.sampling.speed import N, clock, situation, timed
from benchmark.sampling.state import predict_eps
from benchmark.store import write_text

ADM = "adm_imagenet256"  # 552.8M parameters
SMALL = "faces_unet"
PLAIN = ("float32", "eager")  # the loop of the released code, and all that is timed without a GPU
# (arithmetic, how the network is run): what is timed
MODES = [PLAIN, ("tf32", "eager"), *(("bfloat16", how) for how in ("eager", "graph", "compiled"))]
OVERHEAD_BAR, SPEED_BAR = 0.02, 3.0


def report(device: str, small: bool, batches: list[int] | None, output: str | None) -> None:
    """Run the check and print its rows as they come; without a GPU in the small form.

    Args:
        device: auto, cpu or cuda. small: a network of 3.5M parameters instead of the published one.
        batches: how many images at once; by default 1, 8, 32, and without a GPU 1, 4.
        output: a file for the rows, as JSON.

    Raises:
        BenchmarkError: no GPU where one is asked for, batches of less than one image.
    """
    where = pick_device(device)
    small = small or where.type == "cpu"
    batches = batches or ([1, 4] if where.type == "cpu" else [1, 8, 32])
    if min(batches) < 1:
        raise BenchmarkError(f"--batches {min(batches)}: give 1 or more")
    rows = []
    for row in check(where, small, sorted(batches)):
        rows.append(row)
        cells = (
            f"{name} {value:.4g}" if isinstance(value, float) else f"{name} {value}" for name, value in row.items()
        )
        print(", ".join(cells).removeprefix("section "), flush=True)
    if output:
        write_text(output, json.dumps(rows, indent=1) + "\n")


def check(where: torch.device, small: bool, batches: list[int]) -> Iterator[dict]:
    """Rows of the check, each with ``section`` and its numbers; seconds are medians of runs after a warm-up."""
    name = torch.cuda.get_device_name(where) if where.type == "cuda" else "cpu"
    yield {"section": "machine", "device": name, "torch": torch.__version__, "network": SMALL if small else ADM}
    yield from agreement(where)
    peaks = yield from _peaks(where, small)
    times = yield from _network(where, small, batches, peaks)
    yield from _noise(where, times, batches, small)
    yield from _overhead(where, small, batches[-1])
    yield from _verdicts(times, batches)


# ----------------------------------------------------------------------------------------------------------- agreement
def agreement(where: torch.device) -> Iterator[dict]:
    """Each sampler, guided, with the same noise on the CPU and on ``where``: the largest and the RMS difference of its
    restorations, of digits under their exact prior in float64 and of faces under networks in float32."""
    of_networks = [("faces_experts", (1, 2))] if where.type == "cuda" else []
    for prior_name, sizes in (("digits_mixture", (3, N)), *of_networks):
        here, there = (load_prior({"name": prior_name}, device) for device in ("cpu", where))
        for sampler in SAMPLERS:
            for preset in ("paper", "reference"):
                x, y = (_restored(prior, sampler, preset, *sizes) for prior in (here, there))
                apart = (x - y.cpu()).double()
                yield {
                    "section": "agreement",
                    "prior": prior_name,
                    "sampler": sampler,
                    "preset": preset,
                    "largest": float(apart.abs().max()),
                    "rms": float(apart.square().mean().sqrt()),
                }


def _restored(prior: Any, sampler: str, preset: str, sets: int, n: int) -> Tensor:
    options = {**SAMPLERS[sampler].rehearsal, "preset": preset}
    with torch.no_grad():
        states = SAMPLERS[sampler](prior, *situation(prior, sets, n), **options)
        return deque(states, maxlen=1).pop().x


# --------------------------------------------------------------------------------------------------------------- times
def _seconds(work: Callable[[], object], where: torch.device, repeats: int = 5) -> float:
    """Median seconds of ``work`` after it has run twice."""
    for _ in range(2):
        work()
    seconds = []
    for _ in range(repeats):
        started = clock(where)
        work()
        seconds.append(clock(where) - started)
    return statistics.median(seconds)


@contextlib.contextmanager
def _products(arithmetic: str) -> Iterator[None]:
    """TensorFloat-32 in convolutions and products, or not; as before afterwards."""
    flags: tuple[Any, Any] = torch.backends.cuda.matmul, torch.backends.cudnn
    before = [flag.allow_tf32 for flag in flags]
    for flag in flags:
        flag.allow_tf32 = arithmetic == "tf32"
    try:
        yield
    finally:
        for flag, value in zip(flags, before, strict=True):
            flag.allow_tf32 = value


def _modes(where: torch.device) -> list[tuple[str, str]]:
    return MODES if where.type == "cuda" else [PLAIN]


def _peaks(where: torch.device, small: bool) -> Generator[dict, None, dict[str, float]]:
    """Products of square matrices: what the machine reaches at best, FLOP/s by arithmetic."""
    side = 512 if small else 8192
    peaks: dict[str, float] = {}
    for arithmetic in dict.fromkeys(mode[0] for mode in _modes(where)):
        dtype = torch.bfloat16 if arithmetic == "bfloat16" else torch.float32
        a, b = (torch.randn(side, side, device=where, dtype=dtype) for _ in range(2))
        with _products(arithmetic):
            peaks[arithmetic] = 2 * side**3 / _seconds(partial(torch.matmul, a, b), where)
        yield {"section": "peak", "arithmetic": arithmetic, "tflops": peaks[arithmetic] / 1e12}
    return peaks


def _prior(arithmetic: str, small: bool, where: torch.device) -> Any:
    if small:
        dtype = "float32" if arithmetic == "tf32" else arithmetic
        return load_prior({"name": SMALL, "dtype": dtype}, where)
    return load_prior({"name": ADM, "dtype": arithmetic, "random_weights": 0}, where)


def _network(
    where: torch.device, small: bool, batches: list[int], peaks: dict
) -> Generator[dict, None, dict[tuple[str, str, int], float]]:
    """Seconds of one evaluation of a batch in each arithmetic, eager, captured as a graph and compiled."""
    times: dict[tuple[str, str, int], float] = {}
    prior: Any = None
    loaded, flops = None, 0
    for arithmetic, how in _modes(where):
        if loaded != arithmetic:
            prior, loaded = None, arithmetic  # two networks of 2 GB need not lie beside each other
            prior = _prior(arithmetic, small, where)
            flops = _flops(prior)
        for batch in batches:
            x = torch.randn(batch, *prior.shape, device=where)
            row = {"section": "network", "arithmetic": arithmetic, "how": how, "batch": batch}
            with torch.no_grad(), _products(arithmetic):
                try:
                    once = _runner(prior, x, how)
                    seconds = _seconds(once, where)
                except RuntimeError as error:  # a compiler that is not there, memory that does not suffice
                    yield {**row, "failed": str(error).splitlines()[0][:120]}
                    continue
            times[arithmetic, how, batch] = seconds
            row |= {"seconds": seconds, "per_second": batch / seconds}
            row |= {"of_peak": flops * batch / seconds / peaks[arithmetic]}
            if where.type == "cuda":
                row["peak_gib"] = torch.cuda.max_memory_allocated(where) / 2**30
            yield row
    return times


def _runner(prior: Any, x: Tensor, how: str) -> Callable[[], object]:
    """One evaluation at a middle timestep, run as ``how`` says."""
    if how == "compiled":
        network, timesteps = torch.compile(prior.network), torch.full((len(x),), 500, device=x.device)
        return lambda: network(F.pixel_unshuffle(x, prior.unshuffle), timesteps)
    if how == "eager":
        return lambda: prior(x, 500)
    stream = torch.cuda.Stream()
    stream.wait_stream(torch.cuda.current_stream())
    with torch.cuda.stream(stream):
        prior(x, 500)
    torch.cuda.current_stream().wait_stream(stream)
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        prior(x, 500)
    return graph.replay


def _flops(prior: Any) -> int:
    """Floating point operations of an evaluation of one image."""
    from torch.utils.flop_counter import FlopCounterMode

    with torch.no_grad(), FlopCounterMode(display=False) as counter:
        prior(torch.zeros(1, *prior.shape, device=prior.device), 500)
    return counter.get_total_flops()


# -------------------------------------------------------------------------------------------------- beside the network
def _noise(where: torch.device, times: dict, batches: list[int], small: bool) -> Iterator[dict]:
    """A draw for a batch on the CPU, beside the batch's fastest evaluation: what takes longer cannot hide behind it."""
    shape = (3, 64, 64) if small else (3, 256, 256)
    for batch in batches:
        keys = [[(0, "noise", "0", index) for index in range(batch)]]
        draw = Streams(keys, shape, where, ahead=False)
        seconds = _seconds(draw, where)
        fastest = min(value for (_, _, size), value in times.items() if size == batch)
        yield {"section": "noise", "batch": batch, "seconds": seconds, "of_an_evaluation": seconds / fastest}


def _overhead(where: torch.device, small: bool, batch: int) -> Iterator[dict]:
    """Each sampler's own time beside the network's, guided, with the noise that it draws ahead on a GPU."""
    prior = _prior("bfloat16" if where.type == "cuda" else "float32", small, where)
    sets = max(1, batch // N)
    with torch.no_grad():
        predict_eps(prior, torch.zeros(sets, N, *prior.shape, device=where), 500)
    for sampler in SAMPLERS.values():
        network, own = timed(prior, sampler, sampler.rehearsal, sets)
        row = {"section": "overhead", "sampler": sampler.name, "images": sets * N, "network": network}
        yield {**row, "own": own, "share": own / network, "bar": OVERHEAD_BAR}


def _verdicts(times: dict, batches: list[int]) -> Iterator[dict]:
    """Restorations an hour against the loop of the released code: one image at a time in float32."""
    loop = times[*PLAIN, batches[0]] / batches[0]
    best = min(times, key=lambda key: times[key] / key[2])
    faster = loop / (times[best] / best[2])
    yield {
        "section": "verdict",
        "best": " ".join(map(str, best)),
        "faster_than_one_at_a_time_in_float32": faster,
        "bar": SPEED_BAR,
    }
