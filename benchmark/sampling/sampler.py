"""What a sampler says of itself, read while a run is planned (no torch): options, refusals, evaluations, its rehearsal.

    @sampler(rehearsal={"steps": 3}, evaluations=..., refuses=...)
    def mine(prior, problem, y, noise, guide, *, preset="paper", steps: Annotated[int, Within(1, 1000)] = 100):
        ...

A sampler's options are its keyword arguments: their types, defaults and ranges stand in its signature and nowhere else.
An option whose type a configuration cannot write (a tensor, a function) is for callers in Python.
"""

from __future__ import annotations

import functools
import types
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Annotated, Any, Protocol

from benchmark.errors import BenchmarkError
from benchmark.options import OneOf, Option, Within, options_of
from benchmark.problems import PROBLEMS
from benchmark.sampling.schedules import space_timesteps
from benchmark.sampling.state import VARIANCES

if TYPE_CHECKING:
    from torch import Tensor

    from benchmark.priors.protocol import Prior
    from benchmark.problems.base import Problem
    from benchmark.sampling.guidance import Guide
    from benchmark.sampling.noise import Noise
    from benchmark.sampling.state import State

PRESET = OneOf("paper", "reference")  # the published formulas; the released implementation with its quirks
# options that several samplers have
Preset = Annotated[str, PRESET]
Steps = Annotated[int, Within(1, 1000), "Sampling steps."]
StepsOrRespacing = Annotated[int | str, Within(2, 1000), "Sampling steps, or a respacing such as ddim50."]
Variance = Annotated[str | None, OneOf(*VARIANCES), "Variance of the ancestral step."]
Clip = Annotated[bool, "Clip the clean estimate to the range of images."]
Paste = Annotated[bool, "Put the known pixels back at the end."]


class Asked(Protocol):
    """What a sampler is asked to serve: a problem, or its class with a level of noise."""

    @property
    def name(self) -> str: ...
    @property
    def sigma(self) -> float: ...
    @property
    def has_singular_system(self) -> bool: ...
    @property
    def keeps_constants(self) -> bool: ...


@dataclass(frozen=True)
class Task:
    """A problem of a configuration, as far as a sampler may mind it."""

    name: str
    sigma: float
    has_singular_system: bool
    keeps_constants: bool

    @classmethod
    def of(cls, problem: Mapping[str, Any]) -> Task:
        """The task of ``{"name", "sigma", ...}``, inpainting without noise where nothing is said."""
        kind = PROBLEMS[problem.get("name", "inpainting")]
        return cls(kind.name, problem.get("sigma", 0.0), kind.has_singular_system, kind.keeps_constants)


class Sampler:
    """A registered sampler: called as its function is, with its options checked and its problem accepted first.

    Attributes:
        name: of the function. function: the generator of states.
        rehearsal: options of a run of a few evaluations; those that the sampler's own settings do not need to name.
        only_where_given: options of ``rehearsal`` that are shortened only where a configuration has them.
    """

    def __init__(
        self,
        function: Callable[..., Iterator[State]],
        rehearsal: Mapping[str, Any],
        only_where_given: Mapping[str, Any],
        evaluations: Callable[[dict], int],
        refuses: Callable[[Asked, dict], str | None],
    ):
        functools.update_wrapper(self, function)
        self.name, self.function = function.__name__, function
        self.rehearsal, self.only_where_given = dict(rehearsal), dict(only_where_given)
        self._evaluations, self._refuses = evaluations, refuses

    def __call__(
        self, prior: Prior, problem: Problem, y: Tensor, noise: Noise, guide: Guide, **options: Any
    ) -> Iterator[State]:
        """The states of ``function``.

        Raises:
            BenchmarkError: an option of another type or out of range, a problem that the sampler does not serve.
        """
        for name, value in options.items():
            if name in self.options and (fault := self.options[name].fault(value)):
                raise BenchmarkError(f"{name}: {fault}")
        if reason := self.refuses(problem, options):
            raise BenchmarkError(f"sampler {self.name}, problem {problem.name}, sigma {problem.sigma:g}: it {reason}")
        return self.function(prior, problem, y, noise, guide, **options)

    @cached_property
    def options(self) -> dict[str, Option]:
        """The options that settings can give, by name."""
        return options_of(self.function)

    def with_defaults(self, options: Mapping[str, Any]) -> dict:
        """Options with the defaults of those that are not given."""
        return {name: option.default for name, option in self.options.items()} | dict(options)

    def refuses(self, asked: Asked, options: Mapping[str, Any]) -> str | None:
        """Why it cannot serve a problem with these options, and what can: the rest of "it ..."; None where it can."""
        return self._refuses(asked, self.with_defaults(options))

    def evaluations(self, options: Mapping[str, Any]) -> int | None:
        """Network evaluations of a sample; None where the options are none that it takes."""
        values = self.with_defaults(options)
        if any(self.options[name].fault(value) for name, value in values.items() if name in self.options):
            return None
        return self._evaluations(values)


def count_steps(options: dict) -> int:
    """Evaluations of a sampler that calls the network once a step, ``steps`` a number or a respacing."""
    steps = options["steps"]
    return steps if isinstance(steps, int) else len(space_timesteps(1000, steps))


def serves_all(asked: Asked, options: dict) -> None:
    """Nothing is refused."""


def sampler(
    rehearsal: Mapping[str, Any],
    only_where_given: Mapping[str, Any] = types.MappingProxyType({}),
    evaluations: Callable[[dict], int] = count_steps,
    refuses: Callable[[Asked, dict], str | None] = serves_all,
) -> Callable[[Callable[..., Iterator[State]]], Sampler]:
    """Make a :class:`Sampler` of a function ``f(prior, problem, y, noise, guide, *, preset, ...)`` that yields states.

    Args:
        rehearsal, only_where_given: see :class:`Sampler`.
        evaluations: from all options, defaults included, to network evaluations of a sample.
        refuses: from a problem and all options to the reason why not ("needs ..., use ..."), or None.
    """
    return lambda function: Sampler(function, rehearsal, only_where_given, evaluations, refuses)
