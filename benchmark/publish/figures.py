"""The figures of a run: sweeps, selection, samplers, and diversity against quality. One of each for every dataset."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from benchmark import statistics
from benchmark.publish import labels
from benchmark.publish.labels import Measure
from benchmark.publish.measured import OVERALL, Group, Measured, Scope, groups
from benchmark.publish.names import FIGURE_OF, datasets_of, figure_names
from benchmark.publish.style import COLOURS, FAINT, INK, MARKERS, PLAIN, colours, save, style
from benchmark.publish.tables import check
from benchmark.publish.tradeoff import Tradeoff, tradeoffs
from benchmark.statistics import Interval

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

# The measures that a figure has a row (sweeps, selection) or a column (samplers) for: group -> how many.
SHOWN = {
    "eta_sweep": {"diversity": 3, "quality": 2},
    "D_sweep": {"diversity": 3, "quality": 2},
    "selection": {"diversity": 2, "coverage": 1, "quality": 1},
    "samplers": {"diversity": 1, "quality": 2, "fidelity": 1, "cost": 2},
}
MOST_PANELS = 6  # in a row; further tasks go on the next rows of a trade-off, and are left to the tables elsewhere
PANEL = 2.15, 1.75  # inches


def write_figures(settings: dict, metrics: str, folder: str | Path) -> list[str]:
    """Write NAME.png and .svg for every name of :func:`benchmark.publish.names.figure_names`.

    Returns:
        The names of the figures.

    Raises:
        BenchmarkError: settings without tables, a metrics file that lacks a point that a figure needs.
    """
    check(settings)
    measured = Measured(metrics, settings.get("confidence", statistics.LEVEL))
    drawers: dict[str, Callable[[], Figure]] = {}
    for table, prefix in FIGURE_OF.items():
        for dataset in datasets_of(settings):
            found = [group for group in groups(settings, table) if group.dataset == dataset]
            drawers[f"{prefix}_{dataset}"] = _drawer(_DRAWERS[table], measured, found)
    for dataset in datasets_of(settings):
        drawers[f"pareto_{dataset}"] = _drawer(_pareto, measured, dataset, settings)
    names = figure_names(settings)
    with style():
        for name in names:
            save(drawers[name](), folder, name)
    return names


def _drawer(draw: Callable, *args: object) -> Callable[[], Figure]:
    return lambda: draw(*args)


# ------------------------------------------------------------------------------------------------------- common pieces
def _scopes(found: list[Group]) -> list[Scope]:
    """The panels: overall and the tasks that all groups share, as many as fit."""
    return found[0].scopes()[:MOST_PANELS]


def _title(scope: Scope) -> str:
    return f"mean over {len(scope.tasks)} tasks" if scope.name == OVERALL else scope.name


def _measures(measured: Measured, found: list[Group]) -> list[Measure]:
    present = {name for group in found for name in measured.metrics(group)}
    return [shown for kind, n in SHOWN[found[0].table].items() for shown in labels.preferred(present, kind, count=n)]


def _wrapped(shown: Measure) -> str:
    """An axis label of two lines: the measure, then unit and arrow with it."""
    words = shown.header.split(" ")
    if len(shown.header) < 18:
        return shown.header
    cuts = [(" ".join(words[:cut]), " ".join(words[cut:])) for cut in range(1, len(words))]
    return "\n".join(min(cuts, key=lambda pair: abs(len(pair[0]) - len(pair[1]))))


def _bounds(interval: Interval) -> tuple[float, float]:
    """How far the interval reaches below and above the estimate; 0 where it has no bounds."""
    low, high = interval.estimate - interval.low, interval.high - interval.estimate
    return (low if math.isfinite(low) else 0.0, high if math.isfinite(high) else 0.0)


def _grid(rows: int, columns: int, size: tuple[float, float] = PANEL, **options):
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


def _legend(figure: Figure, handles: list, title: str | None = None, columns: int = 4) -> None:
    # Outside the axes, where the constrained layout keeps room for it.
    figure.legend(
        handles=handles, loc="outside lower center", ncols=min(columns, len(handles)), title=title, fontsize="medium"
    )


def _caption(measured: Measured, group: Group, what: str) -> str:
    n = f", sets of N = {group.n}" if group.n else ""
    return f"{group.dataset}: {what}{n}; {measured.level:.0%} intervals over cases"


# -------------------------------------------------------------------------------------------------------------- sweeps
def _sweep(measured: Measured, found: list[Group]) -> Figure:
    from matplotlib.lines import Line2D

    axis_name = "eta" if found[0].table == "eta_sweep" else "D"
    shown, panels = _measures(measured, found), _scopes(found)
    figure, axes = _grid(len(shown), len(panels), sharex=True, sharey="row")
    samplers = [group.sampler or "" for group in found]
    palette = colours(samplers)
    for line, column in zip(axes, shown, strict=True):
        for axis, scope in zip(line, panels, strict=True):
            for index, group in enumerate(found):
                _curve(
                    axis, measured, group, scope, column.name, axis_name, palette[samplers[index]], MARKERS[index % 8]
                )
        line[0].set_ylabel(_wrapped(column))
    for axis, scope in zip(axes[0], panels, strict=True):
        axis.set_title(_title(scope))
    for axis in axes[-1]:
        _sweep_ticks(axis, found, axis_name)
    figure.align_ylabels(axes[:, 0])
    fixed = labels.distance({"D_unit": "rms", **found[0].fixed}) if axis_name == "eta" else found[0].fixed.get("eta")
    rest = f"D = {fixed}" if axis_name == "eta" else f"η = {fixed:g}" if fixed is not None else ""
    figure.suptitle(
        _caption(measured, found[0], f"diversity and quality against {'η' if axis_name == 'eta' else 'D'}, {rest}")
    )
    if len(found) > 1:
        handles = [
            Line2D([], [], color=palette[name], marker=MARKERS[i % 8], label=name) for i, name in enumerate(samplers)
        ]
        _legend(figure, handles)
    return figure


def _curve(
    axis: Axes, measured: Measured, group: Group, scope: Scope, metric: str, name: str, colour: str, marker: str
):
    rows = sorted(group.rows, key=lambda row: _value(row, name))
    points = [(row, measured.mean(group.dataset, scope, row, metric)) for row in rows]
    points = [(row, interval) for row, interval in points if math.isfinite(interval.estimate)]
    if not points:
        return
    place = _places([row for row, _ in points], [_value(row, name) for row in group.rows], name)
    middle = [interval.estimate for _, interval in points]
    low, high = zip(*(_bounds(interval) for _, interval in points))
    finite = [index for index, (row, _) in enumerate(points) if math.isfinite(_value(row, name))]
    axis.plot([place[i] for i in finite], [middle[i] for i in finite], color=colour, linewidth=1.4)
    if len(finite) < len(points) and finite:
        ends = [finite[-1], len(points) - 1]
        axis.plot([place[i] for i in ends], [middle[i] for i in ends], color=colour, linewidth=1.1, linestyle=":")
    axis.errorbar(
        place, middle, yerr=[low, high], fmt=marker, color=colour, markersize=4.5, capsize=2, elinewidth=1.1,
        markeredgecolor="white", markeredgewidth=0.6,
    )  # fmt: skip


def _value(row: dict, name: str) -> float:
    return 0.0 if labels.is_plain(row) else float(row[name])


def _places(rows: list[dict], values: list[float], name: str) -> list[float]:
    """Where the rows stand on the axis: at their value; an infinite one a step beyond the largest."""
    return [_infinity(values) if math.isinf(_value(row, name)) else _value(row, name) for row in rows]


def _infinity(values: list[float]) -> float:
    return 1.3 * max((value for value in values if math.isfinite(value)), default=1.0) or 1.0


def _sweep_ticks(axis: Axes, found: list[Group], name: str) -> None:
    from matplotlib.ticker import MaxNLocator

    values = sorted({_value(row, name) for group in found for row in group.rows})
    finite = [value for value in values if math.isfinite(value)]
    most = max(finite)
    ticks = [
        tick for tick in MaxNLocator(4, steps=[1, 2, 2.5, 5, 10]).tick_values(0, most or 1) if 0 <= tick <= most * 1.001
    ]
    texts = [f"{tick:g}" for tick in ticks]
    if len(finite) < len(values):
        ticks, texts = [*ticks, _infinity(values)], [*texts, "∞"]
    axis.set_xticks(ticks, texts)
    span = max(ticks) or 1.0
    axis.set_xlim(-0.06 * span, 1.06 * max(span, most))
    units = {row["D_unit"] for group in found for row in group.rows if 0 < row["D"] < math.inf}
    unit = ", ".join(labels.UNITS.get(unit, unit) for unit in sorted(units))
    axis.set_xlabel("η" if name == "eta" else f"D ({unit})" if unit else "D")


# --------------------------------------------------------------------------------------------------- selection, samplers
def _selection(measured: Measured, found: list[Group]) -> Figure:
    from matplotlib.lines import Line2D

    shown, panels = _measures(measured, found), _scopes(found)
    names = list(dict.fromkeys(labels.point(row) for group in found for row in group.rows))
    figure, axes = _grid(len(shown), len(panels), (PANEL[0], 0.24 * len(names) + 0.75), sharey=True, sharex="row")
    for line, column in zip(axes, shown, strict=True):
        for axis, scope in zip(line, panels, strict=True):
            for index, group in enumerate(found):
                shift = 0.25 * (index - (len(found) - 1) / 2)
                _dots(axis, measured, group, scope, column.name, names, shift, MARKERS[index % 8])
            axis.set_xlabel(column.header if len(column.header) < 26 else _wrapped(column))
    for axis, scope in zip(axes[0], panels, strict=True):
        axis.set_title(_title(scope))
    axes[0, 0].set_yticks(range(len(names)), names)
    axes[0, 0].set_ylim(len(names) - 0.4, -0.6)
    figure.suptitle(_caption(measured, found[0], "plain, guided and selected sets"))
    if len(found) > 1:
        _legend(
            figure,
            [
                Line2D([], [], color=INK, linestyle="", marker=MARKERS[i % 8], label=group.sampler)
                for i, group in enumerate(found)
            ],
        )
    return figure


def _dots(
    axis: Axes, measured: Measured, group: Group, scope: Scope, metric: str, names: list[str], shift: float, marker: str
) -> None:
    for row in group.rows:
        interval = measured.mean(group.dataset, scope, row, metric)
        if not math.isfinite(interval.estimate):
            continue
        colour = _kind_colour(row)
        if labels.is_plain(row):
            axis.axvline(interval.estimate, color=FAINT, linewidth=1.1, linestyle="--", zorder=1)
        low, high = _bounds(interval)
        axis.errorbar(
            [interval.estimate], [names.index(labels.point(row)) + shift], xerr=[[low], [high]], fmt=marker, color=colour,
            markersize=5, capsize=2, elinewidth=1.2, markeredgecolor="white", markeredgewidth=0.6,
        )  # fmt: skip


def _kind_colour(row: dict) -> str:
    if labels.is_plain(row):
        return PLAIN
    if row.get("kind") != "selected":
        return COLOURS[1]
    return COLOURS[7] if row["method"] == "random" else COLOURS[0]


def _samplers(measured: Measured, found: list[Group]) -> Figure:
    from matplotlib.lines import Line2D

    shown, group = _measures(measured, found), found[0]
    scope = group.scopes()[0]
    names = list(dict.fromkeys(row["sampler"] for row in group.rows))
    figure, axes = _grid(1, len(shown), (PANEL[0], 0.38 * len(names) + 0.9), sharey=True)
    for axis, column in zip(axes[0], shown, strict=True):
        for row in group.rows:
            interval = measured.mean(group.dataset, scope, row, column.name)
            if not math.isfinite(interval.estimate):
                continue
            low, high = _bounds(interval)
            axis.errorbar(
                [interval.estimate], [names.index(row["sampler"]) + (-0.13 if labels.is_plain(row) else 0.13)],
                xerr=[[low], [high]], fmt="o" if labels.is_plain(row) else "^", color=_kind_colour(row), markersize=5,
                capsize=2, elinewidth=1.2, markeredgecolor="white", markeredgewidth=0.6,
            )  # fmt: skip
        axis.set_xlabel(_wrapped(column))
        _scale(axis, measured, group, scope, column.name)
    axes[0, 0].set_yticks(range(len(names)), names)
    axes[0, 0].set_ylim(len(names) - 0.4, -0.6)
    points = dict.fromkeys(labels.point(row) for row in group.rows if not labels.is_plain(row))
    handles = [Line2D([], [], color=PLAIN, linestyle="", marker="o", label="Plain")]
    handles += [Line2D([], [], color=COLOURS[1], linestyle="", marker="^", label=", ".join(points))] if points else []
    _legend(figure, handles)
    over = f", {_title(scope)}" if scope.name == OVERALL else f", {scope.name}"
    figure.suptitle(_caption(measured, group, f"samplers{over}"))
    return figure


def _scale(axis: Axes, measured: Measured, group: Group, scope: Scope, metric: str) -> None:
    """A logarithmic axis where the samplers differ by more than a factor of 30."""
    values = [measured.mean(group.dataset, scope, row, metric).estimate for row in group.rows]
    positive = [value for value in values if math.isfinite(value) and value > 0]
    if len(positive) == len(values) and max(positive) > 30 * min(positive):
        axis.set_xscale("log")


# --------------------------------------------------------------------------------------------------------- trade-offs
def _pareto(measured: Measured, dataset: str, settings: dict) -> Figure:
    from matplotlib.lines import Line2D

    found = tradeoffs(settings, measured, dataset)
    columns = min(max(len(found), 1), 3)
    figure, axes = _grid(max(1, math.ceil(len(found) / columns)), columns, (3.1, 2.6), sharex=True, sharey=True)
    palette = colours([row["sampler"] for trade in found for row in trade.rows])
    strategies = list(dict.fromkeys(row["method"] for t in found for row in t.rows if row.get("kind") == "selected"))
    for axis, trade in zip(axes.flat, found):
        _front(axis, trade, palette, strategies)
        axis.set_title(_title(trade.scope))
    for axis in list(axes.flat)[len(found) :]:
        axis.set_axis_off()
    if not found:
        axes[0, 0].text(0.5, 0.5, "no measure of quality", ha="center", va="center", transform=axes[0, 0].transAxes)
        return figure
    if found[0].quality.better < 0:
        axes[0, 0].invert_xaxis()
    for axis in axes[:, 0]:
        axis.set_ylabel(found[0].diversity.header)
    for axis in axes[-1]:
        axis.set_xlabel(found[0].quality.header)
    handles = [Line2D([], [], color=colour, marker="s", linestyle="", label=name) for name, colour in palette.items()]
    for marker, text in [("o", "Plain"), ("^", "Guided, larger at larger η"), *_strategy_handles(strategies)]:
        handles.append(Line2D([], [], color="#8a929b", marker=marker, linestyle="", label=text))
    handles.append(Line2D([], [], color=INK, linewidth=1, linestyle="--", label="Front"))
    _legend(figure, handles)
    figure.suptitle(f"{dataset}: diversity against quality; {measured.level:.0%} intervals over cases")
    return figure


def _strategy_handles(strategies: list[str]) -> list[tuple[str, str]]:
    return [(_strategy_marker(name, strategies), labels.strategy(name)) for name in strategies]


def _strategy_marker(name: str, strategies: list[str]) -> str:
    return ("D", "P", "s", "X", "v", "<", "*", "p")[strategies.index(name) % 8]


def _front(axis: Axes, trade: Tradeoff, palette: dict[str, str], strategies: list[str]) -> None:
    most = max((row["eta"] for row in trade.rows), default=0) or 1.0
    for row, up, right in zip(trade.rows, trade.diversities, trade.qualities, strict=True):
        if not (math.isfinite(up.estimate) and math.isfinite(right.estimate)):
            continue
        colour, (low, high), (left, far) = palette[row["sampler"]], _bounds(up), _bounds(right)
        x, y = [right.estimate], [up.estimate]
        axis.errorbar(
            x, y, xerr=[[left], [far]], yerr=[[low], [high]], fmt="none", ecolor=colour, alpha=0.3, elinewidth=0.9
        )
        selected = row.get("kind") == "selected"
        marker = "o" if labels.is_plain(row) else _strategy_marker(row["method"], strategies) if selected else "^"
        size = 4.5 + 3.5 * math.sqrt(row["eta"] / most) if marker == "^" else 6
        axis.plot(x, y, marker, color=colour, markersize=size, markeredgecolor="white", markeredgewidth=0.6, zorder=3)
    front = sorted(
        (right.estimate, up.estimate)
        for right, up, on in zip(trade.qualities, trade.diversities, trade.front, strict=True)
        if on
    )
    axis.plot([x for x, _ in front], [y for _, y in front], color=INK, linewidth=1, linestyle="--", zorder=2)


_DRAWERS = {"eta_sweep": _sweep, "D_sweep": _sweep, "selection": _selection, "samplers": _samplers}
