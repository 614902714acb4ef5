"""How figures look, and how they are written: the same data give the same bytes."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from benchmark import store

if TYPE_CHECKING:
    from matplotlib.figure import Figure

# Okabe and Ito's palette, which stays distinct in the common kinds of colour blindness; black is kept for plain sets.
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#882255", "#6A6A6A")
PLAIN, INK = "#1c2126", "#333a41"
MARKERS = ("o", "s", "D", "^", "v", "P", "X", "<")
DPI = 150


@contextmanager
def style() -> Iterator[None]:
    """Axes, fonts and colours of every figure."""
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt
    import seaborn as sns

    options = {
        "font.family": "DejaVu Sans",
        "axes.edgecolor": INK,
        "axes.labelcolor": INK,
        "text.color": INK,
        "xtick.color": INK,
        "ytick.color": INK,
        "axes.grid": True,
        "grid.color": "#e7eaed",
        "grid.linewidth": 0.7,
        "axes.axisbelow": True,
        "legend.frameon": False,
        "svg.hashsalt": "benchmark",
        "svg.fonttype": "path",
        "figure.dpi": DPI,
    }
    with plt.rc_context(sns.axes_style("ticks") | sns.plotting_context("paper", font_scale=1.05) | options):
        yield
        plt.close("all")


def save(figure: Figure, folder: str | Path, name: str) -> None:
    """Write NAME.png and NAME.svg, without dates or versions in them."""
    figure.draw_without_rendering()
    figure.set_layout_engine("none")  # laid out once, not anew for each format
    for suffix, metadata in (("png", {"Software": None}), ("svg", {"Date": None, "Creator": None})):
        with store.atomic(Path(folder) / f"{name}.{suffix}") as path:
            figure.savefig(path, dpi=DPI, metadata=metadata)


def colours(names: list[str]) -> dict[str, str]:
    """A colour for each name, by its place in the list."""
    return {name: COLOURS[index % len(COLOURS)] for index, name in enumerate(dict.fromkeys(names))}
