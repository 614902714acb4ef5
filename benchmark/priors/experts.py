"""Two networks as one prior: what a picture shows is decided by one of them, how it looks in detail by the other.

    eps(x, t) = that of the U-Net below t = ``switch``, from there on (x - sqrt(abar) x0) / sqrt(1 - abar)

with x0 from the subspace's network (benchmark/networks/subspace.py). The switch lies where everything is decided: there
the exact posterior over a drawn picture's attributes given x_t has been sure for long.

Source: Balaji et al., "eDiff-I: Text-to-Image Diffusion Models with an Ensemble of Expert Denoisers" (2022), section 3.
"""

from __future__ import annotations

import torch
from torch import Tensor

from benchmark.errors import BenchmarkError
from benchmark.networks.subspace import SubspaceConfig, SubspaceNet
from benchmark.priors.network import NetworkPrior, load_shipped_unet
from benchmark.priors.protocol import Prediction, linear_alphas_cumprod
from benchmark.weights.checkpoints import load_strictly, shipped
from benchmark.weights.shipped import of_prior


class ExpertsPrior:
    """A prior (see priors.protocol.Prior) of two experts; differentiable in x, the parameters are frozen.

    Args:
        subspace: the network for timesteps from ``switch`` on.
        unet: the prior below.
    """

    learned_range = False

    def __init__(self, subspace: SubspaceNet, unet: NetworkPrior, switch: int):
        self.unet, self.switch = unet, switch
        self.shape, self.device, self.dtype = unet.shape, unet.device, unet.dtype
        self.alphas_cumprod = unet.alphas_cumprod
        self.subspace = subspace.to(self.device).eval().requires_grad_(False)
        self.sha256: str | None = None

    def __call__(self, x: Tensor, t: int) -> Prediction:
        """eps (M, C, H, W) for x (M, C, H, W) at timestep t.

        Raises:
            BenchmarkError: images of another shape.
        """
        if int(t) < self.switch:
            return self.unet(x, t)
        if tuple(x.shape[1:]) != self.shape:
            raise BenchmarkError(f"the prior takes images {self.shape}, not {tuple(x.shape[1:])}")
        x = x.to(self.device, self.dtype)
        abar = self.alphas_cumprod[int(t)].item()
        x0 = self.subspace(x, torch.full((len(x),), int(t), device=self.device))
        return Prediction((x - abar**0.5 * x0) / (1 - abar) ** 0.5)


def load_experts(
    name: str, device: torch.device | str = "cpu", *, weights: str | None = None, dtype: str = "float32"
) -> ExpertsPrior:
    """An embedded prior of two experts from ``benchmark/weights``.

    Args:
        name: WORLD_experts.
        weights: another file of the subspace's network. dtype: of the U-Net's inner arithmetic.

    Raises:
        BenchmarkError: weights or a card missing, damaged or not fitting (see weights.checkpoints).
    """
    above, below = of_prior(name)
    card, state, path = shipped(above, weights)
    unet = load_shipped_unet(below, device, dtype=dtype)
    try:
        config, switch = SubspaceConfig(**card["network"]), int(card["switch"])
    except (KeyError, TypeError) as error:
        raise BenchmarkError(f"{path.with_suffix('.json')}: the card lacks or misnames {error}") from None
    subspace = load_strictly(SubspaceNet(config, linear_alphas_cumprod()), state, path)
    prior = ExpertsPrior(subspace, unet, switch)
    prior.sha256 = f"{card['sha256']} {unet.sha256}"
    return prior
