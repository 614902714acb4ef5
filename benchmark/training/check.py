"""The bar of a prior: does it show a world's attributes as often as the world itself does?

Unconditional samples are read by the world's attribute classifier. The bar for shipping: every attribute value's share
lies within 5 percentage points of the generator's, and for each attribute at least 95 % of the samples are read with a
confidence over .9.
"""

from __future__ import annotations

import json
from pathlib import Path

from torch import Tensor
from torchvision.utils import save_image
from tqdm import tqdm

from benchmark.data.worlds import get_world
from benchmark.device import pick_device
from benchmark.errors import BenchmarkError
from benchmark.networks.classifier import load_classifier
from benchmark.priors.load import load_prior
from benchmark.store import write_text
from benchmark.training.unconditional import draw_samples
from benchmark.weights.shipped import WEIGHTS, of_prior

POINTS, CONFIDENCE, CONFIDENT = 5.0, 0.9, 0.95


def check_prior(
    world: str,
    prior: str | None,
    weights: str | None,
    *,
    dtype: str,
    samples: int,
    steps: int,
    eta: float,
    seed: int,
    batch: int,
    device: str,
    table_file: str | None,
    sheet_file: str | None,
    into_card: bool,
) -> None:
    """Hold a prior's samples (DDIM with ``steps`` and ``eta``) against the bar and print the table.

    Args:
        prior: its name; None for the world's own. ``weights``: another file than the one that ships.
        table_file, sheet_file: where to write the table as JSON and a picture of the first 64 samples.
        into_card: write the table into the card of the weights.

    Raises:
        BenchmarkError: an unknown world or prior, too few samples or steps.
    """
    attributes = get_world(world).ATTRIBUTES
    if samples < 1 or steps < 2:
        raise BenchmarkError("--samples must be at least 1 and --steps at least 2")
    device = str(pick_device(device))
    name = prior or f"{world}_experts"
    loaded = load_prior({"name": name, "dtype": dtype, **({"weights": weights} if weights else {})}, device)
    classifier = load_classifier(world, device)
    with tqdm(total=samples, unit="sample", desc=f"check-prior {name}", mininterval=5) as bar:
        drawn = draw_samples(loaded, samples, steps, eta, seed, batch, bar.update)
    if sheet_file:
        _sheet(drawn[:64], sheet_file)
    table = {
        "samples": samples,
        "sampler": f"DDIM, {steps} steps, eta {eta:g}, seed {seed}, {dtype}",
        **compare(classifier(drawn).probabilities, attributes),
    }
    print(as_text(table))
    if table_file:
        write_text(table_file, json.dumps(table, indent=1) + "\n")
    if into_card:
        card = Path(weights or WEIGHTS / f"{of_prior(name)[0]}.safetensors").with_suffix(".json")
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


def _sheet(samples: Tensor, path: str) -> None:
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    save_image(samples / 2 + 0.5, path, nrow=16)
