"""The published numbers that stand beside ours: ``paper.yaml``, and which of its rows belongs to which of ours."""

from __future__ import annotations

import math
from functools import cache
from pathlib import Path

import yaml

from benchmark.jobs.publish import Row

FILE = Path(__file__).with_name("paper.yaml")


@cache
def source_paper() -> dict:
    """The data file as it stands: source, columns, tables."""
    return yaml.safe_load(FILE.read_text(encoding="utf-8"))


def axis_of(sweep: str) -> str:
    """What varies in a sweep that the paper has, too: ``eta`` or ``D``."""
    return source_paper()["tables"][sweep]["axis"]


def beside(table: str, rows: list[Row]) -> tuple[list[dict | None], list[dict]]:
    """The published row beside each of our rows, and the published rows without a partner.

    eta has one meaning everywhere and is matched by value. D is matched where it is 0 or infinite; between those it is
    counted in another unit, and the finite values are set side by side in their order if there are equally many.
    """
    axis = axis_of(table)
    theirs = source_paper()["tables"][table]["rows"]
    ours = [0.0 if row.plain else float(getattr(row, axis)) for row in rows]
    partner: dict[int, dict] = {}
    for index, value in enumerate(ours):
        if axis == "eta" or value in (0, math.inf):
            match = next((row for row in theirs if row[axis] == value), None)
            if match is not None:
                partner[index] = match
    if axis == "D":
        middle = sorted((index for index, value in enumerate(ours) if 0 < value < math.inf), key=ours.__getitem__)
        their_middle = [row for row in theirs if 0 < row[axis] < math.inf]
        if len(middle) == len(their_middle):
            partner |= dict(zip(middle, their_middle, strict=True))
    alone = [row for row in theirs if all(row is not other for other in partner.values())]
    return [partner.get(index) for index in range(len(rows))], alone
