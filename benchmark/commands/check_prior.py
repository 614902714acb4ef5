"""``python -m benchmark check-prior``: does a prior show a world's attributes as often as the world itself does?

Unconditional samples are read by the world's attribute classifier. The bar for shipping: every attribute value's share
lies within 5 percentage points of the generator's, and for each attribute at least 95 % of the samples are read with a
confidence over .9.
"""

from __future__ import annotations

import argparse

from benchmark.errors import BenchmarkError

POINTS, CONFIDENCE, CONFIDENT = 5.0, 0.9, 0.95


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
    import json
    from pathlib import Path

    import torch
    from tqdm import tqdm

    from benchmark.data.worlds import get_world
    from benchmark.networks.classifier import load_classifier
    from benchmark.priors.registry import load_prior
    from benchmark.store import write_text
    from benchmark.training.unconditional import draw_samples
    from benchmark.weights.shipped import WEIGHTS, of_prior

    world = get_world(args.world)
    if args.samples < 1 or args.steps < 2:
        raise BenchmarkError("--samples must be at least 1 and --steps at least 2")
    device = ("cuda" if torch.cuda.is_available() else "cpu") if args.device == "auto" else args.device
    name = args.prior or f"{args.world}_experts"
    settings = {"name": name, "dtype": args.dtype, **({"weights": args.weights} if args.weights else {})}
    prior = load_prior(settings, device)
    classifier = load_classifier(args.world, device)
    with tqdm(total=args.samples, unit="sample", desc=f"check-prior {name}", mininterval=5) as bar:
        samples = draw_samples(prior, args.samples, args.steps, args.eta, args.seed, args.batch, bar.update)
    if args.sheet:
        _sheet(samples[:64], args.sheet)
    table = compare(classifier(samples).probabilities, world.ATTRIBUTES)
    table = {
        "samples": args.samples,
        "sampler": f"DDIM, {args.steps} steps, eta {args.eta:g}, seed {args.seed}, {args.dtype}",
        **table,
    }
    print(as_text(table))
    if args.json:
        write_text(args.json, json.dumps(table, indent=1) + "\n")
    if args.card:
        card = Path(args.weights or WEIGHTS / f"{of_prior(name)[0]}.safetensors").with_suffix(".json")
        write_text(card, json.dumps({**json.loads(card.read_text()), "check": table}, indent=1) + "\n")


def compare(probabilities: dict, attributes: dict[str, dict[str, float]]) -> dict:
    """The table as data: shares of the generator and of the samples, as read, and the share of confident readings.

    Args:
        probabilities: {attribute: (M, K)}.
        attributes: {attribute: {value: the generator's share}}, K values in the same order.
    """
    rows = {}
    for name, shares in attributes.items():
        confidence, best = probabilities[name].max(dim=1)
        found = best.bincount(minlength=len(shares)).double() / len(best)
        values = {
            value: {"generator": share, "prior": round(read, 5), "points": round(100 * (read - share), 2)}
            for (value, share), read in zip(shares.items(), found.tolist())
        }
        confident = (confidence > CONFIDENCE).double().mean().item()
        shares_hold = all(abs(entry["points"]) <= POINTS for entry in values.values())
        rows[name] = {
            "values": values,
            "confident": round(confident, 5),
            "passed": shares_hold and confident >= CONFIDENT,
        }
    return {
        "bar": {"points": POINTS, "confidence": CONFIDENCE, "confident": CONFIDENT},
        "passed": all(row["passed"] for row in rows.values()),
        "attributes": rows,
    }


def as_text(table: dict) -> str:
    """The table for a terminal: one line per attribute value, one verdict per attribute, one for the whole."""
    bar = table["bar"]
    lines = [
        f"{table['samples']} unconditional samples; {table['sampler']}",
        f"{'attribute':<12} {'value':<10} {'generator':>9} {'prior':>7} {'points':>7}   read with confidence over "
        f"{bar['confidence']}",
    ]
    for name, row in table["attributes"].items():
        for index, (value, entry) in enumerate(row["values"].items()):
            verdict = f"   {row['confident']:.1%} {'ok' if row['passed'] else 'MISSED'}" if index == 0 else ""
            flag = "" if abs(entry["points"]) <= bar["points"] else " <"
            lines.append(
                f"{name if index == 0 else '':<12} {value:<10} {entry['generator']:>9.1%} {entry['prior']:>7.1%} "
                f"{entry['points']:>+7.1f}{flag:<2}{verdict}"
            )
    met = "met" if table["passed"] else "NOT met"
    lines.append(
        f"bar {met}: every share within {bar['points']:g} points of the generator's, and at least "
        f"{bar['confident']:.0%} of the samples read with confidence over {bar['confidence']} for each attribute"
    )
    return "\n".join(lines)


def _sheet(samples, path: str) -> None:
    from pathlib import Path

    from torchvision.utils import save_image

    Path(path).parent.mkdir(parents=True, exist_ok=True)
    save_image(samples / 2 + 0.5, path, nrow=16)
