"""Hierarchies: the recorded trees of the reference, and what a tree must be."""

import json
import math

import numpy as np
import pytest
from golden import golden, golden_path

from benchmark.errors import BenchmarkError
from benchmark.selection import trees

HARD = ["fps_ssize3_sfinf", "fps_ssize5_sfinf", "kmeans_ssize3_sfinf", "kmeans_ssize5_sfinf"]
SOFT = [
    *[f"fps_ssize{n}_sf2_{rest}" for n in (3, 5) for rest in ("recF_maxinf", "recF_p10", "recT_p10")],
    *[f"kmeans_ssize{n}_sf2_recF_p10" for n in (3, 5)],
]


@pytest.mark.parametrize("name", HARD + SOFT)
def test_the_reference_preset_reproduces_every_recorded_tree(name):
    recorded = json.loads(golden_path("hierarchical_trees.json").read_text())
    baselines = golden("selection_baselines.npz")
    distances = baselines["distances"]
    pick = (
        trees.farthest_picks(distances)
        if name.startswith("fps")
        else trees.kmeans_picks(baselines["features"], preset="reference")
    )
    tree = trees.hierarchy(
        distances,
        int(name.split("ssize")[1][0]),
        pick,
        soft_factor=2 if "sf2" in name else math.inf,
        max_distance=recorded["_params"]["p10"] if "p10" in name else math.inf,
        recursive="recT" in name,
        preset="reference",
    )
    found = [[path, str(index)] for path, index in trees.paths(tree)]
    assert found == recorded[name]["list"]
    assert trees.newick(tree) == recorded[name]["newick"]


@pytest.fixture
def features():
    return np.random.default_rng(3).normal(size=(70, 4))


def distances_of(features):
    return np.linalg.norm(features[:, None] - features[None], axis=-1)


def test_a_hard_tree_holds_every_sample_once_with_at_most_n_children_per_node(features):
    for n in (2, 3, 5):
        for pick in (trees.farthest_picks(distances_of(features)), trees.kmeans_picks(features)):
            tree = trees.hierarchy(distances_of(features), n, pick)
            found = list(trees.paths(tree))
            assert sorted(index for _, index in found) == list(range(70))
            assert max(int(path[-1]) for path, _ in found) < n


@pytest.mark.parametrize("recursive", [False, True])
def test_a_soft_tree_holds_every_sample_and_none_twice_on_one_way_down(features, recursive):
    tree = trees.hierarchy(
        distances_of(features), 3, trees.farthest_picks(distances_of(features)), soft_factor=2, recursive=recursive
    )
    found = dict(trees.paths(tree))
    assert set(found.values()) == set(range(70))
    assert len(found) > 70
    for path in found:
        way = [found[path[: i + 1]] for i in range(len(path))]
        assert len(set(way)) == len(way)


def test_children_of_a_split_lie_nearest_to_their_own_pick(features):
    distances = distances_of(features)
    tree = trees.hierarchy(distances, 4, trees.farthest_picks(distances))
    picks = [node.index for node in tree]
    for node in tree:
        for _, index in trees.paths(node.children):
            assert distances[index, picks].argmin() == picks.index(node.index)


def test_up_to_n_samples_are_one_list_of_leaves(features):
    for m in (0, 1, 3):
        distances = distances_of(features[:m])
        tree = trees.hierarchy(distances, 3, trees.farthest_picks(distances)) if m else ()
        assert [node.index for node in tree] == list(range(m))
        assert all(not node.children for node in tree)


def test_identical_samples_make_a_tree_all_the_same():
    distances = np.zeros((12, 12))
    tree = trees.hierarchy(distances, 3, trees.farthest_picks(distances))
    assert sorted(index for _, index in trees.paths(tree)) == list(range(12))


def test_newick_writes_children_before_their_node():
    assert trees.newick((trees.Node(0, (trees.Node(1), trees.Node(2))), trees.Node(3))) == "((1,2)0,3);"


def test_a_node_needs_two_children():
    with pytest.raises(BenchmarkError, match="at least 2"):
        trees.hierarchy(np.zeros((4, 4)), 1, trees.farthest_picks(np.zeros((4, 4))))


@pytest.mark.parametrize("value", [math.nan, math.inf])
def test_a_tree_of_distances_that_are_not_finite_is_refused(value, features):
    distances = distances_of(features)
    pick = trees.farthest_picks(distances)
    distances[3, 5] = value
    with pytest.raises(BenchmarkError, match="a square of finite numbers"):
        trees.hierarchy(distances, 3, pick)
    with pytest.raises(BenchmarkError, match="a square of finite numbers"):
        trees.hierarchy(np.zeros((4, 5)), 3, pick)
