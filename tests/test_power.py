"""How many cases and seeds a difference needs: the parts of its variance, and the table of a run of several seeds."""

import csv

import numpy as np
import pandas as pd
import pytest

from benchmark import statistics, store
from benchmark.cli import main
from benchmark.errors import BenchmarkError
from benchmark.publish.power import seeds_table


@pytest.mark.parametrize(("between", "within"), [(1.0, 0.5), (0.0, 1.0), (0.3, 0.0)])
def test_the_parts_of_a_variance_are_found(between, within):
    rng = np.random.default_rng(0)
    found = []
    for _ in range(300):
        values = between * rng.normal(size=(16, 1)) + within * rng.normal(size=(16, 3))
        found.append(statistics.variance_parts(values))
    a, e = np.mean(found, axis=0)
    assert e == pytest.approx(within**2, abs=0.03)
    assert a == pytest.approx(between**2, abs=0.12)  # cut off at 0: too much where there is none


def test_cases_with_a_hole_are_left_out_and_too_few_say_nothing():
    values = np.array([[1.0, 2.0], [3.0, np.nan], [2.0, 2.0]])
    assert statistics.variance_parts(values) == statistics.variance_parts(values[[0, 2]])
    assert np.isnan(statistics.variance_parts(values[:1])).all()
    assert np.isnan(statistics.variance_parts(values[:, :1])).all()


def frame(cases=12, seeds=3, metric="plausibility", seed=0):
    rng, rows = np.random.default_rng(seed), []
    for case in range(cases):
        for one in range(seeds):
            for method, eta in (("plain", 0.0), ("nearest_neighbour", 1.0)):
                value = 0.5 + 0.1 * (method != "plain") + 0.05 * rng.normal()
                keys = {"dataset": "faces", "task": "left", "sampler": "ddnm", "method": method, "eta": eta, "D": eta}
                rows.append(
                    {**keys, "D_unit": "rms", "case": str(case), "seed": one, "index": None}
                    | {"metric": metric, "value": value}
                )
    return pd.DataFrame(rows)


def test_a_line_says_what_varies_and_what_a_difference_takes():
    (row,) = seeds_table(frame()).to_dict("records")
    assert (row["cases"], row["seeds"], row["metric"]) == (12, 3, "plausibility")
    assert row["change"] == pytest.approx(0.1, abs=0.03)
    assert row["seed_share"] > 0.7  # nothing but the seed varies
    assert row["difference"] == 0.05
    spread = np.hypot(row["between"], row["within"] / 3**0.5)
    assert row["cases_with_3"] == statistics.needed_for(0.05 / spread)
    (fine,) = seeds_table(frame(), difference=0.01).to_dict("records")
    assert fine["cases_with_1"] > 1.7 * fine["cases_with_3"]  # a seed is nearly worth a case
    (wide,) = seeds_table(frame(), difference=0.2).to_dict("records")
    assert wide["cases_with_1"] < row["cases_with_1"]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"difference": 0.0}, "above 0"), ({"difference": float("nan")}, "above 0"),
        ({"metrics": ["plausible"]}, "no value of"),
    ],
)  # fmt: skip
def test_what_says_nothing_is_refused_in_one_line(options, message):
    with pytest.raises(BenchmarkError, match=message):
        seeds_table(frame(), **options)
    with pytest.raises(BenchmarkError, match="two or more"):
        seeds_table(frame(seeds=1))


def test_a_measure_without_plain_or_values_has_no_line():
    table = frame()
    assert len(seeds_table(table[table["method"] != "plain"])) == 0
    assert len(seeds_table(table.assign(value=np.nan))) == 0


def test_the_command_writes_what_it_prints(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(store, "read_table", lambda *_: type("T", (), {"to_pandas": lambda self: frame()})())
    assert main(["power", "--metrics", "metrics.parquet", "--output", str(tmp_path / "seeds.csv")]) == 0
    (row,) = list(csv.DictReader((tmp_path / "seeds.csv").open()))
    assert row["cases_with_1"].removesuffix(".0") in capsys.readouterr().out


def test_the_difference_of_a_measure_without_bounds_is_a_tenth_of_plain_and_holes_are_no_cases():
    (row,) = seeds_table(frame(metric="psnr_best")).to_dict("records")
    assert row["difference"] == pytest.approx(0.05, abs=0.01)
    table = frame(metric="psnr_best").assign(value=lambda rows: 10 * rows["value"])
    table.loc[(table["case"] == "3") & (table["seed"] == 1), "value"] = np.nan
    (row,) = seeds_table(table).to_dict("records")
    assert row["difference"] == pytest.approx(0.5, abs=0.1)
    assert row["cases"] == 11
