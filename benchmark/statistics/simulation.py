"""The test bench of the statistics: every interval and test on made data like the benchmark's, whose truth is known.

Rows are worlds, columns numbers of cases. Promised is that an interval covers in ``COVERS`` of the trials, a test of
the level 5 % rejects in at most ``ERRORS``, "not worse" is claimed falsely in at most ``FALSE_CLAIMS``, and what is
said to be resolved is detected in ``POWERS``. ``KEPT_NOT`` says where that is not kept, as docs/metrics.md does.
"""

from __future__ import annotations

import math
import zlib
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
from benchmark.statistics.intervals import UNBOUNDED, Interval, mean_interval
from benchmark.statistics.power import resolvable

CASES = (4, 8, 12, 20, 40)
COVERS, ERRORS, FALSE_CLAIMS, POWERS = (0.93, 0.98), 0.06, 0.04, (0.75, 0.87)
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
        """The values that leave the limits by more than two standard errors of so many trials."""
        return {n: value for n, value in self.values.items() if not _within(value, self.limits, trials)}

    def unsaid(self, trials: int) -> dict[int, float]:
        """Of these the values that ``KEPT_NOT`` does not speak of."""
        return {
            n: value
            for n, value in self.outside(trials).items()
            if not any(known.speaks_of(self, n) and _within(value, known.limits, trials) for known in KEPT_NOT)
        }


@dataclass(frozen=True)
class KeptNot:
    """Where a promise is not kept: in rows about ``about``, worlds whose name holds one of ``worlds``, with up to
    ``most`` cases, values lie in ``limits``; ``sentence`` is what the documentation says of it."""

    sentence: str
    about: str
    worlds: tuple[str, ...]
    limits: tuple[float, float]
    most: int = max(CASES)

    def speaks_of(self, row: Row, cases: int) -> bool:
        """Whether a row's value at so many cases is meant."""
        return (
            row.about.startswith(self.about) and cases <= self.most and any(name in row.world for name in self.worlds)
        )


def _within(value: float, limits: tuple[float, float], trials: int) -> bool:
    low, high = (2 * math.sqrt(max(0.0, end * (1 - end)) / trials) for end in limits)
    return limits[0] - low <= value <= limits[1] + high


_NEAR_ENDS = "Shares near 0 and 1, at any number of cases: intervals of means cover in up to 100 %."
_FEW = (
    "Other shares with 20 cases or fewer: up to 100 %. All of these are as long as binary outcomes need, because cases "
    "of all or nothing cannot be told from smooth ones by a handful of equal values."
)
_TIED = "Differences that tie in many cases, as those of shares near 1 do: intervals cover in up to 100 %."
_RARE = (
    "A tenth of the cases lose everything and the others vary or gain without ties: 8 cases hold none of the tenth "
    "43 % of the time, so that intervals of the difference cover in 30 to 93 % with 20 cases or fewer, and the test "
    "rejects in up to 43 % where what the others gain makes up for it. An interval that covers there would reach 0.3 "
    "from any 8 cases, whatever they show; worst bounds do and cover in 96 % and more."
)
_GAINED = (
    "The same, and the others gain a sample here and there that makes up for it: 20 cases cover in 86 to 93 %, and the "
    "test rejects in up to 14 %."
)
_FOUR = "Skewed values with 4 cases: intervals cover in 80 to 93 %."
_LOGNORMAL = (
    "Very skewed values without an upper end (lognormal): 90 to 95 % from 8 cases on; tests of differences as skewed "
    "reject in up to 8 %. No metric of the demo is as skewed; `seconds` may be."
)
_HEAVY = "Heavy tails (t of 3): 91 to 96 %."
_POWER = "What 12 cases or fewer are said to resolve of a share of 0.7 is detected in 62 to 80 %."
KEPT_NOT = (
    KeptNot(_NEAR_ENDS, "interval of a mean", ("share 0.02", "share 0.95", "share 0.98"), (COVERS[0], 1.0)),
    KeptNot(_FEW, "interval of a mean", ("share 0.2", "share 0.5", "share 0.8"), (COVERS[0], 1.0), 20),
    KeptNot(
        _TIED,
        "interval of a difference",
        ("share", "unaffected", "all lost", "a sample in"),
        (COVERS[0], 1.0),
    ),
    KeptNot(_RARE, "interval of a difference", ("vary by", "0.11 gained"), (0.30, COVERS[1]), 20),
    KeptNot(_RARE, "test of a paired difference", ("0.11 gained",), (0.0, 0.43), 20),
    KeptNot(_GAINED, "interval of a difference", ("a sample gained",), (0.86, 1.0), 20),
    KeptNot(_GAINED, "test of a paired difference", ("a sample gained",), (0.0, 0.14), 20),
    KeptNot(_FOUR, "interval", ("skewed", "a tenth lost"), (0.80, COVERS[1]), 4),
    KeptNot(_LOGNORMAL, "interval", ("lognormal",), (0.90, COVERS[1])),
    KeptNot(_LOGNORMAL, "test of a paired difference", ("lognormal",), (0.0, 0.08)),
    KeptNot(_HEAVY, "interval", ("heavy",), (0.91, COVERS[1])),
    KeptNot(_POWER, "power", ("0.7",), (0.62, POWERS[1]), 12),
)


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


