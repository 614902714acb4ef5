"""The posterior over attributes behind a hole, and the measures of sets against it."""

import itertools
from collections import Counter
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from measured_files import measure_sets
from scipy.ndimage import gaussian_filter, shift

from benchmark import store
from benchmark.data import posterior, sources
from benchmark.data.drawing import sample_attributes
from benchmark.data.masks import make_hole
from benchmark.data.worlds import WORLDS, bedrooms
from benchmark.errors import BenchmarkError
from benchmark.jobs.measure import MeasureSettings
from benchmark.metrics import view
from benchmark.metrics.engines import (
    attribute_posterior,
    attribute_shares,
    exact_sets,
    nearest_rendering,
    second_reader,
)
from benchmark.networks.classifier import Reading
from benchmark.publish import labels
from benchmark.publish.tables.measures import headline_and_further


def hole_of(recipe, picture):
    return make_hole(recipe, (64, 64), {name: torch.as_tensor(part) for name, part in picture.parts.items()})


def behind(world, recipe, index):
    picture = list(sources.pictures({"name": world}, index + 1, 0))[index]
    found = posterior.posterior_of_case(world, picture.case, 64, hole_of(recipe, picture).numpy().tobytes())
    return picture, found


def room(symmetry):
    """The first test room of this symmetry: its index."""
    rooms = bedrooms.sample_attributes(60, torch.Generator().manual_seed(sources.TEST_SEED)).labels()
    return next(i for i, labels in enumerate(rooms) if labels["symmetry"] == symmetry)


# ----------------------------------------------------------------------------------------------------- the posterior
@pytest.mark.parametrize(
    ("world", "recipe", "hidden"),
    [
        ("cats", {"recipe": "parts", "parts": ["face"], "dilate": 1}, {"eyes", "eye_colour", "mouth"}),
        ("cats", {"recipe": "parts", "parts": ["whiskers", "mouth"], "dilate": 2}, {"whiskers", "mouth"}),
        ("bedrooms", {"recipe": "parts", "parts": ["bed"], "dilate": 2}, {"bed", "bedspread"}),
        ("bedrooms", {"recipe": "right"}, {"symmetry"}),
    ],
)
def test_wholly_hidden_attributes_keep_their_prior_shares(world, recipe, hidden):
    picture, found = behind(world, recipe, 0)
    assert set(found.hidden) == hidden
    for attribute in hidden:
        assert found.shares[attribute] == pytest.approx(list(WORLDS[world].ATTRIBUTES[attribute].values()))
    for attribute, value in found.visible.items():
        assert list(WORLDS[world].ATTRIBUTES[attribute])[value] == picture.attributes[attribute]


def test_a_hole_that_allows_some_values_of_an_attribute_leaves_them_in_their_prior_proportion():
    faces = list(sources.pictures({"name": "faces"}, 20, 0))
    index = next(i for i, face in enumerate(faces) if face.attributes["beard"] == "none")
    _, found = behind("faces", {"recipe": "parts", "parts": ["mouth"], "dilate": 3}, index)
    assert found.shares["beard"] == pytest.approx([0.70 / 0.78, 0, 0.08 / 0.78, 0])


@pytest.mark.parametrize("symmetry", ["mirrored", "door"])
def test_a_mirrored_room_s_right_half_tells_what_its_left_half_holds_and_another_s_does_not(symmetry):
    _, found = behind("bedrooms", {"recipe": "left"}, room(symmetry))
    assert set(found.hidden) == (set() if symmetry == "mirrored" else {"window", "lamp", "wardrobe", "plant"})


def test_posterior_samples_keep_the_visible_pixels_and_have_the_posterior_s_shares():
    picture, found = behind("cats", {"recipe": "parts", "parts": ["mouth"], "dilate": 3}, 1)
    hole = hole_of({"recipe": "parts", "parts": ["mouth"], "dilate": 3}, picture).numpy()
    drawn = found.sample(4000, torch.Generator().manual_seed(0))
    images = WORLDS["cats"].render(drawn[:40]).numpy()
    assert np.abs(images - picture.image)[:, :, ~hole].max() <= 1 / 255
    shares = torch.bincount(drawn.values["mouth"], minlength=4) / 4000
    assert np.abs(shares.numpy() - found.shares["mouth"]).max() < 4 * (0.25 / 4000) ** 0.5


