"""The moments behind NIQE's features: known shapes are found, and what cannot be fitted ends where the page says."""

import math

import numpy as np
import pytest
import torch

from benchmark.metrics.engines.niqe_features import _fit, normalised


def generalised(alpha, left, right, count=160000):
    """Draws with density exp(-(|x| / b)^alpha), b = ``left`` below 0 and ``right`` above."""
    rng = np.random.default_rng(0)
    side = rng.uniform(size=count) < left / (left + right)
    magnitude = rng.gamma(1 / alpha, size=count) ** (1 / alpha)
    return torch.tensor(np.where(side, -left, right) * magnitude)[None, None]


@pytest.mark.parametrize("alpha", [0.5, 1.0, 2.0, 4.0])
@pytest.mark.parametrize(("left", "right"), [(1.0, 1.0), (0.5, 1.5)])
def test_the_shape_and_the_scales_of_a_known_distribution_are_found(alpha, left, right):
    found, below, above = (float(value) for value in _fit(generalised(alpha, left, right)))
    assert found == pytest.approx(alpha, rel=0.12)
    scale = math.sqrt(math.gamma(1 / alpha) / math.gamma(3 / alpha))  # of the moments, sigma -> b
    root = math.sqrt(math.gamma(3 / alpha) / math.gamma(1 / alpha))  # b -> sigma
    assert below == pytest.approx(left * root * scale, rel=0.1)
    assert above == pytest.approx(right * root * scale, rel=0.1)


def test_tails_beyond_the_table_end_at_its_ends():
    heavy = torch.zeros(1, 100, 100, dtype=torch.float64)
    heavy[0, :2, :] = 1e-9
    heavy[0, 0, 0], heavy[0, 1, 1], heavy[0, 1, 2] = 1.0, -1.0, -1e-9
    light = torch.ones(1, 100, 100, dtype=torch.float64)
    light[0, ::2] = -1
    assert float(_fit(heavy)[0]) == pytest.approx(0.2)
    assert float(_fit(light)[0]) == pytest.approx(10.0)


def test_a_block_with_one_sign_or_none_has_no_fit():
    for block in (torch.zeros(1, 8, 8), torch.ones(1, 8, 8)):
        assert not any(float(value) == float(value) for value in _fit(block.double())[1:2])


def test_a_flat_picture_is_flat_after_normalising_and_never_nan():
    for level in (0.1, 77.7, 255.0):
        flat = torch.full((1, 1, 16, 16), level, dtype=torch.float64)
        assert normalised(flat).abs().max() < 1e-9
