"""``plan``: the grid that a configuration expands to, or the settings of one of its jobs."""

from __future__ import annotations

import argparse
import json
import sys
from collections import Counter

from benchmark.config import load
from benchmark.plan import Plan


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command's arguments."""
    parser.add_argument("--config", default="config.yaml", help="configuration file (default: %(default)s)")
    parser.add_argument("job", nargs="?", metavar="PATH", help="a file of the run: print its job's settings as JSON")


def run(args: argparse.Namespace) -> None:
    """Print the plan."""
    plan = Plan(load(args.config))
    if args.job:
        print(json.dumps(json.loads(plan.job(args.job).json), indent=2))
        return
    for note in plan.notes:
        print(note, file=sys.stderr)
    for job in plan.jobs.values():
        print(f"{job.kind:<10} {job.fingerprint} {job.path}")
    counts = Counter(job.kind for job in plan.jobs.values())
    print(f"{len(plan.jobs)} files: {', '.join(f'{count} {kind}' for kind, count in counts.items())}")
