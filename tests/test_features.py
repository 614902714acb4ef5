"""Features: what each one is, and what none may depend on."""

import inspect
import sys
import types

import numpy as np
import pytest

from benchmark.errors import BenchmarkError
from benchmark.features import FEATURES, extract

OWN = sorted(set(FEATURES) - {"classifier"})


@pytest.fixture
def images():
    return np.random.default_rng(0).uniform(-1, 1, size=(12, 3, 6, 5)).astype(np.float32)


@pytest.fixture
def hole():
    hole = np.zeros((6, 5), bool)
    hole[1:4, 2:] = True
    return hole


def distances(features):
    return np.linalg.norm(features[:, None] - features[None], axis=-1)


@pytest.mark.parametrize("name", OWN)
@pytest.mark.parametrize("masked", [True, False])
def test_features_are_float64_rows_in_the_order_of_the_images(name, masked, images, hole):
    features = extract({"name": name}, images, hole if masked else None)
    assert features.dtype == np.float64
    assert features.shape[0] == len(images)
    order = np.random.default_rng(1).permutation(len(images))
    permuted = extract({"name": name}, images[order], hole if masked else None)
    assert np.abs(distances(permuted) - distances(features)[np.ix_(order, order)]).max() < 1e-10


@pytest.mark.parametrize("name", OWN)
def test_features_do_not_change_the_images_and_repeat_exactly(name, images, hole):
    before = images.copy()
    first = extract({"name": name}, images, hole)
    assert np.array_equal(first, extract({"name": name}, images, hole))
    assert np.array_equal(before, images)


@pytest.mark.parametrize("name", ["hole_pixels", "hole_pca"])
def test_features_of_the_hole_do_not_see_the_known_pixels(name, images, hole):
    other = images.copy()
    other[:, :, ~hole] = 0.5
    assert np.array_equal(extract({"name": name}, images, hole), extract({"name": name}, other, hole))


def test_hole_pixels_are_the_pixels_of_the_hole_channel_by_channel(images, hole):
    features = extract({"name": "hole_pixels"}, images, hole)
    assert features.shape == (12, 3 * 9)
    assert np.array_equal(features[4, 9:18], images[4, 1][hole].astype(np.float64))


def test_all_principal_components_keep_every_distance(images, hole):
    pixels, components = (extract({"name": name}, images, hole) for name in ("hole_pixels", "hole_pca"))
    assert components.shape == (12, 12)
    assert np.abs(distances(pixels) - distances(components)).max() < 1e-10


def test_principal_components_are_centred_uncorrelated_and_fall_in_variance(images, hole):
    features = extract({"name": "hole_pca", "components": 5}, images, hole)
    assert features.shape == (12, 5)
    assert np.abs(features.mean(axis=0)).max() < 1e-12
    covariance = features.T @ features
    assert np.abs(covariance - np.diag(np.diag(covariance))).max() < 1e-10
    assert (np.diff(np.diag(covariance)) <= 0).all()
    pixels = extract({"name": "hole_pixels"}, images, hole)
    values = np.linalg.eigvalsh(np.cov(pixels.T, bias=True))[::-1][:5]
    assert np.allclose(np.diag(covariance) / 12, values)


def test_the_signs_of_principal_axes_do_not_depend_on_the_order_of_the_images(images, hole):
    order = np.random.default_rng(2).permutation(len(images))
    features = extract({"name": "hole_pca", "components": 5}, images, hole)
    assert np.allclose(extract({"name": "hole_pca", "components": 5}, images[order], hole), features[order])


def test_principal_components_of_identical_images_are_zero(images, hole):
    features = extract({"name": "hole_pca"}, np.repeat(images[:1], 4, axis=0), hole)
    assert np.abs(features).max() < 1e-12


def test_the_classifier_reads_whole_images_in_batches(monkeypatch, images, hole):
    torch = pytest.importorskip("torch")
    calls = []

    def load_classifier(name, device):
        def read(x):
            calls.append(len(x))
            return types.SimpleNamespace(probabilities={}, features=x.mean((2, 3)))

        assert (name, device) == ("faces", "cpu")
        return read

    stand_in = types.ModuleType("benchmark.networks.classifier")
    stand_in.load_classifier = load_classifier
    monkeypatch.setitem(sys.modules, "benchmark.networks.classifier", stand_in)
    many = np.concatenate([images] * 8)
    features = extract({"name": "classifier", "classifier": "faces"}, many, hole, "cpu")
    assert calls == [64, 32]
    assert np.allclose(features, torch.from_numpy(many).mean((2, 3)).numpy())


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"name": "nothing"}, "none of"),
        ({}, "none of"),
        ({"name": "hole_pca", "dims": 3}, "no option 'dims'"),
        ({"name": "hole_pixels", "components": 3}, "no option"),
        ({"name": "hole_pca", "components": 0}, "components = 0"),
        ({"name": "hole_pca", "components": 2.5}, "components = 2.5"),
        ({"name": "hole_pca", "components": float("nan")}, "components = nan"),
        ({"name": "classifier"}, "needs the option 'classifier'"),
    ],
)
def test_wrong_settings_get_one_line(settings, message, images):
    with pytest.raises(BenchmarkError, match=message):
        extract(settings, images)


def test_a_hole_that_does_not_fit_gets_one_line(images, hole):
    with pytest.raises(BenchmarkError, match="sizes must agree"):
        extract({"name": "hole_pixels"}, images, hole[:4])
    with pytest.raises(BenchmarkError, match="no pixel"):
        extract({"name": "hole_pixels"}, images, np.zeros_like(hole))
    images[3, 0, 0, 0] = np.nan
    with pytest.raises(BenchmarkError, match="non-finite"):
        extract({"name": "hole_pixels"}, images, hole)


@pytest.mark.parametrize("name", FEATURES)
def test_no_feature_is_handed_on_that_is_not_finite(name, images, hole, monkeypatch):
    def broken(images, hole, device="cpu", **options):
        features = np.ones((len(images), 3))
        features[[1, 4], 2] = np.nan, np.inf
        return features

    broken.__signature__ = inspect.signature(FEATURES[name])
    monkeypatch.setitem(FEATURES, name, broken)
    settings = {"name": name} | ({"classifier": "faces"} if name == "classifier" else {})
    with pytest.raises(BenchmarkError, match=f"{name}: 2 of 12 images have features that are not finite"):
        extract(settings, images, hole)
