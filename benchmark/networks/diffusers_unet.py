"""diffusers' ``UNet2DModel`` folders in the form of our networks; diffusers is imported only when one is built."""

from __future__ import annotations

import json
import re
from pathlib import Path

import torch
from torch import Tensor, nn

from benchmark.errors import BenchmarkError

WEIGHTS_FILES = ("diffusion_pytorch_model.safetensors", "diffusion_pytorch_model.bin")
# Attention layers of the older folders -> their names in today's class.
_RENAMED = {"query": "to_q", "key": "to_k", "value": "to_v", "proj_attn": "to_out.0"}


class DiffusersUNet(nn.Module):
    """A ``UNet2DModel``: ``net(x, t)`` with x (B, in_channels, H, W) and t (B,), gives (B, out_channels, H, W)."""

    def __init__(self, model: nn.Module):
        super().__init__()
        self.model = model
        self.dtype = torch.float32

    def use_dtype(self, dtype: torch.dtype) -> DiffusersUNet:
        """Put the whole model, attention included, into ``dtype``; returns the network itself."""
        self.model.to(dtype)
        self.dtype = dtype
        return self

    def forward(self, x: Tensor, t: Tensor) -> Tensor:
        return self.model(x.to(self.dtype), t).sample.to(x.dtype)


def build(config: dict) -> DiffusersUNet:
    """The network of a folder's ``config.json``.

    Raises:
        BenchmarkError: diffusers is not installed, or it knows no such configuration.
    """
    try:
        from diffusers import UNet2DModel
    except ImportError:
        raise BenchmarkError(
            "this prior needs diffusers: pip install 'meaningful-diversity-benchmark[diffusers]'"
        ) from None
    if config.get("_class_name", "UNet2DModel") != "UNet2DModel":
        raise BenchmarkError(f"config.json: class {config['_class_name']}; only UNet2DModel is known")
    plain = {key: value for key, value in config.items() if not key.startswith("_")}
    try:
        return DiffusersUNet(UNet2DModel.from_config(plain))
    except (TypeError, ValueError) as error:
        raise BenchmarkError(f"config.json: no configuration of UNet2DModel ({str(error).splitlines()[0]})") from None


def read_config(folder: Path) -> dict:
    """The ``config.json`` of a folder.

    Raises:
        BenchmarkError: no such file, or no JSON object in it.
    """
    path = folder / "config.json"
    if not path.is_file():
        raise BenchmarkError(f"{path}: no such file; a diffusers folder has config.json beside its weights")
    try:
        config = json.loads(path.read_text())
    except (json.JSONDecodeError, UnicodeDecodeError):
        config = None
    if not isinstance(config, dict):
        raise BenchmarkError(f"{path}: not a JSON object")
    return config


def weights_file(folder: Path) -> Path:
    """The weights of a folder. Raises BenchmarkError where there are none."""
    for name in WEIGHTS_FILES:
        if (folder / name).is_file():
            return folder / name
    raise BenchmarkError(f"{folder}: no weights; a diffusers folder has {' or '.join(WEIGHTS_FILES)}")


def renamed(state: dict[str, Tensor]) -> dict[str, Tensor]:
    """The state dict of a folder, old or new, under the names of :class:`DiffusersUNet`."""
    pattern = re.compile(rf"(attentions\.\d+)\.({'|'.join(_RENAMED)})\.")
    return {"model." + pattern.sub(lambda m: f"{m[1]}.{_RENAMED[m[2]]}.", name): value for name, value in state.items()}
