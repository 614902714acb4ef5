"""The noise schedule in float64, its respacing, and the order in which each sampler visits its timesteps."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from benchmark.errors import BenchmarkError
from benchmark.priors.protocol import LINEAR


def linear_betas(steps: int = 1000, dtype: type = np.float64) -> np.ndarray:
    """beta_t linear between the ends that :data:`benchmark.priors.protocol.LINEAR` names."""
    return np.linspace(*LINEAR, steps, dtype=dtype)


def space_timesteps(count: int, sections: str | int) -> list[int]:
    """Which of ``count`` timesteps remain: "250", "10,15,20" (per equal section), or "ddim25" (a fixed stride).

    Within a section of size S from which K are taken the stride is (S - 1)/(K - 1), accumulated and rounded
    (Nichol and Dhariwal 2021, section 4).

    Raises:
        BenchmarkError: more steps asked of a section than it has, no integer stride for ddimK, or no numbers at all.
    """
    text = str(sections)
    if not re.fullmatch(r"ddim\d+|\d+(,\d+)*", text):
        raise BenchmarkError(f"steps: {text!r} is no respacing; give for example 250, '10,15,20' or 'ddim25'")
    if text.startswith("ddim"):
        wanted = int(text[4:])
        for stride in range(1, count):
            if len(range(0, count, stride)) == wanted:
                return list(range(0, count, stride))
        raise BenchmarkError(
            f"steps: no integer stride gives {wanted} of {count} timesteps; try {text[4:]!r} without ddim"
        )
    counts = [int(part) for part in text.split(",")]
    size, extra = divmod(count, len(counts))
    start, steps = 0, []
    for index, wanted in enumerate(counts):
        length = size + (index < extra)
        if not 1 <= wanted <= length:
            raise BenchmarkError(f"steps: cannot take {wanted} steps of a section of {length}; give 1 to {length}")
        gap, position = (length - 1) / (wanted - 1) if wanted > 1 else 1.0, 0.0
        for _ in range(wanted):
            steps.append(start + round(position))
            position += gap
        start += length
    return steps


@dataclass(frozen=True)
class Schedule:
    """A (respaced) noise schedule: ``timesteps[k]`` is step k's original timestep, all constants float64."""

    timesteps: np.ndarray
    alphas_cumprod: np.ndarray

    @classmethod
    def respaced(cls, alphas_cumprod, sections: str | int) -> Schedule:
        """The schedule restricted to :func:`space_timesteps`, betas recomputed as 1 - abar_k / abar_{k-1}."""
        bar = np.asarray(alphas_cumprod, dtype=np.float64)
        timesteps = np.array(space_timesteps(len(bar), sections))
        return cls(timesteps, bar[timesteps])

    @cached_property
    def alphas_cumprod_prev(self) -> np.ndarray:
        """abar_{k-1}, with abar_{-1} = 1."""
        return np.append(1.0, self.alphas_cumprod[:-1])

    @cached_property
    def betas(self) -> np.ndarray:
        """beta_k = 1 - abar_k / abar_{k-1}."""
        return 1.0 - self.alphas_cumprod / self.alphas_cumprod_prev

    @cached_property
    def posterior_variance(self) -> np.ndarray:
        """beta~_k = beta_k (1 - abar_{k-1}) / (1 - abar_k)."""
        return self.betas * (1.0 - self.alphas_cumprod_prev) / (1.0 - self.alphas_cumprod)

    @cached_property
    def posterior_log_variance_clipped(self) -> np.ndarray:
        """log beta~_k, with beta~_0 (which is 0) replaced by beta~_1."""
        variance = self.posterior_variance
        return np.log(np.append(variance[1] if len(variance) > 1 else 1e-20, variance[1:]))

    @cached_property
    def posterior_mean_coefficients(self) -> tuple[np.ndarray, np.ndarray]:
        """(beta_k sqrt(abar_{k-1}), (1 - abar_{k-1}) sqrt(alpha_k)) / (1 - abar_k): the weights of x0 and x_k."""
        of_x0 = self.betas * np.sqrt(self.alphas_cumprod_prev) / (1.0 - self.alphas_cumprod)
        of_x = (1.0 - self.alphas_cumprod_prev) * np.sqrt(1.0 - self.betas) / (1.0 - self.alphas_cumprod)
        return of_x0, of_x


