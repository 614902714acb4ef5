"""Selection: agreement with the reference's recorded runs, what every strategy keeps to, and the two commands."""

import inspect
import json

import numpy as np
import pytest
from golden import golden

from benchmark import store
from benchmark.cli import main
from benchmark.errors import BenchmarkError
from benchmark.features import extract
from benchmark.selection import strategies, toy
from benchmark.selection.strategies import STRATEGIES, select


# ------------------------------------------------------------------------------------------------- recorded reference
@pytest.fixture(scope="module")
def recorded():
    return golden("selection_baselines.npz")


@pytest.mark.parametrize("n", [3, 5, 8])
def test_reference_cluster_representatives_agree_with_the_recorded_run(recorded, n):
    assert np.array_equal(strategies.kmeans(recorded["features"], n, preset="reference"), recorded[f"kmeans_{n}"])


@pytest.mark.parametrize("n", [5, 12])
def test_reference_farthest_points_agree_with_the_recorded_run(recorded, n):
    features = recorded["features"]
    found = strategies.farthest(features, n, preset="reference")
    assert np.array_equal(found, recorded[f"fps_random_seed125_{n}"])
    found = strategies.farthest(features[:60], n, preset="reference")
    assert np.array_equal(found, recorded[f"fps_random_seed125_L60_{n}"])
    assert np.array_equal(strategies.farthest(features, n, first="farthest_pair"), recorded[f"fps_furthest_{n}"])


@pytest.mark.parametrize("d", [5, 25])
@pytest.mark.parametrize("share", ["0", "0.1"])
def test_reference_uniformization_agrees_with_the_recorded_run(recorded, d, share):
    features = recorded["features"]
    logs = strategies.uniformization_log_weights(features, k=6, d=d, share=float(share), count_self=True)
    assert np.abs(np.exp(logs) - recorded[f"unif_weights_k6_d{d}_t{share}"]).max() < 1e-6
    found = strategies.uniformization(features, 5, preset="reference", d=d, share=float(share))
    assert np.array_equal(found, recorded[f"unif_sample5_seed125_k6_d{d}_t{share}"])


def test_distances_to_the_kth_neighbour_agree_with_the_recorded_run(recorded):
    found = strategies.kth_distances(recorded["features"], 6, count_self=True)
    assert np.abs(found - recorded["kth_dist_k6"]).max() < 1e-5
    assert np.array_equal(found, strategies.kth_distances(recorded["features"], 5))


def test_calc_k_agrees_with_the_recorded_values(recorded):
    for key, k in json.loads(str(recorded["meta_json"]))["calc_k"].items():
        assert strategies.calc_k(*map(int, key.split(","))) == k


def test_paper_and_reference_representatives_are_the_same_where_no_two_centres_share_a_sample(recorded):
    found = strategies.kmeans(recorded["features"], 5, 0)
    assert set(found) == set(recorded["kmeans_5"])


# --------------------------------------------------------------------------------------------------- every strategy
@pytest.fixture
def features():
    return np.random.default_rng(5).normal(size=(60, 4))


@pytest.mark.parametrize("name", STRATEGIES)
@pytest.mark.parametrize("n", [1, 5, 59, 60])
def test_picks_are_n_distinct_candidates(name, n, features):
    picks = select({"name": name}, features, n, seed=7)
    assert picks.shape == (n,)
    assert len(set(picks.tolist())) == n
    assert picks.min() >= 0
    assert picks.max() < 60


@pytest.mark.parametrize("name", STRATEGIES)
def test_the_same_seed_gives_the_same_picks(name, features):
    assert np.array_equal(*(select({"name": name}, features, 5, seed=7) for _ in range(2)))


@pytest.mark.parametrize("name", ["uniformization", "farthest", "random"])
def test_another_seed_gives_other_picks(name, features):
    assert len({tuple(select({"name": name}, features, 5, seed=seed)) for seed in range(5)}) > 1


