"""From what a command says to a trained network: its task, the weights it begins with, the loop, a bar of progress."""

from __future__ import annotations

import json
import time
from pathlib import Path

import torch
from torch import nn
from tqdm import tqdm

from benchmark.data.worlds import get_world
from benchmark.device import pick_device
from benchmark.errors import BenchmarkError
from benchmark.store import sha256_of
from benchmark.training.classifier import classifier_task
from benchmark.training.loop import TrainingState, train
from benchmark.training.subspace import subspace_task
from benchmark.training.velocity import prior_task
from benchmark.weights.checkpoints import dequantised, load_state, load_strictly


def train_network(
    what: str,
    out: str,
    common: dict,
    *,
    unet: str,
    scenes: int,
    calibrate: list[str],
    blends: float,
    start: str | None,
    minutes: float,
    threads: int,
    device: str,
) -> str:
    """Train until ``common["steps"]`` or for ``minutes``, from the checkpoint in ``out`` where there is one.

    Args:
        what: "prior", "subspace" or "classifier".
        common: settings that every kind has, see :class:`benchmark.training.loop.Training`.
        unet: of a prior, the flags of the U-Net that differ from the defaults, as JSON.
        scenes, calibrate: of a subspace, see :func:`benchmark.training.subspace.subspace_task`.
        blends: of a classifier, see :func:`benchmark.training.classifier.classifier_task`.
        start: a weights file to begin with.
        threads: 0 for as many as torch would take.

    Returns:
        A line that says how far the run has come.

    Raises:
        BenchmarkError: an unknown world, options that cannot be, weights that do not fit, or see ``loop.train``.
    """
    world = get_world(common["world"])
    try:
        flags = json.loads(unet)
    except json.JSONDecodeError as error:
        raise BenchmarkError(f"--unet: not valid JSON: {error}") from None
    device = str(pick_device(device))
    threads = threads or torch.get_num_threads()
    begin = None
    if start:
        weights = dequantised(load_state(start))
        common = {**common, "start": sha256_of(start)}

        def begin(network: nn.Module) -> nn.Module:
            return load_strictly(network, {name: value.float() for name, value in weights.items()}, start)

    if what == "prior":
        task = prior_task(world, common, flags)
    elif what == "subspace":
        task = subspace_task(world, common, scenes, calibrate, Path(out).parent, threads)
    else:
        task = classifier_task(world, common, blends)

    began = time.monotonic()
    torch.set_num_threads(1)  # the threads work on parts of the batch instead
    with tqdm(total=common["steps"], unit="step", desc=f"train {what} {common['world']}", mininterval=5) as bar:

        def report(state: TrainingState) -> None:
            if bar.n == 0:
                bar.initial = bar.n = state.step - 1
            bar.update(state.step - bar.n)
            if state.records:
                bar.set_postfix(loss=f"{state.records[-1]['loss']:.4f}", refresh=False)

        shards = 1 if device.startswith("cuda") else threads
        state = train(task, out, device, shards=shards, minutes=minutes, report=report, start=begin)
    took = (time.monotonic() - began) / 60
    return f"step {state.step} of {common['steps']} after {took:.1f} minutes; {out}/checkpoint.pt"
