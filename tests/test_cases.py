"""Cases: the same picture under the same name, whatever the number asked for."""

import numpy as np
import pytest

from benchmark import store
from benchmark.cli import main
from benchmark.data.cases import write_cases
from benchmark.errors import BenchmarkError


def settings(source="digits", count=6, mask=None, **extra):
    mask = mask or {"recipe": "left"}
    return {
        "dataset": source,
        "source": {"name": source},
        "mask": mask,
        "mask_name": "m",
        "count": count,
        "seed": 0,
        **extra,
    }


@pytest.mark.parametrize("source", ["digits", "faces"])
def test_the_first_cases_of_a_longer_list_are_the_same(tmp_path, source):
    few = {case.case: case for case in write_cases(settings(source, 4), tmp_path / "a.parquet")}
    many = {case.case: case for case in write_cases(settings(source, 9), tmp_path / "b.parquet")}
    assert list(many)[:4] == list(few)
    for name, case in few.items():
        assert np.array_equal(case.image, many[name].image)
        assert case.attributes == many[name].attributes


def test_what_is_written_is_what_is_read(tmp_path):
    recipe = {"recipe": "parts", "parts": ["mouth"], "dilate": 3}
    written = write_cases(settings("faces", 3, recipe), tmp_path / "c.parquet")
    read = list(store.read_cases(tmp_path / "c.parquet", settings("faces", 3, recipe)).values())
    for a, b in zip(written, read, strict=True):
        assert np.array_equal(a.image, b.image)
        assert np.array_equal(a.hole, b.hole)
        assert a.attributes == b.attributes
        assert 0.01 < a.hole.mean() < 0.2


def test_digit_cases_take_the_classes_in_turn(tmp_path):
    cases = write_cases(settings(count=10), tmp_path / "d.parquet")
    assert [case.attributes["digit"] for case in cases] == [str(d) for d in range(10)]


def test_a_file_of_other_settings_is_refused_and_named(tmp_path):
    write_cases(settings(), tmp_path / "e.parquet")
    with pytest.raises(BenchmarkError, match=r"e\.parquet: made with other settings .* delete it"):
        store.read_cases(tmp_path / "e.parquet", settings(count=7))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"source": {"name": "dogs"}}, "'dogs' is not known"),
        ({"mask": {"recipe": "lft"}}, "lft"),
        ({"mask": {"recipe": "parts", "parts": ["mouth"]}}, "part maps"),
        ({"count": 5000}, "445 test images"),
    ],
)
def test_bad_input_is_one_line_and_leaves_no_file(tmp_path, capsys, change, message):
    output = tmp_path / "f.parquet"
    text = store.canonical({**settings(), **change})
    assert main(["cases", "--settings", text, "--output", str(output)]) == 2
    error = capsys.readouterr().err
    assert error.startswith("error: ")
    assert error.count("\n") == 1
    assert message in error
    assert list(tmp_path.iterdir()) == []