@pytest.mark.parametrize("name", STRATEGIES)
def test_picks_do_not_change_when_features_are_moved_or_rotated(name, features):
    rotation = np.linalg.qr(np.random.default_rng(0).normal(size=(4, 4)))[0]
    moved = features @ rotation + 3
    assert set(select({"name": name}, moved, 5, seed=1)) == set(select({"name": name}, features, 5, seed=1))


@pytest.mark.parametrize("name", STRATEGIES)
def test_fewer_distinct_candidates_than_n_still_give_n_distinct_indices(name):
    for features in (np.zeros((8, 3)), np.repeat(np.eye(3), 3, axis=0)):
        assert len(set(select({"name": name}, features, 5, seed=0).tolist())) == 5


@pytest.mark.parametrize("name", STRATEGIES)
def test_fewer_candidates_than_n_get_one_line(name, features):
    with pytest.raises(BenchmarkError, match="fewer candidates than N: 4 for N = 5"):
        select({"name": name}, features[:4], 5)


PRESETS = [{}, {"preset": "reference"}]


def refused(settings, features, n=5):
    """The one line with which a selection is refused."""
    with pytest.raises(BenchmarkError) as error:
        select(settings, features, n)
    assert "\n" not in str(error.value)
    return str(error.value)


@pytest.mark.parametrize("preset", PRESETS)
@pytest.mark.parametrize("name", STRATEGIES)
@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf, 1e200])
def test_features_that_are_not_finite_are_refused_with_their_rows(name, preset, value, features):
    features[3], features[7, 2] = value, value
    assert "2 of 60 candidates" in refused({"name": name, **preset}, features)
    assert "(rows 3, 7)" in refused({"name": name, **preset}, features)
    with pytest.raises(BenchmarkError, match="rows 3, 7"):  # called by itself as well
        STRATEGIES[name](features, 5, **preset)
    with pytest.raises(BenchmarkError, match="rows 3, 7"):
        strategies.uniformization_log_weights(features, k=3, d=2)


@pytest.mark.parametrize("preset", PRESETS)
@pytest.mark.parametrize("name", STRATEGIES)
def test_nothing_is_picked_where_no_feature_is_finite_or_there_is_none(name, preset):
    assert "8 of 8 candidates" in refused({"name": name, **preset}, np.full((8, 3), np.nan))
    assert "shape (8, 0)" in refused({"name": name, **preset}, np.zeros((8, 0)))
    assert "shape (8,)" in refused({"name": name, **preset}, np.zeros(8))
    assert "0 for N = 5" in refused({"name": name, **preset}, np.zeros((0, 3)))


@pytest.mark.parametrize("preset", PRESETS)
@pytest.mark.parametrize("name", STRATEGIES)
def test_duplicates_and_one_distinct_point_give_n_indices_or_one_line(name, preset):
    """What cannot be is refused: the reference draws from samples of positive weight alone, and duplicates have 0."""
    for features in (np.ones((8, 3)), np.r_[np.eye(3), np.eye(3), np.eye(3)], np.r_[np.zeros((11, 3)), np.eye(3)[:1]]):
        settings = {"name": name, **preset}
        if name == "uniformization" and preset and len(features) == 12:
            assert "of the candidates with a weight, which are 1 of 12" in refused(settings, features)
            continue
        picks = select(settings, features, 5)
        assert picks.shape == (5,)
        assert set(picks.tolist()) <= set(range(len(features)))
        assert len(set(picks.tolist())) == 5 or (name == "kmeans" and preset)


def test_features_that_float32_cannot_square_are_refused_by_the_reference_alone(features):
    assert len(select({"name": "kmeans"}, features * 1e25, 5)) == 5
    assert "beyond 1e+18" in refused({"name": "kmeans", "preset": "reference"}, features * 1e25)


@pytest.mark.parametrize("name", STRATEGIES)
def test_a_strategy_is_documented_and_has_both_presets(name):
    signature = inspect.signature(STRATEGIES[name])
    assert list(signature.parameters)[:4] == ["features", "n", "seed", "preset"]
    assert STRATEGIES[name].__doc__


