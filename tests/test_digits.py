"""The digits: a fixed split, a prior chosen by held-out likelihood, a reader that reads."""

import json

import numpy as np
import torch

from benchmark.data import digits
from benchmark.priors.mixture import DIGITS, load_mixture
from benchmark.store import sha256_of


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
    shares = digits.read_digits(images)
    assert shares.shape == (445, 10)
    assert (shares.argmax(1) == labels).mean() >= 0.97


def test_the_shipped_prior_is_the_one_of_its_card_and_the_best_of_its_grid():
    card = json.loads(DIGITS.with_suffix(".json").read_text())
    assert card["sha256"] == sha256_of(DIGITS)
    best = max(card["grid"], key=lambda row: row["held_out"])
    assert (best["components"], best["regularisation"]) == (card["components"], card["regularisation"])
    assert len(load_mixture().mixture.weights) == card["components"]


def test_samples_of_the_prior_look_like_digits_to_the_reader():
    draws = load_mixture().mixture.sample(400, torch.Generator().manual_seed(0)).reshape(-1, 1, 8, 8).numpy()
    shares = digits.read_digits(np.clip(draws, -1, 1))
    assert (shares.max(1) > 0.5).mean() > 0.7
    assert len(np.unique(shares.argmax(1))) == 10
