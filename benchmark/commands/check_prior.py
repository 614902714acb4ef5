"""``python -m benchmark check-prior``: does a prior show a world's attributes as often as the world itself does?

What it is held against is :mod:`benchmark.training.check`.
"""

from __future__ import annotations

import argparse


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--world", default="faces")
    parser.add_argument("--prior", help="name of the prior (default: WORLD_experts)")
    parser.add_argument("--weights", help="another weights file than the one that ships")
    parser.add_argument("--dtype", default="float32", help="the network's arithmetic: float32, bfloat16, float16")
    parser.add_argument("--samples", type=int, default=2000)
    parser.add_argument("--steps", type=int, default=50, help="DDIM steps")
    parser.add_argument("--eta", type=float, default=0.0, help="DDIM's eta: 0 deterministic, 1 ancestral")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--batch", type=int, default=100)
    parser.add_argument("--device", default="auto", help="auto, cpu or cuda")
    parser.add_argument("--json", help="write the table here, too")
    parser.add_argument("--card", action="store_true", help="write the table into the card of the weights")
    parser.add_argument("--sheet", help="write a picture of the first 64 samples here")


def run(args: argparse.Namespace) -> None:
    from benchmark.training.check import check_prior

    drawing = {name: getattr(args, name) for name in ("dtype", "samples", "steps", "eta", "seed", "batch", "device")}
    files = {"table_file": args.json, "sheet_file": args.sheet, "into_card": args.card}
    check_prior(args.world, args.prior, args.weights, **drawing, **files)
