"""Known values of the metrics that are computed here: diversity, fidelity, cost, the bank of candidates, KID."""

import numpy as np
import pytest
from measured_files import make_case, make_set, values_of, with_images

from benchmark import store
from benchmark.metrics.families import bank, diversity, fidelity, pooled
from benchmark.metrics.registry import LEAST_BANK


# ------------------------------------------------------------------------------------------------------- known values
def test_distances_are_the_mean_and_the_smallest_over_unordered_pairs_of_the_hole():
    case = make_case("one", 8)
    levels = np.array([0.0, 0.1, 0.5])
    images = np.where(case.hole, levels[:, None, None, None], case.image)
    images[1, :, 0, 0] += 0.9  # known pixels do not count
    values, _ = values_of(case, with_images(make_set(case, 3), images))
    assert values["pixel_distance_hole_mean"] == pytest.approx((0.1 + 0.5 + 0.4) / 3)
    assert values["pixel_distance_hole_min"] == pytest.approx(0.1)
    root = np.sqrt(3 * case.hole.sum())
    assert values["feature_distance_mean"] == pytest.approx(root * (0.1 + 0.5 + 0.4) / 3, rel=1e-6)
    assert values["feature_distance_min"] == pytest.approx(root * 0.1, rel=1e-6)


def test_duplicates_have_distance_exactly_zero():
    case = make_case("one", 8)
    made = make_set(case, 4)
    values, _ = values_of(case, with_images(made, made.images[[0, 1, 1, 2]]))
    assert values["pixel_distance_hole_min"] == values["feature_distance_min"] == 0


def test_the_vendi_score_counts_directions():
    assert diversity.vendi(np.ones((5, 3))) == pytest.approx((1, 1))
    assert diversity.vendi(np.eye(5)) == pytest.approx((5, 5))
    assert diversity.vendi(np.eye(3)[[0, 0, 1, 1]]) == pytest.approx((2, 2))
    uneven = diversity.vendi(np.eye(2)[[0, 0, 0, 1]])
    assert uneven == pytest.approx((np.exp(-0.75 * np.log(0.75) - 0.25 * np.log(0.25)), 1 / (0.75**2 + 0.25**2)))
    assert np.isnan(diversity.vendi(np.array([[1.0, np.nan], [0.0, 1.0]]))).all()


def test_vendi_scores_lie_between_1_and_n_and_ignore_scale_and_rotation():
    rng = np.random.default_rng(0)
    features = rng.normal(size=(6, 10))
    first, second = diversity.vendi(features)
    assert 1 <= second <= first <= 6
    rotation = np.linalg.qr(rng.normal(size=(10, 10)))[0]
    assert diversity.vendi(7 * features @ rotation) == pytest.approx((first, second))


def test_fidelity_has_its_textbook_values():
    case = make_case("one", 16)
    error = np.array([0.1, -0.1, 0.2])[:, None, None, None]
    values, _ = values_of(case, with_images(make_set(case, 3), case.image + error))
    psnrs = 10 * np.log10(4 / error.ravel() ** 2)
    assert values["psnr_mean"] == pytest.approx(psnrs.mean(), rel=1e-4)
    assert values["psnr_best"] == pytest.approx(psnrs.max(), rel=1e-4)
    assert values["psnr_of_mean"] == pytest.approx(10 * np.log10(4 / (0.2 / 3) ** 2), rel=1e-3)
    assert values["consistency"] == pytest.approx(0.01)
    assert values["ssim_mean"] <= values["ssim_best"] < 1
    assert fidelity.ssim(case.image[None], case.image) == pytest.approx([1.0])
    assert np.isnan(fidelity.ssim(np.zeros((2, 3, 6, 6)), np.zeros((3, 6, 6)))).all()


