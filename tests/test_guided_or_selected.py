"""The table of guided against selected sets, on made-up measures whose answer is known."""

import csv
import io

import made_metrics as made
import pytest

from benchmark.publish.contents import table_names
from benchmark.publish.tables.run import write_tables

EVALUATIONS = {("long", "plain"): 100, ("long", "guided"): 100, ("long", "kmeans"): 2000, ("short", "kmeans"): 100}
COVERAGE = {("long", "plain"): 0.6, ("long", "guided"): 0.7, ("long", "kmeans"): 0.9, ("short", "kmeans"): 0.5}
WOBBLE = (0.02, -0.02, 0.01, -0.01, 0.0, 0.0)  # of the cases; its mean is 0


def settings(guided=True):
    long = [made.row("long", "plain"), *([made.guided("long", 0.3, 0.4, "guided")] if guided else [])]
    long.append(made.row("long", "kmeans", "selected", method="kmeans"))
    short = [made.row("short", "plain"), made.row("short", "kmeans", "selected", method="kmeans")]
    blocks = [made.block("faces", "left", "long", long), made.block("faces", "left", "short", short)]
    return {"run": "tiny", "tables": {"selection": blocks}}


def written(folder):
    """Write the tables: the csv's records by (sampler, metric) of the selected set, and the page."""
    rows = []
    for block in settings()["tables"]["selection"]:
        for row in block["rows"]:
            key = (row["sampler"], row["label"])
            keys = {name: row[name] for name in ("sampler", "method", "eta", "D", "D_unit")} | {"D_rms": row["D"]}
            for case in range(6):
                where = {"dataset": "faces", "task": "left", "case": f"c{case}", "seed": 0, "index": None}
                values = {"nfe": EVALUATIONS.get(key, 25), "seconds": EVALUATIONS.get(key, 25) / 100}
                values |= {"attribute_coverage": COVERAGE.get(key, 0.4) + WOBBLE[case] * (key[0] == "short")}
                values |= {"plausibility": 1.0, "feature_distance_mean": 3.0}
                rows += [where | keys | {"metric": name, "value": float(value)} for name, value in values.items()]
    made.write_metrics(folder / "metrics.parquet", rows)
    write_tables(made.typed(settings()), folder / "metrics.parquet", folder)
    records = csv.DictReader(io.StringIO((folder / "guided_or_selected.csv").read_text()))
    page = (folder / "guided_or_selected.md").read_text()
    return {(row["selected_sampler"], row["metric"]): row for row in records}, page


def test_each_selected_set_stands_against_the_guided_one_with_both_costs_and_the_paired_change(tmp_path):
    found, _ = written(tmp_path)
    equal, dear = found["short", "attribute_coverage"], found["long", "attribute_coverage"]
    assert (float(equal["guided_evaluations"]), float(equal["selected_evaluations"])) == (100, 100)
    assert float(dear["selected_evaluations"]) == 2000
    assert float(equal["guided"]) == pytest.approx(0.7)
    assert float(equal["difference"]) == pytest.approx(-0.2)
    assert float(equal["difference_high"]) < 0
    assert float(dear["difference"]) == pytest.approx(0.2)
    assert float(equal["p"]) == pytest.approx(2 / 2**6)
    assert float(equal["p_holm"]) == pytest.approx(4 / 2**6)


def test_the_page_begins_with_the_guided_set_and_goes_on_with_those_of_equal_evaluations(tmp_path):
    _, text = written(tmp_path)
    lines = [line for line in text.splitlines() if line.startswith(("| long", "| short"))]
    assert [[cell.strip() for cell in line.strip("|").split("|")][:4] for line in lines] == [
        ["long", "η 0.3, D 0.4 RMS", "100", "1"],
        ["short", "Cluster representatives", "100", "1"],
        ["long", "Cluster representatives", "2,000", "20"],
    ]
    assert "No selected set has as many network evaluations" not in text
    assert "6 cases; sets of N = 5." in text


def test_without_a_guided_set_there_is_no_such_table():
    assert "guided_or_selected" in table_names(made.typed(settings()))
    assert "guided_or_selected" not in table_names(made.typed(settings(guided=False)))
