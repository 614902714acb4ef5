"""What a sampler costs beside its network: noise, guidance, the data step, the update."""

from __future__ import annotations

import statistics
import time
from collections import deque
from collections.abc import Iterator, Mapping
from typing import Any

import torch

from benchmark.device import pick_device
from benchmark.errors import BenchmarkError
from benchmark.priors.load import load_prior
from benchmark.problems import build
from benchmark.sampling import SAMPLERS
from benchmark.sampling.guidance import build_guidance
from benchmark.sampling.noise import Streams
from benchmark.sampling.sampler import Sampler

N = 5
GUIDED = {"name": "nearest_neighbour", "eta": 0.1, "D": 0.3, "D_unit": "rms"}


def clock(device: torch.device | str) -> float:
    """Seconds, once all that a GPU was given is done."""
    if torch.device(device).type == "cuda":
        torch.cuda.synchronize(device)
    return time.perf_counter()


def situation(prior, sets: int, n: int, repeat: int = 0) -> tuple:
    """Problem, measurement, noise and guide for so many sets of n: the left half of a grey picture is hidden."""
    where, dtype = torch.device(prior.device), prior.dtype
    hole = torch.zeros(sets, *prior.shape[1:], dtype=torch.bool)
    hole[..., : prior.shape[2] // 2] = True
    problem = build({"name": "inpainting"}, prior.shape, hole=hole, device=where, dtype=dtype)
    y = problem.A(torch.zeros(sets, 1, *prior.shape, device=where, dtype=dtype))
    guide, _ = build_guidance(GUIDED, problem, n, sets, where, dtype)
    keys = [[(repeat, "speed", str(case), index) for index in range(n)] for case in range(sets)]
    return problem, y, Streams(keys, prior.shape, where, dtype), guide


def timed(prior, sampler: Sampler, options: Mapping[str, Any], sets: int, repeat: int = 0) -> tuple[float, float]:
    """Seconds of a guided run in the network, its backward pass included, and outside it."""
    around, watched = situation(prior, sets, N, repeat), TimedPrior(prior)
    started = clock(prior.device)
    with torch.no_grad():
        deque(sampler(watched, *around, **options), maxlen=0)
    return watched.seconds, clock(prior.device) - started - watched.seconds


class TimedPrior:
    """A prior that adds up the seconds spent inside it, forwards and, where a gradient passes, backwards."""

    def __init__(self, prior):
        self.prior, self.seconds = prior, 0.0

    def __getattr__(self, name: str):
        return getattr(self.prior, name)

    def __call__(self, x, t):
        inside = x.view_as(x)  # of all that x is used for, the network alone
        started = clock(self.prior.device)
        out = self.prior(inside, t)
        self.seconds += clock(self.prior.device) - started
        if out.eps.requires_grad:
            out.eps.register_hook(self._backward_begins)
            inside.register_hook(self._backward_ends)
        return out

    def _backward_begins(self, gradient) -> None:
        self.seconds -= clock(self.prior.device)

    def _backward_ends(self, gradient) -> None:
        self.seconds += clock(self.prior.device)


def measure(prior_name: str, batch: int, steps: int, device: str, repeats: int) -> Iterator[dict]:
    """One row per sampler and preset: seconds in the network, seconds outside it, and their ratio (medians).

    The backward pass through the network, where there is one, counts as the network's time.

    Raises:
        BenchmarkError: a batch that is not made of sets of 5, steps or repeats out of range, no GPU, no such prior.
    """
    if repeats < 1:
        raise BenchmarkError(f"--repeats {repeats}: give 1 or more")
    if not 2 <= steps <= 1000:
        raise BenchmarkError(f"--steps {steps}: give 2 to 1000")
    if batch < N or batch % N:
        raise BenchmarkError(f"--batch {batch}: sets of {N} are timed; give a multiple of {N}")
    where = pick_device(device)
    prior = load_prior({"name": prior_name}, where)
    with torch.no_grad():
        prior(torch.zeros(batch, *prior.shape, device=where, dtype=prior.dtype), 500)  # warm up
    for name, sampler in SAMPLERS.items():
        for preset in ("paper", "reference"):
            options = {
                "steps": steps,
                "preset": preset,
                **{key: value for key, value in sampler.rehearsal.items() if key != "steps"},
            }
            runs = [timed(prior, sampler, options, batch // N, repeat) for repeat in range(repeats)]
            network, own = (statistics.median(part) for part in zip(*runs, strict=True))
            row = {"sampler": name, "preset": preset, "network": network, "own": own, "share": own / network}
            yield {**row, "dtype": str(prior.dtype).removeprefix("torch.")}
