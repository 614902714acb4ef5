"""From cases to restorations: samplers, guidances, noise, and the job that writes a set file."""

from benchmark.sampling.algorithms import SAMPLERS

__all__ = ["SAMPLERS"]
