"""Properties that every registered metric has, known values of those computed here, and bad input in one line."""

import re
import types
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
import stand_ins
import torch
from measured_files import make_case, make_set, measure_sets

from benchmark import cli, store
from benchmark.data import sources
from benchmark.data.worlds import faces, get_world
from benchmark.errors import BenchmarkError
from benchmark.metrics import FAMILIES, available_metrics, view
from benchmark.metrics.registry import DIRECTIONS, GROUPS, NEEDS, Metric, expand, find, metrics, skipped
from benchmark.networks.classifier import Reading
from benchmark.publish import labels

PIXELS = {"name": "hole_pixels"}


# -------------------------------------------------------------------------------------- every metric, on four datasets
def drawn_case(world, index):
    """A case of a drawn world as its source gives it, the lower half of its picture unknown."""
    picture = list(sources.pictures({"name": world}, index + 1, 0))[index]
    hole = np.zeros((64, 64), bool)
    hole[30:] = True
    hole[:, 32:] |= world == "bedrooms"
    image = store.decode_image(store.encode_image(picture.image))
    return store.Case(world, "low", picture.case, image, hole, dict.fromkeys(picture.attributes, "any"))


def face_set(case, n, first=0, **keys):
    """The truth with the hole of other faces: what a restoration could look like."""
    others = faces.render(faces.sample_attributes(n, torch.Generator().manual_seed(100 + first)), 64).numpy()
    made = make_set(case, n, **keys)
    images = np.where(case.hole, others, case.image)
    images = np.stack([store.decode_image(store.encode_image(image)) for image in images])
    return store.RestorationSet(made.keys, made.index + first, images, made.columns)


def faces_world(folder):
    cases = [drawn_case("faces", 0), drawn_case("faces", 1)]
    sets = [face_set(case, 3, seed=0) for case in cases]
    candidates = [face_set(case, 19, first=3) for case in cases]
    hashes = {"alexnet": stand_ins.backbone(folder / "alexnet.pth", "alexnet")}
    hashes["vgg16"] = stand_ins.backbone(folder / "vgg16.pth", "vgg16")
    settings = {
        "metrics": [
            "diversity",
            "fidelity",
            "attributes",
            "cost",
            "bank",
            "perceptual",
            "niqe_refit",
            "kid_faces",
            "kid_faces_exact",
        ],
        "features": {"name": "classifier", "classifier": "faces"},
        "classifier": {"name": "faces"},
        "kid_cases": 2,
        "weights": {name: {"path": str(folder / f"{name}.pth"), "sha256": digest} for name, digest in hashes.items()},
    }
    return settings, sets, cases, candidates


class Reader:
    """Reads any picture of a world: each attribute from the darkness of one of its pixels."""

    def __init__(self, world):
        self.world = world

    def __call__(self, images):
        darkness = ((images.flatten(1)[:, 7::331] + 1) * 50).long()
        columns = enumerate(self.world.ATTRIBUTES.items())
        probabilities = {a: torch.eye(len(table))[darkness[:, i] % len(table)] for i, (a, table) in columns}
        return Reading(probabilities, images.flatten(1)[:, ::997])


def bedrooms_world(folder):
    cases = [drawn_case("bedrooms", 0), drawn_case("bedrooms", 1)]
    settings = {"metrics": ["mirror", "mirror_exact", "attribute_tv"], "classifier": {"name": "bedrooms"}}
    return settings, [make_set(case, 3, spread=0.5) for case in cases], cases, []


def digits_world(folder):
    cases = [make_case(name, size=8, channels=1) for name in ("one", "two")]
    sets = [make_set(case, 4, spread=0.5) for case in cases]
    settings = {
        "metrics": ["attributes", "diversity", "cost"],
        "features": {"name": "hole_pca"},
        "classifier": {"name": "digits"},
    }
    return settings, sets, cases, [make_set(case, 20, spread=0.5, seed=1) for case in cases]


