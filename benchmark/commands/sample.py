"""``python -m benchmark sample``: sets of N restorations at one grid point, or one shard of candidates."""

from __future__ import annotations

import argparse


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Register the command's arguments."""
    parser.add_argument("--settings", required=True, help="JSON object or file (benchmark/jobs/sample.py)")
    parser.add_argument("--cases", required=True, help="the cases file")
    parser.add_argument("--output", required=True, help="the set file to write (Parquet)")
    parser.add_argument("--device", choices=["auto", "cpu", "cuda"], default="auto")
    parser.add_argument("--batch-size", type=int, default=320, help="images at once, at most; does not change results")
    parser.add_argument("--threads", type=int, help="CPU threads")
    parser.add_argument("--weights-dir", default="weights", help="the folder of public models' weights (weights)")
    parser.add_argument("--weights-registry", help="another registry of weights (python -m benchmark weights list)")
    parser.add_argument("--quiet", action="store_true", help="no progress bar")


def run(args: argparse.Namespace) -> None:
    """Sample and write."""
    from benchmark.jobs.sample import SampleSettings
    from benchmark.sampling.run import sample

    sample(
        SampleSettings.load(args.settings),
        args.cases,
        args.output,
        args.device,
        args.batch_size,
        args.threads,
        args.quiet,
        args.weights_dir,
        args.weights_registry,
    )
