"""``python -m benchmark speed``: each sampler's own cost beside the network's."""

from __future__ import annotations

import argparse


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Register the command's arguments."""
    parser.add_argument("--prior", default="faces_unet")
    parser.add_argument("--batch", type=int, default=40, help="images at once, in sets of 5")
    parser.add_argument("--steps", type=int, default=8, help="network evaluations to time, about")
    parser.add_argument("--device", choices=["auto", "cpu", "cuda"], default="auto")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--repeats", type=int, default=3, help="runs of each sampler; the median share is printed")


def run(args: argparse.Namespace) -> None:
    """Time every sampler with guidance on inpainting; print a table."""
    from benchmark.sampling.run import set_threads
    from benchmark.sampling.speed import measure

    set_threads(args.threads)
    for count, row in enumerate(measure(args.prior, args.batch, args.steps, args.device, args.repeats)):
        if count == 0:
            print(
                f"{args.prior}, {args.batch} images in sets of 5, {row['dtype']}, {args.threads} thread(s), guidance on"
            )
            print(f"{'sampler':10s} {'preset':10s} {'network s':>10s} {'own s':>8s} {'own share':>10s}")
        print(
            f"{row['sampler']:10s} {row['preset']:10s} {row['network']:10.3f} {row['own']:8.3f} {row['share']:9.1%}",
            flush=True,
        )
