"""What a prior says of itself, read while a run is planned (no torch), and the table in which it stands.

    @prior()
    def mine(device, *, width: Annotated[float, Within(0), "What it does."] = 1.0):
        return Mine(width, device)          # what priors/protocol.py describes

Its options are its keyword arguments: types, defaults and ranges stand in its signature and nowhere else.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from functools import cached_property
from typing import TYPE_CHECKING, Annotated, Any

from benchmark.discovery import register
from benchmark.errors import BenchmarkError
from benchmark.options import OneOf, Option, option_faults, options_of

if TYPE_CHECKING:
    import torch

    from benchmark.priors.protocol import Prior

# options that several priors have
Dtype = Annotated[str, OneOf("float32", "bfloat16", "float16"), "The network's inner arithmetic."]
PublicDtype = Annotated[
    str, OneOf("float32", "tf32", "bfloat16", "float16"), "The network's inner arithmetic; tf32 on a GPU."
]
Weights = Annotated[str | None, "Another file of the same form."]


class Loader:
    """A registered prior: called as its function is, with its options checked first.

    Attributes:
        name: by which a configuration knows it.
        learned_range: whether its network gives variance values; None where only the loaded prior knows.
    """

    def __init__(self, function: Callable[..., Prior], learned_range: bool | None):
        functools.update_wrapper(self, function)
        self.name, self.function, self.learned_range = function.__name__, function, learned_range

    def __call__(self, device: torch.device | str = "cpu", **options: Any) -> Prior:
        """The prior on a device.

        Raises:
            BenchmarkError: an option that it does not have or take, or that it needs; what its function refuses.
        """
        if unknown := sorted(set(options) - set(self.options)):
            has = f"options are {', '.join(self.options)}" if self.options else "it takes none"
            raise BenchmarkError(f"prior {self.name}: unknown option {unknown[0]!r}; {has}")
        for fault in option_faults(self.options, options, f"prior {self.name}"):
            raise BenchmarkError(fault)
        return self.function(device, **options)

    @cached_property
    def options(self) -> dict[str, Option]:
        """The options that settings can give, by name."""
        return options_of(self.function)


PRIORS: dict[str, Loader] = {}


def prior(*, learned_range: bool | None = False) -> Callable[[Callable[..., Prior]], Loader]:
    """Enter a function (device, *, options) that gives a prior, under its name; ``learned_range`` as in the class."""

    def enter(function: Callable[..., Prior]) -> Loader:
        return register(PRIORS, function.__name__, Loader(function, learned_range), "prior")

    return enter