def large_world(folder):
    pictures = stand_ins.natural(4, 200)
    hole = np.zeros((200, 200), bool)
    hole[80:, 60:] = True
    case = store.Case("photos", "box", "one", pictures[0], hole, {})
    made = make_set(case, 3)
    sets = [store.RestorationSet(made.keys, made.index, np.where(hole, pictures[1:], pictures[0]), made.columns)]
    digest = stand_ins.niqe(folder / "niqe.mat")
    settings = {
        "metrics": ["niqe", "niqe_corners", "niqe_undefined", "pyiqa:piqe"],
        "features": PIXELS,
        "weights": {"niqe": {"path": str(folder / "niqe.mat"), "sha256": digest}},
    }
    return settings, sets, [case], []


def pooled_world(folder):
    cases = [make_case("one", 32), make_case("two", 32)]
    digest = stand_ins.inception(folder / "inception.pth")
    settings = {
        "metrics": ["kid"],
        "features": PIXELS,
        "kid_cases": 2,
        "weights": {"inception": {"path": str(folder / "inception.pth"), "sha256": digest}},
    }
    return settings, [make_set(case, 2, spread=0.5) for case in cases], cases, []


WORLDS = {
    "faces": faces_world,
    "bedrooms": bedrooms_world,
    "digits": digits_world,
    "large": large_world,
    "pooled": pooled_world,
}


def permuted(restorations):
    order = np.roll(np.arange(len(restorations.images)), 1)
    columns = {name: column[order] for name, column in restorations.columns.items()}
    return store.RestorationSet(restorations.keys, restorations.index, restorations.images[order], columns), order


def by_name(rows):
    """{(metric, case): value, or values by index}."""
    found = {}
    for row in rows:
        found.setdefault((row["metric"], row["case"]), []).append(row["value"])
    return found


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    """For each world: settings, sets, and the rows of two runs and of one with the samples in another order."""

    def run(name):
        if name not in made:
            settings, sets, cases, candidates = WORLDS[name](tmp_path_factory.mktemp(name))
            cases = {case.case: case for case in cases}
            orders = [sets, sets, [permuted(one)[0] for one in sets]]
            with pytest.MonkeyPatch.context() as patch:
                if name == "bedrooms":
                    patch.setattr(view, "load_classifier", lambda world, device: Reader(get_world(world)))
                results = [measure_sets(settings, order, cases, candidates, peak_memory=1e9) for order in orders]
            made[name] = types.SimpleNamespace(
                settings=settings, sets=sets, rows=[rows for rows, _ in results], record=results[0][1]
            )
        return made[name]

    made = {}
    return run


@pytest.mark.parametrize("world", WORLDS)
def test_two_runs_agree_to_the_last_digit(runs, world):
    first, again, _ = runs(world).rows
    assert [row["value"] for row in first] == pytest.approx([row["value"] for row in again], rel=0, abs=0, nan_ok=True)


@pytest.mark.parametrize("world", WORLDS)
def test_the_order_of_the_samples_changes_no_value_of_a_set_and_moves_those_of_samples(runs, world):
    first, moved = by_name(runs(world).rows[0]), by_name(runs(world).rows[2])
    assert first.keys() == moved.keys()
    for key, values in first.items():
        expected = np.array(values)
        if find(key[0])[1].per == "sample":
            expected = np.roll(expected, 1)
        assert np.allclose(moved[key], expected, rtol=1e-5, atol=1e-7, equal_nan=True), key


@pytest.mark.parametrize("world", WORLDS)
def test_returned_names_are_declared_ones_and_come_for_what_they_are_declared_for(runs, world):
    asked = expand(runs(world).settings["metrics"])
    for row in runs(world).rows[0]:
        metric = find(row["metric"])[1]
        assert row["metric"] in asked or metric.name in asked
        assert (row["index"] is None, row["case"] is None) == {
            "set": (True, False),
            "sample": (False, False),
            "pool": (True, True),
        }[metric.per]


@pytest.mark.parametrize("world", WORLDS)
def test_nothing_that_can_be_measured_is_left_without_a_value(runs, world):
    assert runs(world).record["skipped"] == []
    without = {row["metric"] for row in runs(world).rows[0] if np.isnan(row["value"])}
    assert not without


