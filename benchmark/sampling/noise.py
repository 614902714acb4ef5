"""Noise: one stream per sample, so that a sample is the same picture in whatever batch, set or shard it is drawn."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence

import torch
from torch import Tensor


def stream(seed: int, dataset: str, case: str, index: int | str) -> torch.Generator:
    """The generator of one sample, keyed by (seed, dataset, case, index); index "measurement" is the measurement's."""
    key = "\x1f".join(map(str, (seed, dataset, case, index))).encode()
    return torch.Generator().manual_seed(int.from_bytes(hashlib.sha256(key).digest()[:8], "little") >> 1)


class Streams:
    """Draws z ~ N(0, I) of shape (B, N, C, H, W), each sample from its own stream.

    Numbers are drawn in float32 on the CPU whatever the state's dtype and device, so that CPU and GPU, float32 and
    float64 see the same noise.
    """

    def __init__(
        self,
        keys: Sequence[Sequence[tuple[int, str, str, int]]],
        shape: tuple[int, ...],
        device: torch.device | str = "cpu",
        dtype: torch.dtype = torch.float32,
    ):
        self.generators = [[stream(*key) for key in row] for row in keys]
        self.device, self.dtype = torch.device(device), dtype
        pinned = self.device.type == "cuda"
        self.buffer = torch.empty(len(keys), len(keys[0]), *shape, pin_memory=pinned)

    def __call__(self) -> Tensor:
        """A fresh draw (B, N, C, H, W)."""
        for row, generators in zip(self.buffer, self.generators, strict=True):
            for sample, generator in zip(row, generators, strict=True):
                sample.normal_(generator=generator)
        return self.buffer.to(self.device, self.dtype, copy=True)


class Recorded:
    """Replays recorded draws in their order, to compare with a reference run step by step."""

    def __init__(self, draws: Iterable[Tensor]):
        self.draws = iter(draws)

    def __call__(self) -> Tensor:
        """The next recorded draw, as it was recorded."""
        return next(self.draws)
