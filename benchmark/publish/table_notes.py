"""The sentences that tables share: what an interval, an arrow and a star mean."""

from __future__ import annotations

from benchmark.publish.measured import Measured


def interval_line(measured: Measured) -> str:
    """What the values, their intervals and the arrows are."""
    return (
        f"Mean over cases with its {measured.level:.0%} interval (hierarchical bootstrap: cases, then seeds). "
        "↑: higher is better, ↓: lower is better."
    )


def star_line(measured: Measured) -> str:
    """What a star behind a value says."""
    return (
        f"* differs from the plain set of the same sampler at {1 - measured.level:.0%} (paired sign-flip test, Holm's "
        "correction over a sampler's sets in a table)."
    )


def legend(measured: Measured, starred: bool = False) -> str:
    """What a table needs beside it wherever it is pasted."""
    star = f"; * differs from plain at {1 - measured.level:.0%} (paired sign flips, Holm)" if starred else ""
    return f"Mean over cases with its {measured.level:.0%} bootstrap interval{star}."
