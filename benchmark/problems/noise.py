"""Random numbers by name, and the measurement of a case, which is the same wherever it is made anew."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import TYPE_CHECKING

from benchmark.lazy import torch

if TYPE_CHECKING:
    from torch import Tensor

    from benchmark.problems.base import Problem


def stream(seed: int, dataset: str, case: str, index: int | str) -> torch.Generator:
    """The generator of one sample, keyed by (seed, dataset, case, index); index "measurement" is the measurement's."""
    key = "\x1f".join(map(str, (seed, dataset, case, index))).encode()
    return torch.Generator().manual_seed(int.from_bytes(hashlib.sha256(key).digest()[:8], "little") >> 1)


def measurement(problem: Problem, truth: Tensor, keys: Sequence[tuple[int, str, str]]) -> Tensor:
    """y = A x + 2 sigma n of truths (B, 1, C, H, W), n from the stream of each one's (seed, dataset, case)."""
    if problem.sigma == 0:
        return problem.A(truth)
    shape = problem.A(truth).shape[1:]
    drawn = torch.stack([torch.randn(shape, generator=stream(*key, "measurement")) for key in keys])
    return problem.measure(truth, drawn.to(truth.device, truth.dtype))
