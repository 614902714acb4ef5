"""The test bench of the statistics: every interval and test on made data like the benchmark's, whose truth is known.

Rows are worlds, columns numbers of cases. Promised is that an interval covers in ``COVERS`` of the trials, a test of
the level 5 % rejects in at most ``ERRORS``, and "not worse" is claimed falsely in at most ``FALSE_CLAIMS``;
docs/metrics.md says where that is not kept.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from benchmark.statistics.comparisons import (
    clustered_share_test,
    non_inferior,
    paired_difference,
    share_test,
    trend_test,
)
from benchmark.statistics.intervals import UNBOUNDED, mean_interval
from benchmark.statistics.power import resolvable

CASES = (4, 8, 12, 20, 40)
COVERS, ERRORS, FALSE_CLAIMS = (0.93, 0.98), 0.06, 0.04
RESAMPLES = 1000
MARGIN = 0.1
N = 5  # samples of a set

Make = Callable[[np.random.Generator, int, int], np.ndarray]  # (generator, cases, seeds) -> values (cases, seeds)


@dataclass(frozen=True)
class World:
    """Values whose mean is known."""

    name: str
    make: Make
    truth: float
    bounds: tuple[float, float] = UNBOUNDED


@dataclass(frozen=True)
class Row:
    """What one interval or test does in one world: ``values`` by number of cases, ``limits`` of what is promised."""

    about: str
    world: str
    values: dict[int, float]
    limits: tuple[float, float]
    lengths: dict[int, float] | None = None

    def outside(self, trials: int) -> dict[int, float]:
        """The values that leave the limits by more than three standard errors of so many trials."""
        low, high = self.limits
        return {
            cases: value
            for cases, value in self.values.items()
            if value < low - _error(low, trials) or value > high + _error(high, trials)
        }


def _error(share: float, trials: int) -> float:
    return 3 * math.sqrt(share * (1 - share) / trials)


# --------------------------------------------------------------------------------------------------------------- worlds
def case_share(p: float, concentration: float) -> Make:
    """Shares of N samples: each case has its own share, Beta(p k, (1 - p) k) with concentration k; 0 is all or nothing,
    infinity the same share in every case. The samples of a case thus depend on each other by 1 / (1 + k)."""

    def make(rng: np.random.Generator, cases: int, seeds: int) -> np.ndarray:
        own = np.full(cases, p)
        if concentration == 0:
            own = (rng.random(cases) < p).astype(float)
        elif concentration < math.inf:
            own = rng.beta(p * concentration, (1 - p) * concentration, cases)
        return rng.binomial(N, np.repeat(own[:, None], seeds, axis=1)) / N

    return make


def _effect(draw: Callable[[np.random.Generator, int], np.ndarray], noise: float = 0.0) -> Make:
    """A case's own effect, and what a seed adds."""

    def make(rng: np.random.Generator, cases: int, seeds: int) -> np.ndarray:
        return draw(rng, cases)[:, None] + noise * rng.normal(size=(cases, seeds))

    return make


SHARES = [
    World(f"share {p:g}, {word}", case_share(p, k), p, (0.0, 1.0))
    for p in (0.02, 0.2, 0.5, 0.8, 0.95, 0.98)
    for k, word in (
        (0, "all or nothing"),
        (0.5, "strongly tied samples"),
        (3, "tied samples"),
        (math.inf, "free samples"),
    )
]
OTHERS = [
    World("total variation, Beta(4, 12)", _effect(lambda rng, n: rng.beta(4, 12, n)), 0.25, (0.0, 1.0)),
    World("similarity near 0.8", _effect(lambda rng, n: 0.8 + 0.02 * rng.normal(size=n), 0.01), 0.8, (-1.0, 1.0)),
    World("normal", _effect(lambda rng, n: np.zeros(n), 1.0), 0.0),
    World("skewed, gamma of shape 4", _effect(lambda rng, n: rng.gamma(4, 0.5, n) - 2, 0.3), 0.0),
    World("very skewed, lognormal", _effect(lambda rng, n: rng.lognormal(0, 0.8, n)), math.exp(0.32), (0.0, math.inf)),
    World("heavy tails, t of 3", _effect(lambda rng, n: rng.standard_t(3, n), 0.3), 0.0),
    World("counts of 5", lambda rng, n, s: rng.binomial(5, 0.4, (n, s)).astype(float), 2.0, (0.0, math.inf)),
    World("PSNR, skewed down from 32 dB", _effect(lambda rng, n: 32 - rng.gamma(2, 2.5, n)), 27.0),
]