def test_farthest_points_and_weights_follow_a_permutation_of_the_candidates(features):
    order = np.random.default_rng(1).permutation(60)
    first = int(np.flatnonzero(order == 17)[0])
    picks = strategies.farthest(features[order], 8, first=first)
    assert np.array_equal(order[picks], strategies.farthest(features, 8, first=17))
    logs = strategies.uniformization_log_weights(features, k=5, d=4)
    assert np.allclose(strategies.uniformization_log_weights(features[order], k=5, d=4), logs[order])


def test_every_farthest_point_is_farthest_from_those_before(features):
    picks = strategies.farthest(features, 10, seed=3)
    distances = np.linalg.norm(features[:, None] - features[None], axis=-1)
    for step in range(1, 10):
        nearest = distances[:, picks[:step]].min(axis=1)
        assert nearest[picks[step]] == nearest.max()


def test_two_centres_never_share_a_sample_under_the_paper_preset():
    distances = np.array([[0.1, 0.2], [0.5, 0.3], [0.9, 0.9]])
    assert strategies.nearest_distinct(distances).tolist() == [0, 1]
    assert strategies.nearest_distinct(distances[:, ::-1]).tolist() == [1, 0]


def test_weights_are_those_of_the_definition(features):
    logs = strategies.uniformization_log_weights(features, k=3, d=2.5)
    distances = np.sort(np.linalg.norm(features[:, None] - features[None], axis=-1), axis=1)[:, 3]
    assert np.allclose(np.exp(logs), distances**2.5 / (distances**2.5).sum())
    assert np.isclose(np.exp(logs).sum(), 1)


def test_weights_stay_finite_where_their_powers_would_not(features):
    for scale in (1e-30, 1e30):
        logs = strategies.uniformization_log_weights(features * scale, k=3, d=25)
        assert np.allclose(logs, strategies.uniformization_log_weights(features, k=3, d=25))


def test_the_share_of_the_largest_weights_is_set_to_zero(features):
    whole = strategies.uniformization_log_weights(features, k=3, d=2)
    logs = strategies.uniformization_log_weights(features, k=3, d=2, share=0.1)
    assert set(np.flatnonzero(np.isneginf(logs))) == set(np.argsort(whole)[-6:])
    assert np.isclose(np.exp(logs).sum(), 1)
    draws = [strategies.uniformization(features, 5, seed, k=3, d=2, share=0.1) for seed in range(20)]
    assert not np.isneginf(logs[np.concatenate(draws)]).any()


def test_first_draws_of_uniformization_have_the_probabilities_of_the_weights():
    features = np.array([[0.0], [1.0], [3.0], [7.0]])
    weights = np.exp(strategies.uniformization_log_weights(features, k=1, d=1))
    first = [strategies.uniformization(features, 1, seed, k=1, d=1)[0] for seed in range(4000)]
    assert np.abs(np.bincount(first, minlength=4) / 4000 - weights).max() < 0.03


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"name": "best"}, "none of kmeans"),
        ({"name": "kmeans", "k": 3}, "no option 'k'"),
        ({"name": "farthest", "preset": "exact"}, "none of paper, reference"),
        ({"name": "uniformization", "k": 0}, "k >= 1"),
        ({"name": "uniformization", "k": 2.5}, "k >= 1"),
        ({"name": "uniformization", "d": float("nan")}, "d > 0"),
        ({"name": "uniformization", "d": float("inf")}, "finite d > 0"),
        ({"name": "uniformization", "share": float("nan")}, "share < 1"),
        ({"name": "kmeans", "n_init": 0}, "n_init = 0"),
        ({"name": "kmeans", "max_iter": float("nan")}, "max_iter = nan"),
        ({"name": "farthest", "first": True}, "nor one of the 60"),
        ({"name": "uniformization", "share": 1.0}, "share < 1"),
        ({"name": "farthest", "first": 60}, "nor one of the 60"),
        ({"name": "farthest", "first": "last"}, "neither random"),
    ],
)
def test_wrong_settings_get_one_line(settings, message, features):
    with pytest.raises(BenchmarkError, match=message):
        select(settings, features, 5)