def test_a_case_of_another_name_has_no_known_posterior_and_another_picture_is_told_from_the_truth():
    assert posterior.truth_of("photo17", "cats") is None
    assert posterior.truth_of("statues0_0001", "bedrooms") is None
    picture, found = behind("cats", {"recipe": "left"}, 0)
    assert found.is_picture(store.decode_image(store.encode_image(picture.image)))
    assert not found.is_picture(np.clip(picture.image + 0.05, -1, 1))


def test_attributes_that_are_not_independent_behind_a_hole_are_refused():
    def render(attributes, size):
        """A picture that is white only where both are there."""
        both = attributes.values["left"] * attributes.values["right"]
        return both[:, None, None, None].float().expand(-1, 3, size, size)

    table = {"left": {"no": 0.5, "yes": 0.5}, "right": {"no": 0.5, "yes": 0.5}}
    together = SimpleNamespace(ATTRIBUTES=table, render=render)
    drawn = sample_attributes(table, 20, torch.Generator().manual_seed(0), (32, 32), 0, 0)
    neither = next(i for i in range(20) if not drawn.values["left"][i] and not drawn.values["right"][i])
    hole = torch.zeros(8, 8, dtype=torch.bool)
    with pytest.raises(BenchmarkError, match="left, right depend on each other"):
        posterior.posterior("together", together, drawn[neither : neither + 1], hole)


# ----------------------------------------------------------------------------------------- measures on hand-made sets
P = np.array([0.6, 0.3, 0.1])


def enumerated(n, measure):
    """The expectation of a measure of n labels over all label vectors."""
    return sum(np.prod(P[list(labels)]) * measure(np.array(labels)) for labels in itertools.product(range(3), repeat=n))


def test_total_variation_of_known_sets():
    assert exact_sets.total_variation(exact_sets.shares_of(np.array([0, 0, 0, 1, 2]), 3), P) == pytest.approx(0.1)
    assert exact_sets.total_variation(exact_sets.shares_of(np.array([2, 2]), 3), P) == pytest.approx(0.9)


def test_expected_total_variation_is_that_of_all_sets_weighted_by_their_probability():
    expected = enumerated(4, lambda labels: exact_sets.total_variation(exact_sets.shares_of(labels, 3), P))
    assert exact_sets.expected_total_variation([P], 4) == pytest.approx(expected)
    assert exact_sets.expected_total_variation([P, P], 2) == pytest.approx(expected)


def test_expected_total_variation_of_a_pool_of_different_truths():
    a, b = np.array([1.0, 0.0]), np.array([0.5, 0.5])
    # One sample of each: labels (0, 0) or (0, 1), each with probability one half; the mean truth is (3/4, 1/4).
    assert exact_sets.expected_total_variation([a, b], 1) == pytest.approx(0.25)


def test_coverage_counts_allowed_values_and_its_expectation_is_that_of_all_sets():
    truth = {"a": np.array([0.9, 0.1, 0.0]), "b": P}
    labels = {"a": np.array([0, 0, 2, 2]), "b": np.array([0, 1, 2, 2])}
    assert exact_sets.coverage(labels, truth, 5) == pytest.approx((1 + 3) / (2 + 3))
    assert exact_sets.coverage({"b": np.array([0, 1])}, {"b": P}, 2) == 1
    expected = enumerated(4, lambda labels: len(set(labels.tolist())) / 3)
    assert exact_sets.expected_coverage({"b": P}, 4) == pytest.approx(expected)


def test_rare_values_are_allowed_ones_of_a_prior_share_of_at_most_a_tenth():
    prior = {"a": P, "b": P, "c": np.array([0.5, 0.5])}
    truth = {"a": P, "b": np.array([2 / 3, 1 / 3, 0]), "c": np.array([0.5, 0.5])}
    rare = exact_sets.rare_values(truth, prior)
    assert {a: values.tolist() for a, values in rare.items()} == {"a": [2]}
    assert exact_sets.rare_recall({"a": np.array([0, 1, 2])}, rare) == 1
    assert exact_sets.rare_recall({"a": np.array([0, 1, 1])}, rare) == 0
    expected = enumerated(3, lambda labels: float(2 in labels))
    assert exact_sets.expected_rare_recall(truth, rare, 3) == pytest.approx(expected)
    both = exact_sets.rare_values({"a": P, "b": P}, prior)
    assert exact_sets.expected_rare_recall({"a": P, "b": P}, both, 3) == pytest.approx(1 - 0.9**6)