def test_every_registered_metric_is_returned_for_some_dataset(runs):
    returned = {find(row["metric"])[1].name for world in WORLDS for row in runs(world).rows[0]}
    assert returned == set(metrics())


def test_the_hash_of_every_weights_file_is_recorded(runs):
    recorded = {name for world in WORLDS for name in runs(world).record.get("weights", {})}
    assert {"alexnet", "vgg16", "niqe", "inception", "lpips heads alex 0.1"} <= recorded
    assert all(len(digest) == 64 for digest in runs("faces").record["weights"].values())


def test_every_metric_declares_what_it_needs_its_direction_and_its_unit():
    for name, (family, metric) in metrics().items():
        assert family in FAMILIES
        assert set(metric.needs) <= set(NEEDS), name
        assert metric.direction in DIRECTIONS, name
        assert metric.unit not in ("1", "-", name), f"{name}: what has no unit has an empty one"
        assert metric.group in GROUPS, name
        assert metric.label == metric.label.strip() != "", name
        assert set(re.findall(r"\{\w+\}", metric.label)) <= set(re.findall(r"\{\w+\}", name)), name
        assert len(metric.definition) > 20, name
        assert metric.per in ("set", "sample", "pool"), name
        assert not metric.weights or "weights" in metric.needs, name


def test_no_two_metrics_look_alike_in_a_table():
    shown = Counter((metric.label, metric.group) for _, metric in metrics().values())
    assert max(shown.values()) == 1


def test_a_metric_without_label_or_group_cannot_be_declared():
    with pytest.raises(TypeError, match="'label' and 'group'"):
        Metric("new", (), "none", "", "a definition that is long enough")


def test_a_label_is_filled_from_the_name_that_was_measured():
    assert find("faces_feature_mean")[1].named("faces_feature_mean").header == "Distance of faces features (1 − cos) ↑"
    assert find("attribute_share/hair/long_red")[1].named("attribute_share/hair/long_red").label == (
        "Share of hair/long red"
    )
    with pytest.raises(ValueError, match="'psnr' is no 'ssim'"):
        find("ssim")[1].named("psnr")


def test_tables_know_the_perceptual_metrics_and_those_of_quality_by_their_kind():
    kinds = {"_mean": "diversity", "_min": "diversity", "_to_truth_best": "quality", "_to_truth_mean": "quality"}
    for net in ("alex", "vgg"):
        assert {end: labels.measure(f"lpips_{net}{end}").group for end in kinds} == kinds
    quality = ("niqe", "niqe_refit", "niqe_corners", "niqe_undefined", "off_support", "kid", "kid_faces")
    assert {labels.measure(name).group for name in quality} == {"quality"}


def test_the_page_of_metrics_has_every_family_and_no_other_name():
    page = (Path(__file__).resolve().parent.parent / "docs/metrics.md").read_text()
    assert set(FAMILIES) <= set(re.findall(r"^- \*\*(\w+)\*\*: ", page, re.MULTILINE))
    assert all(find(name) for name in re.findall(r"^\| `([^`]+)`", page, re.MULTILINE))


def test_the_list_of_metrics_names_every_one(capsys):
    with pytest.raises(SystemExit):
        cli.main(["measure", "--list"])
    text = capsys.readouterr().out
    assert all(f"  {name} (" in text for name in metrics())


# ------------------------------------------------------------------------------------------------- what is asked for
def test_a_family_stands_for_its_metrics_and_a_name_for_itself():
    assert expand(["cost", "psnr_mean"]) == ["nfe", "seconds", "peak_memory", "finite_share", "gate_open", "psnr_mean"]
    assert find("attribute_entropy/mouth")[1].name == "attribute_entropy/{attribute}"


