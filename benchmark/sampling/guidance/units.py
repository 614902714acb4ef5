"""The distance D up to which samples repel each other, in the units of the released samplers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from benchmark.errors import BenchmarkError

if TYPE_CHECKING:
    from torch import Tensor

UNITS = ("rms", "repaint", "ddnm", "dps", "full")


def threshold_norm(D: float, unit: str, n: int, shape: tuple[int, int, int], hole: Tensor | None) -> Tensor | float:
    """The L2 norm that a distance ``D`` stands for, per set.

    With m = C |hole| unknown elements (C H W without a hole): ``rms``: D sqrt(m); ``repaint``: D N m; ``ddnm``: D m;
    ``dps``: D |hole|; ``full``: D C H W. Source: the divisors of the released samplers of arXiv 2310.16047.

    Args:
        hole: bool (B, 1, 1, H, W) or None.

    Raises:
        BenchmarkError: another unit.
    """
    if unit not in UNITS:
        raise BenchmarkError(f"D_unit: {unit!r} is not known; use one of {', '.join(UNITS)}")
    channels, height, width = shape
    pixels = height * width if hole is None else hole.flatten(1).sum(1).double()
    elements = channels * pixels
    if unit == "rms":
        return D * elements**0.5
    if unit == "full":
        return D * channels * height * width + 0.0 * pixels
    return D * {"repaint": n * elements, "ddnm": elements, "dps": pixels}[unit]


def rms_of(D: float, unit: str, n: int, shape: tuple[int, int, int], hole: Tensor | None) -> Tensor | float:
    """The RMS twin of a distance: its L2 norm divided by the square root of the number of unknown elements."""
    return threshold_norm(D, unit, n, shape, hole) / threshold_norm(1.0, "rms", n, shape, hole)