def _unchanged_but(lost: float, noise: float, gain: float = 0.0) -> Make:
    """Changes of a share: a part ``lost`` of the cases loses all, the others vary by ``noise`` around ``gain``."""

    def make(rng: np.random.Generator, cases: int, seeds: int) -> np.ndarray:
        wobble = noise * rng.uniform(-1, 1, (cases, seeds))
        return np.where(rng.random((cases, 1)) < lost, -1.0, gain + wobble)

    return make


def _apart(make: Make) -> Make:
    """Changes between two sets of the same world."""
    return lambda rng, cases, seeds: make(rng, cases, seeds) - make(rng, cases, seeds)


def _one_sample(lost: float, less: float, more: float) -> Make:
    """The same, where of the other cases these parts lose and gain one sample of N."""

    def make(rng: np.random.Generator, cases: int, seeds: int) -> np.ndarray:
        step = rng.choice([-1.0, 0.0, 1.0], size=(cases, seeds), p=[less, 1 - less - more, more]) / N
        return np.where(rng.random((cases, 1)) < lost, -1.0, step)

    return make


NULLS = [
    World("symmetric, normal", _effect(lambda rng, n: rng.normal(size=n), 0.3), 0.0),
    World("skewed, gamma of shape 1", _effect(lambda rng, n: rng.gamma(1, 1, n) - 1), 0.0),
    World("skewed, gamma of shape 4", _effect(lambda rng, n: rng.gamma(4, 1, n) - 4), 0.0),
    World("very skewed, lognormal", _effect(lambda rng, n: rng.lognormal(0, 0.8, n) - math.exp(0.32)), 0.0),
    World("heavy tails, t of 3", _effect(lambda rng, n: rng.standard_t(3, n)), 0.0),
    World("two sets of share 0.9", _apart(case_share(0.9, math.inf)), 0.0, (0.0, 1.0)),
    World("most cases unaffected", _effect(lambda rng, n: np.where(rng.random(n) < 0.6, 0, rng.normal(size=n))), 0.0),
    World("all lost in 10 %, 0.11 gained in the others", _unchanged_but(MARGIN, 0.01, MARGIN / 0.9), 0.0, (0.0, 1.0)),
    World("all lost in 10 %, a sample gained in 56 %", _one_sample(MARGIN, 0.0, MARGIN / 0.9 * N), 0.0, (0.0, 1.0)),
]
LOSSES = [
    World("all lost in 10 % of the cases", _unchanged_but(MARGIN, 0.0), -MARGIN, (0.0, 1.0)),
    World("the same, the others vary by 0.01", _unchanged_but(MARGIN, 0.01), -MARGIN, (0.0, 1.0)),
    World("the same, the others vary by 0.05", _unchanged_but(MARGIN, 0.05), -MARGIN, (0.0, 1.0)),
    World("the same, a sample in 20 % of the others", _one_sample(MARGIN, 0.1, 0.1), -MARGIN, (0.0, 1.0)),
    World("a tenth lost in every case, on average", _effect(lambda rng, n: -rng.beta(1, 9, n)), -MARGIN, (0.0, 1.0)),
]
NO_RANGE = [
    World("no range: NIQE up by the margin", _effect(lambda rng, n: -MARGIN + 0.2 * rng.normal(size=n)), -MARGIN),
    World("no range: much lost in 10 % of the cases", _unchanged_but(MARGIN, 0.001), -MARGIN),
]

SHARES_APART = [
    World(f"two shares of {p:g}, tied samples", _apart(case_share(p, 3)), 0.0, (0.0, 1.0)) for p in (0.7, 0.95)
]


def _lower(p: float) -> Callable[[float], World]:
    """Changes from a share p to one that is lower by a given difference."""

    def world(lost: float) -> World:
        plain, other = case_share(p, 3), case_share(max(0.01, p - lost), 3)
        return World(f"a share of {p:g} falls", lambda *size: other(*size) - plain(*size), -lost, (0.0, 1.0))

    return world


FALLING = [
    lambda lost: World("normal", _effect(lambda rng, n: rng.normal(size=n) - lost, 0.3), -lost),
    _lower(0.7),
    _lower(0.95),
]


# ----------------------------------------------------------------------------------------------------------------- rows
def rows(trials: int, cases: tuple[int, ...] = CASES) -> Iterator[Row]:
    """The whole bench. Every trial of every world and size has a generator of its own: the table is the same again."""
    for seeds in (1, 3):
        for world in [*SHARES, *OTHERS]:
            yield _coverage(f"interval of a mean, {seeds} seed{'s' * (seeds > 1)}", world, trials, cases, seeds)
    for world in [*NULLS, *SHARES_APART, *LOSSES]:
        yield _coverage("interval of a difference", world, trials, cases)
    for world in LOSSES:
        yield _coverage("worst bounds of a difference", world, trials, cases)
    for world in [*NULLS, *SHARES_APART]:
        yield _rejections("paired difference", world, trials, cases, _difference_p)
    for ties in (False, True):
        yield _trend_errors(ties, trials, cases)
    yield from _share_tests(trials, cases)
    for world in [*LOSSES, *NO_RANGE]:
        yield _false_claims(world, trials, cases)
    for world in FALLING:
        yield _power(world, trials, cases)