@pytest.mark.parametrize(
    ("names", "message"),
    [
        (["nfe", "nfe"], "'nfe' is asked for twice; name it once"),
        (["nfe", "cost"], r"'nfe' is asked for twice \(by 'nfe' and by 'cost'\)"),
        (["psnr_men"], "no metric or family 'psnr_men'; did you mean 'psnr_mean'"),
    ],
)
def test_a_name_that_is_unknown_or_given_twice_is_refused(names, message):
    with pytest.raises(BenchmarkError, match=message):
        available_metrics(names)


def test_a_metric_without_its_weights_is_left_out_with_one_line_and_has_no_column(monkeypatch, tmp_path):
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    case = make_case("one", 64)
    settings = {"metrics": ["niqe", "lpips_alex_mean", "nfe"], "features": PIXELS}
    rows, record = measure_sets(settings, [make_set(case)], {"one": case})
    assert {row["metric"] for row in rows} == {"nfe"}
    assert len(record["skipped"]) == 2
    assert record["skipped"][0].startswith("niqe: skipped: no weights of niqe")
    assert str(tmp_path / "hub/pyiqa/niqe_modelparameters.mat") in record["skipped"][0]
    assert "weights fetch alexnet" in record["skipped"][1]
    assert not any("\n" in line for line in record["skipped"])


def test_what_will_be_left_out_is_said_when_the_run_is_planned(monkeypatch, tmp_path, capsys):
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    text = """
run: small
masks: {left: {recipe: left}}
samplers: {ddnm: {algorithm: ddnm, steps: 5}}
datasets:
  digits:
    source: {name: digits}
    prior: {name: digits_mixture}
    tasks: {left: {mask: left}}
    comparison: {samplers: [ddnm], guided: {eta: 0.1, D: 0.3, D_unit: rms}}
    metrics: [psnr_mean, niqe, niqe_corners, class_entropy]
"""
    (tmp_path / "config.yaml").write_text(text)
    assert cli.main(["plan", "--config", str(tmp_path / "config.yaml")]) == 0
    weights, classifier = capsys.readouterr().err.strip().splitlines()
    assert weights.startswith("datasets.digits.metrics: niqe, niqe_corners: skipped: no weights of niqe")
    assert classifier == "datasets.digits.metrics: class_entropy: skipped: the dataset has no classifier"
    assert skipped(["niqe", "psnr_mean"], None, fetched=True) == []


def test_a_value_that_the_dataset_does_not_have_is_said_to_be_absent():
    case = make_case("one", 8, channels=1)
    settings = {"metrics": ["attribute_entropy/tail", "nfe"], "features": PIXELS, "classifier": {"name": "digits"}}
    rows, record = measure_sets(settings, [make_set(case)], {"one": case})
    assert {row["metric"] for row in rows} == {"nfe"}
    assert record["faults"]["attribute_entropy/tail"].startswith("absent")


def test_kid_with_too_few_cases_is_absent_and_says_so(runs):
    settings = {**runs("pooled").settings, "kid_cases": 5}
    cases = {one.keys["case"]: make_case(one.keys["case"], 32) for one in runs("pooled").sets}
    rows, record = measure_sets(settings, runs("pooled").sets, cases)
    assert rows == []
    assert record["faults"]["kid"] == "absent: restorations of 2 cases; 5 are needed"
    assert [row["metric"] for row in runs("pooled").rows[0]] == ["kid"]


def test_files_measured_together_have_the_values_that_each_has_alone(tmp_path):
    cases = [drawn_case("faces", 0), drawn_case("faces", 1)]
    settings = {"metrics": ["diversity", "niqe_refit", "attribute_entropy"], "features": {"name": "classifier"}}
    settings |= {"classifier": {"name": "faces"}, "niqe_refit": {"images": 24}}
    cases = {case.case: case for case in cases}
    files = [[face_set(case, 3, first, eta=first) for case in cases.values()] for first in (0, 5)]
    shared = {}
    together = [measure_sets(settings, sets, cases, shared=shared)[0] for sets in files]
    readings = len(shared["readings", "faces"])
    assert readings == 4 * 3
    assert together == [measure_sets(settings, sets, cases)[0] for sets in files]
    measure_sets(settings, files[0], cases, shared=shared)
    assert len(shared["readings", "faces"]) == readings
