"""Cases: the same picture under the same name, whatever the number asked for."""

import numpy as np
import pytest
from PIL import Image

from benchmark import store
from benchmark.cli import main
from benchmark.data import cases as stage
from benchmark.data.sources import pictures
from benchmark.data.worlds import WORLDS
from benchmark.errors import BenchmarkError
from benchmark.jobs.cases import CasesSettings


def write_cases(settings, output):
    return stage.write_cases(CasesSettings.from_json(settings), output)


def settings(source="digits", count=6, mask=None, **extra):
    """Settings of a cases file, as JSON has them."""
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


@pytest.mark.parametrize("source", ["digits", *WORLDS])
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


def test_a_problem_without_a_mask_has_cases_without_a_hole(tmp_path):
    without = {**settings(count=2), "mask": None, "mask_name": "none"}
    write_cases(without, tmp_path / "n.parquet")
    table = store.read_table(tmp_path / "n.parquet", "cases", without)
    assert table["hole"].null_count == table["hole_fraction"].null_count == 2
    assert all(case.hole is None for case in store.read_cases(tmp_path / "n.parquet").values())


def test_a_random_mask_is_the_cases_own_and_comes_again(tmp_path):
    wanted = settings("faces", 3, {"recipe": "thick"})
    first = write_cases(wanted, tmp_path / "a.parquet")
    again = write_cases({**wanted, "count": 2}, tmp_path / "b.parquet")
    assert not np.array_equal(first[0].hole, first[1].hole)
    for a, b in zip(first, again):
        assert np.array_equal(a.hole, b.hole)


def test_another_seed_gives_other_pictures_under_other_names_and_the_same_seed_the_same_bytes(tmp_path):
    for source in ("digits", "faces"):
        first, other = (list(pictures({"name": source}, 5, seed)) for seed in (0, 1))
        assert [p.case for p in first] != [p.case for p in other]
        assert not all(np.array_equal(a.image, b.image) for a, b in zip(first, other))
    for name in ("g", "h"):
        write_cases(settings("faces", 2), tmp_path / f"{name}.parquet")
    assert (tmp_path / "g.parquet").read_bytes() == (tmp_path / "h.parquet").read_bytes()


def test_the_command_writes_cases_and_a_preview_of_them(tmp_path):
    output, preview = tmp_path / "cases.parquet", tmp_path / "cases.png"
    text = store.canonical(settings(count=3))
    assert main(["cases", "--settings", text, "--output", str(output), "--preview", str(preview)]) == 0
    assert len(store.read_cases(output)) == 3
    with Image.open(preview) as sheet:
        assert sheet.size[0] > 3 * 8
        assert sheet.size[1] > 2 * 8


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
        ({"count": 0}, "cases.count: 0 is not a number of cases"),
        ({"seed": -1}, "cases.seed: -1 is not a seed"),
        ({"source": "digits"}, "cases.source: 'digits' is not an object"),
        ({"source": {"name": "digits", "size": 4}}, "source digits.size: unknown option; there is none"),
        ({"mask": "left"}, "cases.mask: 'left' is not an object"),
        ({"colour": 1}, "cases: unknown key 'colour'"),
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
