"""Where networks run: the one place that knows what ``auto`` means."""

from __future__ import annotations

from benchmark.errors import BenchmarkError
from benchmark.lazy import torch


def pick_device(name: str) -> torch.device:
    """The device of a ``--device``: ``auto`` is a GPU where there is one.

    Raises:
        BenchmarkError: no device of this name, or a GPU asked for and absent.
    """
    gpu = torch.cuda.is_available()
    try:
        device = torch.device(("cuda" if gpu else "cpu") if name == "auto" else name)
    except RuntimeError:
        raise BenchmarkError(f"--device {name}: not known; use auto, cpu or cuda") from None
    if device.type == "cuda" and not gpu:
        raise BenchmarkError(f"--device {name}: this machine has no usable GPU; use auto or cpu")
    return device
