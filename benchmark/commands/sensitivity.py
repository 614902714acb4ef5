"""``sensitivity``: an experiment with other N and other numbers of candidates, and whether its conclusions hold."""

from __future__ import annotations

import argparse
from pathlib import Path


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Register the command's arguments."""
    parser.add_argument("--config", required=True, help="an experiment with candidates, selection and guided points")
    parser.add_argument("--n", nargs="+", type=int, default=[2, 5, 10], help="samples of a set (2 5 10)")
    parser.add_argument("--bank", nargs="+", type=int, default=[25, 50, 100], help="candidates of a case (25 50 100)")
    parser.add_argument("--output", required=True, metavar="FILE.md", help="the table; a csv is written beside it")
    parser.add_argument("--folder", help="where files lie in between and are found again (results/RUN)")
    parser.add_argument("--device", choices=["auto", "cpu", "cuda"], help="where sampling runs (the configuration's)")


def run(args: argparse.Namespace) -> None:
    """Make what is missing, one command after the other in this process, and write the table."""
    from benchmark import store
    from benchmark.cli import main
    from benchmark.config import load
    from benchmark.publish import document
    from benchmark.publish.files import as_csv
    from benchmark.publish.results.measured import Measured
    from benchmark.publish.sensitivity import outcomes, sensitivity_table
    from benchmark.sensitivity import make, own_bank, variants

    config = load(args.config)
    folder, device = Path(args.folder or f"results/{config['run']}"), args.device or config["device"]
    found, level = [], config["publish"]["confidence"]
    for variant in variants(config, args.n, args.bank, args.config):
        metrics = Measured(make(variant, folder, device, config["batch_size"], main), level, variant.n)
        found += outcomes(variant.n, variant.bank, variant.plan.publish_settings(), metrics)
    records, text = sensitivity_table(found, (config["n"], own_bank(config)), level)
    store.write_text(args.output, document.markdown(text))
    store.write_text(Path(args.output).with_suffix(".csv"), as_csv(records))
    print(f"{args.output}: {len(records)} changes")
