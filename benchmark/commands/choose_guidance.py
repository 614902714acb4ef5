"""``python -m benchmark choose-guidance``: margin, eta and D from a run on cases of its own."""

from __future__ import annotations

import argparse


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Register the command's arguments."""
    parser.add_argument("--metrics", required=True, help="metrics.parquet of the run to choose from")
    parser.add_argument("--diversity", default="attribute_coverage", help="the measure to raise (attribute_coverage)")
    parser.add_argument("--quality", default="plausibility", help="the share to keep (plausibility)")
    parser.add_argument("--output", help="a YAML file for the choice and what it was made from")


def run(args: argparse.Namespace) -> None:
    """Print the choice, and write it where ``--output`` says."""
    import yaml

    from benchmark import __version__, store
    from benchmark.publish.guidance_choice import choose

    table = store.read_table(args.metrics, "metrics").to_pandas()
    choice = choose(table, args.diversity, args.quality)
    print(choice.points.to_string(index=False, float_format=lambda value: f"{value:.3f}"))
    print(f"margin of {args.quality}: {choice.margin:g} (two seeds of plain differ by {choice.seed_difference:.3f})")
    print(f"eta {choice.eta:g}, D {choice.D:g} {choice.D_unit}")
    if args.output:
        keys = ("dataset", "task", "sampler")
        record = {
            "chosen_by": "python -m benchmark choose-guidance",
            "package": __version__,
            "on": {key: sorted(map(str, table[key].dropna().unique())) for key in keys}
            | {"cases": int(table["case"].nunique()), "seeds": int(table["seed"].nunique())},
            "diversity": args.diversity,
            "quality": args.quality,
            "margin": choice.margin,
            "seed_difference": round(choice.seed_difference, 4),
            "guided": {"eta": choice.eta, "D": choice.D, "D_unit": choice.D_unit},
            "points": [
                {key: round(value, 4) if isinstance(value, float) else str(value) for key, value in row.items()}
                for row in choice.points.to_dict("records")
            ],
        }
        store.write_text(args.output, yaml.safe_dump(record, sort_keys=False))
