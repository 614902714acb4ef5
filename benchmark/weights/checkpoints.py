"""Weights files: read without ever running what is in them, loaded strictly, named by their sha256.

Formats: .safetensors, and PyTorch files (.pt, .pth, .ckpt, .bin) through ``torch.load(weights_only=True)``. Weights
that ship with the project lie in ``benchmark/weights`` as NAME.safetensors with a card NAME.json beside it, which says
what the network is, how it was made and what its sha256 is.
"""

from __future__ import annotations

import json
import os
import pickle
import warnings
import zipfile
from pathlib import Path
from typing import TypeVar

import torch
from torch import Tensor, nn

from benchmark.errors import BenchmarkError
from benchmark.store import atomic, sha256_of, write_text
from benchmark.weights.shipped import WEIGHTS

Network = TypeVar("Network", bound=nn.Module)
_WRAPPERS = ("state_dict", "model_state_dict", "model")


# ---------------------------------------------------------------------------------------------------------------- read
def load_state(path: str | os.PathLike, sha256: str | None = None) -> dict[str, Tensor]:
    """The state dict in a weights file: {parameter name: tensor}, on the CPU.

    A dictionary that holds the state dict under ``state_dict``, ``model_state_dict`` or ``model`` is unwrapped. Nothing
    in the file is executed.

    Raises:
        BenchmarkError: no such file; another sha256 than the expected one; a web page, a Git LFS pointer or an empty
            file under the name of weights; a truncated file; a pickle that holds code; no tensors.
    """
    path = Path(path)
    if not path.is_file():
        raise BenchmarkError(f"{path}: no such weights file")
    _refuse_other_kinds(path)
    if sha256 is not None and (found := sha256_of(path)) != sha256:
        raise BenchmarkError(f"{path}: sha256 is {found}, expected {sha256}: truncated or another file; fetch it again")
    state = _read_safetensors(path) if path.suffix == ".safetensors" else _read_torch(path)
    for key in _WRAPPERS:
        if isinstance(state, dict) and isinstance(state.get(key), dict):
            state = state[key]
    if not isinstance(state, dict) or not state or not all(isinstance(value, Tensor) for value in state.values()):
        raise BenchmarkError(f"{path}: holds no state dict (parameter names with tensors)")
    return dict(state)


def _refuse_other_kinds(path: Path) -> None:
    """A look at the first bytes: what a failed download leaves behind is not handed to a parser of weights."""
    with open(path, "rb") as file:
        head = file.read(256).lstrip()
    if not head:
        raise BenchmarkError(f"{path}: empty file, not weights; fetch it again")
    if head[:1] == b"<" or head[:9].lower() == b"<!doctype":
        raise BenchmarkError(f"{path}: a web page (HTML) under the name of a weights file; fetch the file again")
    if head.startswith(b"version https://git-lfs"):
        raise BenchmarkError(f"{path}: a Git LFS pointer, not the weights themselves; run `git lfs pull`")


def _read_safetensors(path: Path) -> dict[str, Tensor]:
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    try:
        return load_file(path)
    except (SafetensorError, ValueError) as error:
        raise BenchmarkError(f"{path}: truncated or not a safetensors file ({_first_line(error)})") from None


def _read_torch(path: Path) -> object:
    is_zip = zipfile.is_zipfile(path)
    with open(path, "rb") as file:
        starts_as_zip = file.read(2) == b"PK"
    if starts_as_zip and not is_zip:
        raise BenchmarkError(f"{path}: truncated (a PyTorch file without its end); fetch it again")
    try:
        with warnings.catch_warnings():  # about unusual pickles, which are refused or read just below
            warnings.simplefilter("ignore", UserWarning)
            # Mapped, a file of gigabytes is not read twice.
            return torch.load(path, map_location="cpu", weights_only=True, mmap=is_zip)
    except pickle.UnpicklingError as error:
        reason = _first_line(error)
        if "Unsupported" in str(error) or "WeightsUnpickler" in str(error) or "GLOBAL" in str(error):
            raise BenchmarkError(
                f"{path}: refused: its pickle holds more than tensors and could run code; only state dicts are read"
            ) from None
        raise BenchmarkError(f"{path}: truncated or not a PyTorch file ({reason})") from None
    except (RuntimeError, EOFError, ValueError, KeyError, OSError, AttributeError, UnicodeDecodeError) as error:
        raise BenchmarkError(f"{path}: truncated or not a PyTorch file ({_first_line(error)})") from None


def _first_line(error: Exception) -> str:
    lines = str(error).strip().splitlines()
    return (lines[0] if lines else type(error).__name__)[:120]


