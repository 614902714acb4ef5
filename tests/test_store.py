"""The files: opened by pandas, pyarrow, DuckDB and datasets; refused when they are not what was expected; every query
of docs/queries.md on a small run that the real commands measured."""

import json
import math
import re
import subprocess
import sys
from pathlib import Path

import duckdb
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from measured_files import case_row, make_case, make_set, set_rows

from benchmark import cli, store
from benchmark.errors import BenchmarkError

PAGE = (Path(__file__).resolve().parent.parent / "docs/queries.md").read_text()
BLOCKS = re.findall(r"^## (.*?)$|^```(sql|python)\n(.*?)^```$", PAGE, re.DOTALL | re.MULTILINE)
POINTS = {
    "plain": {},
    "eta0.1_D0.5rms": {"method": "nearest_neighbour", "eta": 0.1, "D": 0.5, "D_rms": 0.5},
    "eta0.3_Dinf": {"method": "nearest_neighbour", "eta": 0.3, "D": math.inf, "D_rms": math.inf},
}


def queries():
    title, found = "", []
    for heading, language, code in BLOCKS:
        title = heading or title
        if language:
            found.append(pytest.param(language, code, id=f"{len(found)}: {title}, {language}"))
    return found


@pytest.fixture(scope="module")
def run_folder(tmp_path_factory):
    """A folder with results/demo of three digits: cases, sets, candidates, selected, measured by the commands."""
    folder = tmp_path_factory.mktemp("run")
    root = folder / "results/demo"
    cases = [make_case(name, size=8, channels=1) for name in ("test0000", "test0001", "test0002")]
    where = {"dataset": "digits", "task": "left"}
    store.write_table(root / "cases/digits/left.parquet", "cases", [case_row(case) for case in cases], {"seed": 0})

    def write(path, name, n, spread, **keys):
        sets = [make_set(case, n, spread, seed=len(name), **where, **keys) for case in cases]
        if name.startswith("eta0.3"):
            sets[2].columns["finite"][1] = False
        rows = [row for one in sets for row in set_rows(one)]
        store.write_table(path, "sets", rows, {**where, "point": name}, {"device": "cpu", "peak_memory": 1e8})
        return str(path)

    kinds = {
        "samples": {name: (0.3 + keys.get("eta", 0), keys) for name, keys in POINTS.items()},
        "selected": {"kmeans": (0.5, {"method": "kmeans"})},
    }
    bank = write(root / "candidates/digits/left/ddnm/from00000.parquet", "bank", 12, 0.4)
    settings = {
        "metrics": ["diversity", "fidelity", "attributes", "cost", "bank", "niqe"],
        "features": {"name": "hole_pca"},
        "classifier": {"name": "digits"},
        "n": 4,
    }
    manifest = []
    for kind, points in kinds.items():
        sets = [
            write(root / f"{kind}/digits/left/ddnm/{name}.parquet", name, 4, spread, **keys)
            for name, (spread, keys) in points.items()
        ]
        output = root / f"metrics/{kind}/digits/left/ddnm/part0000.parquet"
        arguments = ["--sets", *sets, "--cases", str(root / "cases/digits/left.parquet"), "--candidates", bank]
        asked = {**settings, "task": kind}
        assert cli.main(["measure", "--settings", json.dumps(asked), *arguments, "--output", str(output)]) == 0
        manifest.append(f"{store.fingerprint(asked)} {output}\n")
    (root / "manifest.txt").write_text("".join(manifest))
    assert (
        cli.main(["collect", "--manifest", str(root / "manifest.txt"), "--output", str(root / "metrics.parquet")]) == 0
    )
    return folder


# -------------------------------------------------------------------------------------------------------- ready queries
@pytest.mark.parametrize(("language", "code"), queries())
def test_every_query_of_the_page_gives_an_answer(run_folder, monkeypatch, capsys, language, code):
    monkeypatch.chdir(run_folder)
    if language == "sql":
        answer = duckdb.sql(code).fetchall()
        assert answer
        assert not any(isinstance(value, float) and math.isnan(value) for row in answer for value in row)
    else:
        exec(compile(code, "docs/queries.md", "exec"), {})
        if "print" in code:
            assert capsys.readouterr().out.strip()


def test_the_page_has_queries_in_both_languages_and_only_of_columns_and_metrics_that_there_are():
    from benchmark.metrics.registry import find

    assert sum(language == "sql" for _, language, _ in BLOCKS) >= 8
    assert sum(language == "python" for _, language, _ in BLOCKS) >= 4
    for name in re.findall(r"metric (?:=|IN) \(?((?:'\w+'(?:, )?)+)", PAGE):
        for metric in re.findall(r"\w+", name):
            assert find(metric)


