"""Real data that needs no download: scikit-learn's 1,797 handwritten digits, 8x8, grey.

Pixels 0..16 become -1..1. Split, fixed for good: of each class, in scikit-learn's order, every fourth image is a *test*
image, from which cases come; the others are *fit* images, which the prior and the class reader are fitted on.
Source: E. Alpaydin, C. Kaynak, "Optical Recognition of Handwritten Digits", UCI repository, 1998.
"""

from __future__ import annotations

from functools import cache

import numpy as np

SHAPE = (1, 8, 8)


@cache
def _all() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Images (1797, 1, 8, 8) float32 in [-1, 1], labels (1797,), whether each is a test image (1797,)."""
    from sklearn.datasets import load_digits

    data = load_digits()
    rank = np.zeros(len(data.target), dtype=int)  # position among the images of its class
    for digit in range(10):
        members = np.flatnonzero(data.target == digit)
        rank[members] = np.arange(len(members))
    images = (data.images / 8 - 1).astype(np.float32)[:, None]
    return images, data.target.astype(int), rank % 4 == 3


def fit_images() -> tuple[np.ndarray, np.ndarray]:
    """The images (1352, 1, 8, 8) in [-1, 1] and labels that priors and readers may see."""
    images, labels, test = _all()
    return images[~test], labels[~test]


def test_images() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The images (445, 1, 8, 8) in [-1, 1], labels, and numbers in scikit-learn's order, of which cases are made."""
    images, labels, test = _all()
    return images[test], labels[test], np.flatnonzero(test)


test_images.__test__ = False  # not a test, whatever its name


@cache
def digit_classifier():
    """A support vector machine with a radial kernel, fitted on the fit images: reads the digit off an image.

    ``predict_proba((M, 64) in [-1, 1])`` gives (M, 10) shares (softmax over one-against-rest margins is not used:
    scikit-learn's own calibration is). Test accuracy: ``tests/test_digits.py`` holds it at 97 % or more.
    """
    from sklearn.calibration import CalibratedClassifierCV
    from sklearn.svm import SVC

    images, labels = fit_images()
    reader = CalibratedClassifierCV(SVC(C=10.0, gamma=0.02), method="sigmoid", cv=3, ensemble=False)
    return reader.fit(images.reshape(len(images), -1), labels)


def read_digits(images: np.ndarray) -> np.ndarray:
    """P(digit | image) for images (M, 1, 8, 8) in [-1, 1]: (M, 10)."""
    return digit_classifier().predict_proba(np.asarray(images, np.float64).reshape(len(images), -1))
