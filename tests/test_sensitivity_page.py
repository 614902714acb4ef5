"""What docs/sensitivity.md counts is what its table holds."""

import re
from collections import Counter
from pathlib import Path

DOCS = Path(__file__).resolve().parent.parent / "docs"


def test_the_page_counts_what_its_table_holds():
    lines = (DOCS / "sensitivity_table.md").read_text(encoding="utf-8").splitlines()
    rows = [line.split("|") for line in lines if re.match(r"\| (?!Measure|-)", line)]
    page = " ".join((DOCS / "sensitivity.md").read_text(encoding="utf-8").split())

    def counts(column: int) -> Counter:
        kinds = Counter()
        for row in rows:
            word = row[column].strip()
            kinds["some" if " in " in word else "all" if word in ("better", "worse") else word] += 1
        return kinds

    def other_sign(row: list[str]) -> bool:
        """Whether an estimate has the other sign than one whose interval lies on one side of 0."""
        numbers = [re.findall(r"−?[\d.]+", cell.replace("+", "")) for cell in row[2:7] if "[" in cell]
        found = [[float(number.replace("−", "-")) for number in cell] for cell in numbers]
        resolved = {low > 0 for _, low, high in found if low > 0 or high < 0}
        return any((estimate < 0) if side else (estimate > 0) for side in resolved for estimate, *_ in found)

    assert f"in {sum(map(other_sign, rows))} of the {len(rows)} one that is not resolved has the other sign" in page
    over_n, over_k = counts(-3), counts(-2)
    assert f"has {len(rows)} changes" in page
    assert over_n["reversed"] == 1
    assert f"One conclusion of the {len(rows)} is reversed over N, none over K" in page
    assert "reversed" not in over_k
    assert f"Over N, {over_n['all']} changes lie on one side for all three, {over_n['some']} for some" in page
    assert (
        f"{over_n['not resolved']} for none. Over K, {over_k['all']}, {over_k['some']} and {over_k['not resolved']}"
        in page
    )