def test_compositing_takes_the_error_off_the_known_pixels_of_every_kind_of_problem():
    case = make_case("one", 16)
    whole = store.Case("world", "none", "one", case.image, None, {})
    off = with_images(make_set(case, 3), np.stack([case.image + 0.05] * 3))
    for here, problem in [(case, {"name": "inpainting"}), (whole, {"name": "super_resolution_average", "factor": 4})]:
        values, record = values_of(here, off, {"problem": problem})
        assert not record["faults"]
        assert values["consistency_composited"] < 1e-6
    outside = with_images(make_set(case, 3), np.stack([case.image + 3.0] * 3))
    clipped, _ = values_of(whole, outside, {"problem": {"name": "super_resolution_average", "factor": 4}})
    assert clipped["consistency_composited"] < 1e-6  # the constant is measured, so it is put right before clipping


def test_what_a_set_costs_is_the_sum_over_its_samples():
    case = make_case("one", 8)
    values, _ = values_of(case, make_set(case, 5))
    assert (values["nfe"], values["seconds"], values["finite_share"], values["gate_open"]) == (50, 2.5, 1, 0.25)


# ------------------------------------------------------------------------------------------------ bank of candidates
def points(case, xs, first=0):
    """Restorations whose hole is one grey level each."""
    made = make_set(case, len(xs))
    images = np.where(case.hole, np.asarray(xs, np.float64)[:, None, None, None], case.image)
    moved = store.RestorationSet(made.keys, np.arange(first, first + len(xs)), images, made.columns)
    return moved, np.sqrt(case.image.shape[0] * case.hole.sum())


def test_bank_measures_by_their_definition():
    case = make_case("one", 8)
    levels = np.random.default_rng(4).uniform(-0.5, 0.5, 32)
    candidates, unit = points(case, levels)
    restorations, _ = points(case, [0.05, 0.3])
    values, _ = values_of(case, restorations, candidates=[candidates])
    others = levels[2:]  # the first two share their noise with the set
    nearest = np.abs(others[:, None] - [0.05, 0.3]).min(axis=1)
    radii = np.sort(np.abs(others[:, None] - others), axis=1)[:, 3]  # a tenth of 30 neighbours
    assert values["kcentre_radius"] == pytest.approx(unit * nearest.max(), rel=1e-5)
    assert values["bank_distance"] == pytest.approx(unit * nearest.mean(), rel=1e-5)
    assert values["bank_coverage"] == pytest.approx((nearest <= radii).mean())
    assert values["supported_distance_mean"] == pytest.approx(unit * 0.25, rel=1e-5)
    assert (values["off_support"], values["cluster_distinct"]) == (0, 1)
    far, _ = points(case, [0.05, -0.99])
    values, _ = values_of(case, far, candidates=[candidates])
    assert (values["off_support"], values["supported_distance_mean"]) == (0.5, 0)
    few, _ = points(case, levels[:LEAST_BANK])
    values, record = values_of(case, far, candidates=[few])
    assert np.isnan(values["bank_coverage"])
    assert record["faults"]["bank, case one"] == "17 candidates of other noise than the set's; 19 are needed"


def test_a_sample_is_not_held_against_the_candidate_that_shares_its_noise():
    case = make_case("one", 8)
    rng = np.random.default_rng(0)
    levels = rng.uniform(-0.8, 0.8, 40)
    candidates, _ = points(case, levels)
    plain, _ = points(case, levels[:3])
    guided, _ = points(case, levels[:3] + 1e-4)  # moved a little from its plain twins
    strangers = store.RestorationSet(guided.keys, np.arange(50, 53), guided.images, guided.columns)
    pixels = [one.images[:, :, case.hole].reshape(len(one.images), -1) for one in (plain, guided, candidates)]
    expected = [bank.against(np.float64(part), np.float64(pixels[2][3:])) for part in pixels[:2]]
    expected.append(bank.against(np.float64(pixels[1]), np.float64(pixels[2])))
    for one, values in zip((plain, guided, strangers), expected, strict=True):
        measured = values_of(case, one, candidates=[candidates])[0]
        assert {name: measured[name] for name in values} == pytest.approx(values, rel=1e-6)
    assert expected[2] != expected[1]


