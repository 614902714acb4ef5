"""What the command `distances` shows, and what it leaves out and says so."""

import json

import numpy as np
import pytest

from benchmark import store
from benchmark.cli import main
from benchmark.sampling import choose_D
from tests.measured_files import make_case, make_set, write_files

PLAIN = json.dumps(
    {"dataset": "digits", "task": "left", "sampler": "ddnm", "prior": {"name": "digits_mixture"}, "n": 5, "seeds": [0]}
    | {"problem": {"name": "inpainting"}, "algorithm": {"name": "ddnm"}}
)


def files(folder, bad=()):
    """Two cases with five restorations each; those of the first with these indices are not finite."""
    cases = [make_case("one"), make_case("two")]
    sets = [make_set(case) for case in cases]
    sets[0].columns["finite"][list(bad)] = False
    return [str(path) for path in write_files(folder, cases, sets)]


def test_every_restoration_has_the_distance_to_its_nearest_neighbour(tmp_path):
    cases, sets = files(tmp_path)
    found = choose_D.of_finished_sets([sets], cases)
    one = store.read_sets(sets)[0].images[:, :, store.read_cases(cases)["one"].hole].reshape(5, -1)
    expected = [min(np.sqrt(np.mean((a - b) ** 2)) for b in np.delete(one, i, 0)) for i, a in enumerate(one)]
    assert found.shape == (10,)
    assert np.allclose(found[:5], expected)


def test_a_restoration_that_is_not_finite_has_no_distance_and_is_nobody_s_neighbour(tmp_path, capsys):
    (tmp_path / "all").mkdir()
    whole = choose_D.of_finished_sets([files(tmp_path / "all")[1]], files(tmp_path / "all")[0])
    cases, sets = files(tmp_path, bad=[1, 3])
    found = choose_D.of_finished_sets([sets], cases)
    assert np.isnan(found).tolist() == [False, True, False, True, False, *[False] * 5]
    assert (found[[0, 2, 4]] >= whole[[0, 2, 4]]).all()
    assert np.array_equal(found[5:], whole[5:])
    assert main(["distances", "--sets", sets, "--cases", cases]) == 0
    assert "2 of 10 distances are not finite and left out" in capsys.readouterr().out


def test_the_last_finite_restoration_of_a_set_has_no_neighbour(tmp_path):
    cases, sets = files(tmp_path, bad=[0, 1, 2, 3])
    assert np.isnan(choose_D.of_finished_sets([sets], cases)[:5]).all()


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_nothing_is_suggested_from_distances_that_are_not_finite(value, monkeypatch, tmp_path, capsys):
    by_time = {900: np.array([0.3, value]), 500: np.array([value, value])}
    monkeypatch.setattr(choose_D, "while_sampling", lambda *_: by_time)
    words = ["distances", "--settings", PLAIN, "--cases", "any"]
    assert main(words) == 0
    out = capsys.readouterr().out
    assert "3 of 4 distances are not finite and left out" in out
    assert "suggested D (unit rms): 0.3, 0.3, 0.3" in out
    by_time[900][0] = value
    assert main(words) == 2
    assert capsys.readouterr().err.count("\n") == 1


def test_the_quantiles_are_those_of_the_finite_distances(monkeypatch, capsys):
    by_time = {900: np.r_[np.linspace(0, 1, 101), np.inf]}
    monkeypatch.setattr(choose_D, "while_sampling", lambda *_: by_time)
    assert main(["distances", "--settings", PLAIN, "--cases", "any"]) == 0
    row = capsys.readouterr().out.splitlines()[3].split()
    assert [float(value) for value in row[1:]] == pytest.approx(choose_D.QUANTILES)
