"""``python -m benchmark train prior|subspace|classifier``: train an embedded network on a rendered world.

``prior`` is the U-Net, ``subspace`` the denoiser for high noise, ``classifier`` the reader of attributes.

The same command takes an interrupted run up where its last checkpoint left it. ``--export FILE`` writes the moving
average of the weights and their card from the checkpoint at any time, also while another process is training.
"""

from __future__ import annotations

import argparse

from benchmark.errors import BenchmarkError

# The prior's U-Net, on 12x32x32: narrow where pixels are many, attention where a face's attributes must agree.
PRIOR_UNET = {
    "image_size": 32,
    "in_channels": 12,
    "out_channels": 12,
    "num_channels": 64,
    "num_res_blocks": 1,
    "channel_mult": [1, 1, 2],
    "attention_resolutions": [8],
    "num_head_channels": 32,
    "use_scale_shift_norm": True,
    "use_new_attention_order": True,
}


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
    import json
    import time

    import torch
    from tqdm import tqdm

    from benchmark.data.worlds import get_world
    from benchmark.store import sha256_of
    from benchmark.training.loop import TrainingState, train
    from benchmark.weights.checkpoints import dequantised, load_state, load_strictly

    if args.export:
        print(_export(args))
        return
    world = get_world(args.world)
    try:
        flags = json.loads(args.unet)
    except json.JSONDecodeError as error:
        raise BenchmarkError(f"--unet: not valid JSON: {error}") from None
    device = ("cuda" if torch.cuda.is_available() else "cpu") if args.device == "auto" else args.device
    threads = args.threads or torch.get_num_threads()
    names = ("world", "seed", "steps", "batch", "lr", "ema", "precision")
    common = {name: getattr(args, name) for name in names}
    start = None
    if args.start:
        weights = dequantised(load_state(args.start))
        common["start"] = sha256_of(args.start)

        def start(network):
            return load_strictly(network, {name: value.float() for name, value in weights.items()}, args.start)

    if args.what == "prior":
        task = _prior_task(world, common, flags)
    elif args.what == "subspace":
        task = _subspace_task(world, args, common, threads)
    else:
        task = _classifier_task(world, common, args.blends)

    began = time.monotonic()
    torch.set_num_threads(1)  # the threads work on parts of the batch instead
    with tqdm(total=args.steps, unit="step", desc=f"train {args.what} {args.world}", mininterval=5) as bar:

        def report(state: TrainingState) -> None:
            if bar.n == 0:
                bar.initial = bar.n = state.step - 1
            bar.update(state.step - bar.n)
            if state.records:
                bar.set_postfix(loss=f"{state.records[-1]['loss']:.4f}", refresh=False)

        shards = 1 if device.startswith("cuda") else threads
        state = train(task, args.out, device, shards=shards, minutes=args.minutes, report=report, start=start)
    minutes = (time.monotonic() - began) / 60
    print(f"step {state.step} of {args.steps} after {minutes:.1f} minutes; {args.out}/checkpoint.pt")


def _prior_task(world, common: dict, flags: dict):
    from benchmark.priors.protocol import linear_alphas_cumprod
    from benchmark.training.velocity import PriorTraining, VelocityTask

    def images(count, generator):
        return world.render(world.sample_attributes(count, generator))

    settings = PriorTraining(**common, unet={**PRIOR_UNET, **flags})
    return VelocityTask(settings, images, linear_alphas_cumprod())


def _subspace_task(world, args: argparse.Namespace, common: dict, threads: int):
    import json
    from pathlib import Path

    import torch

    from benchmark.networks.subspace import SubspaceConfig
    from benchmark.priors.protocol import linear_alphas_cumprod
    from benchmark.store import atomic
    from benchmark.training.scenes import metric, scenes
    from benchmark.training.subspace import Scenes, SubspaceTask, SubspaceTraining, calibrated

    config = SubspaceConfig()
    # Minutes of drawing, kept beside the run for those that go on from it.
    cache = Path(args.out).parent / f"scenes_{args.world}_{args.scenes}_{args.seed}.pt"
    if cache.exists():
        drawn = Scenes(**torch.load(cache, weights_only=True))
    else:
        drawn = scenes(args.world, args.scenes, config.coordinates, args.seed, threads)
        cache.parent.mkdir(parents=True, exist_ok=True)
        with atomic(cache) as path:
            torch.save(vars(drawn), path)
    tables = []
    for name in args.calibrate:
        try:
            tables.append(json.loads(Path(name).read_text()))
        except (OSError, json.JSONDecodeError) as error:
            raise BenchmarkError(f"--calibrate {name}: no table of `check-prior --json` ({error})") from None
    shares = calibrated(drawn.shares, tables) if tables else {}
    settings = SubspaceTraining(**common, network=config.to_flags(), scenes=args.scenes, shares=shares)
    alike = metric(world, drawn.basis, args.seed)
    return SubspaceTask(settings, drawn, linear_alphas_cumprod(), alike)


