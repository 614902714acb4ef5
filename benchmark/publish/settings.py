"""The settings of the publishing stage, checked before anything is read."""

from __future__ import annotations

from benchmark.errors import BenchmarkError
from benchmark.publish.contents import BLOCKS


def check(settings: dict) -> None:
    """Refuse settings that are not those of the publishing stage (docs/architecture.md, section 7.1).

    Raises:
        BenchmarkError: no tables, or no rows in any.
    """
    if not isinstance(settings.get("tables"), dict):
        raise BenchmarkError("--settings: tables: missing; see docs/architecture.md, section 7.1")
    unknown = sorted(set(settings["tables"]) - set(BLOCKS))
    if unknown:
        raise BenchmarkError(f"--settings: tables: unknown table {unknown[0]!r}; known are {', '.join(BLOCKS)}")
    for table, blocks in settings["tables"].items():
        for block in blocks:
            lacking = {"dataset", "task", "rows"} - set(block)
            if lacking or not block["rows"]:
                what = min(lacking) if lacking else "rows"
                raise BenchmarkError(f"--settings: tables: {table}: a block without {what}")
