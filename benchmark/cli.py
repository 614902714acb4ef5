"""``python -m benchmark COMMAND``: what every workflow rule calls and what a person may call by hand.

A command is one module of :mod:`benchmark.commands` with ``add_arguments(parser)`` and ``run(args)``; only the chosen
one is imported, so that ``--help`` and a wrong word cost nothing.
"""

from __future__ import annotations

import argparse
import importlib
import sys

from benchmark import __version__
from benchmark.errors import BenchmarkError

COMMANDS = {
    "plan": "print the grid that a configuration expands to, or the settings of one of its jobs",
    "cases": "write the cases of one dataset and mask: images, holes, labels",
    "sample": "sample sets of N restorations at one grid point, or one shard of candidates",
    "select": "pick N of the candidates by one strategy",
    "measure": "measure one set file",
    "collect": "gather the metric files of a run into metrics.parquet",
    "tables": "write the tables of a run",
    "figures": "write the figures of a run",
    "gallery": "write contact sheets: masked input and sets",
    "findings": "check that a run's tables bear what docs/findings.md says, and write it from them",
    "toy": "make the source paper's Figure 1 anew",
    "distances": "nearest-neighbour distances of plain sets, from which to choose D",
    "sensitivity": "whether an experiment's conclusions hold for other N and other numbers of candidates",
    "power": "how many cases and seeds a difference needs, from a measured run of several seeds",
    "choose-guidance": "choose margin, eta and D from a run on cases of its own",
    "truth": "hold one sampler's samples of one problem against the exact posterior",
    "tune": "choose samplers' options on measurements that the tables of truth never see",
    "truth-report": "write the table and the figures of the truth",
    "fit": "fit the Gaussian mixture prior of the digits",
    "train": "train a prior or an attribute classifier on a rendered world",
    "check-prior": "attribute shares of a prior's unconditional samples against the generator's",
    "check-classifier": "a classifier's reading of a prior's samples against the nearest renderings'",
    "worlds": "the drawn worlds' attributes and shares, and a sheet of their pictures",
    "planted": "sets that no measure may prefer to plain samples, held against every measure",
    "statistics": "what the intervals and tests do on made data like the benchmark's",
    "speed": "the samplers' own cost as a share of the network's",
    "gpu-check": "agreement of CPU and GPU, seconds per evaluation, what is not the network's (small without a GPU)",
    "weights": "list, fetch, verify or locate weights files",
}


class Print(argparse.Action):
    """An option that prints what its ``const``, a function, gives, and stops."""

    def __init__(self, option_strings, dest, const, help=None):
        super().__init__(option_strings, dest, nargs=0, const=const, default=argparse.SUPPRESS, help=help)

    def __call__(self, parser, *_):
        print(self.const())
        parser.exit()


def main(argv: list[str] | None = None) -> int:
    """Run one command; return the exit status (0 done, 2 bad input)."""
    argv = sys.argv[1:] if argv is None else argv
    parser = argparse.ArgumentParser(prog="python -m benchmark", description="Meaningful Diversity Benchmark")
    parser.add_argument("--version", action="version", version=__version__)
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    chosen = next((word for word in argv if not word.startswith("-")), None)
    try:
        for name, summary in COMMANDS.items():
            command = commands.add_parser(name, help=summary, description=summary)
            if name == chosen:
                module = importlib.import_module(f"benchmark.commands.{name.replace('-', '_')}")
                module.add_arguments(command)
                command.set_defaults(run=module.run)
        args = parser.parse_args(argv)
        args.run(args)
    except BenchmarkError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    return 0
