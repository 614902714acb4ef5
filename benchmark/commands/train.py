"""``python -m benchmark train prior|subspace|classifier``: train an embedded network on a rendered world.

``prior`` is the U-Net, ``subspace`` the denoiser for high noise, ``classifier`` the reader of attributes.

The same command takes an interrupted run up where its last checkpoint left it. ``--export FILE`` writes the moving
average of the weights and their card from the checkpoint at any time, also while another process is training.
"""

from __future__ import annotations

import argparse

COMMON = ("world", "seed", "steps", "batch", "lr", "ema", "precision")  # settings of every kind of network


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("what", choices=["prior", "subspace", "classifier"])
    parser.add_argument("--world", default="faces", help="the rendered world to train on (default: faces)")
    parser.add_argument("--out", required=True, help="folder of the run: checkpoint.pt and loss.jsonl")
    parser.add_argument("--steps", type=int, default=6000)
    parser.add_argument("--batch", type=int, default=32, help="images per step")
    parser.add_argument("--lr", type=float, default=1e-3, help="largest learning rate")
    parser.add_argument("--ema", type=float, default=0.999, help="factor of the moving average of the weights")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--precision", choices=["bf16", "fp32"], default="bf16")
    parser.add_argument("--start", metavar="FILE", help="begin with these weights (.safetensors) of the same network")
    parser.add_argument(
        "--blends", type=float, default=0.0, help="classifier: the share of pictures that lie between values"
    )
    parser.add_argument("--unet", default="{}", help="prior: U-Net flags that differ from the defaults, as JSON")
    parser.add_argument("--scenes", type=int, default=10_000, help="subspace: pictures drawn, with all alternatives")
    parser.add_argument(
        "--switch", type=int, default=150, help="subspace, export: the timestep from which on it serves"
    )
    parser.add_argument(
        "--calibrate",
        nargs="*",
        default=[],
        metavar="TABLE",
        help="subspace: tables of `check-prior --json`, one an earlier round: learn shares that make up for theirs",
    )
    parser.add_argument(
        "--minutes", type=float, default=float("inf"), help="stop after so long; the same command goes on"
    )
    parser.add_argument("--threads", type=int, default=0, help="CPU threads (default: one per core)")
    parser.add_argument("--device", default="auto", help="auto, cpu or cuda")
    parser.add_argument("--export", metavar="FILE", help="no training: write FILE (.safetensors) and its card")


def run(args: argparse.Namespace) -> None:
    from benchmark.training.cards import export
    from benchmark.training.run import train_network

    if args.export:
        print(export(args.what, args.out, args.export, args.switch))
        return
    own = {name: getattr(args, name) for name in ("unet", "scenes", "calibrate", "blends")}
    how = {name: getattr(args, name) for name in ("start", "minutes", "threads", "device")}
    print(train_network(args.what, args.out, {name: getattr(args, name) for name in COMMON}, **own, **how))
