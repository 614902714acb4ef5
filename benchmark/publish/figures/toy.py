"""The source paper's Figure 1 made anew: one panel per strategy, its picks on the cloud that it picked from."""

from __future__ import annotations

from pathlib import Path

from benchmark import store
from benchmark.publish.labels import strategy

ORDER = ("random", "kmeans", "uniformization", "farthest")
CLOUD, PICK = "#b4b9bf", "#c8102e"


def draw(data: str | Path, png: str | Path, svg: str | Path) -> None:
    """Draw the csv that the ``toy`` command writes (strategy, order, index, gaussian, x, y); same data, same bytes."""
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt
    import pandas as pd
    import seaborn as sns

    table = pd.read_csv(data)
    cloud = table[table.strategy == "all"]
    total = cloud.gaussian.nunique()
    shown = [name for name in ORDER if (table.strategy == name).any()]
    style = sns.axes_style("white") | sns.plotting_context("paper", font_scale=1.1) | {"svg.hashsalt": "toy"}
    with plt.rc_context(style):
        figure, axes = plt.subplots(
            1, len(shown), figsize=(3 * len(shown), 4), sharex=True, sharey=True, layout="constrained", squeeze=False
        )
        for axis, name in zip(axes[0], shown, strict=True):
            picks = table[table.strategy == name]
            axis.scatter(cloud.x, cloud.y, s=7, color=CLOUD, linewidths=0, rasterized=True)
            axis.scatter(picks.x, picks.y, s=34, color=PICK, edgecolors="white", linewidths=0.7, zorder=3)
            axis.set_title(f"{strategy(name)}\n{picks.gaussian.nunique()} of {total} Gaussians")
            axis.set(xticks=[], yticks=[], aspect="equal")
        figure.get_layout_engine().set(h_pad=0.12)
        figure.supxlabel(
            f"Grey: {len(cloud)} points of {total} Gaussians, {(cloud.gaussian == 0).mean():.0%} in the central one. "
            f"Red: the {len(picks)} that the strategy picks.",
            fontsize="medium",
        )
        with store.atomic(png) as path:
            figure.savefig(path, dpi=150, metadata={"Software": None})
        with store.atomic(svg) as path:
            figure.savefig(path, dpi=150, metadata={"Date": None, "Creator": None})
        plt.close(figure)
