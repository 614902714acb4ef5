"""Figures of the truth: the distance over network evaluations beside its floor, and the bias of guidance over eta."""

from __future__ import annotations

import math

import numpy as np

from benchmark.publish.contents import ONCE, figure
from benchmark.publish.exact.price import per_diversity
from benchmark.publish.exact.results import Results, Setting
from benchmark.publish.figures.style import INK, MARKERS, colours

COLUMNS = 4
METRIC = "sliced_wasserstein"


def _grid(count: int, width: float, height: float, columns: int = COLUMNS):
    import matplotlib.pyplot as plt

    columns = min(columns, count)
    rows = math.ceil(count / columns)
    size = (max(width * columns, 5), height * rows + 0.9)
    figure, axes = plt.subplots(rows, columns, figsize=size, layout="constrained", squeeze=False)
    for axis in axes.flat[count:]:
        axis.set_axis_off()
    return figure, list(axes.flat[:count])


def _legend(figure, axes: list, columns: int) -> None:
    handles = {label: handle for axis in axes for handle, label in zip(*axis.get_legend_handles_labels())}
    if handles:
        figure.legend(handles.values(), handles.keys(), loc="outside upper center", ncols=columns)


def looks(results: Results, names: list[str]) -> dict[str, dict]:
    """Colour, line and marker of each sampler: one that is compared with another has its colour and a dashed line."""
    against = {pair.sampler: pair.against for pair in results.settings.compare}
    colour = colours([name for name in names if name not in against])
    return {
        name: {
            "color": colour.get(against.get(name, name), INK),
            "linestyle": "--" if name in against else "-",
            "marker": MARKERS[index % len(MARKERS)],
        }
        for index, name in enumerate(names)
    }


@figure(
    "truth_steps",
    "Samples held against exact posteriors: distance over steps beside the floor, and the bias of guidance per "
    "unit of diversity.",
    lambda settings: ONCE,
    rank=0,
)
def steps(results: Results):
    """Sliced W2 against network evaluations, a panel for each problem; the dotted line is the floor.

    Samplers of the preset ``reference`` are left to the table: without guidance most lie on the others.
    """
    from matplotlib.ticker import NullFormatter

    names = [name for name in results.samplers if results.preset[name] == "paper"]
    look = looks(results, names)
    drawn, axes = _grid(len(results.problems), 2.9, 2.5)
    for axis, problem in zip(axes, results.problems, strict=True):
        settings = results.of(problem, guided=False)
        floor = results.exact([problem], METRIC).estimate
        axis.axhline(floor, color=INK, linestyle=":", linewidth=1.2, label="exact samples (floor)")
        for name in names:
            own = [setting for setting in settings if setting.sampler == name]
            if own:
                intervals = [results.mean([problem], setting, METRIC) for setting in own]
                _line(axis, [results.nfe(problem, setting) for setting in own], intervals, name, look[name])
        axis.set(xscale="log", yscale="log", title=problem)
        axis.xaxis.set_minor_formatter(NullFormatter())
        _show(axis, log=True)
    drawn.supxlabel("Network evaluations of a sample", fontsize="medium")
    drawn.supylabel("Sliced W2 to the exact posterior", fontsize="medium")
    _legend(drawn, axes, 5)
    return drawn


def _line(axis, x: list[float], intervals: list, label: str, look: dict) -> None:
    y = np.array([interval.estimate for interval in intervals])
    ends = np.array([[interval.low, interval.high] for interval in intervals]).T
    lengths = np.where(np.isfinite(ends), np.abs(ends - y), 0.0)
    axis.errorbar(x, y, yerr=lengths, label=label, markersize=4, linewidth=1.2, elinewidth=0.8, **look)


def _show(axis, log: bool = False) -> None:
    """Limits by the values alone, so that one wide interval does not hide the others."""
    values = _values(axis)
    values = values[(values > 0) | (not log)]
    if len(values) == 0:
        return
    low, high = values.min(), values.max()
    if log:
        axis.set_ylim(low / 1.5, high * 1.5)
    elif high > low:
        axis.set_ylim(low - 0.25 * (high - low), high + 0.25 * (high - low))