def test_the_paired_query_agrees_with_the_statistics(run_folder, monkeypatch):
    from benchmark.statistics import grid, paired_difference

    monkeypatch.chdir(run_folder)
    (code,) = [code for _, language, code in BLOCKS if language == "sql" and "share_of_sets_that_rise" in code]
    answer = duckdb.sql(code).df().set_index(["method", "eta"])
    frame = pd.read_parquet("results/demo/metrics.parquet")
    frame = frame[frame["metric"] == "feature_distance_mean"]
    tables = [
        grid(
            frame[(frame["method"] == method) & (frame["eta"] == eta)][["case", "seed", "value"]].itertuples(
                False, None
            )
        )
        for method, eta in (("nearest_neighbour", 0.1), ("plain", 0.0))
    ]
    change = paired_difference(tables[0][0], tables[1][0])
    assert answer.loc[("nearest_neighbour", 0.1), "change"] == pytest.approx(change.estimate)
    assert answer.loc[("nearest_neighbour", 0.3), "sets"] == 2  # the set that is not finite is left out


# ----------------------------------------------------------------------------------------------------- who can open it
FILES = {
    "metrics": "metrics.parquet",
    "sets": "samples/digits/left/ddnm/eta0.3_Dinf.parquet",
    "cases": "cases/digits/left.parquet",
}


@pytest.fixture(params=FILES)
def kind(request):
    return request.param


@pytest.fixture
def path(run_folder, kind):
    return str(run_folder / "results/demo" / FILES[kind])


def test_pandas_and_pyarrow_read_every_kind_with_its_columns(path, kind):
    frame, table = pd.read_parquet(path), pq.read_table(path)
    assert list(frame.columns) == table.column_names == store.SCHEMAS[kind].names
    assert len(frame) == table.num_rows > 0
    assert str(frame["dataset"].dtype) == "category"
    assert set(frame["dataset"]) == set(table["dataset"].to_pylist())


def test_duckdb_reads_every_kind_with_the_same_values(path, kind):
    found = duckdb.sql(f"SELECT * FROM '{path}'").fetchall()
    expected = pq.read_table(path).to_pylist()
    assert len(found) == len(expected)
    assert [row[0] for row in found] == [row["dataset"] for row in expected]
    last = store.SCHEMAS[kind].names[-1]
    if kind != "cases":
        assert [row[-1] for row in found] == [row[last] for row in expected]


def test_datasets_reads_every_kind_and_shows_pictures(path, kind, tmp_path, monkeypatch):
    import datasets

    monkeypatch.setattr(datasets.config, "HF_DATASETS_CACHE", tmp_path)
    found = datasets.Dataset.from_parquet(path, cache_dir=str(tmp_path))
    assert found.column_names == store.SCHEMAS[kind].names
    assert found.num_rows == pq.read_metadata(path).num_rows
    if kind != "metrics":
        assert isinstance(found.features["image"], datasets.Image)
        expected = store.decode_image(pq.read_table(path)["image"][0].as_py())
        assert np.allclose(np.asarray(found[0]["image"]) / 127.5 - 1, expected[0], atol=1e-6)


def test_a_metric_without_a_value_is_null_everywhere_and_nan_nowhere(run_folder):
    path = str(run_folder / "results/demo/metrics.parquet")
    counts = [
        pq.read_table(path)["value"].null_count,
        int(pd.read_parquet(path)["value"].isna().sum()),
        duckdb.sql(f"SELECT count(*) - count(value) FROM '{path}'").fetchall()[0][0],
    ]
    assert counts[0] > 5
    assert counts[0] == counts[1] == counts[2]
    ((mean,),) = duckdb.sql(f"SELECT avg(value) FROM '{path}'").fetchall()
    assert mean == pytest.approx(pd.read_parquet(path)["value"].mean())


def test_files_are_compressed_with_dictionary_keys_and_infinite_D_is_infinity(path, kind):
    column = pq.read_metadata(path).row_group(0).column(0)
    assert column.compression == "ZSTD"
    assert "RLE_DICTIONARY" in column.encodings
    if kind == "sets":
        assert set(pd.read_parquet(path)["D"]) == {math.inf}


def test_metadata_hold_settings_fingerprint_and_origin(run_folder):
    table = store.read_table(run_folder / "results/demo/metrics/samples/digits/left/ddnm/part0000.parquet", "metrics")
    settings = store.settings_of(table)
    assert settings["task"] == "samples"
    assert table.schema.metadata[b"benchmark_fingerprint"].decode() == store.fingerprint(settings)
    provenance = store.provenance_of(table)
    assert set(provenance["packages"]) >= {"numpy", "torch", "lpips", "pyiqa"}
    assert any(line.startswith("niqe: skipped") for line in provenance["skipped"])
    (fault,) = [reason for where, reason in provenance["faults"].items() if "test0002" in where and "finite" in reason]
    assert fault == "1 of 4 restorations are not finite; its values are NaN"
    assert {origin["device"] for origin in provenance["sets"].values()} == {"cpu"}
    assert set(table.to_pandas().query("metric == 'peak_memory'")["value"]) == {1e8}  # of the job that sampled