def test_a_sample_is_confident_where_it_is_read_with_confidence_where_hidden_and_right_where_visible():
    shares = {"hidden": np.array([0.8, 0.2, 0.0]), "visible": np.array([0.0, 1.0])}
    hidden = np.array([[0.95, 0.05, 0], [0.85, 0.15, 0], [0.02, 0.03, 0.95], [0.05, 0.95, 0]])
    visible = np.array([[0.4, 0.6], [0.0, 1.0], [0.0, 1.0], [0.9, 0.1]])
    read = exact_sets.confident({"hidden": hidden, "visible": visible}, shares)
    assert read.tolist() == [True, False, False, False]
    assert exact_sets.confident({"hidden": hidden}, {}).tolist() == [True, False, True, True]


# ------------------------------------------------------------------------------------------------- through the measure
class PerfectReader:
    """Reads bedrooms without error: the attributes of the rendered picture that is nearest, among those it is given."""

    def __init__(self, pictures, attributes):
        self.pictures, self.attributes = pictures, attributes

    def __call__(self, images):
        nearest = (images[:, None] - self.pictures[None]).square().flatten(2).sum(2).argmin(1)
        probabilities = {
            name: torch.nn.functional.one_hot(self.attributes.values[name][nearest], len(table)).double()
            for name, table in bedrooms.ATTRIBUTES.items()
        }
        return Reading(probabilities, images.flatten(1))


def rooms(found, symmetries):
    """The room of a posterior with these symmetries, drawn."""
    drawn = posterior.repeated(found.truth, len(symmetries))
    drawn.values["symmetry"][:] = torch.tensor([list(bedrooms.ATTRIBUTES["symmetry"]).index(s) for s in symmetries])
    return bedrooms.render(drawn)


def measured(
    monkeypatch, symmetries, metrics=("attributes",), case_name=None, brighter=0.0, candidates=(), method="plain"
):
    """The measures of a set of rooms whose hidden right halves have these symmetries and are so much brighter."""
    picture, found = behind("bedrooms", {"recipe": "right"}, 0)
    images = rooms(found, symmetries)
    images[..., 32:] += brighter
    every = torch.cat([bedrooms.render(found.truth.with_value("symmetry", v)) for v in bedrooms.ATTRIBUTES["symmetry"]])
    known = posterior.repeated(found.truth, 4)
    known.values["symmetry"][:] = torch.arange(4)
    monkeypatch.setattr(view, "load_classifier", lambda name, device: PerfectReader(every, known))
    case_name = case_name or picture.case
    hole = hole_of({"recipe": "right"}, picture).numpy()
    case = store.Case("bedrooms", "right", case_name, picture.image, hole, picture.attributes)
    keys = dict.fromkeys(store.SET_KEYS, None) | {"dataset": "bedrooms", "task": "right", "case": case_name, "seed": 0}
    keys["method"] = method

    def set_of(images):
        columns = {name: np.ones(len(images)) for name in ("nfe", "seconds", "gate_open", "finite", "consistency")}
        return store.RestorationSet(keys, np.arange(len(images)), images.numpy(), columns)

    settings = {"metrics": list(metrics), "classifier": {"name": "bedrooms"}}
    bank = [set_of(rooms(found, candidates))] if candidates else []
    rows, record = measure_sets(settings, [set_of(images)], {case_name: case}, bank)
    return {row["metric"]: row["value"] for row in rows}, record


def test_a_set_of_rooms_has_the_values_that_its_labels_say(monkeypatch):
    values, _ = measured(monkeypatch, ["mirrored", "mirrored", "door", "armchair", "mirrored"])
    assert values["mirror"] == pytest.approx(0.6)
    assert values["mirror_exact"] == pytest.approx(0.44)
    assert values["rare_value_recall"] == 1
    assert values["rare_value_recall_exact"] == pytest.approx(1 - 0.92**5)
    assert values["attribute_coverage"] == pytest.approx(3 / 4)
    assert values["attribute_tv"] == pytest.approx((0.16 + 0.08 + 0.20 + 0.12) / 2)
    assert values["attribute_tv_pool"] == pytest.approx(values["attribute_tv"])
    assert values["attribute_tv_pool_exact"] == pytest.approx(values["attribute_tv_exact"])
    assert values["plausibility"] == values["plausibility_exact"] == 1