def _generator(name: str, trial: int, cases: int, seeds: int = 1) -> np.random.Generator:
    return np.random.default_rng([zlib.crc32(name.encode()), trial, cases, seeds])


def _difference(world: World, rng: np.random.Generator, cases: int) -> Interval:
    """The paired difference of a world's changes from none."""
    change = world.make(rng, cases, 1)
    return paired_difference(change, np.zeros_like(change), resamples=RESAMPLES, bounds=world.bounds)


def _coverage(about: str, world: World, trials: int, cases: tuple[int, ...], seeds: int = 1) -> Row:
    def interval(rng: np.random.Generator, count: int) -> tuple[float, float]:
        if "mean" in about:
            found = mean_interval(world.make(rng, count, seeds), resamples=RESAMPLES, bounds=world.bounds)
            return found.low, found.high
        found = _difference(world, rng, count)
        return (found.worst_low, found.worst_high) if "worst" in about else (found.low, found.high)

    covered, lengths = {}, {}
    for count in cases:
        ends = np.array([interval(_generator(about + world.name, t, count, seeds), count) for t in range(trials)])
        inside = (ends[:, 0] <= world.truth + 1e-12) & (world.truth - 1e-12 <= ends[:, 1])
        covered[count], lengths[count] = float(inside.mean()), float(np.median(ends[:, 1] - ends[:, 0]))
    return Row(about, world.name, covered, (COVERS[0], 1.0) if "worst" in about else COVERS, lengths)


def _difference_p(world: World, rng: np.random.Generator, cases: int) -> float:
    return _difference(world, rng, cases).p


def _rejections(about: str, world: World, trials: int, cases: tuple[int, ...], test) -> Row:
    """Share of the trials with p <= 0.05; without a test (no case differs) nothing is rejected."""
    name = f"test of a {about}"
    found = {
        n: float(np.mean([test(world, _generator(name + world.name, t, n), n) <= 0.05 for t in range(trials)]))
        for n in cases
    }
    return Row(name, world.name, found, (0.0, ERRORS))


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
    about = f"“not worse” by {MARGIN:g}, falsely"
    claimed = {}
    for n in cases:
        found = (_difference(world, _generator(about + world.name, t, n), n) for t in range(trials))
        claimed[n] = float(np.mean([non_inferior(difference, MARGIN, False) for difference in found]))
    return Row(about, world.name, claimed, (0.0, FALSE_CLAIMS))


def _power(falling: Callable[[float], World], trials: int, cases: tuple[int, ...]) -> Row:
    """How often a true difference is detected that is as large as what is said to be resolved where it is true (the
    median over trials: in brackets). Numbers of cases that resolve nothing are left out."""
    about = "power at what is resolved"
    detected, resolved = {}, {}
    for n in cases:
        size = 0.0
        for _ in range(4):  # to a fixed point: the spread of shares grows with what is lost
            world = falling(size)
            drawn = [_generator(about + world.name, t, n) for t in range(trials)]
            size = _median([resolvable(world.make(rng, n, 1)[:, 0]) for rng in drawn])
            if math.isnan(size):
                break
        else:
            world = falling(size)
            resolved[n] = size
            detected[n] = float(np.mean([_difference_p(world, rng, n) <= 0.05 for rng in drawn]))
    return Row(about, falling(0.0).name, detected, POWERS, resolved)


def _median(values: list[float]) -> float:
    """Of those that are known; NaN without one."""
    known = [value for value in values if math.isfinite(value)]
    return float(np.median(known)) if known else math.nan


def markdown(found: list[Row], trials: int) -> str:
    """The bench as a table: a value outside what is promised stands in bold, with a ! where nothing below speaks of it;
    then where the promise is not kept."""
    cases = list(found[0].values)
    lines = [f"| what | world | {' | '.join(f'{n} cases' for n in cases)} |", "|---|---|" + "--:|" * len(cases)]
    for row in found:
        outside, unsaid = row.outside(trials), row.unsaid(trials)
        cells = []
        for n in cases:
            if n not in row.values:
                cells.append("none")
                continue
            value = f"{row.values[n]:.3f}{'!' * (n in unsaid)}"
            length = f" ({row.lengths[n]:.2g})" if row.lengths else ""
            cells.append((f"**{value}**" if n in outside else value) + length)
        lines.append(f"| {row.about} | {row.world} | {' | '.join(cells)} |")
    return "\n".join(
        [*lines, "\nWhere the promise is not kept:\n", *dict.fromkeys(f"- {known.sentence}" for known in KEPT_NOT)]
    )