def test_n_below_one_gets_one_line(features):
    with pytest.raises(BenchmarkError, match="n = 0"):
        select({"name": "random"}, features, 0)


# -------------------------------------------------------------------------------------------------- the select command
M = 12


@pytest.fixture
def run_folder(tmp_path):
    """Cases a and b with 12 candidates each in three shards; candidate 4 of a is not finite."""
    rng = np.random.default_rng(9)
    hole = np.zeros((6, 6), bool)
    hole[:, :3] = True
    cases = [
        {"dataset": "digits", "mask": "left", "case": name, "image": store.encode_image(rng.uniform(-1, 1, (1, 6, 6)))}
        | {"hole": store.encode_hole(hole), "hole_fraction": 0.5, "attributes": [("digit", "3")]}
        for name in "ab"
    ]
    store.write_table(tmp_path / "cases.parquet", "cases", cases, {"cases": "left"})
    for first in (0, 4, 8):
        rows = [
            candidate_row(case, index, rng.uniform(-1, 1, (1, 6, 6)))
            for case in "ab"
            for index in range(first, first + 4)
        ]
        store.write_table(tmp_path / f"from{first}.parquet", "sets", rows, {"first_index": first})
    return tmp_path


def candidate_row(case, index, image):
    keys = {"dataset": "digits", "task": "left", "case": case, "sampler": "ddnm", "method": "plain"}
    keys |= {"eta": 0.0, "D": 0.0, "D_unit": "rms", "D_rms": 0.0, "seed": 0, "index": index}
    return keys | {
        "image": store.encode_image(image),
        "nfe": 101,
        "seconds": 0.25,
        "gate_open": 0.0,
        "finite": not (case == "a" and index == 4),
        "consistency": 0.001 * index,
    }


def settings_for(name, **changes):
    settings = {"dataset": "digits", "task": "left", "sampler": "ddnm", "strategy": {"name": name}}
    settings |= {"features": {"name": "hole_pca"}, "n": 5, "candidates": M, "seed": 0}
    settings |= {"cases": store.fingerprint({"cases": "left"})}
    return settings | {"candidate_files": [store.fingerprint({"first_index": i}) for i in (0, 4, 8)]} | changes


def run_select(folder, settings, shards=("from0", "from4", "from8"), output="selected.parquet"):
    paths = [str(folder / f"{shard}.parquet") for shard in shards]
    words = ["--cases", str(folder / "cases.parquet"), "--output", str(folder / output), "--device", "cpu"]
    status = main(["select", "--settings", json.dumps(settings), "--candidates", *paths, *words])
    return status, folder / output


@pytest.mark.parametrize("name", STRATEGIES)
def test_a_selection_is_a_set_file_of_the_candidates_it_names(name, run_folder):
    status, path = run_select(run_folder, settings_for(name))
    assert status == 0
    candidates = {}
    for first in (0, 4, 8):
        for row in store.read_table(run_folder / f"from{first}.parquet").to_pylist():
            candidates[row["case"], row["index"]] = row
    rows = store.read_table(path, "sets", settings_for(name)).to_pylist()
    assert [row["case"] for row in rows] == ["a"] * 5 + ["b"] * 5
    assert len({(row["case"], row["index"]) for row in rows}) == 10
    for row in rows:
        source = candidates[row["case"], row["index"]]
        assert row["method"] == name
        assert row["finite"]
        for key in ("image", "consistency", "seed", "eta", "D", "D_unit", "D_rms", "sampler", "gate_open"):
            assert row[key] == source[key]
    assert ("a", 4) not in {(row["case"], row["index"]) for row in rows}


