"""The files of a table: csv of full precision, and the document as Markdown, LaTeX and HTML."""

from __future__ import annotations

import csv
import io
import math
from pathlib import Path

from benchmark import store
from benchmark.publish import document
from benchmark.publish.document import Document


def write_table(folder: str | Path, name: str, records: list[dict], text: Document) -> None:
    """Write NAME.csv, .md, .tex and .html."""
    store.write_text(Path(folder) / f"{name}.csv", as_csv(records))
    for suffix, write in (("md", document.markdown), ("tex", document.latex), ("html", document.page)):
        store.write_text(Path(folder) / f"{name}.{suffix}", write(text))


def as_csv(records: list[dict]) -> str:
    """Records as csv, a column for every key of any; what is missing, None or NaN is empty."""
    text = io.StringIO()
    columns = list(dict.fromkeys(key for record in records for key in record))
    writer = csv.DictWriter(text, columns, restval="", lineterminator="\n")
    writer.writeheader()
    writer.writerows({key: _plain(value) for key, value in record.items()} for record in records)
    return text.getvalue()


def _plain(value: object) -> object:
    return "" if value is None or (isinstance(value, float) and math.isnan(value)) else value
