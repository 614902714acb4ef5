"""The figures of a run: sweeps, selection, samplers, and diversity against quality. One of each for every dataset."""

from __future__ import annotations

import math
import textwrap
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from benchmark import statistics
from benchmark.publish import labels
from benchmark.publish.comparison import entries
from benchmark.publish.document import superscript
from benchmark.publish.labels import Measure
from benchmark.publish.measured import OVERALL, Group, Measured, Scope, groups
from benchmark.publish.names import FIGURE_OF, datasets_of, figure_names
from benchmark.publish.settings import check
from benchmark.publish.style import COLOURS, INK, MARKERS, PLAIN, colours, save, style
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
MOST_PANELS = 6  # of a sweep or a selection; further tasks are left to the tables, which the title says
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


def _headline(figure: Figure, text: str) -> None:
    """The figure's title, in lines that its width holds (some 11 letters to the inch)."""
    width = max(20, int(11 * figure.get_figwidth()))
    figure.suptitle("\n".join(line for part in text.splitlines() for line in textwrap.wrap(part, width)))


def _caption(measured: Measured, group: Group, what: str) -> str:
    n = f", N = {group.n}" if group.n else ""
    more = len(group.scopes()) - MOST_PANELS
    left = f"\n{more} more tasks are in the tables" if more > 0 and group.table != "samplers" else ""
    return f"{group.dataset}: {what}{n}; {measured.level:.0%} intervals over cases{left}"


def _unlike_plain(measured: Measured, group: Group, shown: list[Measure]) -> set[tuple[str, int, str]]:
    """(scope, row, metric) of what differs from plain after Holm's correction, or is plain itself."""
    names = [column.name for column in shown if column.name in measured.metrics(group)]
    return {
        (entry.scope.name, entry.position, entry.metric)
        for entry in (entries(measured, group, names) if names else [])
        if entry.significant or labels.is_plain(entry.row)
    }


def _face(filled: bool, colour: str) -> dict:
    """A filled marker with a white rim, or an open one."""
    if filled:
        return {"markerfacecolor": colour, "markeredgecolor": "white", "markeredgewidth": 0.6}
    return {"markerfacecolor": "white", "markeredgecolor": colour, "markeredgewidth": 1.2}


def _power(measured: Measured, group: Group, panels: list[Scope], metric: str) -> int:
    """The power of ten that an axis is to be divided by: 0 unless its numbers are very small or very large."""
    values = [abs(measured.mean(group.dataset, scope, row, metric).estimate) for scope in panels for row in group.rows]
    largest = max((value for value in values if math.isfinite(value)), default=0)
    return 0 if largest == 0 or 1e-3 <= largest < 1e6 else math.floor(math.log10(largest))


def _scaled(interval: Interval, power: int) -> Interval:
    factor = 10.0**-power
    return replace(
        interval, estimate=interval.estimate * factor, low=interval.low * factor, high=interval.high * factor
    )


def _header(shown: Measure, power: int) -> Measure:
    return replace(shown, label=f"{shown.label} (×10{superscript(power)})") if power else shown


# -------------------------------------------------------------------------------------------------------------- sweeps
def _sweep(measured: Measured, found: list[Group]) -> Figure:
    from matplotlib.lines import Line2D

    name = "eta" if found[0].table == "eta_sweep" else "D"
    shown, panels = _measures(measured, found), _scopes(found)
    figure, axes = _grid(len(shown), len(panels), sharex=True, sharey="row")
    samplers = [group.sampler or "" for group in found]
    palette = colours(samplers)
    for index, group in enumerate(found):
        unlike = _unlike_plain(measured, group, shown)
        look = {"color": palette[samplers[index]], "marker": MARKERS[index % len(MARKERS)]}
        shift = 0.012 * (2 * index - len(found) + 1)
        for line, column in zip(axes, shown, strict=True):
            power = _power(measured, found[0], panels, column.name)
            line[0].set_ylabel(_wrapped(_header(column, power)))
            for axis, scope in zip(line, panels, strict=True):
                points = []
                for position, row in enumerate(group.rows):
                    interval = _scaled(measured.mean(group.dataset, scope, row, column.name), power)
                    points.append((row, interval, (scope.name, position, column.name) in unlike))
                _curve(axis, points, name, shift, look)
    for axis, scope in zip(axes[0], panels, strict=True):
        axis.set_title(_title(scope))
    for axis in axes[-1]:
        _sweep_ticks(axis, found, name)
    figure.align_ylabels(axes[:, 0])
    fixed = found[0].fixed
    rest = f"D = {labels.distance({'D_unit': 'rms', **fixed})}" if name == "eta" else f"η = {fixed['eta']:g}"
    _headline(figure, _caption(measured, found[0], f"diversity and quality against {labels.AXES[name]}, {rest}"))
    handles = [
        Line2D([], [], label=text, color=palette[text], marker=MARKERS[i % len(MARKERS)])
        for i, text in enumerate(samplers)
    ]
    _legend(figure, [*handles, _open_handle()])
    return figure


