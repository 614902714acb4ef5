"""What a guidance is and says of itself, read while a run is planned (no torch).

    @guidance("mine", timed=True, refuses=...)
    class Mine(Guidance):
        def __init__(self, eta, threshold, region=None, *, option: Annotated[float, Within(0), "What it does."] = 1.0):
            super().__init__(eta, threshold, region)
            self.option = option

        def move(self, x0, weight, search, norm):
            return x0_guided, Repulsion(neighbour, distance, gate)

Its options are the keyword arguments of its constructor: types, defaults and ranges stand there and nowhere else.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple

from benchmark.discovery import register

if TYPE_CHECKING:
    from torch import Tensor


class Repulsion(NamedTuple):
    """What the guidance did at one step; all (B, N)."""

    neighbour: Tensor  # index of the nearest neighbour
    distance: Tensor  # ||x0_i - x0_nn(i)||_2 over the elements that the gate looks at
    gate: Tensor  # whether the sample was moved


Guide = Callable[..., "tuple[Tensor, Repulsion | None]"]

# what the released samplers ask of a guide: neighbours over the hole or the image, the gate's norm over the image
HOLE_SEARCH = {"search": "hole", "norm": "image"}
WHOLE = {"search": "image", "norm": "image"}
UNGATED = {"search": "image", "norm": None}


def no_guidance(x0: Tensor, weight: float, **_: object) -> tuple[Tensor, None]:
    """The identity: plain sampling."""
    return x0, None


class Guidance:
    """A guidance of a batch of sets; eta and threshold may differ per set. It draws no noise.

    Args:
        eta: (B,) step size. threshold: (B,) in the L2 norm. region: hole (B, 1, 1, H, W), or None.

    Attributes:
        name: by which a configuration knows it. timed: whether the sampler's time factor weighs the push.
    """

    name: ClassVar[str]
    timed: ClassVar[bool]
    refuses: ClassVar[Callable[[float, Mapping[str, Any]], str | None]]

    def __init__(self, eta: Tensor, threshold: Tensor, region: Tensor | None = None):
        self.eta, self.threshold, self.region = eta, threshold, region

    def __call__(
        self, x0: Tensor, weight: float, *, search: str = "hole", norm: str | None = "hole"
    ) -> tuple[Tensor, Repulsion]:
        """The guided x0 of clean estimates x0 (B, N, C, H, W), all samples of a set at once, and the record.

        The defaults are the ``paper`` preset's: a distance over the same elements that D is divided by.

        Args:
            weight: the time factor w, 0 at the end.
            search: "hole" or "image": where neighbours are looked for.
            norm: where the gate measures (None: no gate); the released samplers take its norm over the image.
        """
        return self.move(x0, weight if self.timed else float(weight > 0), search, norm)

    def move(self, x0: Tensor, weight: float, search: str, norm: str | None) -> tuple[Tensor, Repulsion]:
        """What :meth:`__call__` gives; ``weight`` is 0 or 1 where the time factor does not apply."""
        raise NotImplementedError


GUIDANCE: dict[str, type[Guidance]] = {}


def every_distance(D: float, options: Mapping[str, Any]) -> None:
    """Nothing is refused."""


def guidance(
    name: str, *, timed: bool = True, refuses: Callable[[float, Mapping[str, Any]], str | None] = every_distance
) -> Callable[[type[Guidance]], type[Guidance]]:
    """Enter a :class:`Guidance` under a name.

    Args:
        timed: whether the time factor applies.
        refuses: from the distance D (infinity where there is no limit) and the options given to the reason why not, as
            the rest of "NAME ...", or None. Asked before anything runs, and again in the job.
    """

    def enter(kind: type[Guidance]) -> type[Guidance]:
        kind.name, kind.timed, kind.refuses = name, timed, staticmethod(refuses)
        return register(GUIDANCE, name, kind, "guidance")

    return enter
