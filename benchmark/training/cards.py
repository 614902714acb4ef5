"""What ``train --export`` writes: the moving average of a run's weights and the card that says how they came about."""

from __future__ import annotations

import os
from pathlib import Path

import torch

from benchmark import __version__
from benchmark.data.worlds import World, get_world
from benchmark.errors import BenchmarkError
from benchmark.networks.classifier import AttributeNet, Classifier
from benchmark.training.loop import read_checkpoint
from benchmark.weights.checkpoints import ship


def export(what: str, out: str, path: str | os.PathLike, switch: int) -> str:
    """Write weights and card from the checkpoint of the run in ``out``; returns a line that says what was written.

    ``switch``: of a subspace's denoiser, the timestep from which on it serves.

    Raises:
        BenchmarkError: a name that does not end in .safetensors, no checkpoint, or that of a run of another kind.
    """
    path = Path(path)
    if path.suffix != ".safetensors":
        raise BenchmarkError(f"--export {path}: the file's name must end in .safetensors")
    data = read_checkpoint(Path(out) / "checkpoint.pt")
    settings, step = data["settings"], data["step"]
    kinds = {"unet": "prior", "scenes": "subspace", "attributes": "classifier"}
    if what not in {kind for key, kind in kinds.items() if key in settings}:
        raise BenchmarkError(f"{out}/checkpoint.pt: not the checkpoint of a {what}")
    flags = {"batch": 32, "lr": 1e-3, "ema": 0.999, "seed": 0, "precision": "bf16"}
    options = "".join(f" --{name} {settings[name]}" for name, usual in flags.items() if settings[name] != usual)
    if settings.get("blends"):
        options += f" --blends {settings['blends']:g}"
    if settings.get("start"):
        options += " --start FILE"
    if settings.get("shares"):
        options += " --calibrate TABLE ..."
    training = {
        "command": f"python -m benchmark train {what} --world {settings['world']} --steps {settings['steps']}"
        f"{options} --out {out}",
        "step": step,
        "images_seen": step * settings["batch"],
        "seconds": round(data["seconds"]),
        "weights": f"exponential moving average, factor {settings['ema']}",
        "optimiser": "AdamW (betas 0.9 and 0.99, no weight decay), gradient clipped to norm 1, warm-up, cosine decay",
        "settings": settings,
        "last_record": data["records"][-1] if data["records"] else None,
        "benchmark": __version__,
        "torch": str(torch.__version__).split("+")[0],
    }
    describe = {"prior": _prior_card, "subspace": _subspace_card, "classifier": _classifier_card}[what]
    card, dtype = describe(settings, data["average"])
    weights = data["average"]
    if what == "subspace":
        card["switch"] = switch
        weights |= {name: data["network"][name] for name in ("mean", "basis", "variances")}
    card = ship(path, weights, {**card, "training": training}, dtype)
    return f"{path}: step {step} of {settings['steps']}, {card['parameters']} parameters, {card['bytes']} bytes"


def _prior_card(settings: dict, average: dict):
    unet, side = settings["unet"], settings["unshuffle"]
    card = {
        "what": f"unconditional prior of the {settings['world']} world",
        "licence": "MIT, like the project; trained on the project's own renderings only",
        "architecture": "ADM U-Net (benchmark/networks/unet.py) on pixel-unshuffled images",
        "unet": unet,
        "unshuffle": side,
        "shape": [unet["in_channels"] // side**2, unet["image_size"] * side, unet["image_size"] * side],
        "prediction": "v",
        "loss": "mean squared error in v, t uniform over 0..999 (benchmark/training/velocity.py)",
        "schedule": "linear",
    }
    # Half precision halves the file; the rounding of the weights is below what training leaves undecided.
    return card, torch.float16


def _subspace_card(settings: dict, average: dict):
    card = {
        "what": f"denoiser of the {settings['world']} world for high noise, on its principal directions",
        "licence": "MIT, like the project; trained on the project's own renderings only",
        "architecture": "residual network on coordinates (benchmark/networks/subspace.py)",
        "network": settings["network"],
        "schedule": "linear",
        "loss": "squared error to the posterior mean over each attribute (benchmark/training/subspace.py)",
    }
    return card, torch.int8


def _classifier_card(settings: dict, average: dict):
    counts = {name: len(values) for name, values in settings["attributes"].items()}
    network = AttributeNet(counts, tuple(settings["widths"]), settings["features"])
    network.load_state_dict({name: value.half().float() for name, value in average.items()})
    card = {
        "what": f"attribute classifier of the {settings['world']} world",
        "licence": "MIT, like the project; trained on the project's own renderings only",
        "architecture": "convolutions, one layer of features, a head per attribute (benchmark/networks/classifier.py)",
        "network": {"widths": list(settings["widths"]), "features": settings["features"]},
        "attributes": settings["attributes"],
        "loss": "sum of the attributes' cross entropies; half of the pictures spoilt (noise, blur, colour"
        + (f", stains); {settings['blends']:.0%} lie between values" if settings["blends"] else ")"),
        "test": accuracy(Classifier(network, settings["attributes"]), get_world(settings["world"])),
    }
    return card, torch.float16


def accuracy(classifier: Classifier, world: World, count: int = 4000, seed: int = 10_000_019) -> dict:
    """Accuracy and share of confident readings (over .9) per attribute on fresh renders."""
    attributes = world.sample_attributes(count, torch.Generator().manual_seed(seed))
    reading = classifier(world.render(attributes))
    result = {"renders": count, "seed": seed, "accuracy": {}, "confident": {}}
    for name, probabilities in reading.probabilities.items():
        confidence, best = probabilities.max(dim=1)
        result["accuracy"][name] = round((best == attributes.values[name]).float().mean().item(), 5)
        result["confident"][name] = round((confidence > 0.9).float().mean().item(), 5)
    return result