def _unchanged_but(lost: float, noise: float) -> Make:
    """Changes of a share of mean -lost: in that part of the cases everything is lost, the others vary by ``noise``."""

    def make(rng: np.random.Generator, cases: int, seeds: int) -> np.ndarray:
        change = np.where(rng.random(cases) < lost, -1.0, 0.0)
        wobble = noise * rng.uniform(-1, 1, (cases, seeds))
        return np.where(change[:, None] < 0, -1.0, wobble)

    return make


NULLS = [
    World("symmetric, normal", _effect(lambda rng, n: rng.normal(size=n), 0.3), 0.0),
    World("skewed, gamma of shape 1", _effect(lambda rng, n: rng.gamma(1, 1, n) - 1), 0.0),
    World("skewed, gamma of shape 4", _effect(lambda rng, n: rng.gamma(4, 1, n) - 4), 0.0),
    World("very skewed, lognormal", _effect(lambda rng, n: rng.lognormal(0, 0.8, n) - math.exp(0.32)), 0.0),
    World("heavy tails, t of 3", _effect(lambda rng, n: rng.standard_t(3, n)), 0.0),
    World(
        "two sets of share 0.9",
        lambda rng, n, s: (rng.binomial(N, 0.9, (n, s)) - rng.binomial(N, 0.9, (n, s))) / N,
        0.0,
        (0.0, 1.0),
    ),
    World("most cases unaffected", _effect(lambda rng, n: np.where(rng.random(n) < 0.6, 0, rng.normal(size=n))), 0.0),
]
LOSSES = [
    World("everything lost in 10 % of the cases", _unchanged_but(MARGIN, 0.0), -MARGIN, (0.0, 1.0)),
    World("the same, the others vary a little", _unchanged_but(MARGIN, 0.05), -MARGIN, (0.0, 1.0)),
    World("a tenth lost in every case, on average", _effect(lambda rng, n: -rng.beta(1, 9, n)), -MARGIN, (0.0, 1.0)),
    World("no range: NIQE up by the margin", _effect(lambda rng, n: -MARGIN + 0.2 * rng.normal(size=n)), -MARGIN),
]


# ----------------------------------------------------------------------------------------------------------------- rows
def rows(trials: int, cases: tuple[int, ...] = CASES) -> Iterator[Row]:
    """The whole bench. Every trial has a generator of its own, so that the table is the same again."""
    for seeds in (1, 3):
        for world in [*SHARES, *OTHERS]:
            yield _coverage(world, seeds, trials, cases)
    for world in NULLS:
        yield _rejections("paired difference", world, trials, cases, _difference_p)
    for ties in (False, True):
        yield _trend_errors(ties, trials, cases)
    yield from _share_tests(trials, cases)
    for world in LOSSES:
        yield _false_claims(world, trials, cases)


def _generator(trial: int, cases: int, seeds: int = 1) -> np.random.Generator:
    return np.random.default_rng([trial, cases, seeds, 20_11])


def _coverage(world: World, seeds: int, trials: int, cases: tuple[int, ...]) -> Row:
    covered, lengths = {}, {}
    for count in cases:
        found = [
            mean_interval(
                world.make(_generator(t, count, seeds), count, seeds), resamples=RESAMPLES, bounds=world.bounds
            )
            for t in range(trials)
        ]
        covered[count] = float(np.mean([i.low <= world.truth + 1e-12 and world.truth - 1e-12 <= i.high for i in found]))
        lengths[count] = float(np.median([i.high - i.low for i in found]))
    return Row(f"interval of a mean, {seeds} seed{'s' * (seeds > 1)}", world.name, covered, COVERS, lengths)


