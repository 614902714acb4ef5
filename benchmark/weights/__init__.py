"""Weights files: those that ship with the project (``files``), and those that others trained (``public.yaml``)."""