def _values(axis) -> np.ndarray:
    """The finite values of an axis' lines; none without lines."""
    drawn = [np.atleast_1d(line.get_ydata()).astype(float) for line in axis.get_lines()]
    values = np.concatenate([np.empty(0), *drawn])
    return values[np.isfinite(values)]


def _compress(axis, times: float = 20.0) -> None:
    """A scale that is linear up to the median size of the values and logarithmic beyond, where the largest is more than
    ``times`` the median: one point that explodes does not flatten the others."""
    values = _values(axis)
    sizes = np.abs(values[values != 0])
    if len(sizes) and sizes.max() > times * np.median(sizes):
        axis.set_yscale("symlog", linthresh=float(np.median(sizes)))


@figure(
    "truth_bias",
    "Samples held against exact posteriors: distance over steps beside the floor, and the bias of guidance per "
    "unit of diversity.",
    lambda settings: ONCE,
    rank=1,
)
def bias(results: Results):
    """Change of the squared W2 excess per unit of diversity gained, over eta; a panel for each world and distance D.

    Where diversity did not rise beyond doubt there is no point. The samplers are those that are not there to be
    compared with another.
    """
    import matplotlib.pyplot as plt

    compared = {pair.sampler for pair in results.settings.compare}
    names = [name for name in results.samplers if name not in compared]
    panels = _panels(results, names)
    if not panels:
        drawn, axis = plt.subplots(figsize=(5, 2), layout="constrained")
        axis.set_axis_off()
        axis.text(0.5, 0.5, "No guided point in this run", ha="center", va="center")
        return drawn
    every = {setting for _, _, settings, _ in panels for setting in settings}
    lines = sorted({(names.index(one.sampler), one.method) for one in every})
    colour = colours([names[index] for index, _ in lines])
    drawn, axes = _grid(len(panels), 3.2, 2.7, 3)
    for axis, (world, reach, settings, problems) in zip(axes, panels, strict=True):
        for order, (index, method) in enumerate(lines):
            own = [one for one in settings if (one.sampler, one.method) == (names[index], method)]
            found = [(one.eta, per_diversity(results, results.served(problems, one), one)) for one in own]
            found = [(eta, interval) for eta, interval in found if np.isfinite(interval.estimate)]
            if found:
                look = {"color": colour[names[index]], "marker": MARKERS[order % len(MARKERS)]}
                look["linestyle"] = "-" if method == "nearest_neighbour" else "--"
                _line(axis, *map(list, zip(*found)), _name(names[index], method), look)
        _show(axis)
        _compress(axis)
        axis.axhline(0, color=INK, linestyle=":", linewidth=1.2)
        etas = sorted({setting.eta for setting in settings})
        axis.set(xscale="log", title=f"{world}, D {reach}")
        axis.set_xticks(etas, [f"{eta:g}" for eta in etas])
        axis.minorticks_off()
    drawn.supxlabel("Step size η", fontsize="medium")
    drawn.supylabel("Change of squared W2 excess per unit of diversity", fontsize="medium")
    _legend(drawn, axes, 3)
    return drawn


def _name(sampler: str, method: str) -> str:
    how = method.removeprefix("nearest_neighbour").strip("_")
    return f"{sampler}, {how}" if how else sampler


def _panels(results: Results, names: list[str]) -> list[tuple[str, str, list[Setting], list[str]]]:
    """(world, D in words, guided settings that all of its guided problems have, these problems)."""
    panels = []
    for world in results.world_names():
        problems = [problem for problem in results.problems_of(world) if results.of(problem, guided=True)]
        if not problems:
            continue
        settings = [setting for name in names for setting in results.guided_of(problems, name)]
        for reach in sorted({(setting.D, setting.D_unit) for setting in settings}):
            own = [setting for setting in settings if (setting.D, setting.D_unit) == reach]
            panels.append((world, own[0].reach, own, problems))
    return panels
