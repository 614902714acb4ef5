"""The readers that a classifier is held against, and the pictures between values that it learns from."""

import itertools
import json

import numpy as np
import pytest
import torch

from benchmark.__main__ import main
from benchmark.data.cases import write_cases
from benchmark.data.masks import RECIPES
from benchmark.data.posterior import posterior_of_case, repeated
from benchmark.data.worlds import cats, get_world
from benchmark.jobs.cases import CasesSettings
from benchmark.networks.classifier import load_classifier
from benchmark.store import SCHEMAS, encode_image, read_cases, write_table
from benchmark.training.agreement import Readings, compare, free_values, readings
from benchmark.training.classifier import ReadingTask, blend, classifier_task
from benchmark.weights.shipped import worlds


@pytest.fixture(scope="module")
def case(tmp_path_factory):
    """A case of cats behind the hole of the check: its file, posterior and hole."""
    path = tmp_path_factory.mktemp("cats") / "cases.parquet"
    settings = {"dataset": "cats", "source": {"name": "cats"}, "count": 1, "seed": 5}
    (case,) = write_cases(CasesSettings(**settings, mask=cats.CHECK_HOLE, mask_name="hole"), path)
    known = posterior_of_case("cats", case.case, 64, np.ascontiguousarray(case.hole).tobytes())
    return path, known, case.hole


@pytest.fixture(scope="module")
def samples(case):
    """Every allowed picture of eyes and mouth in one eye colour, and what each is a picture of."""
    _, known, _ = case
    pairs = torch.tensor(list(itertools.product(range(3), range(4))))
    drawn = repeated(known.truth, len(pairs))
    drawn.values["eyes"][:], drawn.values["mouth"][:] = pairs.unbind(1)
    return drawn


def read(case, attributes):
    _, known, hole = case
    images = cats.render(attributes).numpy()
    nothing = {a: np.zeros((len(images), len(table))) for a, table in cats.ATTRIBUTES.items()}
    return readings(known, hole, images, nothing)


def test_of_pictures_of_the_world_both_nearest_renderings_read_what_was_drawn(case, samples):
    assert set(case[1].hidden) == {"eyes", "eye_colour", "mouth"}
    found = read(case, samples)
    for reader in ("allowed", "free"):
        for attribute in case[1].hidden:
            assert (found.labels[reader][attribute] == samples.values[attribute].numpy()).all()
    assert found.distance.max() < 1e-5


def test_a_visible_attribute_broken_in_the_hole_misleads_the_allowed_reading_alone(case, samples):
    tried = free_values(case[1], case[2])
    assert set(tried) == {"eyes", "eye_colour", "mouth", "pattern", "coat"}
    broken = samples[torch.arange(len(samples)).repeat(4)]
    broken.values["pattern"][:] = (broken.values["pattern"] + torch.arange(1, 5).repeat_interleave(len(samples))) % 5
    found, drawn = read(case, broken), broken.values["mouth"].numpy()
    assert (found.labels["free"]["mouth"] == drawn).all()
    assert (found.labels["allowed"]["mouth"] != drawn).sum() > 0


def test_agreement_and_shares_count_what_the_readers_say():
    labels = {
        "classifier": {"mouth": np.array([0, 0, 1, 2])},
        "allowed": {"mouth": np.array([0, 1, 1, 1])},
        "free": {"mouth": np.array([0, 0, 1, 1])},
    }
    table = compare([Readings(labels, np.array([0.1, 0.3, 0.1, 0.1]))], "cats")
    assert table["mouth"]["agreement"] == {
        "classifier, allowed": 0.5,
        "classifier, free": 0.75,
        "allowed, free": 0.75,
    }
    assert table["mouth"]["near"]["allowed, free"] == 1
    assert table["mouth"]["near_samples"] == 3
    assert table["mouth"]["shares"]["tongue"] == {"classifier": 0.25, "allowed": 0, "free": 0}
    assert table["all"]["agreement"] == table["mouth"]["agreement"]


