"""Any folder with a ``UNet2DModel`` of diffusers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from benchmark.priors.loaders.base import PublicDtype, prior

if TYPE_CHECKING:
    import torch

    from benchmark.priors.protocol import Prior

Folder = Annotated[str, "The folder of config.json and the weights."]


@prior(learned_range=None)
def diffusers_folder(device: torch.device | str, *, folder: Folder, dtype: PublicDtype = "float32") -> Prior:
    """A folder with a ``UNet2DModel`` of diffusers that predicts the noise under the linear schedule."""
    from benchmark.priors.public import load_diffusers_folder

    return load_diffusers_folder(folder, device, dtype=dtype)
