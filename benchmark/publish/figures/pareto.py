"""The figure of the trade-offs: diversity against quality, a panel for each task, with the front."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from benchmark.publish import labels
from benchmark.publish.contents import figure
from benchmark.publish.figures.style import INK, colours, error_lengths, grid, headline, legend, marker_face
from benchmark.publish.results.run import Run
from benchmark.publish.results.tradeoff import Tradeoff, tradeoffs

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


@figure(
    "pareto",
    "Diversity against quality; the line joins the points that no other point beats in both.",
    rank=4,
)
def pareto_figure(run: Run, dataset: str) -> Figure:
    """The figure of a dataset: every set of the run, and those that no other beats in both measures."""
    found = tradeoffs(run.settings, run.measured, dataset)
    columns = max(1, len(found)) if len(found) <= 4 else 3
    drawn, axes = grid(max(1, math.ceil(len(found) / columns)), columns, (2.9, 2.6), sharex=True, sharey=True)
    if not found:
        axes[0, 0].text(0.5, 0.5, "no measure of quality", ha="center", va="center", transform=axes[0, 0].transAxes)
        return drawn
    palette = colours([row.sampler for trade in found for row in trade.rows])
    strategies = list(dict.fromkeys(row.method for t in found for row in t.rows if row.selected))
    for index, (axis, trade) in enumerate(zip(axes.flat, found)):
        _front(axis, trade, palette, strategies)
        axis.set_title(trade.scope.title)
        if index + columns >= len(found):
            axis.set_xlabel(trade.quality.header)
            axis.tick_params(labelbottom=True)
    for axis in list(axes.flat)[len(found) :]:
        axis.set_axis_off()
    if found[0].quality.better < 0:
        axes[0, 0].invert_xaxis()
    for axis in axes[:, 0]:
        axis.set_ylabel(found[0].diversity.header)
    infinite = any(math.isinf(row.D) for trade in found for row in trade.rows)
    legend(drawn, _pareto_handles(palette, strategies, infinite))
    headline(drawn, f"{dataset}: diversity against quality; {run.measured.level:.0%} intervals over cases")
    return drawn


def _pareto_handles(palette: dict[str, str], strategies: list[str], infinite: bool) -> list:
    from matplotlib.lines import Line2D
    from matplotlib.patches import Patch

    grey = "#8a929b"
    kinds = [("o", "Plain", True), ("^", "Guided, larger at larger η", True)]
    kinds += [("^", "Guided, D = ∞", False)] if infinite else []
    kinds += [(_strategy_marker(name, strategies), labels.strategy(name), True) for name in strategies]
    return [
        *(Patch(color=colour, label=name) for name, colour in palette.items()),
        *(Line2D([], [], marker=marker, linestyle="", label=text, **marker_face(f, grey)) for marker, text, f in kinds),
        Line2D([], [], color=INK, linewidth=1, linestyle="--", label="Front"),
    ]


def _strategy_marker(name: str, strategies: list[str]) -> str:
    return ("D", "P", "s", "X", "v", "<", "*", "p")[strategies.index(name) % 8]


def _front(axis: Axes, trade: Tradeoff, palette: dict[str, str], strategies: list[str]) -> None:
    most = max((row.eta for row in trade.rows), default=0) or 1.0
    for row, up, right in zip(trade.rows, trade.diversities, trade.qualities, strict=True):
        if not (math.isfinite(up.estimate) and math.isfinite(right.estimate)):
            continue
        colour, (low, high), (left, far) = palette[row.sampler], error_lengths(up), error_lengths(right)
        x, y = [right.estimate], [up.estimate]
        axis.errorbar(
            x, y, xerr=[[left], [far]], yerr=[[low], [high]], fmt="none", ecolor=colour, alpha=0.3, elinewidth=0.9
        )
        selected = row.selected
        marker = "o" if row.plain else _strategy_marker(row.method, strategies) if selected else "^"
        size = 4.5 + 3.5 * math.sqrt(row.eta / most) if marker == "^" else 6
        axis.plot(x, y, marker, markersize=size, zorder=3, **marker_face(math.isfinite(row.D), colour))
    front = sorted(
        (right.estimate, up.estimate)
        for right, up, on in zip(trade.qualities, trade.diversities, trade.front, strict=True)
        if on
    )
    axis.plot([x for x, _ in front], [y for _, y in front], color=INK, linewidth=1, linestyle="--", zorder=2)
