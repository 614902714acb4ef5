"""scikit-learn's handwritten digits (:mod:`benchmark.data.digits`)."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from benchmark.data.picture import Picture
from benchmark.data.sources.base import source
from benchmark.errors import BenchmarkError


@source
def digits(count: int, seed: int) -> Iterator[Picture]:
    """Test digits, classes taken in turn (0, 1, ..., 9, 0, ...), within a class in an order drawn from ``seed``."""
    from benchmark.data.digits import test_images

    images, labels, numbers = test_images()
    if count > len(images):
        raise BenchmarkError(f"source digits: {count} cases asked for; there are {len(images)} test images")
    order = np.random.default_rng(seed).permutation(len(images))
    queues = [[i for i in order if labels[i] == digit] for digit in range(10)]
    turns = [queue[turn] for turn in range(max(map(len, queues))) for queue in queues if turn < len(queue)]
    for i in turns[:count]:
        yield Picture(f"digit{numbers[i]:04d}", images[i], {"digit": str(labels[i])})
