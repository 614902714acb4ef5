"""Post-hoc selection: N of many candidates, by one strategy (``strategies``) or as a hierarchy (``trees``)."""

from benchmark.discovery import modules_of

modules_of(__name__, __path__)  # a file here may enter a strategy of its own