def _classifier_task(world, common: dict, blends: float):
    import torch

    from benchmark.training.classifier import ClassifierTraining, ReadingTask, blend

    if not 0 <= blends <= 1:
        raise BenchmarkError(f"--blends {blends}: a share from 0 to 1 is expected")
    table = {name: list(values) for name, values in world.ATTRIBUTES.items()}

    def pictures(count, generator):
        attributes = world.sample_attributes(count, generator)
        images = world.render(attributes)
        if not blends:
            return images, attributes.values
        rows = torch.nonzero(torch.rand(count, generator=generator) < blends)[:, 0]
        base = attributes[rows]
        which = torch.randint(len(table), (len(rows),), generator=generator)
        others = []
        for _ in range(2):  # two different attributes
            others.append(_changed(base, which, generator))
            which = (which + torch.randint(1, len(table), (len(rows),), generator=generator)) % len(table)
        images[rows], taken = blend(images[rows], [world.render(other) for other in others], generator)
        for other, nearer in zip(others, taken, strict=True):
            for name, values in other.values.items():
                moved = nearer & (values != base.values[name])
                attributes.values[name][rows[moved]] = values[moved]
        return images, attributes.values

    return ReadingTask(ClassifierTraining(**common, attributes=table, blends=blends), pictures)


def _changed(attributes, which, generator):
    """The same pictures, but of each the attribute number ``which`` (M,) has another value, all alike probable."""
    import torch

    changed = attributes[torch.arange(len(attributes))]
    for number, (name, table) in enumerate(attributes.table.items()):
        step = torch.randint(1, len(table), (len(attributes),), generator=generator)
        values = (changed.values[name] + step) % len(table)
        changed.values[name][:] = torch.where(which == number, values, changed.values[name])
    return changed


# -------------------------------------------------------------------------------------------------------------- export
def _export(args: argparse.Namespace) -> str:
    """Write weights and card from the checkpoint of a run; returns a line that says what was written."""
    from pathlib import Path

    import torch

    from benchmark import __version__
    from benchmark.training.loop import read_checkpoint
    from benchmark.weights.checkpoints import ship

    path = Path(args.export)
    if path.suffix != ".safetensors":
        raise BenchmarkError(f"--export {path}: the file's name must end in .safetensors")
    data = read_checkpoint(Path(args.out) / "checkpoint.pt")
    settings, step = data["settings"], data["step"]
    kinds = {"unet": "prior", "scenes": "subspace", "attributes": "classifier"}
    if args.what not in {kind for key, kind in kinds.items() if key in settings}:
        raise BenchmarkError(f"{args.out}/checkpoint.pt: not the checkpoint of a {args.what}")
    flags = {"batch": 32, "lr": 1e-3, "ema": 0.999, "seed": 0, "precision": "bf16"}
    options = "".join(f" --{name} {settings[name]}" for name, usual in flags.items() if settings[name] != usual)
    if settings.get("blends"):
        options += f" --blends {settings['blends']:g}"
    if settings.get("start"):
        options += " --start FILE"
    if settings.get("shares"):
        options += " --calibrate TABLE ..."
    training = {
        "command": f"python -m benchmark train {args.what} --world {settings['world']} --steps {settings['steps']}"
        f"{options} --out {args.out}",
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
    describe = {"prior": _prior_card, "subspace": _subspace_card, "classifier": _classifier_card}[args.what]
    card, dtype = describe(settings, data["average"])
    weights = data["average"]
    if args.what == "subspace":
        card["switch"] = args.switch
        weights |= {name: data["network"][name] for name in ("mean", "basis", "variances")}
    card = ship(path, weights, {**card, "training": training}, dtype)
    return f"{path}: step {step} of {settings['steps']}, {card['parameters']} parameters, {card['bytes']} bytes"


def _prior_card(settings: dict, average: dict):
    import torch

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
    import torch

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
    import torch

    from benchmark.data.worlds import get_world
    from benchmark.networks.classifier import AttributeNet, Classifier

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


def accuracy(classifier, world, count: int = 4000, seed: int = 10_000_019) -> dict:
    """Accuracy and share of confident readings (over .9) per attribute on fresh renders."""
    import torch

    attributes = world.sample_attributes(count, torch.Generator().manual_seed(seed))
    reading = classifier(world.render(attributes))
    result = {"renders": count, "seed": seed, "accuracy": {}, "confident": {}}
    for name, probabilities in reading.probabilities.items():
        confidence, best = probabilities.max(dim=1)
        result["accuracy"][name] = round((best == attributes.values[name]).float().mean().item(), 5)
        result["confident"][name] = round((confidence > 0.9).float().mean().item(), 5)
    return result
