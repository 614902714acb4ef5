"""The priors by name: a function under ``@prior()`` in a file of its own here is one, and imports torch when called."""

from benchmark.discovery import modules_of
from benchmark.priors.loaders.base import PRIORS, Loader, prior

modules_of(__name__, __path__)  # each enters its priors
__all__ = ["PRIORS", "Loader", "prior"]
