"""Public diffusion models as priors: an entry of the registry of weights, its network, its weights.

Every model of these families predicts eps under the linear schedule of 1,000 timesteps; ADM gives variance values too
(learned range). Nothing is fetched here: ``python -m benchmark weights fetch NAME`` does that.
"""

from __future__ import annotations

import math
import os
from collections.abc import Callable
from pathlib import Path

import torch
from torch import nn

from benchmark.errors import BenchmarkError
from benchmark.networks import diffusers_unet
from benchmark.networks.ddpm import DDPM, DDPMConfig
from benchmark.networks.unet import UNet, UNetConfig
from benchmark.priors.network import DTYPES, NetworkPrior
from benchmark.priors.protocol import linear_alphas_cumprod
from benchmark.store import sha256_of
from benchmark.weights.checkpoints import load_state, load_strictly
from benchmark.weights.public import FOLDER, REGISTRY, diffusion_entry, verify

# Flags that say how a model was trained or is run, not what it is.
_TRAINING = ("dropout", "use_fp16", "use_checkpoint", "num_heads_upsample", "var_type")
# Flags that say which schedule it was trained with; only the linear one of 1,000 steps is known here.
_SCHEDULE = {
    "noise_schedule": "linear",
    "diffusion_steps": 1000,
    "num_diffusion_timesteps": 1000,
    "beta_start": 0.0001,
    "beta_end": 0.02,
}


def load_public(
    name: str,
    device: torch.device | str = "cpu",
    weights_dir: str | os.PathLike = FOLDER,
    weights_registry: str | os.PathLike = REGISTRY,
    *,
    dtype: str = "float32",
    random_weights: int | None = None,
) -> NetworkPrior:
    """The prior of a registered diffusion model.

    Args:
        name: of the entry, or its name on the Hugging Face hub.
        weights_dir: the folder of the weights. weights_registry: the file of the entries.
        dtype: the network's inner arithmetic: float32, tf32 (float32 with products in TensorFloat-32 on a GPU),
            bfloat16 or float16.
        random_weights: a seed, for weights drawn at random where only the procedure is to be proved.

    Raises:
        BenchmarkError: unknown name, option or flag; weights missing, of another hash, damaged or not fitting.
    """
    entry = diffusion_entry(name, weights_registry)
    model = entry.name, entry.family, entry.flags
    if random_weights is not None:
        return _prior(*model, device=device, dtype=dtype, seed=random_weights)
    sha256 = {entry.place(file, weights_dir): verify(entry, file, weights_dir) for file in entry.files}
    return _prior(*model, entry.path(weights_dir), sha256, device=device, dtype=dtype)


def load_diffusers_folder(
    folder: str | os.PathLike, device: torch.device | str = "cpu", *, dtype: str = "float32"
) -> NetworkPrior:
    """The prior of any folder with a diffusers ``UNet2DModel`` that predicts eps under the linear schedule.

    Args:
        dtype: as in :func:`load_public`.

    Raises:
        BenchmarkError: weights missing, damaged or not fitting.
    """
    return _prior("diffusers_folder", "diffusers", {}, Path(folder).expanduser(), device=device, dtype=dtype)


