"""NIQE by pyiqa with a hand-supplied file, in batches and on corners; refitted NIQE; other metrics of pyiqa."""

import numpy as np
import pyiqa
import pytest
import stand_ins
import torch
from measured_files import make_case, make_set, measure_sets
from scipy.io import savemat

from benchmark import store
from benchmark.errors import BenchmarkError
from benchmark.metrics.engines import niqe_features
from benchmark.metrics.families import quality

PIXELS = {"name": "hole_pixels"}


@pytest.fixture(scope="module")
def niqe_file(tmp_path_factory):
    """A stand-in for NIQE's file in its standard place below a cache folder of torch, and its hash."""
    path = tmp_path_factory.mktemp("torch") / "hub/pyiqa/niqe_modelparameters.mat"
    return path, stand_ins.niqe(path)


def photo_set(size=192, n=3, seed=0):
    """A set of restorations of a photograph-like picture whose right half is unknown."""
    pictures = stand_ins.natural(n + 1, size, seed)
    hole = np.zeros((size, size), bool)
    hole[:, size // 2 :] = True
    case = store.Case("photos", "right", "one", pictures[0], hole, {})
    made = make_set(case, n)
    return case, with_images(made, np.where(hole, pictures[1:], pictures[0]))


def with_images(made, images):
    return store.RestorationSet(made.keys, made.index, np.asarray(images, np.float32), made.columns)


def measured(case, restorations, metrics, niqe_file=None, **settings):
    settings = {"metrics": metrics, "features": PIXELS, **settings}
    if niqe_file is not None:
        settings["weights"] = {"niqe": {"path": str(niqe_file[0]), "sha256": niqe_file[1]}}
    rows, record = measure_sets(settings, [restorations], {case.case: case})
    return {row["metric"]: row["value"] for row in rows}, record


def direct(path, images):
    """pyiqa called as its manual says, one picture at a time."""
    metric = pyiqa.create_metric("niqe", device="cpu", pretrained_model_path=str(path))
    return np.array([float(metric(torch.as_tensor((image[None] + 1) / 2).clamp(0, 1).float())) for image in images])


# ---------------------------------------------------------------------------------------------------------------- NIQE
def test_niqe_is_pyiqa_s_and_its_corners_are_the_mean_of_four_crops(niqe_file):
    case, restorations = photo_set(224)
    values, record = measured(case, restorations, ["niqe", "niqe_corners", "niqe_undefined"], niqe_file)
    images = restorations.images
    assert values["niqe"] == pytest.approx(direct(niqe_file[0], images).mean(), rel=1e-6)
    crops = [images[..., a : a + 192, b : b + 192] for a in (0, 32) for b in (0, 32)]
    corners = np.mean([direct(niqe_file[0], crop) for crop in crops])
    assert values["niqe_corners"] == pytest.approx(corners, rel=1e-6)
    assert values["niqe_undefined"] == 0
    assert record["niqe"] == {"color_space": "yiq", "crop_border": 0, "block": 96, "by": "pyiqa", "device": "cpu"}
    assert record["weights"]["niqe"] == niqe_file[1]


def test_niqe_sees_the_upper_left_alone_and_its_corners_see_everything(niqe_file):
    case, restorations = photo_set(224, n=2)
    changed = restorations.images.copy()
    changed[..., 192:, :] = stand_ins.natural(1, 224, seed=9)[0][:, 192:]
    metrics = ["niqe", "niqe_corners"]
    before, _ = measured(case, restorations, metrics, niqe_file)
    after, _ = measured(case, with_images(restorations, changed), metrics, niqe_file)
    assert after["niqe"] == before["niqe"]
    assert after["niqe_corners"] != before["niqe_corners"]


def test_a_batch_has_the_values_of_its_pictures_one_by_one_a_flat_one_among_them_or_not(niqe_file):
    metric = pyiqa.create_metric("niqe", device="cpu", pretrained_model_path=str(niqe_file[0]))
    images = stand_ins.natural(4, 192)
    alone = direct(niqe_file[0], images)
    assert quality.scored(metric, images) == pytest.approx(alone)
    images[2] = 0.25
    scores = quality.scored(metric, images)
    assert np.isnan(scores).tolist() == [False, False, True, False]
    assert scores[[0, 1, 3]] == pytest.approx(alone[[0, 1, 3]])


def test_a_flat_restoration_is_counted_and_left_out_of_the_mean_and_the_record_says_so(niqe_file):
    case, restorations = photo_set()
    images = restorations.images.copy()
    images[1] = 0.0
    values, record = measured(case, with_images(restorations, images), ["niqe", "niqe_undefined"], niqe_file)
    assert values["niqe_undefined"] == 1
    assert values["niqe"] == pytest.approx(direct(niqe_file[0], images[[0, 2]]).mean())
    assert record["faults"]["niqe, one"].startswith("1 of 3 samples have no NIQE")
    values, _ = measured(case, with_images(restorations, 0 * images), ["niqe", "niqe_undefined"], niqe_file)
    assert np.isnan(values["niqe"])
    assert values["niqe_undefined"] == 3


def test_pictures_that_are_too_small_have_a_row_without_a_value_and_the_record_says_so(niqe_file):
    case, restorations = photo_set(80)
    metrics = ["niqe", "niqe_corners", "niqe_undefined"]
    values, record = measured(case, restorations, metrics, niqe_file)
    assert np.isnan([values["niqe"], values["niqe_corners"]]).all()
    assert values["niqe_undefined"] == 3
    assert "80x80 pixels, 96x96 that are not flat are needed" in record["faults"]["niqe, one"]
    assert record["faults"]["niqe_corners"] == "pictures of 80x80; 192x192 are needed"


def test_grey_pictures_are_scored_as_their_luma(niqe_file):
    grey = stand_ins.natural(2, 192, channels=1)
    metric = pyiqa.create_metric("niqe", device="cpu", pretrained_model_path=str(niqe_file[0]))
    assert quality.scored(metric, grey) == pytest.approx(quality.scored(metric, np.repeat(grey, 3, 1)), rel=1e-3)


# ------------------------------------------------------------------------------------------------------------- weights
def test_the_file_in_its_standard_place_is_used_by_its_hash(niqe_file, monkeypatch):
    monkeypatch.setenv("TORCH_HOME", str(niqe_file[0].parents[2]))
    case, restorations = photo_set(n=2)
    settings = {"weights": {"niqe": {"sha256": niqe_file[1]}}}
    values, _ = measured(case, restorations, ["niqe"], **settings)
    assert values["niqe"] == pytest.approx(direct(niqe_file[0], restorations.images).mean(), rel=1e-6)
    with pytest.raises(BenchmarkError) as refusal:
        measured(case, restorations, ["niqe"])
    line = f"{niqe_file[0]}: sha256 is {niqe_file[1]}, expected fa2aa4d12dd9595c"
    assert str(refusal.value).startswith(line)
    assert "\n" not in str(refusal.value)


def test_a_file_without_the_two_arrays_is_refused_in_one_line(tmp_path):
    path = tmp_path / "other.mat"
    savemat(path, {"something": np.eye(3)})
    case, restorations = photo_set(n=2)
    with pytest.raises(BenchmarkError, match=r"pyiqa:niqe: its weights file cannot be loaded: 'mu_prisparam'"):
        measured(case, restorations, ["niqe"], (path, store.sha256_of(path)))
    path.write_bytes(b"no matrix")
    with pytest.raises(BenchmarkError, match="pyiqa:niqe: its weights file cannot be loaded"):
        measured(case, restorations, ["niqe"], (path, store.sha256_of(path)))


# ------------------------------------------------------------------------------------------------- other pyiqa metrics
def test_a_metric_of_pyiqa_is_had_by_its_name():
    case, restorations = photo_set(n=2)
    values, _ = measured(case, restorations, ["pyiqa:piqe"])
    metric = pyiqa.create_metric("piqe", device="cpu")
    expected = [float(metric(torch.as_tensor((image[None] + 1) / 2).clamp(0, 1))) for image in restorations.images]
    assert values["pyiqa:piqe"] == pytest.approx(np.mean(expected))


def test_a_metric_of_pyiqa_with_a_hand_supplied_file_is_checked_by_its_hash(niqe_file):
    case, restorations = photo_set(n=2)
    where = {"path": str(niqe_file[0]), "sha256": niqe_file[1]}
    values, record = measured(case, restorations, ["pyiqa:niqe_matlab"], weights={"pyiqa:niqe_matlab": where})
    assert values["pyiqa:niqe_matlab"] == pytest.approx(direct(niqe_file[0], restorations.images).mean(), rel=1e-6)
    assert record["weights"]["pyiqa:niqe_matlab"] == niqe_file[1]
    wrong = {"pyiqa:niqe_matlab": {**where, "sha256": "00"}}
    with pytest.raises(BenchmarkError, match="expected 00"):
        measured(case, restorations, ["pyiqa:niqe_matlab"], weights=wrong)


def test_a_file_of_pyiqa_whose_name_carries_its_hash_is_checked_by_it(tmp_path, monkeypatch):
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    case, restorations = photo_set(n=2)
    _, record = measured(case, restorations, ["pyiqa:musiq", "nfe"])
    place = tmp_path / "hub/pyiqa/musiq_koniq_ckpt-e95806b9.pth"
    assert record["skipped"] == [f"pyiqa:musiq: skipped: no weights of pyiqa's musiq: put its file at {place}"]
    place.parent.mkdir(parents=True)
    place.write_bytes(b"another file")
    with pytest.raises(BenchmarkError, match=r"expected e95806b9: not the weights of pyiqa's musiq"):
        measured(case, restorations, ["pyiqa:musiq"])


def test_an_unknown_metric_of_pyiqa_and_one_that_needs_a_reference_are_refused():
    case, restorations = photo_set(96, n=2)
    for name in ("niqee", "psnr"):
        with pytest.raises(BenchmarkError, match=f"pyiqa has no no-reference metric '{name}'"):
            measured(case, restorations, [f"pyiqa:{name}"])


def test_nothing_is_ever_fetched_and_no_file_may_hold_code(tmp_path, monkeypatch):
    from pyiqa.utils import download_util

    monkeypatch.setattr(download_util, "DEFAULT_CACHE_DIR", str(tmp_path))
    with pytest.raises(BenchmarkError, match=r"pyiqa:niqe: weights are absent: put niqe_modelparameters.mat into"):
        quality._create("niqe", None)
    torch.save({"code": make_case}, tmp_path / "code.pth")
    with quality.offline("any"), pytest.raises(Exception, match=r"weights_only|Weights only"):
        torch.load(tmp_path / "code.pth", weights_only=False)
    torch.load(tmp_path / "code.pth", weights_only=False)  # outside, nothing has changed


# ------------------------------------------------------------------------------------------------------------ refitted
def test_features_of_the_first_scale_are_pyiqa_s():
    from pyiqa.archs.niqe_arch import compute_feature, normalize_img_with_gauss

    images = stand_ins.natural(2, 192)
    ours = niqe_features.block_features(images, 96)[..., :18].numpy()
    luma = niqe_features.luma(images)
    normalised = normalize_img_with_gauss(luma, padding="replicate")
    for row in range(2):
        blocks = [normalised[row, :, a : a + 96, b : b + 96] for a in (0, 96) for b in (0, 96)]
        theirs = torch.stack([compute_feature(block[None]).flatten() for block in blocks]).numpy()
        assert np.abs(ours[row] - theirs).max() < 1e-4 * np.abs(theirs).max()


def test_refitted_niqe_is_smallest_for_pictures_like_those_it_was_fitted_to():
    clean = stand_ins.natural(40, 64)
    model = niqe_features.fit(clean, 32, 16)
    assert (model.block, model.stride, model.blocks) == (32, 16, 40 * 9)
    fresh = stand_ins.natural(10, 64, seed=5)
    rng = np.random.default_rng(0)
    noisy = [np.clip(fresh + rng.normal(0, sigma, fresh.shape), -1, 1) for sigma in (0, 0.1, 0.3)]
    scores = [niqe_features.score(images, model).mean() for images in noisy]
    assert scores[0] < scores[1] < scores[2]
    flat = np.full((1, 3, 64, 64), 0.3)
    assert np.isnan(niqe_features.score(flat, model)).all()
    with pytest.raises(ValueError, match="4 blocks of 32x32 that are not flat; 72 are needed"):
        niqe_features.fit(clean[:1], 32, 32)


def test_the_refitted_distance_is_its_equation():
    model = niqe_features.fit(stand_ins.natural(20, 64), 32, 16)
    image = stand_ins.natural(1, 64, seed=2)
    features = niqe_features.block_features(image, 32, 16)[0].numpy()
    gap = model.mean - features.mean(0)
    pooled = (model.covariance + np.cov(features, rowvar=False)) / 2
    expected = np.sqrt(gap @ np.linalg.lstsq(pooled, gap, rcond=None)[0])
    assert niqe_features.score(image, model)[0] == pytest.approx(expected, rel=1e-6)


def test_a_drawn_world_is_refitted_on_fresh_drawings_and_the_record_states_the_blocks():
    from benchmark.data.worlds import faces

    drawn = faces.render(faces.sample_attributes(4, torch.Generator().manual_seed(3)), 64).numpy()
    drawn = np.stack([store.decode_image(store.encode_image(image)) for image in drawn])
    hole = np.zeros((64, 64), bool)
    hole[32:] = True
    case = store.Case("faces", "low", "one", drawn[0], hole, {})
    made = make_set(case, 3)
    options = {"classifier": {"name": "faces"}, "niqe_refit": {"images": 48}}
    clean, record = measured(case, with_images(made, drawn[1:]), ["niqe_refit"], **options)
    noisy, _ = measured(case, made, ["niqe_refit"], **options)
    assert record["niqe_refit"] == {
        **{"block": 32, "stride": 16, "blocks": record["niqe_refit"]["blocks"], "pictures": 48},
        "source": "renders of the world",
    }
    assert 72 <= record["niqe_refit"]["blocks"] <= 48 * 9
    assert clean["niqe_refit"] < 0.7 * noisy["niqe_refit"]


def test_other_data_is_refitted_on_the_truths_of_all_cases_or_says_why_not():
    pictures, everywhere = stand_ins.natural(12, 64), np.ones((64, 64), bool)
    cases = {f"c{i}": store.Case("photos", "all", f"c{i}", image, everywhere, {}) for i, image in enumerate(pictures)}
    sets = [make_set(case, 2) for case in cases.values()]
    settings = {"metrics": ["niqe_refit"], "features": PIXELS}
    rows, record = measure_sets(settings, sets, cases)
    assert np.isfinite([row["value"] for row in rows]).all()
    assert record["niqe_refit"]["source"] == "truths of the cases"
    alone, _ = measure_sets(settings, sets[:1], cases)  # a file with fewer sets is held to the same model
    assert alone[0]["value"] == rows[0]["value"]
    rows, record = measure_sets(settings, sets[:1], {"c0": cases["c0"]})
    assert np.isnan(rows[0]["value"])
    assert "72 are needed (1 truths of the cases)" in record["faults"]["niqe_refit"]
    small = make_case("one", 16)
    values, record = measured(small, make_set(small), ["niqe_refit"])
    assert np.isnan(values["niqe_refit"])
    assert record["faults"]["niqe_refit"] == "pictures of 16x16; blocks of 32x32 are needed"
