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

    from benchmark import __version__, config, store
    from benchmark.errors import BenchmarkError
    from benchmark.exact import tune
    from benchmark.sampling.run import set_threads

    set_threads(args.threads)
    settings = config.load(args.config)
    if not settings["truth"] or not settings["truth"]["tune"]:
        raise BenchmarkError(f"{args.config}: truth.tune: missing; it says which options are tried on which problems")
    section, found = settings["truth"]["tune"], []
    for name in args.samplers or []:
        if name not in section["grids"]:
            raise BenchmarkError(f"--samplers: {name} is none of truth.tune.grids: {', '.join(section['grids'])}")
    for score in tune.scores(settings, args.samplers):
        found.append(score)
        print(f"{score.sampler:16} {score.steps:5} {score.options}: {score.score:.3f}", flush=True)
    choice = tune.chosen(found)
    print(yaml.safe_dump({"by_steps": choice}, default_flow_style=None, sort_keys=False))
    if args.output:
        record = {"chosen_by": f"python -m benchmark tune --config {args.config}", "package": __version__}
        record |= {key: section[key] for key in ("measurements", "sets", "problems", "held_out", "grids")}
        record |= {"by_steps": {name: {k: dict(o) for k, o in by.items()} for name, by in choice.items()}}
        record["scores"] = [
            {"sampler": one.sampler, "steps": one.steps, "options": one.options, "score": round(one.score, 4)}
            | {"ratios": {name: round(ratio, 4) for name, ratio in one.ratios.items()}}
            for one in found
        ]
        store.write_text(args.output, yaml.safe_dump(record, default_flow_style=None, sort_keys=False))
