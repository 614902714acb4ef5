"""``python -m benchmark tune``: choose samplers' options on measurements that the tables of ``truth`` never see."""

from __future__ import annotations

import argparse


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Register the command's arguments."""
    parser.add_argument("--config", required=True, help="a configuration with a section truth.tune")
    parser.add_argument("--samplers", nargs="+", help="of truth.tune.grids; by default all")
    parser.add_argument("--output", help="a YAML file for the choice and every score")
    parser.add_argument("--threads", type=int, help="CPU threads")


def run(args: argparse.Namespace) -> None:
    """Print each score and the choice as ``by_steps`` of the configuration; write both where ``--output`` says."""
    import yaml

    from benchmark import config, store
    from benchmark.exact import tune
    from benchmark.sampling.run import set_threads

    set_threads(args.threads)
    settings, found = config.load(args.config), []
    tune.check(settings, args.samplers, args.config)
    for score in tune.scores(settings, args.samplers):
        found.append(score)
        print(f"{score.sampler:16} {score.steps:5} {score.options}: {score.score:.3f}", flush=True)
    print(yaml.safe_dump({"by_steps": tune.chosen(found)}, default_flow_style=None, sort_keys=False))
    if args.output:
        record = tune.record(settings, found, args.config)
        store.write_text(args.output, yaml.safe_dump(record, default_flow_style=None, sort_keys=False))