def _prior(
    name: str, family: str, flags: dict, path: Path | None = None, sha256: dict | None = None, *,
    device, dtype: str, seed: int | None = None,
) -> NetworkPrior:  # fmt: skip
    """The prior of a family's network; ``sha256``: of its files, where they have been read for it already."""
    if dtype not in (*DTYPES, "tf32"):
        raise BenchmarkError(f"prior {name}: dtype {dtype!r} is unknown; use {', '.join(DTYPES)}, tf32")
    if seed is not None and (type(seed) is not int or seed < 0):
        raise BenchmarkError(f"prior {name}: random_weights is {seed!r}; it is a seed, a whole number of 0 or more")
    try:
        make, shape, learned_range = _FAMILIES[family](flags, path)
        network = _allocated(make)
    except BenchmarkError as error:
        raise BenchmarkError(f"prior {name}: {error}") from None
    if seed is None:
        assert path is not None  # weights that are not drawn lie somewhere
        file, rename = (
            (path, dict) if family != "diffusers" else (diffusers_unet.weights_file(path), diffusers_unet.renamed)
        )
        load_strictly(network, rename(load_state(file)), file)
        identity = (sha256 or {}).get(file) or sha256_of(file)
    else:
        randomise(network, seed)
        identity = f"none: random weights, seed {seed}"
    if torch.device(device).type == "cuda":
        torch.backends.cudnn.allow_tf32 = torch.backends.cuda.matmul.allow_tf32 = dtype == "tf32"
    prior = NetworkPrior(
        network,
        shape,
        linear_alphas_cumprod(),
        learned_range=learned_range,
        device=device,
        dtype=DTYPES.get(dtype, torch.float32),
    )
    prior.sha256 = identity
    return prior


def _allocated(make: Callable[[], nn.Module]) -> nn.Module:
    """A network whose parameters are there and not yet set: drawing half a billion of them twice takes its time."""
    with torch.device("meta"):
        network = make()
    return network.to_empty(device="cpu")


@torch.no_grad()
def randomise(network: nn.Module, seed: int) -> nn.Module:
    """Weights w ~ N(0, 1 / fan-in), gains 1, offsets 0, drawn from ``seed``; returns the network."""
    generator = torch.Generator().manual_seed(seed)
    for name, parameter in network.named_parameters():
        if parameter.dim() > 1:
            parameter.normal_(0, 1 / math.sqrt(parameter[0].numel()), generator=generator)
        else:
            parameter.fill_(float(name.endswith("weight")))
    return network


# ----------------------------------------------------------------------------------------------------------- families
# Each gives, for an entry's flags and the place of its weights (None where they are random): how the network is made,
# the shape of its images, and whether it has learned the range of the variance.
def _adm(flags: dict, _: Path | None) -> tuple[Callable[[], nn.Module], tuple, bool]:
    flags = _architecture(flags)
    if flags.pop("class_cond", False):
        raise BenchmarkError("flag class_cond: a model that wants a class; only unconditional ones are known")
    learned = flags.pop("learn_sigma", False)
    config = UNetConfig.from_flags({"out_channels": 6 if learned else 3, **flags})
    return lambda: UNet(config), (config.in_channels, config.image_size, config.image_size), learned


def _ddpm(flags: dict, _: Path | None) -> tuple[Callable[[], nn.Module], tuple, bool]:
    config = DDPMConfig.from_flags(_architecture(flags))
    return lambda: DDPM(config), (config.in_channels, config.image_size, config.image_size), False


def _diffusers(flags: dict, folder: Path | None) -> tuple[Callable[[], nn.Module], tuple, bool]:
    config = dict(flags.get("config") or {}) if folder is None else diffusers_unet.read_config(folder)
    if "sample_size" not in config:
        raise BenchmarkError("its configuration does not say the size of the images (sample_size)")
    channels, size = config.get("in_channels", 3), config["sample_size"]
    if config.get("out_channels", 3) not in (channels, 2 * channels):
        raise BenchmarkError(
            f"config.json: out_channels {config['out_channels']}; {channels} or {2 * channels} are known"
        )
    learned = config.get("out_channels", 3) == 2 * channels
    return lambda: diffusers_unet.build(config), (channels, size, size), learned


def _architecture(flags: dict) -> dict:
    for key, known in _SCHEDULE.items():
        if flags.get(key, known) != known:
            raise BenchmarkError(f"flag {key}: {flags[key]!r} is not known; known is {known}")
    return {key: value for key, value in flags.items() if key not in (*_TRAINING, *_SCHEDULE)}


_FAMILIES = {"adm": _adm, "ddpm": _ddpm, "diffusers": _diffusers}
