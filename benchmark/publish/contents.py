"""What the publishing stage writes, by name: light enough for the workflow to ask while it plans (no pandas)."""

from __future__ import annotations

BLOCKS = ("eta_sweep", "D_sweep", "selection", "samplers")
TABLE_FORMATS = ("csv", "md", "tex", "html")
FIGURE_FORMATS = ("png", "svg")
FIGURE_OF = {"eta_sweep": "eta", "D_sweep": "D", "selection": "selection", "samplers": "samplers"}


def table_names(settings: dict) -> list[str]:
    """The tables of a run, each written as csv, md, tex and html.

    One for every list of blocks that is not empty; then ``statistics`` (differences from plain) and ``pareto`` where
    there is any block, ``operating_point`` where the settings give a margin too, ``guided_or_selected`` where a
    selection has a guided set and a selected one, ``knee`` where they name datasets
    whose sweeps over eta have the metric ``plausibility``, and ``attribute_shares`` where they name datasets' worlds.
    """
    names = [name for name in BLOCKS if settings["tables"].get(name)]
    if names:
        names += ["statistics", "pareto"]
        names += ["operating_point"] if settings.get("margin") else []
        names += ["guided_or_selected"] if _has_guided_and_selected(settings) else []
        names += ["knee"] if settings.get("knee") else []
        names += ["attribute_shares"] if settings.get("shares") else []
    return names


def _has_guided_and_selected(settings: dict) -> bool:
    rows = [row for block in settings["tables"].get("selection", []) for row in block["rows"]]
    selected = [row.get("kind") == "selected" for row in rows]
    return any(selected) and any(not s and row["method"] != "plain" for s, row in zip(selected, rows, strict=True))


def figure_names(settings: dict) -> list[str]:
    """The figures of a run, each written as png and svg.

    ``eta_DATASET``, ``D_DATASET``, ``selection_DATASET`` and ``samplers_DATASET`` for every dataset that has such
    blocks, and ``pareto_DATASET`` for every dataset.
    """
    names = []
    for table in BLOCKS:
        datasets = dict.fromkeys(block["dataset"] for block in settings["tables"].get(table, []))
        names += [f"{FIGURE_OF[table]}_{dataset}" for dataset in datasets]
    return names + [f"pareto_{dataset}" for dataset in datasets_of(settings)]


def datasets_of(settings: dict) -> list[str]:
    """The datasets that have a block in any table, in the order of their first."""
    return list(dict.fromkeys(block["dataset"] for name in BLOCKS for block in settings["tables"].get(name, [])))
