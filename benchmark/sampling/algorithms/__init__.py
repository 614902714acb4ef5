"""The samplers: a file of this folder is one, and says all that there is to say of it."""

from benchmark.discovery import modules_of
from benchmark.sampling.sampler import Sampler

SAMPLERS: dict[str, Sampler] = {}
for _module in modules_of(__name__, __path__):
    for _value in vars(_module).values():
        if isinstance(_value, Sampler) and SAMPLERS.setdefault(_value.name, _value) is not _value:
            raise ValueError(f"two samplers are called {_value.name}; the second is in {_module.__file__}")
