"""What a network that predicts v says of the noise.

    v = sqrt(abar_t) eps - sqrt(1 - abar_t) x0,   x_t = sqrt(abar_t) x0 + sqrt(1 - abar_t) eps,   hence exactly
    eps = sqrt(abar_t) v + sqrt(1 - abar_t) x_t,  x0 = sqrt(abar_t) x_t - sqrt(1 - abar_t) v.

Source: Salimans and Ho, "Progressive Distillation for Fast Sampling of Diffusion Models" (2022), appendix D.
"""

from __future__ import annotations

from torch import Tensor


def eps_from_velocity(x: Tensor, v: Tensor, abar: float) -> Tensor:
    """eps = sqrt(abar) v + sqrt(1 - abar) x; stable at every noise level, since no division is needed."""
    return abar**0.5 * v + (1 - abar) ** 0.5 * x
