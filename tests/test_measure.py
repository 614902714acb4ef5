"""The commands ``measure`` and ``collect``, and what they say to bad input: one line, or a row without a value."""

import json

import numpy as np
import pytest
from measured_files import PIXELS, make_case, make_set, measure_sets, values_of, write_files

from benchmark import cli, store
from benchmark.errors import BenchmarkError
from benchmark.jobs.measure import MeasureSettings
from benchmark.metrics.registry import expand


# ------------------------------------------------------------------------------------------------------------ commands
def measure(tmp_path, cases, sets, settings=None, more=(), **write):
    """Run the command; give back its status and where it wrote."""
    cases_path, sets_path = write_files(tmp_path, cases, sets, **write)
    settings = {"metrics": ["diversity", "cost"], "features": PIXELS, **(settings or {})}
    output = tmp_path / "metrics.parquet"
    files = ["--sets", str(sets_path), "--cases", str(cases_path), "--output", str(output), *more]
    return cli.main(["measure", "--settings", json.dumps(settings), *files]), output


def one_line(capsys):
    (line,) = capsys.readouterr().err.strip().splitlines()
    assert line.startswith("error: ")
    return line


def test_the_command_twice_writes_the_same_tidy_table(tmp_path):
    cases = [make_case(name) for name in ("one", "two")]
    sets = [make_set(case, seed=seed) for case in cases for seed in (0, 1)]
    for number, one in enumerate(sets):
        one.keys["seed"] = number % 2
    tables = []
    for run in ("first", "second"):
        (tmp_path / run).mkdir()
        status, output = measure(tmp_path / run, cases, sets, {"metrics": ["diversity", "fidelity", "cost"]})
        assert status == 0
        tables.append(store.read_table(output, "metrics"))
    assert tables[0].equals(tables[1])
    frame = tables[0].to_pandas()
    keys = [*store.SET_KEYS, "index", "metric"]
    assert not frame.duplicated(keys).any()
    assert len(frame[frame["metric"] == "psnr"]) == 20
    assert frame["value"].notna().all()


def test_collecting_puts_files_one_after_the_other_with_what_was_left_out(tmp_path, monkeypatch):
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    manifest, tables = [], []
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        case = make_case(name)
        settings = {"metrics": ["niqe", "nfe", "diversity"], "features": PIXELS, "task": name}
        status, output = measure(tmp_path / name, [case], [make_set(case, 1)], settings)
        assert status == 0
        tables.append(store.read_table(output, "metrics"))
        manifest.append(f"{store.fingerprint(MeasureSettings.from_json(settings).json)} {output}")
    (tmp_path / "manifest").write_text("\n".join(manifest))
    output = tmp_path / "all.parquet"
    assert cli.main(["collect", "--manifest", str(tmp_path / "manifest"), "--output", str(output)]) == 0
    whole = store.read_table(output, "metrics")
    columns = [name for name in store.SCHEMAS["metrics"].names if name not in ("index", "value")]
    parts = [row for table in tables for row in table.select(columns).to_pylist()]
    assert whole.select(columns).to_pylist() == parts
    values = np.concatenate([table.column("value").to_numpy() for table in tables])
    assert np.array_equal(whole.column("value").to_numpy(), values, equal_nan=True)
    provenance = store.provenance_of(whole)
    assert [line.split(":")[0] for line in provenance["skipped"]].count("niqe") == 1
    assert [fault.split(": ")[-1] for fault in provenance["faults"]] == ["case one, seed 0", "case two, seed 0"]


def test_collecting_refuses_a_file_twice_of_other_settings_missing_or_of_another_kind(tmp_path, capsys):
    case = make_case("one")
    _, output = measure(tmp_path, [case], [make_set(case)])
    cases_file = str(tmp_path / "cases.parquet")
    (tmp_path / "manifest").write_text(f"0123456789abcdef {output}\n")
    (tmp_path / "odd").write_text("oneword\n")
    capsys.readouterr()
    for arguments, message in [
        (["--inputs", str(output), str(output)], "named twice"),
        (["--inputs", str(tmp_path / "none.parquet")], "no such file"),
        (["--inputs", cases_file], "a table of 'metrics' was expected"),
        (["--manifest", str(tmp_path / "manifest")], "made with other settings"),
        (["--manifest", str(tmp_path / "odd")], "not a line 'FINGERPRINT PATH'"),
    ]:
        assert cli.main(["collect", *arguments, "--output", str(tmp_path / "all.parquet")]) == 2
        assert message in one_line(capsys)


# ----------------------------------------------------------------------------------------------------------- bad input
def test_restorations_of_different_size_in_one_set_are_refused(tmp_path, capsys):
    small, large = make_case("one", 8), make_case("one", 16)
    sets = [make_set(small, 2), make_set(large, 2)]
    sets[1].index[:] += 2
    status, _ = measure(tmp_path, [small], sets)
    assert status == 2
    assert "case one: restorations of different size (3x16x16 and 3x8x8); delete it and run again" in one_line(capsys)


def nan_and_fault(sets, cases, settings=None, candidates=()):
    """The one fault of the sets that cannot be measured; checks that all their values but the cost are NaN."""
    settings = {"metrics": ["diversity", "cost"], "features": PIXELS, **(settings or {})}
    rows, record = measure_sets(settings, sets, {case.case: case for case in cases}, candidates)
    without = {(row["case"], row["seed"]) for row in rows if np.isnan(row["value"])}
    assert {row["metric"] for row in rows if np.isnan(row["value"])} == set(expand(["diversity"])) - {
        "{classifier}_feature_mean",
        "{classifier}_feature_min",
    }
    assert len(without) == 1
    (fault,) = record["faults"].values()
    return fault