def _open_handle():
    from matplotlib.lines import Line2D

    text = "open: not distinguishable from plain (paired, Holm)"
    return Line2D([], [], color=INK, linestyle="", marker="o", label=text, **_face(False, INK))


def _curve(axis: Axes, points: list[tuple[dict, Interval, bool]], name: str, shift: float, look: dict) -> None:
    """A sampler's sweep: a line through the finite values, dotted to the infinite one, and an interval at each."""
    values = [_value(row, name) for row, _, _ in points]
    points = sorted((p for p in points if math.isfinite(p[1].estimate)), key=lambda point: _value(point[0], name))
    if not points:
        return
    infinity = _infinity(values)
    span = max(min(value, infinity) for value in values) or 1.0
    place = [min(_value(row, name), infinity) + shift * span for row, _, _ in points]
    middle = [interval.estimate for _, interval, _ in points]
    finite = sum(math.isfinite(_value(row, name)) for row, _, _ in points)
    last = max(finite - 1, 0)
    axis.plot(place[:finite], middle[:finite], color=look["color"], linewidth=1.4)
    axis.plot(place[last:], middle[last:], color=look["color"], linewidth=1.1, linestyle=":")
    for filled in (True, False):
        part = [index for index, point in enumerate(points) if point[2] == filled]
        if part:
            bounds = list(zip(*(_bounds(points[index][1]) for index in part)))
            axis.errorbar(
                [place[i] for i in part], [middle[i] for i in part], yerr=bounds, fmt=look["marker"], markersize=4.8,
                color=look["color"], capsize=2, capthick=1.1, elinewidth=1.1, **_face(filled, look["color"]),
            )  # fmt: skip


def _value(row: dict, name: str) -> float:
    return 0.0 if labels.is_plain(row) else float(row[name])


def _infinity(values: list[float]) -> float:
    """Where an infinite value stands: a step beyond the largest finite one."""
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
    axis.set_xlabel(f"D ({unit})" if name == "D" and unit else labels.AXES[name])


# ------------------------------------------------------------------------------------------------- selection, samplers
def _selection(measured: Measured, found: list[Group]) -> Figure:
    from matplotlib.lines import Line2D

    shown, panels = _measures(measured, found), _scopes(found)
    names = list(dict.fromkeys(labels.point(row) for group in found for row in group.rows))
    figure, axes = _grid(len(shown), len(panels), (PANEL[0], 0.24 * len(names) + 0.75), sharey=True, sharex="row")
    for index, group in enumerate(found):
        unlike = _unlike_plain(measured, group, shown)
        shift = 0.25 * (index - (len(found) - 1) / 2)
        for line, column in zip(axes, shown, strict=True):
            power = _power(measured, found[0], panels, column.name)
            header = _header(column, power)
            for axis, scope in zip(line, panels, strict=True):
                axis.set_xlabel(header.header if len(header.header) < 26 else _wrapped(header))
                for position, row in enumerate(group.rows):
                    interval = _scaled(measured.mean(group.dataset, scope, row, column.name), power)
                    if labels.is_plain(row) and math.isfinite(interval.estimate):
                        axis.axvline(interval.estimate, color="#aab1b9", linewidth=1, linestyle="--", zorder=1)
                    filled = (scope.name, position, column.name) in unlike
                    place = names.index(labels.point(row)) + shift
                    _dot(axis, interval, place, MARKERS[index % len(MARKERS)], _kind_colour(row), filled)
    for axis, scope in zip(axes[0], panels, strict=True):
        axis.set_title(_title(scope))
    axes[0, 0].set_yticks(range(len(names)), names)
    axes[0, 0].set_ylim(len(names) - 0.4, -0.6)
    _headline(figure, _caption(measured, found[0], "plain, guided and selected sets"))
    handles = [
        Line2D([], [], color=INK, linestyle="", marker=MARKERS[i % len(MARKERS)], label=group.sampler)
        for i, group in enumerate(found)
    ]
    _legend(figure, [*handles, _open_handle()])
    return figure