def test_exact_sampling_meets_its_expectations(monkeypatch):
    _, found = behind("bedrooms", {"recipe": "right"}, 0)
    names, generator = list(bedrooms.ATTRIBUTES["symmetry"]), torch.Generator().manual_seed(1)
    draws = [Counter(found.sample(5, generator).values["symmetry"].tolist()) for _ in range(3000)]
    shares = np.array([[draw[v] / 5 for v in range(4)] for draw in draws])
    variation = np.abs(shares - found.shares["symmetry"]).sum(1).mean() / 2
    recall = (shares[:, 3] > 0).mean()
    values, _ = measured(monkeypatch, [names[0]] * 5)
    assert variation == pytest.approx(values["attribute_tv_exact"], abs=0.01)
    assert recall == pytest.approx(values["rare_value_recall_exact"], abs=0.03)
    assert (shares > 0).sum(1).mean() / 4 == pytest.approx(values["attribute_coverage_exact"], abs=0.01)
    assert values["rare_value_recall"] == 0


def test_the_share_of_each_hidden_value_stands_beside_the_posteriors(monkeypatch):
    values, _ = measured(monkeypatch, ["mirrored", "mirrored", "door", "armchair", "mirrored"])
    names = list(bedrooms.ATTRIBUTES["symmetry"])
    shares = {name: value for name, value in values.items() if name.startswith("attribute_share/")}
    exact = {name: value for name, value in values.items() if name.startswith("attribute_share_exact/")}
    assert list(shares) == [f"attribute_share/symmetry/{value}" for value in names]
    assert list(shares.values()) == pytest.approx([0.6, 0.2, 0, 0.2])
    assert list(exact) == [f"attribute_share_exact/symmetry/{value}" for value in names]
    assert list(exact.values()) == pytest.approx(list(bedrooms.ATTRIBUTES["symmetry"].values()))
    assert {name: values[f"attribute_share_world/symmetry/{name}"] for name in names} == bedrooms.ATTRIBUTES["symmetry"]


def test_pictures_of_the_world_lie_in_it_and_others_as_far_off_as_their_pixels(monkeypatch):
    values, _ = measured(monkeypatch, ["mirrored", "door"])
    assert values["world_distance"] == values["world_distance_hole"] == pytest.approx(0, abs=1e-5)
    assert values["world_distance_truth"] == pytest.approx(0, abs=1e-5)
    values, _ = measured(monkeypatch, ["mirrored", "door"], brighter=0.1)
    assert values["world_distance_hole"] == pytest.approx(0.1, abs=1e-5)
    assert values["world_distance"] == pytest.approx(0.1 / 2**0.5, abs=1e-5)
    assert values["world_distance_truth"] == pytest.approx(0, abs=1e-5)


def test_a_picture_whose_position_is_unknown_is_compared_at_the_best_one(monkeypatch):
    values, _ = measured(monkeypatch, ["mirrored", "door"], case_name="statues0_0001", brighter=0.3)
    assert 0 < values["world_distance_truth"] < 0.1
    assert 0.25 < values["world_distance_hole"] < 0.35
    shares = {tuple(name.split("/")[1:]): v for name, v in values.items() if name.startswith("attribute_share/")}
    assert {attribute for attribute, _ in shares} == set(bedrooms.ATTRIBUTES)
    assert shares["symmetry", "mirrored"] == shares["symmetry", "door"] == 0.5
    assert not [name for name in values if name.startswith("attribute_share_exact")]


def test_the_shipped_reader_finds_rooms_in_their_world_and_statues_far_off():
    shared = view.SetFile(MeasureSettings(metrics=[], features={}, classifier={"name": "bedrooms"}))
    hole = np.ones((64, 64), bool)
    for name, nearest, farthest in (("bedrooms", 0, 0.08), ("statues", 0.3, 1.0)):
        images = WORLDS[name].render(WORLDS[name].sample_attributes(4, torch.Generator().manual_seed(3))).numpy()
        keys = {"dataset": "bedrooms", "case": "statues0_0001", "seed": 0}
        found = attribute_shares.measure(
            view.SetView(images, images[0], hole, keys, {}, {}, None, None, shared),
            shared.read("bedrooms", images)[0],
            frozenset({"world_distance"}),
        )
        assert nearest < found["world_distance"] < farthest


