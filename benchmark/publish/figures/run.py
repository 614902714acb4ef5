"""The figures of a run, one of each kind for every dataset that has it."""

from __future__ import annotations

from pathlib import Path

from benchmark.jobs.publish import PublishSettings
from benchmark.publish.contents import figure_names, figures
from benchmark.publish.figures.style import save, style
from benchmark.publish.results.run import Run


def write_figures(settings: PublishSettings, metrics: str, folder: str | Path) -> list[str]:
    """Write NAME.png and .svg for every name of :func:`benchmark.publish.contents.figure_names`.

    Returns:
        The names of the figures.

    Raises:
        BenchmarkError: a metrics file that lacks a point that a figure needs.
    """
    run = Run.read(settings, metrics)
    with style():
        for one in figures().values():
            for name, dataset in one.files(settings).items():
                save(one.draw(run, dataset), folder, name)
    return figure_names(settings)
