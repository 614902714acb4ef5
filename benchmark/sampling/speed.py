"""What a sampler costs beside its network: noise, guidance, the data step, the update."""

from __future__ import annotations

import statistics
import time
from collections.abc import Iterator

import torch

from benchmark.priors.registry import load_prior
from benchmark.problems import build
from benchmark.sampling import SAMPLERS
from benchmark.sampling.guidance import build_guidance
from benchmark.sampling.noise import Streams
from benchmark.sampling.run import pick_device

OPTIONS = {"repaint": {"jump_length": 2, "jump_n_sample": 2}}
GUIDED = {"name": "nearest_neighbour", "eta": 0.1, "D": 0.3, "D_unit": "rms"}


class TimedPrior:
    """A prior that adds up the seconds spent inside it."""

    def __init__(self, prior):
        self.prior, self.seconds = prior, 0.0

    def __getattr__(self, name: str):
        return getattr(self.prior, name)

    def __call__(self, x, t):
        synchronise(self.prior.device)
        started = time.perf_counter()
        out = self.prior(x, t)
        synchronise(self.prior.device)
        self.seconds += time.perf_counter() - started
        return out


def synchronise(device: torch.device) -> None:
    """Wait for a GPU, so that a clock reading means something."""
    if torch.device(device).type == "cuda":
        torch.cuda.synchronize()


def measure(prior_name: str, batch: int, steps: int, device: str, repeats: int) -> Iterator[dict]:
    """One row per sampler and preset: seconds in the network, seconds outside it, and their ratio (medians).

    DPS's backward pass, which is the network's but for a few elementwise operations, counts as the network's time.
    """
    where = pick_device(device)
    prior = load_prior({"name": prior_name}, where)
    hole = torch.zeros(batch // 5, *prior.shape[1:], dtype=torch.bool)
    hole[..., : prior.shape[2] // 2] = True
    problem = build({"name": "inpainting"}, prior.shape, hole=hole, device=where, dtype=prior.dtype)
    truth = torch.zeros(batch // 5, 1, *prior.shape, device=where, dtype=prior.dtype)
    y = problem.A(truth)
    with torch.no_grad():
        prior(torch.zeros(batch, *prior.shape, device=where, dtype=prior.dtype), 500)  # warm up
    for name, sampler in SAMPLERS.items():
        for preset in ("paper", "reference"):
            shares = []
            for repeat in range(repeats):
                timed = TimedPrior(prior)
                keys = [[(repeat, "speed", str(case), index) for index in range(5)] for case in range(batch // 5)]
                noise = Streams(keys, prior.shape, where, prior.dtype)
                guide, _ = build_guidance(GUIDED, problem, 5, batch // 5, where, prior.dtype)
                backward = 0.0
                synchronise(where)
                started = time.perf_counter()
                with torch.no_grad():
                    options = {"steps": steps, "preset": preset, **OPTIONS.get(name, {})}
                    for state in sampler(timed, problem, y, noise, guide, **options):
                        backward += (state.extra or {}).get("backward_seconds", 0.0)
                synchronise(where)
                total = time.perf_counter() - started
                network = timed.seconds + backward
                shares.append((network, total - network))
            network, own = (statistics.median(part) for part in zip(*shares, strict=True))
            yield {"sampler": name, "preset": preset, "network": network, "own": own, "share": own / network}