def test_where_nothing_is_known_of_a_picture_only_plausibility_and_distance_have_a_value(monkeypatch):
    values, _ = measured(monkeypatch, ["mirrored", "door"], case_name="statues0_0001")
    assert values["plausibility"] == 1
    assert values["confident_share"] == 1
    assert 0 < values["nearest_distance"] < exact_sets.NEAR
    unknown = attribute_posterior.NAMES - {"plausibility", "confident_share"} | {
        "attribute_tv_nearest",
        "reader_agreement",
    }
    assert not {name for name in unknown if np.isfinite(values.get(name, np.nan))}


def test_the_measures_may_be_asked_for_one_by_one(monkeypatch):
    values, _ = measured(monkeypatch, ["mirrored", "door"], metrics=["mirror", "rare_value_recall"])
    assert set(values) == {"mirror", "rare_value_recall"}


def test_candidates_are_counted_beside_the_plain_set_alone(monkeypatch):
    candidates = ["mirrored"] * 6 + ["door"] * 3 + ["armchair"]
    values, _ = measured(monkeypatch, ["door", "door"], candidates=candidates)
    counted = {name.rsplit("/", 1)[1]: v for name, v in values.items() if name.startswith("attribute_share_candidates")}
    assert counted == pytest.approx({"mirrored": 0.6, "door": 0.3, "bookcase": 0, "armchair": 0.1})
    assert values["candidates_counted"] == 10
    assert values["attribute_share/symmetry/door"] == 1
    for more in ({"candidates": candidates, "method": "kmeans"}, {}):
        values, _ = measured(monkeypatch, ["door", "door"], **more)
        assert not [name for name in values if "candidates" in name]


# ---------------------------------------------------------------------------------------------------- the second reader
MASKS = {
    "faces": {"recipe": "parts", "parts": ["mouth", "brows"], "dilate": 2},
    "cats": {"recipe": "parts", "parts": ["face"], "dilate": 1},
    "bedrooms": {"recipe": "right"},
}


def completions(world, count, index=0):
    """Exact completions (count, 3, 64, 64), their attributes, the hole, the truth and the allowed hidden values."""
    picture, found = behind(world, MASKS[world], index)
    hole = hole_of(MASKS[world], picture).numpy()
    drawn = found.sample(count, torch.Generator().manual_seed(7))
    allowed = {a: np.flatnonzero(found.shares[a] > 0) for a in found.hidden}
    return WORLDS[world].render(drawn).numpy(), drawn, hole, found.truth, allowed


@pytest.mark.parametrize("world", MASKS)
def test_exact_completions_are_read_without_error_and_lie_at_no_distance(world):
    images, drawn, hole, truth, allowed = completions(world, 20)
    table = nearest_rendering.all_renderings(WORLDS[world], truth, allowed, hole)
    noise = np.random.default_rng(0).normal(size=images.shape)
    for sigma in (0, 0.1):
        found = table.nearest((images + sigma * noise).astype(np.float32), hole)
        for attribute in allowed:
            assert found.labels[attribute].tolist() == drawn.values[attribute].tolist()
        assert found.distance == pytest.approx(np.full(20, sigma), abs=1e-6 + 0.1 * sigma)


@pytest.mark.parametrize("world", ["faces", "cats"])
def test_coordinate_descent_finds_what_all_renderings_have(world):
    images, _, hole, truth, allowed = completions(world, 24, 1)
    rng = np.random.default_rng(1)
    share = rng.uniform(0, 1, (12, 1, 1, 1))
    mixed = share * images[:12] + (1 - share) * images[12:] + 0.2 * rng.normal(size=images[:12].shape)
    mixed = mixed.astype(np.float32)
    brute = nearest_rendering.all_renderings(WORLDS[world], truth, allowed, hole).nearest(mixed, hole)
    start = {a: rng.choice(values, 12) for a, values in allowed.items()}
    found = nearest_rendering.descend(WORLDS[world], truth, allowed, mixed, hole, [start])
    assert found.distance == pytest.approx(brute.distance, abs=1e-6)
    assert {a: v.tolist() for a, v in found.labels.items()} == {a: v.tolist() for a, v in brute.labels.items()}