@pytest.mark.parametrize("name", STRATEGIES)
def test_the_picks_are_those_of_the_strategy_on_the_finite_candidates(name, run_folder):
    _, path = run_select(run_folder, settings_for(name))
    from benchmark.selection.run import pool_seed

    pool = [row for i in (0, 4, 8) for row in store.read_table(run_folder / f"from{i}.parquet").to_pylist()]
    pool = [row for row in pool if row["case"] == "a" and row["finite"]]
    hole = store.read_cases(run_folder / "cases.parquet")["a"].hole
    features = extract({"name": "hole_pca"}, np.stack([store.decode_image(row["image"]) for row in pool]), hole)
    picks = select({"name": name}, features, 5, pool_seed(pool[0], 0))
    found = [row["index"] for row in store.read_table(path).to_pylist() if row["case"] == "a"]
    assert found == [pool[i]["index"] for i in picks]


@pytest.mark.parametrize("name", STRATEGIES)
def test_the_order_of_the_shards_does_not_matter(name, run_folder):
    _, path = run_select(run_folder, settings_for(name))
    _, other = run_select(run_folder, settings_for(name), ("from8", "from0", "from4"), "other.parquet")
    assert path.read_bytes() == other.read_bytes()


def test_one_shard_or_several_give_the_same_selection(run_folder):
    rows = [row for i in (8, 0, 4) for row in store.read_table(run_folder / f"from{i}.parquet").to_pylist()]
    store.write_table(run_folder / "all.parquet", "sets", rows, {"all": True})
    settings = settings_for("kmeans", candidate_files=[])
    _, path = run_select(run_folder, settings)
    _, other = run_select(run_folder, settings, ["all"], "other.parquet")
    assert store.read_table(path).to_pylist() == store.read_table(other).to_pylist()


def test_a_set_costs_what_all_its_candidates_cost(run_folder):
    _, path = run_select(run_folder, settings_for("farthest"))
    for restorations in store.read_sets(path):
        assert restorations.columns["nfe"].sum() == 101 * M
        assert np.ptp(restorations.columns["nfe"]) <= 1
        assert np.isclose(restorations.columns["seconds"].sum(), 0.25 * M)


def test_cases_draw_their_own_random_control(run_folder):
    _, path = run_select(run_folder, settings_for("random"))
    chosen = [set(restorations.index) for restorations in store.read_sets(path)]
    assert chosen[0] != chosen[1]


def test_a_set_that_cannot_be_computed_is_rows_that_say_so(run_folder):
    for first in (0, 4, 8):
        path = run_folder / f"from{first}.parquet"
        rows = store.read_table(path).to_pylist()
        rows = [row | {"finite": row["case"] == "b" or row["index"] in (3, 9)} for row in rows]
        store.write_table(path, "sets", rows, {"first_index": first})
    status, path = run_select(run_folder, settings_for("kmeans"))
    assert status == 0
    a, b = store.read_sets(path)
    assert not a.columns["finite"].any()
    assert a.index.tolist() == [0, 1, 2, 3, 9]
    assert b.columns["finite"].all()


@pytest.mark.parametrize("name", STRATEGIES)
def test_a_finite_candidate_whose_features_are_not_is_named_with_its_case(name, run_folder, monkeypatch, capsys):
    def features_of(settings, images, hole, device):
        return np.where(np.arange(len(images))[:, None] == 2, np.nan, images.reshape(len(images), -1))

    monkeypatch.setattr("benchmark.selection.run.extract", features_of)
    status, path = run_select(run_folder, settings_for(name))
    assert status == 2
    assert "case 'a': select: features of 1 of 11 candidates are not finite" in capsys.readouterr().err
    assert not path.exists()