def _dot(axis: Axes, interval: Interval, place: float, marker: str, colour: str, filled: bool = True) -> None:
    """A mean with its interval, lying."""
    if not math.isfinite(interval.estimate):
        return
    low, high = _bounds(interval)
    axis.errorbar(
        [interval.estimate], [place], xerr=[[low], [high]], fmt=marker, color=colour, markersize=5.2, capsize=2,
        capthick=1.2, elinewidth=1.2, **_face(filled, colour),
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
        logarithmic = _logarithmic(measured, group, scope, column.name)
        power = 0 if logarithmic else _power(measured, group, [scope], column.name)
        axis.set_xscale("log" if logarithmic else "linear")
        axis.set_xlabel(_wrapped(_header(column, power)))
        for row in group.rows:
            plain = labels.is_plain(row)
            interval = _scaled(measured.mean(group.dataset, scope, row, column.name), power)
            place = names.index(row["sampler"]) + (-0.13 if plain else 0.13)
            _dot(axis, interval, place, "o" if plain else "^", _kind_colour(row))
    axes[0, 0].set_yticks(range(len(names)), names)
    axes[0, 0].set_ylim(len(names) - 0.4, -0.6)
    points = dict.fromkeys(labels.point(row) for row in group.rows if not labels.is_plain(row))
    handles = [Line2D([], [], color=PLAIN, linestyle="", marker="o", label="Plain")]
    handles += [Line2D([], [], color=COLOURS[1], linestyle="", marker="^", label=" / ".join(points))] if points else []
    _legend(figure, handles)
    _headline(figure, _caption(measured, group, f"samplers, {_title(scope)}"))
    return figure


def _logarithmic(measured: Measured, group: Group, scope: Scope, metric: str) -> bool:
    """Whether the samplers differ by more than a factor of 30, all above 0."""
    values = [measured.mean(group.dataset, scope, row, metric).estimate for row in group.rows]
    values = [value for value in values if math.isfinite(value)]
    return bool(values) and min(values) > 0 and max(values) > 30 * min(values)


# --------------------------------------------------------------------------------------------------------- trade-offs
def _pareto(measured: Measured, dataset: str, settings: dict) -> Figure:
    found = tradeoffs(settings, measured, dataset)
    columns = max(1, len(found)) if len(found) <= 4 else 3
    figure, axes = _grid(max(1, math.ceil(len(found) / columns)), columns, (2.9, 2.6), sharex=True, sharey=True)
    if not found:
        axes[0, 0].text(0.5, 0.5, "no measure of quality", ha="center", va="center", transform=axes[0, 0].transAxes)
        return figure
    palette = colours([row["sampler"] for trade in found for row in trade.rows])
    strategies = list(dict.fromkeys(row["method"] for t in found for row in t.rows if row.get("kind") == "selected"))
    for index, (axis, trade) in enumerate(zip(axes.flat, found)):
        _front(axis, trade, palette, strategies)
        axis.set_title(_title(trade.scope))
        if index + columns >= len(found):
            axis.set_xlabel(trade.quality.header)
            axis.tick_params(labelbottom=True)
    for axis in list(axes.flat)[len(found) :]:
        axis.set_axis_off()
    if found[0].quality.better < 0:
        axes[0, 0].invert_xaxis()
    for axis in axes[:, 0]:
        axis.set_ylabel(found[0].diversity.header)
    infinite = any(math.isinf(row["D"]) for trade in found for row in trade.rows)
    _legend(figure, _pareto_handles(palette, strategies, infinite))
    _headline(figure, f"{dataset}: diversity against quality; {measured.level:.0%} intervals over cases")
    return figure


def _pareto_handles(palette: dict[str, str], strategies: list[str], infinite: bool) -> list:
    from matplotlib.lines import Line2D
    from matplotlib.patches import Patch

    grey = "#8a929b"
    kinds = [("o", "Plain", True), ("^", "Guided, larger at larger η", True)]
    kinds += [("^", "Guided, D = ∞", False)] if infinite else []
    kinds += [(_strategy_marker(name, strategies), labels.strategy(name), True) for name in strategies]
    return [
        *(Patch(color=colour, label=name) for name, colour in palette.items()),
        *(Line2D([], [], marker=marker, linestyle="", label=text, **_face(f, grey)) for marker, text, f in kinds),
        Line2D([], [], color=INK, linewidth=1, linestyle="--", label="Front"),
    ]


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
        axis.plot(x, y, marker, markersize=size, zorder=3, **_face(math.isfinite(row["D"]), colour))
    front = sorted(
        (right.estimate, up.estimate)
        for right, up, on in zip(trade.qualities, trade.diversities, trade.front, strict=True)
        if on
    )
    axis.plot([x for x, _ in front], [y for _, y in front], color=INK, linewidth=1, linestyle="--", zorder=2)


_DRAWERS = {"eta_sweep": _sweep, "D_sweep": _sweep, "selection": _selection, "samplers": _samplers}
