"""``python -m benchmark distances``: how far plain restorations lie from their nearest neighbours, to choose D."""

from __future__ import annotations

import argparse


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Register the command's arguments."""
    source = parser.add_mutually_exclusive_group(required=True)
    source.add_argument(
        "--settings", help="of a plain sample job (JSON object or file): sample it and watch every step"
    )
    source.add_argument(
        "--sets", nargs="+", help="plain set files of one task and sampler: look at the finished samples"
    )
    parser.add_argument("--cases", required=True, help="the cases file")
    parser.add_argument("--device", choices=["auto", "cpu", "cuda"], default="auto")
    parser.add_argument("--batch-size", type=int, default=80, help="images at once, at most")
    parser.add_argument("--threads", type=int, help="CPU threads")
    parser.add_argument("--weights-dir", default="weights", help="the folder of public models' weights (weights)")
    parser.add_argument("--weights-registry", help="another registry of weights (python -m benchmark weights list)")


def run(args: argparse.Namespace) -> None:
    """Print quantiles of the nearest-neighbour distance in RMS units, and three values for D."""
    from benchmark.jobs.sample import SampleSettings
    from benchmark.sampling.choose_D import of_finished_sets, quantile_table, while_sampling
    from benchmark.sampling.run import set_threads

    set_threads(args.threads)
    if args.sets:
        rows = {"end": of_finished_sets(args.sets, args.cases)}
        what = "finished samples; earlier in sampling it is open more often"
        print(f"distance to the nearest neighbour over the hole, RMS on [-1, 1], of {len(rows['end'])} restorations")
    else:
        settings, what = SampleSettings.load(args.settings), "pairs of step and sample"
        weights = args.weights_dir, args.weights_registry
        rows = while_sampling(settings, args.cases, args.device, args.batch_size, *weights)
        print(f"distance of clean estimates to the nearest neighbour, RMS on [-1, 1], {settings.algorithm['name']}")
    for line in quantile_table(rows, what):
        print(line)