def _difference_p(world: World, rng: np.random.Generator, cases: int) -> float:
    change = world.make(rng, cases, 1)
    return paired_difference(change, np.zeros_like(change), resamples=RESAMPLES, bounds=world.bounds).p


def _rejections(about: str, world: World, trials: int, cases: tuple[int, ...], test) -> Row:
    """Share of the trials with p <= 0.05; without a test (no case differs) nothing is rejected."""
    found = {n: float(np.mean([test(world, _generator(t, n), n) <= 0.05 for t in range(trials)])) for n in cases}
    return Row(f"test of a {about}", world.name, found, (0.0, ERRORS))


def _trend_errors(ties: bool, trials: int, cases: tuple[int, ...]) -> Row:
    def test(_, rng: np.random.Generator, count: int) -> float:
        values = rng.normal(size=(count, 5))
        return trend_test(np.maximum(values, 0.8) if ties else values)

    name = "exchangeable levels, most tied" if ties else "exchangeable levels"
    return _rejections("trend over 5 levels", World(name, None, 0.0), trials, cases, test)


def _share_tests(trials: int, cases: tuple[int, ...]) -> Iterator[Row]:
    def free(_, rng: np.random.Generator, count: int) -> float:
        truth = rng.uniform(0.05, 0.6, count)
        return share_test(rng.binomial(N, truth), truth, N)

    def tied(world: World, rng: np.random.Generator, count: int) -> float:
        values = world.make(rng, count, 1)[:, 0]
        return clustered_share_test(values * N, np.full(count, world.truth), N)

    yield _rejections("share, free samples", World("shares 0.05 to 0.6", None, 0.0), trials, cases, free)
    for share in (0.1, 0.3):
        world = World(f"share {share:g}, samples of a set tied", case_share(share, 1.0), share)
        yield _rejections("share over sets", world, trials, cases, tied)


def _false_claims(world: World, trials: int, cases: tuple[int, ...]) -> Row:
    """How often a true loss of the margin is claimed to be less."""
    claimed = {}
    for count in cases:
        changes = [world.make(_generator(t, count), count, 1) for t in range(trials)]
        claimed[count] = float(
            np.mean(
                [
                    non_inferior(
                        paired_difference(c, np.zeros_like(c), resamples=RESAMPLES, bounds=world.bounds), MARGIN, False
                    )
                    for c in changes
                ]
            )
        )
    return Row(f"“not worse” by {MARGIN:g}, falsely", world.name, claimed, (0.0, FALSE_CLAIMS))


def power(cases: tuple[int, ...] = CASES, trials: int = 200) -> Iterator[tuple[str, dict[int, float]]]:
    """The smallest difference that is detected with 80 %, median over trials, for shares as the demo has them."""
    for p, word in ((0.7, "coverage-like"), (0.95, "plausibility-like")):
        plain, other = case_share(p, 3), case_share(p, 3)
        found = {}
        for n in cases:
            drawn = (_generator(t, n) for t in range(trials))
            spread = [resolvable((plain(rng, n, 1) - other(rng, n, 1))[:, 0]) for rng in drawn]
            found[n] = float(np.nanmedian(spread))
        yield f"{word} share {p:g}", found


def markdown(found: list[Row], trials: int) -> str:
    """The bench as a table: a value outside what is promised stands in bold."""
    cases = list(found[0].values)
    lines = [f"| what | world | {' | '.join(f'{n} cases' for n in cases)} |", "|---|---|" + "--:|" * len(cases)]
    for row in found:
        outside = row.outside(trials)
        cells = [f"**{value:.3f}**" if n in outside else f"{value:.3f}" for n, value in row.values.items()]
        if row.lengths:
            cells = [f"{cell} ({row.lengths[n]:.2g})" for cell, n in zip(cells, row.values, strict=True)]
        lines.append(f"| {row.about} | {row.world} | {' | '.join(cells)} |")
    return "\n".join(lines)
