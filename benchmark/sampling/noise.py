"""Noise: one stream per sample, so that a sample is the same picture in whatever batch, set or shard it is drawn."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import torch
from torch import Tensor

from benchmark.problems.noise import stream

Noise = Callable[[], Tensor]  # each call a fresh draw (B, N, C, H, W)


class Streams:
    """Draws z ~ N(0, I) of shape (B, N, C, H, W), each sample from its own stream.

    Numbers are drawn in float32 on the CPU whatever the state's dtype and device, so that CPU and GPU, float32 and
    float64 see the same noise.

    Args:
        keys: (seed, dataset, case, index) of every sample of every set, N of them for each of the B sets.
        shape: (C, H, W). device, dtype: where the draws are wanted.
        ahead: draw the next numbers in a thread while the caller works with the last; by default on a GPU, which leaves
            the CPU idle meanwhile. Changes no number.
    """

    def __init__(
        self,
        keys: Sequence[Sequence[tuple[int, str, str, int]]],
        shape: tuple[int, ...],
        device: torch.device | str = "cpu",
        dtype: torch.dtype = torch.float32,
        ahead: bool | None = None,
    ):
        self.generators = [[stream(*key) for key in row] for row in keys]
        self.device, self.dtype = torch.device(device), dtype
        self.on_gpu = self.device.type == "cuda"
        self.ahead = self.on_gpu if ahead is None else ahead
        size = (len(keys), len(keys[0]), *shape)
        self.free: list[tuple[Tensor, Any]] = [  # buffers, and when the GPU has read them
            (torch.empty(size, pin_memory=self.on_gpu), None) for _ in range(1 + self.ahead)
        ]
        self.worker = ThreadPoolExecutor(1) if self.ahead else None
        self.coming = self.worker.submit(self._draw, *self.free.pop()) if self.worker else None

    def _draw(self, buffer: Tensor, read) -> Tensor:
        """Fill a buffer, as soon as the GPU has read its last content."""
        if read is not None:
            read.synchronize()
        for row, generators in zip(buffer, self.generators, strict=True):
            for sample, generator in zip(row, generators, strict=True):
                sample.normal_(generator=generator)
        return buffer

    def __call__(self) -> Tensor:
        """A fresh draw (B, N, C, H, W)."""
        buffer = self.coming.result() if self.coming else self._draw(*self.free.pop())
        read = None
        if self.on_gpu:
            z = buffer.to(self.device, non_blocking=True).to(self.dtype)
            read = torch.cuda.Event()
            read.record(torch.cuda.current_stream(self.device))
        else:
            z = buffer.to(self.device, self.dtype, copy=True)
        self.free.append((buffer, read))
        if self.worker:
            self.coming = self.worker.submit(self._draw, *self.free.pop(0))
        return z


class Recorded:
    """Replays recorded draws in their order, to compare with a reference run step by step."""

    def __init__(self, draws: Iterable[Tensor]):
        self.draws = iter(draws)

    def __call__(self) -> Tensor:
        """The next recorded draw, as it was recorded."""
        return next(self.draws)
