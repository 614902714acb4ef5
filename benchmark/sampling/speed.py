"""What a sampler costs beside its network: noise, guidance, the data step, the update."""

from __future__ import annotations

import statistics
import time
from collections.abc import Iterator

import torch

from benchmark.device import pick_device
from benchmark.errors import BenchmarkError
from benchmark.priors.registry import load_prior
from benchmark.problems import build
from benchmark.sampling import SAMPLERS
from benchmark.sampling.guidance import build_guidance
from benchmark.sampling.noise import Streams

N = 5
GUIDED = {"name": "nearest_neighbour", "eta": 0.1, "D": 0.3, "D_unit": "rms"}


class TimedPrior:
    """A prior that adds up the seconds spent inside it, forwards and, where a gradient passes, backwards."""

    def __init__(self, prior):
        self.prior, self.seconds = prior, 0.0

    def __getattr__(self, name: str):
        return getattr(self.prior, name)

    def _clock(self) -> float:
        if torch.device(self.prior.device).type == "cuda":
            torch.cuda.synchronize()
        return time.perf_counter()

    def __call__(self, x, t):
        inside = x.view_as(x)  # of all that x is used for, the network alone
        started = self._clock()
        out = self.prior(inside, t)
        self.seconds += self._clock() - started
        if out.eps.requires_grad:
            out.eps.register_hook(self._backward_begins)
            inside.register_hook(self._backward_ends)
        return out

    def _backward_begins(self, gradient) -> None:
        self.seconds -= self._clock()

    def _backward_ends(self, gradient) -> None:
        self.seconds += self._clock()


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
    hole = torch.zeros(batch // N, *prior.shape[1:], dtype=torch.bool)
    hole[..., : prior.shape[2] // 2] = True
    problem = build({"name": "inpainting"}, prior.shape, hole=hole, device=where, dtype=prior.dtype)
    y = problem.A(torch.zeros(batch // N, 1, *prior.shape, device=where, dtype=prior.dtype))
    guide, _ = build_guidance(GUIDED, problem, N, batch // N, where, prior.dtype)
    with torch.no_grad():
        prior(torch.zeros(batch, *prior.shape, device=where, dtype=prior.dtype), 500)  # warm up
    for name, sampler in SAMPLERS.items():
        for preset in ("paper", "reference"):
            options = {
                "steps": steps,
                "preset": preset,
                **{key: value for key, value in sampler.rehearsal.items() if key != "steps"},
            }
            timed = []
            for repeat in range(repeats):
                keys = [[(repeat, "speed", str(case), index) for index in range(N)] for case in range(batch // N)]
                noise, watched = Streams(keys, prior.shape, where, prior.dtype), TimedPrior(prior)
                started = watched._clock()
                with torch.no_grad():
                    for _ in sampler(watched, problem, y, noise, guide, **options):
                        pass
                timed.append((watched.seconds, watched._clock() - started - watched.seconds))
            network, own = (statistics.median(part) for part in zip(*timed, strict=True))
            row = {"sampler": name, "preset": preset, "network": network, "own": own, "share": own / network}
            yield {**row, "dtype": str(prior.dtype).removeprefix("torch.")}
