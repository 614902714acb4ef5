"""The table of attribute shares, on made-up shares whose answer is known."""

import csv
import io

import made_metrics as made
import numpy as np
import pytest
from scipy.stats import binomtest

from benchmark.publish.contents import table_names
from benchmark.publish.tables.run import write_tables
from benchmark.statistics import clustered_share_test

ETAS = (0, 0.3)
SYMMETRY = {"mirrored": 0.44, "door": 0.28, "bookcase": 0.20, "armchair": 0.08}
WOBBLE = (0.2, -0.2, 0.2, -0.2, 0.0, 0.0)  # of the cases; its mean is 0


def settings(world="bedrooms"):
    rows = [made.guided("ddnm", eta, 0.4, f"{eta:g}") for eta in ETAS]
    blocks = [made.block("rooms", task, "ddnm", rows, D=0.4, D_unit="rms") for task in ("left", "right")]
    return {"run": "tiny", "tables": {"eta_sweep": blocks}, "shares": {"rooms": world}}


def shown(eta, case, task):
    """Rooms whose plain restorations mirror too seldom and whose guided ones do not, behind the right half alone."""
    if task == "left":
        return {"nfe": 1.0}
    mirrored = (0.2 if eta == 0 else 0.4) + WOBBLE[case]
    shares = {"mirrored": mirrored, "door": 0.8 - mirrored, "bookcase": 0.2, "armchair": 0.0}
    values = {f"attribute_share/symmetry/{name}": share for name, share in shares.items()}
    values |= {f"attribute_share_exact/symmetry/{name}": share for name, share in SYMMETRY.items()}
    values |= {name.replace("_exact", "_world"): share for name, share in values.items() if "_exact" in name}
    return values | {"nfe": 1.0, "world_distance": 0.3, "world_distance_hole": 0.2, "world_distance_truth": 0.6}


def written(folder, values=shown):
    """Write the tables: the csv's records by (task, eta, value), and the page."""
    rows = []
    for block in settings()["tables"]["eta_sweep"]:
        for row in block["rows"]:
            keys = {name: row[name] for name in ("sampler", "method", "eta", "D", "D_unit")} | {"D_rms": row["D"]}
            for case in range(6):
                where = {"dataset": "rooms", "task": block["task"], "case": f"c{case}", "seed": 0, "index": None}
                found = values(row["eta"], case, block["task"])
                rows += [where | keys | {"metric": metric, "value": value} for metric, value in found.items()]
    made.write_metrics(folder / "metrics.parquet", rows)
    write_tables(made.typed(settings()), folder / "metrics.parquet", folder)
    records = csv.DictReader(io.StringIO((folder / "attribute_shares.csv").read_text()))
    page = (folder / "attribute_shares.md").read_text()
    return {(row["task"], float(row["eta"]), row["value"]): row for row in records}, page


def test_each_value_stands_with_the_worlds_share_the_truth_and_the_difference_from_it(tmp_path):
    found, _ = written(tmp_path)
    assert list(found) == [("right", eta, value) for eta in ETAS for value in SYMMETRY]
    plain, guided = found["right", 0, "mirrored"], found["right", 0.3, "mirrored"]
    assert float(plain["share"]) == pytest.approx(0.2)
    assert float(plain["exact"]) == float(plain["world_share"]) == pytest.approx(0.44)
    assert float(plain["difference"]) == pytest.approx(-0.24)
    assert float(plain["difference_high"]) < 0
    assert float(guided["difference_low"]) < 0 < float(guided["difference_high"])
    assert plain["cases"] == "6"
    assert float(plain["p"]) == pytest.approx(binomtest(6, 30, 0.44).pvalue)
    assert (plain["samples"], guided["samples"]) == ("30", "")
    below, above = (float(plain[f"seen_{end}"]) for end in ("below", "above"))
    assert below < 0.25 < 0.64 < above
    counts = np.array([3, 1, 3, 1, 2, 2])
    assert float(guided["p"]) == pytest.approx(clustered_share_test(counts, np.full(6, 0.44), 5))
    assert float(plain["p_holm"]) == pytest.approx(3 * float(plain["p"]))  # second of four


def test_the_page_stars_what_differs_from_the_truth_and_names_the_distance_from_the_world(tmp_path):
    _, text = written(tmp_path)
    (line,) = [line for line in text.splitlines() if "mirrored" in line and line.startswith("|")]
    cells = [cell.strip() for cell in line.strip("|").split("|")]
    assert cells[:4] == ["symmetry", "mirrored", "0.44", "0.44"]
    assert cells[4] == "< 0.19, > 0.69"
    assert cells[5].startswith("0.200\\*")
    assert "*" not in cells[6]
    assert "Plain: 30 samples tested. Guided: 6 cases, 3 values: no p below .094 is possible" in text
    assert "RMS distance from the world of bedrooms: restored pictures 0.60 [" in text
    assert "restorations, η = 0 (posterior): 0.30 [" in text
    assert "rooms, ddnm: right" in text
    assert "rooms, ddnm: left" not in text


def test_candidates_where_they_were_read_are_what_plain_sampling_is_tested_on(tmp_path):
    def with_candidates(eta, case, task):
        values = shown(eta, case, task)
        if task == "right":
            values |= {f"attribute_share_candidates/symmetry/{name}": 0.5 for name in SYMMETRY}
            values |= {"candidates_counted": 80.0 + 2 * case}
        return values

    found, text = written(tmp_path, with_candidates)
    plain, guided = found["right", 0, "mirrored"], found["right", 0.3, "mirrored"]
    total = sum(80 + 2 * case for case in range(6))
    assert (plain["samples"], guided["samples"]) == (str(total), "")
    assert float(plain["tested_share"]) == pytest.approx(0.5)
    assert float(plain["share"]) == pytest.approx(0.2)
    assert float(plain["p"]) == pytest.approx(binomtest(total // 2, total, 0.44).pvalue)
    few = written(tmp_path, shown)[0]["right", 0, "mirrored"]
    assert float(few["seen_below"]) < float(plain["seen_below"]) < 0.44 < float(plain["seen_above"]) < 0.53
    assert f"Plain: {total} samples tested." in text


def test_of_pictures_from_another_world_there_is_no_truth(tmp_path):
    def foreign(eta, case, task):
        return {name: value for name, value in shown(eta, case, task).items() if "_exact" not in name}

    found, text = written(tmp_path, foreign)
    assert found["right", 0, "mirrored"]["exact"] == found["right", 0, "mirrored"]["difference"] == ""
    assert "| Attribute | Value | World | η = 0 (posterior) |" in " ".join(text.split())


def test_shares_do_not_crowd_the_other_tables(tmp_path):
    written(tmp_path)
    for name in ("eta_sweep", "statistics"):
        assert "attribute_share" not in (tmp_path / f"{name}.csv").read_text()
    assert table_names(made.typed(settings()))[-1] == "attribute_shares"
