"""Meaningful Diversity Benchmark: how to show a person the range of what an image could have been."""

__version__ = "0.2.0"
