"""The measures of a table: which a reader looks for first, and which follow in a further table."""

from __future__ import annotations

from benchmark.metrics.registry import Metric
from benchmark.publish import labels
from benchmark.publish.results.comparison import Entry
from benchmark.publish.results.measured import Group

# Kinds of measures and how many of each stand in the first table of a section.
HEADLINE = {
    "eta_sweep": {"diversity": 3, "quality": 2},
    "D_sweep": {"diversity": 3, "quality": 2},
    "selection": {"diversity": 3, "coverage": 2, "quality": 2},
    "samplers": {"diversity": 2, "quality": 2, "fidelity": 1, "cost": 2},
}
# Where the truth is known (drawn worlds), its measures come first and most others leave them the room.
KNOWN_TRUTH = {"truth": 4, "diversity": 1, "quality": 1}
FURTHER = {"truth": 3, "diversity": 6, "quality": 5, "fidelity": 1, "guidance": 1}
FURTHER_COLUMNS = 7


def headline_and_further(group: Group, part: list[Entry]) -> tuple[list[Metric], list[Metric]]:
    """The measures of a section's first table and of its further one, of those that the group's entries have."""
    present = {entry.metric for entry in part}
    wanted = HEADLINE[group.table]
    if labels.preferred(present, "truth"):
        wanted = KNOWN_TRUTH | {kind: KNOWN_TRUTH.get(kind, count) for kind, count in wanted.items()}
    headline = [shown for kind, count in wanted.items() for shown in labels.preferred(present, kind, count=count)]
    rest = present - {shown.name for shown in headline}
    further = [shown for kind, count in FURTHER.items() for shown in labels.preferred(rest, kind, count=count)]
    further = [shown for shown in further if not shown.name.startswith("attribute_entropy/")]
    if len(further) > FURTHER_COLUMNS:
        kept = [shown for shown in further if shown.group in ("fidelity", "guidance")]
        others = [shown for shown in further if shown not in kept][: FURTHER_COLUMNS - len(kept)]
        further = [*others, *kept]
    return headline, further
