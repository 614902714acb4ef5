"""``python -m benchmark distances``: how far plain restorations lie from their nearest neighbours, to choose D."""

from __future__ import annotations

import argparse

from benchmark.errors import BenchmarkError

QUANTILES = (0.05, 0.25, 0.5, 0.75, 0.95)
SHARES = (0.25, 0.5, 0.75)


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
    import numpy as np

    from benchmark.jobs.sample import SampleSettings
    from benchmark.sampling.choose_D import of_finished_sets, while_sampling
    from benchmark.sampling.run import set_threads

    set_threads(args.threads)
    if args.sets:
        distances = of_finished_sets(args.sets, args.cases)
        print(f"distance to the nearest neighbour over the hole, RMS on [-1, 1], of {len(distances)} restorations")
        rows = {"end": distances}
    else:
        settings = SampleSettings.load(args.settings)
        by_time = while_sampling(
            settings, args.cases, args.device, args.batch_size, args.weights_dir, args.weights_registry
        )
        distances = np.concatenate(list(by_time.values()))
        print(f"distance of clean estimates to the nearest neighbour, RMS on [-1, 1], {settings.algorithm['name']}")
        times = list(by_time)
        rows = {t: by_time[t] for t in (times[round(i)] for i in np.linspace(0, len(times) - 1, min(10, len(times))))}
    finite = np.isfinite(distances)
    if not finite.any():
        raise BenchmarkError("distances: no restoration has a finite neighbour; there is nothing to choose D from")
    if not finite.all():
        print(f"{(~finite).sum()} of {len(distances)} distances are not finite and left out")
    distances = distances[finite]
    rows = {label: values[np.isfinite(values)] for label, values in rows.items()}
    print(f"{'t':>5} " + " ".join(f"{quantile:6.0%}" for quantile in QUANTILES))
    for label, values in rows.items():
        quantiles = np.quantile(values, QUANTILES) if len(values) else [np.nan] * len(QUANTILES)
        print(f"{label:>5} " + " ".join(f"{value:6.3f}" for value in quantiles))
    suggested = ", ".join(f"{float(f'{value:.2g}'):g}" for value in np.quantile(distances, SHARES))
    what = "finished samples; earlier in sampling it is open more often" if args.sets else "pairs of step and sample"
    print(f"suggested D (unit rms): {suggested}: the gate is open for 25, 50 and 75 % of {what}")
