"""The digits: a fixed split, a prior chosen by held-out likelihood, a reader that reads."""

import json

import numpy as np
import pytest
import torch

from benchmark.data import digits
from benchmark.errors import BenchmarkError
from benchmark.priors.mixture import DIGITS, load_mixture
from benchmark.store import sha256_of
from benchmark.training import mixture


def test_the_split_is_fixed_and_disjoint():
    fit, labels = digits.fit_images()
    test, test_labels, numbers = digits.test_images()
    assert (len(fit), len(test)) == (1352, 445)
    assert fit.shape[1:] == digits.SHAPE
    assert len(set(numbers)) == 445
    assert set(labels) == set(test_labels) == set(range(10))
    assert fit.min() == -1
    assert fit.max() == 1


def test_the_reader_reads_97_percent_of_the_test_digits():
    images, labels, _ = digits.test_images()
    shares = digits.digit_classifier().predict_proba(images)
    assert shares.shape == (445, 10)
    assert np.allclose(shares.sum(1), 1)
    assert (shares.argmax(1) == labels).mean() >= 0.97
    assert (shares.max(1) > 0.9).mean() >= 0.85


def test_the_reader_reads_as_the_classifiers_of_drawn_worlds_do():
    images = torch.from_numpy(digits.test_images()[0][:7])
    reader = digits.digit_classifier()
    reading = reader(images)
    assert set(reading.probabilities) == set(reader.attributes) == {"digit"}
    assert np.allclose(reading.probabilities["digit"], reader.predict_proba(images.numpy()))
    assert reading.features.shape == (7, 300)
    assert reader(torch.full((1, 1, 8, 8), torch.nan)).probabilities["digit"].isfinite().all()
    with pytest.raises(BenchmarkError, match=r"reads images \(M, 1, 8, 8\), not \(7, 64\)"):
        reader(images.flatten(1))


def test_the_shipped_prior_is_the_one_of_its_card_and_the_best_of_its_grid():
    card = json.loads(DIGITS.with_suffix(".json").read_text())
    assert card["sha256"] == sha256_of(DIGITS)
    best = max(card["grid"], key=lambda row: row["held_out"])
    assert (best["components"], best["regularisation"]) == (card["components"], card["regularisation"])
    assert len(load_mixture().mixture.weights) == card["components"]


def test_fitting_again_gives_the_shipped_prior():
    card = json.loads(DIGITS.with_suffix(".json").read_text())
    pytest.importorskip("sklearn", card["scikit_learn"].rsplit(".", 1)[0])
    data = mixture.dequantised(digits.fit_images()[0], card["seed"])
    again = mixture.fitted(data, card["components"], card["regularisation"], card["seed"])
    shipped = load_mixture().mixture
    assert np.allclose(again.weights_, shipped.weights, atol=1e-5)
    assert np.allclose(again.means_, shipped.means, atol=1e-4)
    assert np.allclose(again.covariances_, shipped.covariances, atol=1e-4)


def test_the_prior_finds_unseen_digits_likelier_than_pictures_of_no_digit():
    images = torch.from_numpy(digits.test_images()[0]).double().flatten(1)
    mixture = load_mixture().mixture
    upside_down = images.reshape(-1, 8, 8).flip(1).reshape(-1, 64)
    assert mixture.log_prob(images).mean() > mixture.log_prob(upside_down).mean() + 30


def test_samples_of_the_prior_look_like_digits_to_the_reader():
    draws = load_mixture().mixture.sample(400, torch.Generator().manual_seed(0)).reshape(-1, 1, 8, 8).numpy()
    shares = digits.digit_classifier().predict_proba(np.clip(draws, -1, 1))
    assert (shares.max(1) > 0.5).mean() > 0.7
    assert len(np.unique(shares.argmax(1))) == 10