def jump_schedule(
    steps: int, jump_length: int, jump_n_sample: int, n_sample: int = 1, start_resampling: int | None = None
) -> list[int]:
    """RePaint's walk over respaced steps: from ``steps`` - 1 down to -1, jumping back by ``jump_length`` at every
    ``jump_length``-th step, ``jump_n_sample`` - 1 times (Lugmayr et al. 2022, appendix).

    Args:
        n_sample: how often each single step is walked. start_resampling: no jumps above this step; None = everywhere.

    Raises:
        BenchmarkError: lengths or counts below 1.
    """
    _at_least_1(jump_length=jump_length, jump_n_sample=jump_n_sample, n_sample=n_sample)
    jumps = dict.fromkeys(range(0, steps - jump_length, jump_length), jump_n_sample - 1)
    limit = steps if start_resampling is None else start_resampling
    t, walk = steps, []
    while t >= 1:
        t -= 1
        walk.append(t)
        if t + 1 < steps - 1 and t <= limit:
            for _ in range(n_sample - 1):
                t += 1
                walk.append(t)
                t -= 1
                walk.append(t)
        if jumps.get(t, 0) > 0 and t <= limit - jump_length:
            jumps[t] -= 1
            for _ in range(jump_length):
                t += 1
                walk.append(t)
    return [*walk, -1]


def travel_schedule(steps: int, travel_length: int, travel_repeat: int) -> list[int]:
    """DDNM's time travel over steps - 1 .. -1 (multiply by 1000 // steps; -1 stays).

    Raises:
        BenchmarkError: a length or repeat below 1.
    """
    _at_least_1(travel_length=travel_length, travel_repeat=travel_repeat)
    jumps = dict.fromkeys(range(0, steps - travel_length, travel_length), travel_repeat - 1)
    t, walk = steps, []
    while t >= 1:
        t -= 1
        walk.append(t)
        if jumps.get(t, 0) > 0:
            jumps[t] -= 1
            for _ in range(travel_length):
                t += 1
                walk.append(t)
    return [*walk, -1]


def _at_least_1(**options: int) -> None:
    for option, value in options.items():
        if value < 1:
            raise BenchmarkError(f"{option}: {value} is out of range; give 1 or more")


def even_timesteps(steps: int, count: int = 1000) -> list[int]:
    """``steps`` descending timesteps floor(1000 k / steps), k = steps - 1 .. 0: multiples of 1000 / steps."""
    return [count * k // steps for k in reversed(range(steps))]


def ddrm_timesteps(steps: int, count: int = 1000) -> list[int]:
    """The released DDRM's descending timesteps: range(0, 1000, 1000 // steps) reversed; the same as
    :func:`even_timesteps` where ``steps`` divides 1000, more of them elsewhere."""
    return list(reversed(range(0, count, count // steps)))


def diffpir_timesteps(steps: int, kind: str = "quad", count: int = 1000) -> list[int]:
    """DiffPIR's descending timesteps: 999 - seq, seq quadratic ("quad") or uniform (which has one more)."""
    if kind == "uniform":
        seq = [i * (count // steps) for i in range(steps)]
        seq.append(count - 1)
    elif kind == "quad":
        seq = [int(value) for value in np.sqrt(np.linspace(0, count**2, steps))]
        seq[-1] -= 1
    else:
        raise BenchmarkError(f"skip_type: {kind!r} is not known; use quad or uniform")
    return [count - 1 - value for value in seq]