# ------------------------------------------------------------------------------------------------------------ contracts
def test_cases_and_sets_come_back_as_they_were_written(tmp_path):
    case = make_case("one", 16)
    case = store.Case(case.dataset, case.mask, case.case, case.image, case.hole, {"mouth": "smile", "hat": "none"})
    store.write_table(tmp_path / "cases.parquet", "cases", [case_row(case)], {})
    (found,) = store.read_cases(tmp_path / "cases.parquet").values()
    assert np.array_equal(found.image, case.image)
    assert np.array_equal(found.hole, case.hole)
    assert found.attributes == case.attributes
    made = make_set(case, 3, eta=0.1, D=math.inf)
    store.write_table(tmp_path / "sets.parquet", "sets", set_rows(made)[::-1], {})
    (back,) = store.read_sets(tmp_path / "sets.parquet")
    assert back.keys == made.keys
    assert np.array_equal(back.images, made.images)
    assert back.index.tolist() == [0, 1, 2]


def test_an_image_survives_the_file_to_half_a_grey_level_and_what_is_not_finite_becomes_black():
    image = np.random.default_rng(0).uniform(-1.2, 1.2, (3, 5, 7)).astype(np.float32)
    back = store.decode_image(store.encode_image(image))
    assert np.abs(back - image.clip(-1, 1)).max() <= 0.5 / 127.5 + 1e-6
    assert np.array_equal(store.decode_image(store.encode_image(back)), back)
    image[:, 0, 0] = np.nan
    assert (store.to_uint8(image)[0, 0] == 0).all()


def test_a_fingerprint_depends_on_the_values_alone():
    one = {"a": 1, "b": [0.1, math.inf], "c": {"x": None, "y": "text"}}
    other = {"c": {"y": "text", "x": None}, "b": (0.1, math.inf), "a": 1}
    assert store.fingerprint(one) == store.fingerprint(other)
    assert store.fingerprint(one) != store.fingerprint({**one, "a": 2})
    assert store.load_settings('{"D": "inf", "name": "inf"}') == {"D": math.inf, "name": "inf"}


def test_a_file_is_whole_or_not_there(tmp_path):
    path = tmp_path / "file.txt"
    store.write_text(path, "first")

    def fail():
        with store.atomic(path) as temporary:
            temporary.write_text("half")
            raise RuntimeError("power cut")

    with pytest.raises(RuntimeError):
        fail()
    assert path.read_text() == "first"
    assert [file.name for file in tmp_path.iterdir()] == ["file.txt"]


def test_a_column_that_the_schema_does_not_have_is_a_bug(tmp_path):
    with pytest.raises(ValueError, match="no column"):
        store.write_table(tmp_path / "x.parquet", "metrics", [{"speed": 1.0}], {})


def test_what_is_not_the_expected_file_is_refused_in_one_line(tmp_path):
    path = tmp_path / "metrics.parquet"
    store.write_table(path, "metrics", [], {"run": 1})
    cases = [
        (tmp_path / "none.parquet", {}, "no such file; the stage that writes it has not run"),
        (path, {"kind": "sets"}, "holds a table of 'metrics', a table of 'sets' was expected"),
        (path, {"settings": {"run": 2}}, "made with other settings"),
    ]
    for file, options, message in cases:
        with pytest.raises(BenchmarkError, match=re.escape(message)) as refusal:
            store.read_table(file, **options)
        assert str(file) in str(refusal.value)
        assert "\n" not in str(refusal.value)
    assert store.read_table(path, "metrics", {"run": 1}).num_rows == 0
    older = pq.read_table(path).drop_columns(["D_rms"])
    pq.write_table(older, path)
    with pytest.raises(BenchmarkError, match="its columns are not those of this version's metrics; delete it"):
        store.read_table(path, "metrics")
    path.write_bytes(path.read_bytes()[:-20])
    with pytest.raises(BenchmarkError, match="not a readable Parquet file"):
        store.read_table(path)
    pq.write_table(pa.table({"x": [1]}), path)
    with pytest.raises(BenchmarkError, match="a table of 'metrics' was expected"):
        store.read_table(path, "metrics")


def test_reading_a_file_imports_no_pandas(tmp_path):
    path = tmp_path / "metrics.parquet"
    store.write_table(path, "metrics", [], {})
    code = (
        f"import sys; from benchmark.store import read_table; read_table({str(path)!r}); print('pandas' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
