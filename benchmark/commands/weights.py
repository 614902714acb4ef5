"""``weights``: list, fetch, verify or locate weights that others trained (``benchmark/weights/public.yaml``)."""

from __future__ import annotations

import argparse

from benchmark.weights import public

ACTIONS = {
    "list": "what there is, how large, whether it is here, under what licence",
    "fetch": "bring files to their place: https, resumed, checked; what is here and right is left alone",
    "verify": "compare the files that are here with their sha256; unknown ones are recorded",
    "where": "print where each file belongs",
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command's arguments."""
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.description = "\n".join(f"{name:8} {what}" for name, what in ACTIONS.items())
    parser.add_argument("action", choices=ACTIONS, metavar="ACTION", help="list, fetch, verify or where")
    parser.add_argument("names", nargs="*", metavar="NAME", help="entries of the registry; fetch wants them named")
    parser.add_argument("--dir", default=str(public.FOLDER), metavar="DIR", help="the weights folder (weights)")
    parser.add_argument("--record", metavar="FILE", help="fetch: write name, file and sha256 of what was fetched here")
    parser.add_argument("--registry", default=public.REGISTRY, metavar="FILE", help="another registry file")


def run(args: argparse.Namespace) -> None:
    """Do what was asked for, for the named entries or for all."""
    from benchmark.weights.actions import act

    act(args.action, args.names, args.dir, args.registry, args.record)