def test_at_most_the_level_of_plain_samples_is_off_support():
    rng = np.random.default_rng(1)
    shares = []
    for number in range(80):
        case = make_case(f"case{number}", 8, channels=1)
        images = np.where(case.hole, rng.normal(0, 0.3, (65, 1, 8, 8)) * np.linspace(2, 0.2, 64).reshape(8, 8), 0)
        made = make_set(case, 65)
        candidates = with_images(made, images)
        plain = store.RestorationSet(
            made.keys, np.arange(5), candidates.images[:5], {name: c[:5] for name, c in made.columns.items()}
        )
        shares.append(values_of(case, plain, {"metrics": ["bank"]}, [candidates])[0]["off_support"])
    assert 0.04 < np.mean(shares) < bank.LEVEL + 3 * np.std(shares) / np.sqrt(80)


def test_shards_of_a_bank_are_put_together_and_one_seed_s_bank_is_not_another_s():
    case = make_case("one", 8)
    levels = np.linspace(-0.8, 0.8, 20)
    first, _ = points(case, levels[:9], first=10)
    second, _ = points(case, levels[9:], first=19)
    whole, _ = points(case, levels, first=10)
    restorations, _ = points(case, [0.0, 0.3])
    together, record = values_of(case, restorations, candidates=[second, first])
    assert together == values_of(case, restorations, candidates=[whole])[0]
    other = store.RestorationSet({**whole.keys, "seed": 7}, whole.index, whole.images, whole.columns)
    values, record = values_of(case, restorations, candidates=[other])
    assert np.isnan(values["kcentre_radius"])
    assert record["faults"]["bank, case one"] == "no candidates of this case and seed"


def test_clusters_are_counted_with_the_bank_s_own_distance():
    distances = np.array([[0, 1, 9], [1, 0, 9], [9, 9, 0]], float)
    assert [bank.clusters(distances, tau) for tau in (0.5, 2, 10)] == [3, 2, 1]


# ----------------------------------------------------------------------------------------------------------- all sets
def test_kid_is_the_unbiased_estimate_of_its_definition():
    rng = np.random.default_rng(0)
    a, b = rng.normal(size=(6, 4)), rng.normal(0.5, 1, size=(5, 4))

    def k(x, y):
        return (x @ y / 4 + 1) ** 3

    within = [
        np.mean([k(x[i], x[j]) for i in range(len(x)) for j in range(len(x)) if i != j])
        for x in (a, b)  # no picture with itself
    ]
    across = np.mean([k(x, y) for x in a for y in b])
    assert pooled.kid(a, b) == pytest.approx(sum(within) - 2 * across)
    cases = np.array([0, 0, 1, 1, 2, 2])
    pairs = [k(a[i], a[j]) for i in range(6) for j in range(6) if cases[i] != cases[j]]
    assert pooled.kid(a, b, cases) == pytest.approx(np.mean(pairs) + within[1] - 2 * across)
    same = [pooled.kid(*rng.normal(size=(2, 40, 8))) for _ in range(200)]
    assert abs(np.mean(same)) < 3 * np.std(same) / np.sqrt(200)
    assert pooled.kid(rng.normal(size=(40, 8)), rng.normal(1, 1, (40, 8))) > max(same)


def test_kid_of_exact_pictures_is_0_on_average_although_those_of_a_case_are_alike():
    rng = np.random.default_rng(1)
    cases, fresh = np.repeat(np.arange(10), 8), rng.normal(size=(200, 8))

    def completions():
        """Standard normal in every dimension; of one case, half of them are the same."""
        return np.hstack([rng.normal(size=(10, 4))[cases], rng.normal(size=(80, 4))])

    sets = [completions() for _ in range(300)]
    by_case = [pooled.kid(a, fresh, cases) for a in sets]
    assert abs(np.mean(by_case)) < 3 * np.std(by_case) / np.sqrt(300)
    by_picture = [pooled.kid(a, fresh) for a in sets]
    assert np.mean(by_picture) > 20 * np.std(by_picture) / np.sqrt(300)
