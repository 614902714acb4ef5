"""A diffusion network as a prior: whatever it predicts and however it sees images, eps (and variance) come out."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from benchmark.errors import BenchmarkError
from benchmark.networks.unet import UNet, UNetConfig
from benchmark.networks.velocity import eps_from_velocity
from benchmark.priors.protocol import Prediction, linear_alphas_cumprod
from benchmark.weights.checkpoints import load_strictly, shipped

DTYPES = {"float32": torch.float32, "bfloat16": torch.bfloat16, "float16": torch.float16}
PREDICTIONS = ("eps", "v")


class NetworkPrior:
    """A network ``net(x, t)`` in the form that samplers take (see priors.protocol.Prior).

    The network's first C output channels are its prediction, the next C, if there are any, variance values. Where
    ``prediction`` is "v", eps = sqrt(abar) v + sqrt(1 - abar) x, in float32. Differentiable in x; its parameters are
    frozen.

    Args:
        network: takes (M, C s^2, H / s, W / s) and timesteps (M,), gives (M, C s^2 or 2 C s^2, H / s, W / s).
        shape: (C, H, W) of an image.
        alphas_cumprod: abar, float64 (T,).
        prediction: "eps" or "v".
        learned_range: whether the network gives variance values.
        unshuffle: s, the side of the squares of pixels that the network sees as channels.
        dtype: of the network's inner arithmetic; x and the predictions are float32.

    Raises:
        BenchmarkError: another ``prediction``; (called) images of another shape.
    """

    sha256: str | None = None  # of the weights file, where there is one

    def __init__(
        self,
        network: nn.Module,
        shape: tuple[int, int, int],
        alphas_cumprod: Tensor,
        *,
        prediction: str = "eps",
        learned_range: bool = False,
        unshuffle: int = 1,
        device: torch.device | str = "cpu",
        dtype: torch.dtype = torch.float32,
    ):
        if prediction not in PREDICTIONS:
            raise BenchmarkError(f"prediction {prediction!r}: unknown; networks predict {' or '.join(PREDICTIONS)}")
        channels, height, width = shape
        self.shape = (channels, height, width)
        self.device = torch.device(device)
        self.dtype = torch.float32
        self.alphas_cumprod = alphas_cumprod.double().cpu()
        self.learned_range = learned_range
        self.prediction = prediction
        self.unshuffle = unshuffle
        self.network = network.to(self.device).eval().requires_grad_(False)
        if dtype != torch.float32:
            network.use_dtype(dtype)  # type: ignore[operator]  # which every network of ours has
        if self.device.type == "cuda":  # on a CPU, normalisation in this layout is many times slower
            network.to(memory_format=torch.channels_last)

    def __call__(self, x: Tensor, t: int) -> Prediction:
        """eps (M, C, H, W), and variance values or None, for x (M, C, H, W) at timestep t."""
        if tuple(x.shape[1:]) != self.shape:
            raise BenchmarkError(f"the prior takes images {self.shape}, not {tuple(x.shape[1:])}")
        x = x.to(self.device, self.dtype)
        timesteps = torch.full((len(x),), int(t), device=self.device)
        out = self.network(F.pixel_unshuffle(x, self.unshuffle), timesteps).float()
        out, variance = out.chunk(2, dim=1) if self.learned_range else (out, None)
        out = F.pixel_shuffle(out, self.unshuffle)
        eps = out if self.prediction == "eps" else eps_from_velocity(x, out, self.alphas_cumprod[int(t)].item())
        return Prediction(eps, None if variance is None else F.pixel_shuffle(variance, self.unshuffle))


def load_shipped_unet(
    name: str, device: torch.device | str = "cpu", *, weights: str | None = None, dtype: str = "float32"
) -> NetworkPrior:
    """An embedded U-Net prior from ``benchmark/weights``.

    Args:
        weights: another file of the same form.
        dtype: float32, bfloat16 or float16, the network's inner arithmetic.

    Raises:
        BenchmarkError: weights or card missing, damaged or not fitting (see weights.checkpoints).
    """
    card, state, path = shipped(name, weights)
    try:
        config, shape, schedule = UNetConfig.from_flags(card["unet"]), tuple(card["shape"]), card["schedule"]
        prediction, unshuffle = card["prediction"], card["unshuffle"]
    except KeyError as error:
        raise BenchmarkError(f"{path.with_suffix('.json')}: the card lacks {error}") from None
    if schedule != "linear":
        raise BenchmarkError(f"{path.with_suffix('.json')}: schedule {schedule!r} is unknown; known is linear")
    network = load_strictly(UNet(config), state, path)
    prior = NetworkPrior(
        network,
        shape,
        linear_alphas_cumprod(),
        prediction=prediction,
        unshuffle=unshuffle,
        device=device,
        dtype=DTYPES[dtype],
    )
    prior.sha256 = card["sha256"]
    return prior
