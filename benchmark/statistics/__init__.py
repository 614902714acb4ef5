"""Statistics of the benchmark: the case is the unit, its seeds are repetitions, and every number has its uncertainty.

Values come as an array (cases,) or (cases, seeds), NaN where there is none. Pairs and samples of one set are never
replicates: a set gives one value. Everything is seeded and depends on numpy and scipy alone. What each
interval and test covers on data like the benchmark's is simulated by ``python -m benchmark statistics``.
"""

from benchmark.statistics.comparisons import (
    clustered_share_test,
    grid,
    holm,
    non_inferior,
    operating_point,
    paired_difference,
    probability_of_improvement,
    rooted,
    share_test,
    studentised_p,
    trend_test,
)
from benchmark.statistics.flips import sign_flip, sign_flips, smallest_p
from benchmark.statistics.intervals import LEVEL, RESAMPLES, UNBOUNDED, Interval, mean_interval
from benchmark.statistics.power import (
    POWER,
    cases_needed,
    needed_for,
    resolvable,
    smallest_share_seen,
    unaffected_cases_needed,
    variance_parts,
)
from benchmark.statistics.tradeoffs import pareto_front, pareto_membership

__all__ = [
    "LEVEL",
    "POWER",
    "RESAMPLES",
    "UNBOUNDED",
    "Interval",
    "cases_needed",
    "clustered_share_test",
    "grid",
    "holm",
    "mean_interval",
    "needed_for",
    "non_inferior",
    "operating_point",
    "paired_difference",
    "pareto_front",
    "pareto_membership",
    "probability_of_improvement",
    "resolvable",
    "rooted",
    "share_test",
    "sign_flip",
    "sign_flips",
    "smallest_p",
    "smallest_share_seen",
    "studentised_p",
    "trend_test",
    "unaffected_cases_needed",
    "variance_parts",
]