def test_a_set_of_another_number_than_the_rest_has_no_values_but_its_cost_and_says_why():
    cases = [make_case("one"), make_case("two")]
    sets = [make_set(cases[0], 5), make_set(cases[1], 4)]
    assert nan_and_fault(sets, cases) == "4 restorations; n = 5 were expected; its values are NaN"
    assert nan_and_fault(sets, cases, {"n": 4}) == "5 restorations; n = 4 were expected; its values are NaN"


def test_a_set_of_another_picture_size_than_its_truth_its_hole_or_the_sets_before_says_so():
    one, two = make_case("one", 16), make_case("two", 16)
    other = make_case("two", 8)
    wrong = store.RestorationSet(make_set(two).keys, np.arange(5), make_set(other).images, make_set(two).columns)
    assert "restorations of 3x8x8, the truth is 3x16x16" in nan_and_fault([make_set(one), wrong], [one, two])
    assert "those before are 3x16x16" in nan_and_fault([make_set(one), make_set(other)], [one, other])
    odd = store.Case("world", "box", "two", two.image, other.hole, {})
    assert "the hole is 8x8" in nan_and_fault([make_set(one), make_set(two)], [one, odd])


def test_a_restoration_that_is_not_finite_leaves_its_set_without_values_and_never_stops_the_run():
    cases = [make_case("one"), make_case("two")]
    sets = [make_set(case) for case in cases]
    sets[1].columns["finite"][2] = False
    assert nan_and_fault(sets, cases) == "1 of 5 restorations are not finite; its values are NaN"
    rows, _ = measure_sets({"metrics": ["finite_share"], "features": PIXELS}, sets, {c.case: c for c in cases})
    assert [row["value"] for row in rows] == [1.0, 0.8]


def test_one_restoration_has_no_pairs_and_says_so():
    case = make_case("one")
    values, record = values_of(case, make_set(case, 1))
    assert np.isnan([values["feature_distance_mean"], values["pixel_distance_hole_min"]]).all()
    assert values["vendi_q1"] == pytest.approx(1)
    assert np.isfinite(values["psnr_mean"])
    assert list(record["faults"].values()) == ["a set of 1 has no pairs; what needs pairs is NaN"]


def test_a_case_without_its_truth_has_no_values_and_says_so():
    one, two = make_case("one"), make_case("two")
    fault = nan_and_fault([make_set(one), make_set(two)], [one])
    assert fault == "no truth: the case is not in the cases file; its values are NaN"
    with pytest.raises(BenchmarkError, match="no truth for any set"):
        measure_sets({"metrics": ["cost"], "features": PIXELS}, [make_set(two)], {"one": one})


def test_candidates_of_another_size_leave_the_bank_measures_without_a_value():
    case = make_case("one", 16)
    values, record = values_of(case, make_set(case), candidates=[make_set(make_case("one", 8), 8)])
    assert np.isnan(values["bank_coverage"])
    assert np.isfinite(values["feature_distance_mean"])
    assert any("candidates of 3x8x8, restorations of 3x16x16" in fault for fault in record["faults"].values())


def test_a_null_truth_image_is_refused(tmp_path, capsys):
    case = make_case("one")
    _, sets_path = write_files(tmp_path, [case], [make_set(case)])
    row = {"dataset": "world", "mask": "box", "case": "one", "image": None, "hole": None}
    store.write_table(tmp_path / "cases.parquet", "cases", [row], {})
    arguments = ["--settings", json.dumps({"metrics": ["cost"], "features": PIXELS}), "--sets", str(sets_path)]
    arguments += ["--cases", str(tmp_path / "cases.parquet"), "--output", str(tmp_path / "out.parquet")]
    assert cli.main(["measure", *arguments]) == 2
    assert "case one has no truth image; delete the file and run again" in one_line(capsys)
    assert not (tmp_path / "out.parquet").exists()


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"metrics": ["nfe", "cost"]}, "'nfe' is asked for twice"),
        ({"metrics": ["speed"]}, "no metric or family 'speed'"),
        ({"sets": ["0123456789abcdef"]}, "made with other settings"),
        ({"cases": "0123456789abcdef"}, "made with other settings"),
        ({"sets": ["0", "1"]}, "--sets: 1 files; the settings name 2"),
    ],
)
def test_wrong_settings_get_one_line(settings, message, tmp_path, capsys):
    case = make_case("one")
    status, output = measure(tmp_path, [case], [make_set(case)], settings)
    assert status == 2
    assert message in one_line(capsys)
    assert not output.exists()


def test_weights_with_a_wrong_hash_stop_the_command_with_one_line(tmp_path, capsys):
    (tmp_path / "alexnet.pth").write_bytes(b"not the file")
    override = {"alexnet": {"path": str(tmp_path / "alexnet.pth")}}
    case = make_case("one", 64)
    settings = {"metrics": ["lpips_alex_mean"], "weights": override}
    status, output = measure(tmp_path, [case], [make_set(case)], settings)
    assert status == 2
    line = one_line(capsys)
    assert "alexnet.pth: sha256 is " in line
    assert "expected 7be5be79" in line
    assert not output.exists()
