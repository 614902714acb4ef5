"""Other N and K: variants share what they have in common, and a table says which conclusions hold."""

import csv
import math
from pathlib import Path

import pytest

from benchmark import sensitivity
from benchmark.cli import main
from benchmark.config import check, load
from benchmark.errors import BenchmarkError
from benchmark.publish import document
from benchmark.publish.sensitivity import Outcome, conclusion, sensitivity_table
from benchmark.statistics import Interval

ROOT = Path(__file__).resolve().parent.parent
SMALL = """
run: small
n: 3
device: cpu
toy: false
masks: {left: {recipe: left}}
samplers: {short: {algorithm: ddnm, steps: 5}}
datasets:
  digits:
    source: {name: digits}
    prior: {name: digits_mixture}
    classifier: {name: digits}
    cases: 4
    tasks: {left: {mask: left}}
    metrics: [feature_distance_mean, bank_coverage, class_distinct, psnr_of_mean, nfe]
    candidates: {samplers: [short], count: 48, shard_size: 48}
    selection:
      strategies: [farthest]
      guided: {eta: 1, D: .inf}
"""


def small(**changes):
    import yaml

    config = yaml.safe_load(SMALL)
    for key, value in changes.items():
        config["datasets"]["digits"][key] = value
    return check(config)


def files(variant, *kinds):
    return {str(sensitivity.file_of(job, Path())) for job in variant.plan.of_kind(*kinds)}


def test_one_thing_changes_at_a_time_and_every_point_comes_once():
    found = sensitivity.variants(small(), [2, 3, 4], [24, 48], "small")
    assert [(one.n, one.bank) for one in found] == [(2, 48), (3, 48), (4, 48), (3, 24)]
    assert [one.plan.config["n"] for one in found] == [2, 3, 4, 3]


def test_variants_share_what_they_have_in_common_and_nothing_else():
    two, three, _, half = sensitivity.variants(small(), [2, 3, 4], [24, 48], "small")
    assert files(two, "cases") == files(half, "cases")
    assert files(two, "candidates") == files(three, "candidates")
    assert files(half, "candidates") < files(three, "candidates")
    assert files(half, "sample") == files(three, "sample")
    assert files(two, "sample").isdisjoint(files(three, "sample"))
    for kind in ("select", "measure"):
        assert files(half, kind).isdisjoint(files(three, kind))
        assert files(two, kind).isdisjoint(files(three, kind))


def test_a_command_reads_only_what_was_written_before_it():
    for variant in sensitivity.variants(small(), [2, 3], [24, 48], "small"):
        written = set()
        for file, words in sensitivity.commands(variant, Path("folder"), "cpu", 10):
            read = {word for word in words if word.endswith(".parquet")} - {str(file)}
            assert read <= written
            assert words[words.index("--output") + 1] == str(file)
            written.add(str(file))


@pytest.mark.parametrize(
    ("changes", "ns", "banks", "message"),
    [
        ({}, [1, 3], [48], "1 samples have no neighbours"),
        ({}, [3, 49], [48], "48 candidates are fewer than n = 49"),
        ({"selection": {"strategies": ["farthest"]}}, [3], [48], "no selection with guided"),
        ({"selection": None, "candidates": None}, [3], [48], "no selection with guided"),
    ],
)
def test_what_cannot_be_varied_is_refused_in_one_line(changes, ns, banks, message):
    if changes.get("candidates", 1) is None:
        config = small()
        config["datasets"]["digits"] |= changes
    else:
        config = small(**changes)
    with pytest.raises(BenchmarkError, match=message) as error:
        sensitivity.variants(config, ns, banks, "small")
    assert "\n" not in str(error.value)


def test_the_experiment_is_one_that_can_be_varied():
    found = sensitivity.variants(load(ROOT / "experiments/sensitivity.yaml"), [2, 5, 10], [25, 50, 100], "experiment")
    assert [(one.n, one.bank) for one in found] == [(2, 100), (5, 100), (10, 100), (5, 25), (5, 50)]


# ----------------------------------------------------------------------------------------------------------- the table
def outcome(n, bank, low, high, metric="psnr_best"):
    return Outcome(
        n, bank, "digits", "ddnm", "guided against plain", metric, Interval((low + high) / 2, low, high, 9, 0.95)
    )


@pytest.mark.parametrize(
    ("verdicts", "expected"),
    [
        (["better"] * 3, "better"),
        (["worse"] * 3, "worse"),
        (["better", "not resolved", "better"], "better in 2 of 3"),
        (["not resolved"] * 3, "not resolved"),
        (["worse", "not resolved", "better"], "reversed"),
    ],
)
def test_verdicts_come_to_one_conclusion(verdicts, expected):
    assert conclusion(verdicts) == expected


def test_better_is_better_in_the_measure_s_own_direction():
    assert outcome(5, 100, 0.1, 0.3).verdict == "better"
    assert outcome(5, 100, 0.1, 0.3, "attribute_tv").verdict == "worse"
    assert outcome(5, 100, -0.3, -0.1, "attribute_tv").verdict == "better"
    for low, high in ((-0.1, 0.3), (0.0, 0.0), (math.nan, math.nan), (0.0, 0.2)):
        assert outcome(5, 100, low, high).verdict == "not resolved"


def test_a_row_says_what_holds_over_n_and_over_k():
    spans = {(2, 100): (-2, -1), (5, 100): (1, 2), (10, 100): (1, 3), (5, 25): (-1, 2), (5, 50): (1, 4)}
    found = [outcome(*at, *span) for at, span in spans.items()]
    found += [outcome(*at, 1, 2, "psnr_of_mean") for at in spans]
    records, text = sensitivity_table(found, (5, 100), 0.95)
    assert len(records) == 10
    (section,) = text.sections
    assert [column.header for column in section.columns][1:6] == ["N 2", "N 5", "N 10", "K 25", "K 50"]
    best, mean = section.rows
    assert best[-2:] == ["reversed", "better in 2 of 3"]
    assert mean[-2:] == ["better", document.ABSENT]  # K changes nothing there
    assert mean[4:6] == [document.ABSENT] * 2
    assert best[1].startswith("−1.5")
    assert "| reversed" in document.markdown(text)


def test_the_command_writes_the_table_and_makes_no_file_twice(tmp_path, capsys):
    (tmp_path / "small.yaml").write_text(SMALL)
    words = ["sensitivity", "--config", str(tmp_path / "small.yaml"), "--folder", str(tmp_path / "work")]
    words += ["--n", "2", "3", "--bank", "24", "48", "--output", str(tmp_path / "table.md")]
    assert main(words) == 0
    first = (tmp_path / "table.md").read_text()
    rows = list(csv.DictReader((tmp_path / "table.csv").open()))
    assert {(row["n"], row["candidates"]) for row in rows} == {("2", "48"), ("3", "48"), ("3", "24")}
    assert {row["metric"] for row in rows} == {
        "feature_distance_mean",
        "bank_coverage",
        "class_distinct",
        "psnr_of_mean",
    }
    assert {row["comparison"].split(" against ")[1] for row in rows} == {"plain", "η 1, D ∞"}
    apart = [row for row in rows if row["metric"] == "feature_distance_mean" and row["comparison"].endswith("plain")]
    assert all(float(row["difference"]) > 0 for row in apart)
    capsys.readouterr()
    assert main(words) == 0
    assert ": 0 of 8 files to make" in capsys.readouterr().out
    assert (tmp_path / "table.md").read_text() == first
