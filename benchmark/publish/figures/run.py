"""The figures of a run: sweeps, selection, samplers, and diversity against quality. One of each for every dataset."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from benchmark import statistics
from benchmark.publish.contents import FIGURE_OF, datasets_of, figure_names
from benchmark.publish.figures.dots import samplers_figure, selection_figure
from benchmark.publish.figures.pareto import pareto_figure
from benchmark.publish.figures.style import save, style
from benchmark.publish.figures.sweeps import sweep_figure
from benchmark.publish.results.measured import Measured, groups, samples_of
from benchmark.publish.settings import check

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_DRAWERS = {
    "eta_sweep": sweep_figure,
    "D_sweep": sweep_figure,
    "selection": selection_figure,
    "samplers": samplers_figure,
}


def write_figures(settings: dict, metrics: str, folder: str | Path) -> list[str]:
    """Write NAME.png and .svg for every name of :func:`benchmark.publish.names.figure_names`.

    Returns:
        The names of the figures.

    Raises:
        BenchmarkError: settings without tables, a metrics file that lacks a point that a figure needs.
    """
    check(settings)
    measured = Measured(metrics, settings.get("confidence", statistics.LEVEL), samples_of(settings))
    draw: dict[str, Callable[[], Figure]] = {}
    for table, prefix in FIGURE_OF.items():
        for dataset in datasets_of(settings):
            found = [group for group in groups(settings, table) if group.dataset == dataset]
            draw[f"{prefix}_{dataset}"] = partial(_DRAWERS[table], measured, found)
    for dataset in datasets_of(settings):
        draw[f"pareto_{dataset}"] = partial(pareto_figure, measured, dataset, settings)
    names = figure_names(settings)
    with style():
        for name in names:
            save(draw[name](), folder, name)
    return names
