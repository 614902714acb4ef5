"""The samplers: a file of this folder is one, and says all that there is to say of it."""

from benchmark.discovery import modules_of
from benchmark.sampling.sampler import Sampler

SAMPLERS = {
    value.name: value
    for module in modules_of(__name__, __path__)
    for value in vars(module).values()
    if isinstance(value, Sampler)
}
