"""Real data that needs no download: scikit-learn's 1,797 handwritten digits, 8x8, grey.

Pixels 0..16 become -1..1. Split, fixed for good: of each class, in scikit-learn's order, every fourth image is a *test*
image, from which cases come; the others are *fit* images, which the prior and the class reader are fitted on.
Source: E. Alpaydin, C. Kaynak, "Optical Recognition of Handwritten Digits", UCI repository, 1998.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from benchmark.errors import BenchmarkError

if TYPE_CHECKING:
    from torch import Tensor

    from benchmark.networks.classifier import Reading

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


class DigitReader:
    """Multinomial logistic regression on 300 radial kernel features (Nystroem), of scikit-learn, on the fit images.

    ``reader(x)`` reads images (M, 1, 8, 8) in [-1, 1] as :class:`benchmark.networks.classifier.Classifier` reads
    faces: a ``Reading`` of one attribute, ``digit``, and the kernel features. It reads 98.9 % of the test images as
    they are labelled, 94 % with a share above 0.9 (``tests/test_digits.py`` holds 97 % and 85 %).
    """

    attributes: ClassVar[dict[str, list[str]]] = {"digit": [str(digit) for digit in range(10)]}

    def __init__(self, seed: int = 0):
        from sklearn.kernel_approximation import Nystroem
        from sklearn.linear_model import LogisticRegression

        images, labels = fit_images()
        pixels = images.reshape(len(images), -1).astype(np.float64)
        self.kernel = Nystroem(gamma=0.03, n_components=300, random_state=seed).fit(pixels)
        self.regression = LogisticRegression(C=100.0, max_iter=300).fit(self.kernel.transform(pixels), labels)

    def features(self, images: np.ndarray) -> np.ndarray:
        """The kernel features of images (M, 1, 8, 8): float64 (M, 300).

        Raises:
            BenchmarkError: images of another shape.
        """
        if images.ndim != 4 or images.shape[1:] != SHAPE:
            raise BenchmarkError(f"the digit reader reads images (M, 1, 8, 8), not {tuple(images.shape)}")
        return self.kernel.transform(np.nan_to_num(np.asarray(images, np.float64)).reshape(len(images), -1))

    def predict_proba(self, images: np.ndarray) -> np.ndarray:
        """P(digit | image) of images (M, 1, 8, 8): (M, 10), rows summing to 1."""
        return self.regression.predict_proba(self.features(images))

    def __call__(self, x: Tensor) -> Reading:
        """Read images (M, 1, 8, 8) in [-1, 1]."""
        import torch

        from benchmark.networks.classifier import Reading

        features = self.features(x.cpu().numpy())
        probabilities = torch.from_numpy(self.regression.predict_proba(features))
        return Reading({"digit": probabilities}, torch.from_numpy(features))


@cache
def digit_classifier() -> DigitReader:
    """The digit reader, fitted once per process (a tenth of a second)."""
    return DigitReader()
