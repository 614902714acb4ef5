"""How figures look, and how they are written: the same data give the same bytes."""

from __future__ import annotations

import math
import textwrap
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from benchmark import store
from benchmark.statistics import Interval

if TYPE_CHECKING:
    from matplotlib.figure import Figure

# Okabe and Ito's palette, which stays distinct in the common kinds of colour blindness; black is kept for plain sets.
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#882255", "#6A6A6A")
PLAIN, INK = "#1c2126", "#333a41"
MARKERS = ("o", "s", "D", "^", "v", "P", "X", "<")
DPI = 150
PANEL = 2.15, 1.75  # width and height in inches
LETTERS = 14  # of a legend to the inch
EXACT = {"color": "#009E73", "linewidth": 1.1, "linestyle": (0, (4, 2))}


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


def grid(rows: int, columns: int, size: tuple[float, float] = PANEL, **options):
    """A figure of rows x columns axes, each of ``size`` inches, without frames at the top and on the right."""
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(
        rows,
        columns,
        figsize=(max(columns * size[0] + 0.9, 4.5), rows * size[1] + 0.9),
        layout="constrained",
        squeeze=False,
        **options,
    )
    for axis in axes.flat:
        axis.spines[["top", "right"]].set_visible(False)
    return figure, axes


def headline(figure: Figure, text: str) -> None:
    """The figure's title, in lines that its width holds (some 11 letters to the inch)."""
    width = max(20, int(11 * figure.get_figwidth()))
    figure.suptitle("\n".join(line for part in text.splitlines() for line in textwrap.wrap(part, width)))


def legend(figure: Figure, handles: list, title: str | None = None, columns: int = 4) -> None:
    """A legend below the axes, where the constrained layout keeps room for it: as many columns as the width holds."""
    width = [0.85 + len(handle.get_label()) / LETTERS for handle in handles]
    columns = min(columns, len(handles))
    while columns > 1 and sum(max(part) for part in np.array_split(width, columns)) > figure.get_figwidth():
        columns -= 1
    figure.legend(handles=handles, loc="outside lower center", ncols=columns, title=title, fontsize="medium")


def exact_handle():
    """The entry of a legend that says what the line of exact sampling is."""
    from matplotlib.lines import Line2D

    return Line2D([], [], label="exact samples of the posterior", **EXACT)


def open_handle():
    """The entry of a legend that says what an open marker means."""
    from matplotlib.lines import Line2D

    text = "open: not distinguishable from plain (paired, Holm)"
    return Line2D([], [], color=INK, linestyle="", marker="o", label=text, **marker_face(False, INK))


def marker_face(filled: bool, colour: str) -> dict:
    """A filled marker with a white rim, or an open one."""
    if filled:
        return {"markerfacecolor": colour, "markeredgecolor": "white", "markeredgewidth": 0.6}
    return {"markerfacecolor": "white", "markeredgecolor": colour, "markeredgewidth": 1.2}


def error_lengths(interval: Interval) -> tuple[float, float]:
    """How far the interval reaches below and above the estimate; 0 where it has no bounds."""
    low, high = interval.estimate - interval.low, interval.high - interval.estimate
    return (low if math.isfinite(low) else 0.0, high if math.isfinite(high) else 0.0)
