"""What every prior gives: the noise in a noised image, at any of 1,000 noise levels."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, Protocol, runtime_checkable

from benchmark.lazy import torch

if TYPE_CHECKING:
    from torch import Tensor


class Prediction(NamedTuple):
    """A prior's answer for x_t = sqrt(abar_t) x0 + sqrt(1 - abar_t) eps.

    Attributes:
        eps: the expected noise, (M, C, H, W); x0 = (x_t - sqrt(1 - abar_t) eps) / sqrt(abar_t).
        variance: values in [-1, 1], (M, C, H, W), that place the logarithm of the reverse variance between its bounds
            (Nichol and Dhariwal, "Improved Denoising Diffusion Probabilistic Models", 2021, equation 15), or None where
            the prior has learned none.
    """

    eps: Tensor
    variance: Tensor | None = None


@runtime_checkable
class Prior(Protocol):
    """A denoiser with the schedule that it was made for.

    Attributes:
        shape: (C, H, W) of an image.
        device, dtype: of the state that it wants.
        alphas_cumprod: abar_t, float64 (1000,), on the CPU.
        learned_range: whether predictions carry variance values.
    """

    shape: tuple[int, int, int]
    device: torch.device
    dtype: torch.dtype
    alphas_cumprod: Tensor
    learned_range: bool

    def __call__(self, x: Tensor, t: int) -> Prediction:
        """The prediction for x (M, C, H, W) at the original timestep t, 0 (clean) .. 999."""
        ...


LINEAR = 1e-4, 0.02  # the first and the last beta of the linear schedule (Ho et al. 2020, section 4)


def linear_alphas_cumprod(steps: int = 1000) -> Tensor:
    """abar_t = prod_{s<=t} (1 - beta_s) with beta linear between :data:`LINEAR`, float64 (steps,).

    Source: Ho, Jain and Abbeel, "Denoising Diffusion Probabilistic Models" (2020), section 4.
    """
    return torch.cumprod(1 - torch.linspace(*LINEAR, steps, dtype=torch.float64), dim=0)