def test_a_picture_of_unknown_position_is_read_at_the_best_of_many():
    world = WORLDS["bedrooms"]
    drawn = world.sample_attributes(3, torch.Generator().manual_seed(11))
    images, hole = world.render(drawn).numpy(), np.ones((64, 64), bool)
    frames = world.sample_attributes(16, torch.Generator().manual_seed(0))
    allowed = {attribute: np.arange(len(table)) for attribute, table in bedrooms.ATTRIBUTES.items()}
    start = {attribute: np.zeros(3, int) for attribute in allowed}
    found = nearest_rendering.descend(world, frames, allowed, images, hole, [start])
    assert (found.distance < exact_sets.NEAR).all()
    right = [found.labels[attribute] == drawn.values[attribute].numpy() for attribute in allowed]
    assert np.mean(right) > 0.9


@pytest.mark.parametrize("world", MASKS)
def test_what_leaves_a_picture_what_it_is_stays_near_and_what_does_not_is_far(world):
    images, _, hole, truth, allowed = completions(world, 60, 2)
    table = nearest_rendering.all_renderings(WORLDS[world], truth, allowed, hole)
    noise = np.random.default_rng(2).normal(size=images.shape)

    def near(pictures):
        return (table.nearest(np.clip(pictures, -1, 1).astype(np.float32), hole).distance <= exact_sets.NEAR).mean()

    assert near(images + 0.1 * noise) == 1
    assert near(gaussian_filter(images, (0, 0, 0.6, 0.6))) >= 0.95
    assert near(shift(images, (0, 0, 0.28, 0.28), order=1, mode="nearest")) >= 0.95
    assert near(images + 0.35 * noise) == 0
    assert near(np.where(hole, 0, images)) == 0


def test_a_picture_that_is_read_with_confidence_and_is_none_of_the_world_s_is_not_plausible(monkeypatch):
    values, _ = measured(monkeypatch, ["mirrored", "door", "door", "armchair"])
    assert values["plausibility"] == values["confident_share"] == values["reader_agreement"] == 1
    assert values["nearest_distance"] == pytest.approx(0, abs=1e-5)
    values, _ = measured(monkeypatch, ["mirrored", "door", "door", "armchair"], brighter=0.3)
    assert values["confident_share"] == 1
    assert values["plausibility"] == 0
    assert values["plausibility_exact"] == 1
    assert values["nearest_distance"] == pytest.approx(0.3, abs=1e-5)


def test_where_the_classifier_errs_the_second_reader_says_so(monkeypatch):
    class Wrong(PerfectReader):
        """Reads every room as one with a door."""

        def __call__(self, images):
            reading = super().__call__(images)
            reading.probabilities["symmetry"][:] = torch.tensor([0.0, 1, 0, 0])
            return reading

    monkeypatch.setitem(globals(), "PerfectReader", Wrong)
    values, _ = measured(monkeypatch, ["mirrored", "mirrored", "door", "armchair", "mirrored"])
    assert values["reader_agreement"] == pytest.approx(0.2)
    assert values["attribute_coverage"] == pytest.approx(1 / 4)
    assert values["attribute_coverage_nearest"] == pytest.approx(3 / 4)
    assert values["attribute_tv"] == pytest.approx(0.72)
    assert values["attribute_tv_nearest"] == pytest.approx((0.16 + 0.08 + 0.20 + 0.12) / 2)
    assert values["attribute_share/symmetry/mirrored"] == 0
    assert values["attribute_share_nearest/symmetry/mirrored"] == pytest.approx(0.6)


# -------------------------------------------------------------------------------------------------------- in the tables
def test_where_the_truth_is_known_its_measures_come_first_in_a_table():
    names = ["rare_value_recall", "rare_value_recall_exact", "plausibility", "attribute_tv", "mirror", "mirror_exact"]
    names += ["lpips_alex_mean", "feature_distance_mean", "attribute_entropy", "psnr_best", "ssim_best"]
    group = SimpleNamespace(table="eta_sweep")
    headline, further = headline_and_further(group, [SimpleNamespace(metric=name) for name in names])
    assert [shown.name for shown in headline] == [*names[:3], "mirror", "lpips_alex_mean", "psnr_best"]
    assert {"mirror_exact", "attribute_tv"} <= {shown.name for shown in further}
    headline, _ = headline_and_further(group, [SimpleNamespace(metric=name) for name in names[6:]])
    assert [shown.name for shown in headline] == names[6:]


def test_every_measure_of_the_truth_is_of_its_group():
    for metric in (*attribute_posterior.METRICS, *second_reader.METRICS, *attribute_shares.METRICS):
        if metric.per == "set" and "{" not in metric.name:
            assert labels.measure(metric.name).group == "truth"