@pytest.mark.parametrize(
    ("changes", "shards", "message"),
    [
        ({"n": 13}, ("from0", "from4", "from8"), "fewer candidates than N"),
        ({"candidates": 60}, ("from0", "from4", "from8"), "has 12 candidates, the settings say 60"),
        ({}, ("from0", "from4"), "no shard with fingerprint"),
        ({"candidate_files": []}, ("from0", "from0"), "is there already"),
        ({"candidate_files": ["0" * 16]}, ("from0", "from4", "from8"), "delete it and run again"),
        ({"cases": "0" * 16}, ("from0", "from4", "from8"), "cases.parquet: made with other settings"),
        ({"task": "right"}, ("from0", "from4", "from8"), "task is 'left', the settings say 'right'"),
        ({"strategy": {"name": "best"}}, ("from0", "from4", "from8"), "none of kmeans"),
        ({"features": {"name": "best"}}, ("from0", "from4", "from8"), "none of digit_pixels"),
        ({}, ("from0", "from4", "missing"), "no such file"),
        ({}, ("from0", "from4", "cases"), "a table of 'sets' was expected"),
    ],
)
def test_wrong_input_gets_one_line_and_leaves_nothing_behind(changes, shards, message, run_folder, capsys):
    status, path = run_select(run_folder, settings_for("kmeans", **changes), shards)
    error = capsys.readouterr().err
    assert status == 2
    assert message in error
    assert error.count("\n") == 1
    assert not path.exists()


# ----------------------------------------------------------------------------------------------------- the toy example
@pytest.fixture(scope="module")
def covers():
    return [toy.covered(toy.compare(seed=seed)) for seed in range(6)]


def test_farthest_points_hit_every_gaussian_that_has_a_point(covers):
    assert all(cover["farthest"] == cover["all"] for cover in covers)
    assert covers[0]["farthest"] == 10


def test_cluster_representatives_miss_at_most_one_gaussian(covers):
    assert all(cover["kmeans"] >= cover["all"] - 1 for cover in covers)


def test_uniformization_lies_between_a_random_draw_and_farthest_points(covers):
    mean = {name: np.mean([cover[name] for cover in covers]) for name in covers[0]}
    assert mean["random"] + 3 < mean["uniformization"] < mean["farthest"]


def test_independent_draws_hit_two_gaussians_on_average():
    assert round(toy.expected_cover_of_iid(20), 2) == 1.95
    hits = []
    for seed in range(300):
        _, gaussian = toy.draw_points(seed=seed)
        hits.append(len(set(gaussian[strategies.random(gaussian[:, None], 20, seed)])))
    assert abs(np.mean(hits) - 1.95) < 0.2


def test_the_cloud_has_95_per_cent_in_the_central_gaussian():
    points, gaussian = toy.draw_points(20000, seed=1)
    assert abs((gaussian == 0).mean() - 0.95) < 0.01
    assert np.abs(points[gaussian == 0].mean(axis=0)).max() < 0.05
    assert set(gaussian) == set(range(10))


def test_the_toy_command_writes_the_same_data_and_pictures_twice(tmp_path, capsys):
    for run in ("one", "two"):
        outputs = [str(tmp_path / f"{run}.{end}") for end in ("csv", "png", "svg")]
        flags = ["--output-data", "--output-figure", "--output-svg"]
        assert main(["toy", *(word for pair in zip(flags, outputs, strict=True) for word in pair)]) == 0
    for end in ("csv", "png", "svg"):
        assert (tmp_path / f"one.{end}").read_bytes() == (tmp_path / f"two.{end}").read_bytes()
    lines = (tmp_path / "one.csv").read_text().splitlines()
    assert lines[0] == "strategy,order,index,gaussian,x,y"
    assert len(lines) == 1 + 1000 + 4 * 20
    assert "farthest: 10 of 10 Gaussians" in capsys.readouterr().out


def test_the_toy_command_refuses_more_picks_than_points(tmp_path, capsys):
    flags = ["--output-data", "--output-figure", "--output-svg"]
    words = [word for flag in flags for word in (flag, str(tmp_path / "x"))]
    assert main(["toy", *words, "--points", "5", "--n", "6"]) == 2
    assert "1 <= n <= points" in capsys.readouterr().err
    assert not list(tmp_path.iterdir())
