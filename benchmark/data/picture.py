"""What every source of cases yields."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np


@dataclass(frozen=True)
class Picture:
    """One source picture: image float32 (C, H, W) in [-1, 1], labels, part maps bool (H, W)."""

    case: str
    image: np.ndarray
    attributes: dict[str, str] = field(default_factory=dict)
    parts: dict[str, np.ndarray] | None = None