def test_the_command_reads_given_sets(case, samples, tmp_path, capsys):
    path = case[0]
    images = cats.render(samples).numpy()
    (name,) = read_cases(path)
    empty = dict.fromkeys(SCHEMAS["sets"].names)
    row = {**empty, "dataset": "cats", "task": "hole", "case": name, "sampler": "none", "method": "plain", "seed": 0}
    rows = [{**row, "index": index, "image": encode_image(image)} for index, image in enumerate(images)]
    write_table(tmp_path / "sets.parquet", "sets", rows, {})
    command = ["check-classifier", "--world", "cats", "--sets", str(tmp_path / "sets.parquet"), "--cases", str(path)]
    assert main([*command, "--json", str(tmp_path / "table.json")]) == 0
    table = json.loads((tmp_path / "table.json").read_text())
    assert table["mouth"]["samples"] == len(images)
    assert table["all"]["agreement"]["allowed, free"] == 1
    assert table["all"]["agreement"]["classifier, free"] >= 0.95
    assert f"{'tongue':<12}" in capsys.readouterr().out
    assert main(command[:-2]) == 2
    assert "--sets and --cases belong together" in capsys.readouterr().err


# ------------------------------------------------------------------------------------------------------------ blends
def test_a_blend_is_taken_for_the_nearer_of_its_two_pictures():
    drawn = torch.zeros(200, 3, 16, 16)
    other = drawn.clone()
    other[:, :, 4:8, 4:8] = 1
    mixed, (taken,) = blend(drawn, [other], torch.Generator().manual_seed(0))
    nearer = ((mixed - other) ** 2).flatten(1).sum(1) < (mixed**2).flatten(1).sum(1)
    assert (taken == nearer).all()
    assert 60 < taken.sum() < 140
    assert (mixed[:, :, 0, 0] == 0).all()
    assert mixed.min() >= 0
    assert mixed.max() <= 1


def task(blends):
    settings = {"world": "cats", "seed": 3, "steps": 1, "batch": 40, "lr": 1e-3, "ema": 0.9, "precision": "fp32"}
    return classifier_task(cats, settings, blends)


def test_labels_of_blends_are_those_of_the_nearer_values():
    mixed, values = task(1.0).pictures(40, torch.Generator().manual_seed(1))
    generator = torch.Generator().manual_seed(1)
    base = cats.sample_attributes(40, generator)
    plain = cats.render(base)
    moved = torch.stack([values[name] != base.values[name] for name in values])
    assert 10 < (moved.sum(0) > 0).sum() < 35  # half of them, twice
    assert moved.sum(0).max() <= 2
    base.values.update(values)
    labelled = cats.render(base)
    for row in torch.nonzero(moved.any(0))[:, 0]:
        nearer, farther = ((mixed[row] - picture[row]) ** 2 for picture in (labelled, plain))
        assert nearer.sum() < farther.sum()


def test_without_blends_the_pictures_are_the_worlds_own():
    images, values = task(0.0).pictures(20, torch.Generator().manual_seed(1))
    base = cats.sample_attributes(20, torch.Generator().manual_seed(1))
    assert torch.equal(images, cats.render(base))
    assert all(torch.equal(values[name], base.values[name]) for name in values)
    assert isinstance(task(0.0), ReadingTask)


def test_the_shipped_classifier_of_cats_reads_blurred_mouths():
    attributes = cats.sample_attributes(200, torch.Generator().manual_seed(78))
    images = cats.render(attributes)
    blurred = torch.nn.functional.avg_pool2d(images, 3, stride=1, padding=1, count_include_pad=False)
    found = load_classifier("cats")(blurred).probabilities["mouth"].argmax(1)
    assert (found == attributes.values["mouth"]).float().mean() >= 0.97


@pytest.mark.parametrize("world", worlds("classifier"))
def test_a_world_says_behind_which_hole_its_classifier_is_checked(world):
    settings = {"dataset": world, "source": {"name": world}, "count": 1, "seed": 5, "mask_name": "hole"}
    assert CasesSettings(**settings, mask=get_world(world).CHECK_HOLE).mask["recipe"] in RECIPES
