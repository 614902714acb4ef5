"""The samplers: a file of this folder is one, and says all that there is to say of it."""

import importlib
import pkgutil

from benchmark.sampling.sampler import Sampler


def _all() -> dict[str, Sampler]:
    modules = (importlib.import_module(f"{__name__}.{info.name}") for info in pkgutil.iter_modules(__path__))
    return {value.name: value for module in modules for value in vars(module).values() if isinstance(value, Sampler)}


SAMPLERS = _all()
