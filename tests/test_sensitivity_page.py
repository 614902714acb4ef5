"""What docs/sensitivity.md counts is what its table holds."""

import re
from collections import Counter
from pathlib import Path

DOCS = Path(__file__).resolve().parent.parent / "docs"


def test_the_page_counts_what_its_table_holds():
    lines = (DOCS / "sensitivity_table.md").read_text(encoding="utf-8").splitlines()
    rows = [line.split("|") for line in lines if re.match(r"\| (?!Measure|-)", line)]
    page = (DOCS / "sensitivity.md").read_text(encoding="utf-8")

    def counts(column: int) -> Counter:
        kinds = Counter()
        for row in rows:
            word = row[column].strip()
            kinds["some" if " in " in word else "all" if word in ("better", "worse") else word] += 1
        return kinds

    over_n, over_k = counts(-3), counts(-2)
    assert f"has {len(rows)} changes" in page
    assert "reversed" not in over_n
    assert "reversed" not in over_k
    assert f"Over N, {over_n['all']} changes lie on one side for all three, {over_n['some']} for some" in page
    assert (
        f"{over_n['not resolved']} for none. Over K, {over_k['all']}, {over_k['some']} and {over_k['not resolved']}"
        in page
    )