def load_strictly(network: Network, state: dict[str, Tensor], path: str | os.PathLike) -> Network:
    """Put ``state`` into ``network``: the same names and shapes, no more and no fewer; returns the network.

    Raises:
        BenchmarkError: one line that names the first missing key, unknown key and wrong shape, and how many there are.
    """
    own = network.state_dict()
    missing = [name for name in own if name not in state]
    unknown = [name for name in state if name not in own]
    shapes = [name for name in own if name in state and own[name].shape != state[name].shape]
    faults = []
    if missing:
        faults.append(f"{len(missing)} missing (first {missing[0]})")
    if unknown:
        faults.append(f"{len(unknown)} that the network does not have (first {unknown[0]})")
    if shapes:
        name = shapes[0]
        faults.append(
            f"{len(shapes)} of another shape "
            f"(first {name}: {tuple(state[name].shape)}, needed {tuple(own[name].shape)})"
        )
    if faults:
        raise BenchmarkError(
            f"{path}: does not fit the network (another architecture, or other flags); "
            f"of its {len(own)} parameters: {'; '.join(faults)}"
        )
    network.load_state_dict(state)
    return network


# ------------------------------------------------------------------------------------------------------------- shipped
def shipped(name: str, path: str | os.PathLike | None = None) -> tuple[dict, dict[str, Tensor], Path]:
    """The card and the state dict (float32) of weights that ship with the project, or of a file of the same form.

    Args:
        name: NAME of ``benchmark/weights/files/NAME.safetensors``.
        path: another weights file; its card lies beside it, with the ending .json.

    Returns:
        The card, the state dict, and the path of the weights.

    Raises:
        BenchmarkError: the file or its card is missing, damaged, or has another sha256 than the card says.
    """
    path = Path(path) if path else WEIGHTS / f"{name}.safetensors"
    card_path = path.with_suffix(".json")
    if not card_path.is_file():
        raise BenchmarkError(f"{card_path}: no such card; it belongs beside the .safetensors file")
    try:
        card = json.loads(card_path.read_text())
        sha256 = card["sha256"]
    except (json.JSONDecodeError, KeyError, TypeError, UnicodeDecodeError) as error:
        raise BenchmarkError(f"{card_path}: not a weights card ({_first_line(error)})") from None
    state = dequantised(load_state(path, sha256))
    return card, {key: value.float() if value.is_floating_point() else value for key, value in state.items()}, path


def ship(path: str | os.PathLike, state: dict[str, Tensor], card: dict, dtype: torch.dtype = torch.float32) -> dict:
    """Write ``path`` (.safetensors) and its card, each atomically; returns the card, completed by what the file is.

    ``dtype`` is a floating-point one, or int8: see :func:`quantised`.
    """
    from safetensors.torch import save_file

    path = Path(path)
    stored = quantised(state) if dtype == torch.int8 else {name: value.to(dtype) for name, value in state.items()}
    with atomic(path) as temporary:
        save_file({name: value.contiguous() for name, value in stored.items()}, temporary)
    card = {
        "file": path.name,
        "sha256": sha256_of(path),
        "bytes": path.stat().st_size,
        "stored_as": str(dtype).removeprefix("torch."),
        "parameters": sum(value.numel() for value in state.values()),
        **card,
    }
    write_text(path.with_suffix(".json"), json.dumps(card, indent=1) + "\n")
    return card


SCALE = ".scale"


def quantised(state: dict[str, Tensor]) -> dict[str, Tensor]:
    """Matrices (and what has more axes) in 8 bits a number, the rest in float32.

    Each row w becomes round(127 w / max |w|) as int8 under its name, and max |w| / 127 in NAME.scale, float32.
    """
    stored = {}
    for name, value in state.items():
        value = value.float()
        if value.dim() < 2:
            stored[name] = value
            continue
        scale = value.flatten(1).abs().amax(1).clamp_min(torch.finfo(torch.float32).tiny) / 127
        stored[name + SCALE] = scale
        stored[name] = (value / _beside(scale, value)).round().to(torch.int8)
    return stored


def dequantised(state: dict[str, Tensor]) -> dict[str, Tensor]:
    """What :func:`quantised` has stored, as float32; another state dict as it is."""
    found = {}
    for name, value in state.items():
        if value.dtype == torch.int8 and name + SCALE in state:
            found[name] = value.float() * _beside(state[name + SCALE], value)
        elif not (name.endswith(SCALE) and name.removesuffix(SCALE) in state):
            found[name] = value
    return found


def _beside(scale: Tensor, value: Tensor) -> Tensor:
    """A number a row, shaped so that it multiplies the rows of ``value``."""
    return scale.view(-1, *[1] * (value.dim() - 1))
