"""torch and the parts of scipy, imported at their first use.

What describes itself (samplers, guidances, problems, tables) is read while a run is planned, and planning must not
wait for them. ``from benchmark.lazy import torch`` is the module for everybody who reads or checks the code;
annotations stay text (``from __future__ import annotations``), so that ``Tensor`` is imported for the checker alone.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING


class _AtFirstUse:
    def __init__(self, name: str):
        self._name = name

    def __getattr__(self, attribute: str):
        value = getattr(importlib.import_module(self._name), attribute)
        setattr(self, attribute, value)
        return value


if TYPE_CHECKING:
    import torch
    from scipy import optimize, special, stats
else:
    torch = _AtFirstUse("torch")
    optimize, special, stats = (_AtFirstUse(f"scipy.{name}") for name in ("optimize", "special", "stats"))
