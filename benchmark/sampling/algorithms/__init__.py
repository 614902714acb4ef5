"""The samplers: a file of this folder is one, and says all that there is to say of it."""

from benchmark.discovery import modules_of, register
from benchmark.sampling.sampler import Sampler

SAMPLERS: dict[str, Sampler] = {}
for _module in modules_of(__name__, __path__):
    for _value in vars(_module).values():
        if isinstance(_value, Sampler):
            register(SAMPLERS, _value.name, _value, "sampler")
