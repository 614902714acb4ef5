"""The training loop of the embedded networks: seeded, checkpointed, resumable, with a record of the loss.

Everything random in step s is drawn from generators keyed by (seed, s), so that a run that was stopped and taken up
again is the run that was never stopped: weights, optimiser and moving average are restored; there is no other state.
What is learned is a :class:`Task`; there is one for priors and one for attribute classifiers.
"""

from __future__ import annotations

import copy
import hashlib
import json
import math
import os
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, field
from functools import partial
from pathlib import Path
from typing import Protocol

import torch
from torch import Tensor, nn

from benchmark.errors import BenchmarkError
from benchmark.store import atomic

RECORD_EVERY = 100  # steps


@dataclass(frozen=True)
class Training:
    """The settings that decide a run's result, apart from the machine's arithmetic.

    Attributes:
        world: the rendered world that the images come from.
        batch: images per step, all freshly drawn.
        lr, warmup, decay: the learning rate rises linearly over ``warmup`` steps, stays, and falls to zero as a half
            cosine over the last share ``decay`` of ``steps``; before that begins, ``steps`` may still be changed.
        ema: factor of the exponential moving average of the weights, which is what ships.
        clip: largest norm of the gradient.
        precision: "bf16" (autocast) or "fp32".
        start: sha256 of the weights file that the run begins with; None begins with seeded random weights.
    """

    world: str
    seed: int = 0
    steps: int = 6000
    batch: int = 32
    lr: float = 1e-3
    warmup: int = 200
    decay: float = 0.4
    ema: float = 0.999
    clip: float = 1.0
    precision: str = "bf16"
    start: str | None = None

    def learning_rate(self, step: int) -> float:
        """The learning rate of a step, counted from 0."""
        start = (1 - self.decay) * self.steps
        fraction = min(1.0, max(0.0, (step - start) / max(1.0, self.steps - start)))
        return self.lr * min(1.0, (step + 1) / max(1, self.warmup)) * 0.5 * (1 + math.cos(math.pi * fraction))


class Task(Protocol):
    """What is learned.

    Attributes:
        settings: of the run.
        bands: the loss record splits the items of a batch into so many bands (noise levels, say).
    """

    settings: Training
    bands: int

    def build(self) -> nn.Module:
        """The network, with weights from torch's global generator (which the loop seeds)."""
        ...

    def draw(self, step: int) -> tuple[Tensor, ...]:
        """The batch of a step: the band of each item, (B,) integers, then what ``losses`` takes, each (B, ...)."""
        ...

    def losses(self, network: nn.Module, *batch: Tensor) -> Tensor:
        """The loss of each item, (b,), for a part of a batch (without its bands)."""
        ...


@dataclass
class TrainingState:
    """What a checkpoint holds, beside the settings."""

    network: nn.Module
    average: dict[str, Tensor]
    optimiser: torch.optim.Optimizer
    step: int = 0
    seconds: float = 0.0
    records: list[dict] = field(default_factory=list)


def keyed_generator(seed: int, *key: object) -> torch.Generator:
    """A CPU generator whose stream depends on (seed, key) alone."""
    text = "/".join(map(str, (seed, *key)))
    return torch.Generator().manual_seed(int.from_bytes(hashlib.sha256(text.encode()).digest()[:4], "big"))


def new_state(task: Task, device: torch.device | str = "cpu", start: Callable | None = None) -> TrainingState:
    """A network with seeded weights, its moving average and its optimiser, before the first step.

    ``start`` puts other weights into the network first, as those of an earlier run or of another world.
    """
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(task.settings.seed)
        network = task.build()
    network = (start(network) if start else network).to(device).train()
    average = {name: value.detach().clone() for name, value in network.named_parameters()}
    optimiser = torch.optim.AdamW(network.parameters(), lr=task.settings.lr, betas=(0.9, 0.99), weight_decay=0.0)
    return TrainingState(network, average, optimiser)


def train(
    task: Task,
    directory: str | os.PathLike,
    device: torch.device | str = "cpu",
    shards: int = 1,
    minutes: float = math.inf,
    save_every: float = 120.0,
    report: Callable[[TrainingState], None] = lambda state: None,
    start: Callable[[nn.Module], nn.Module] | None = None,
) -> TrainingState:
    """Train until ``settings.steps`` or for ``minutes``; take up ``directory/checkpoint.pt`` where there is one.

    Args:
        shards: the batch is split over so many threads with a network each (the weights are shared, the gradients added
            in order). On a busy CPU this is far faster than threads inside each operation, which wait for one another
            some thousand times in a step. Call ``torch.set_num_threads(1)`` with it.
        save_every: seconds between checkpoints.
        report: called after every step.
        start: puts the weights into the network that a new run begins with; ``settings.start`` says which they are.

    Raises:
        BenchmarkError: the checkpoint was made with other settings (``steps`` alone may differ), or the loss is not
            finite.
    """
    settings, directory = task.settings, Path(directory)
    state = new_state(task, device, start)
    if (directory / "checkpoint.pt").exists():
        restore(state, settings, directory / "checkpoint.pt")
    replicas = [state.network, *(_replica(state.network) for _ in range(shards - 1))]
    started = saved = time.monotonic()
    before = state.seconds
    window: list[tuple[Tensor, Tensor, Tensor]] = []
    with ThreadPoolExecutor(shards) as pool:
        # It stops, and saves, only between two records, so that no record is torn in two.
        while state.step < settings.steps and (window or time.monotonic() - started < 60 * minutes):
            band, *batch = task.draw(state.step)
            pieces = [part.to(device).tensor_split(shards) for part in batch]
            losses = torch.cat(list(pool.map(partial(_backward, task), replicas, *pieces)))
            window.append((band, losses, _update(state, settings, replicas)))
            state.seconds = before + time.monotonic() - started
            if state.step % RECORD_EVERY == 0 or state.step == settings.steps:
                state.records.append(_record(state, task, window))
                window.clear()
                if time.monotonic() - saved > save_every:
                    save(state, settings, directory)
                    saved = time.monotonic()
            report(state)
    save(state, settings, directory)
    return state


def _replica(network: nn.Module) -> nn.Module:
    """A copy of a network that shares its weights but not its gradients."""
    replica = copy.deepcopy(network)
    for copied, original in zip(replica.parameters(), network.parameters()):
        copied.data = original.data
    return replica


def _backward(task: Task, network: nn.Module, *batch: Tensor) -> Tensor:
    """Add one shard's part of the batch's gradient to ``network``; the losses of its items, (b,)."""
    with torch.autocast(batch[0].device.type, torch.bfloat16, enabled=task.settings.precision == "bf16"):
        losses = task.losses(network, *batch)
    (losses.sum() / task.settings.batch).backward()
    return losses.detach()


def _update(state: TrainingState, settings: Training, replicas: list[nn.Module]) -> Tensor:
    """Gather the gradients of the replicas, take one step, move the average; the gradient's norm before clipping."""
    parameters = list(state.network.parameters())
    for replica in replicas[1:]:
        for parameter, other in zip(parameters, replica.parameters()):
            parameter.grad += other.grad
            other.grad = None
    for group in state.optimiser.param_groups:
        group["lr"] = settings.learning_rate(state.step)
    norm = nn.utils.clip_grad_norm_(parameters, settings.clip)
    state.optimiser.step()
    state.optimiser.zero_grad()
    # The average forgets its random start faster than `ema` alone would.
    factor = min(settings.ema, (1 + state.step) / (10 + state.step))
    torch._foreach_lerp_(list(state.average.values()), [p.detach() for p in parameters], 1 - factor)
    state.step += 1
    return norm


def _record(state: TrainingState, task: Task, window: list[tuple[Tensor, Tensor, Tensor]]) -> dict:
    band, losses = torch.cat([w[0] for w in window]), torch.cat([w[1] for w in window]).cpu()
    if not torch.isfinite(losses).all():
        raise BenchmarkError(f"training: the loss is not finite near step {state.step}; use a smaller --lr")
    return {
        "step": state.step,
        "seconds": round(state.seconds, 1),
        "lr": task.settings.learning_rate(state.step - 1),
        "loss": losses.mean().item(),
        "gradient_norm": torch.stack([w[2] for w in window]).mean().item(),
        "loss_per_band": [
            losses[band == index].mean().item() if (band == index).any() else None for index in range(task.bands)
        ],
    }


def save(state: TrainingState, settings: Training, directory: str | os.PathLike) -> None:
    """Write checkpoint.pt and the loss record loss.jsonl, each atomically."""
    with atomic(Path(directory) / "checkpoint.pt") as path:
        torch.save(
            {
                "settings": asdict(settings),
                "network": state.network.state_dict(),
                "average": state.average,
                "optimiser": state.optimiser.state_dict(),
                "step": state.step,
                "seconds": state.seconds,
                "records": state.records,
            },
            path,
        )
    with atomic(Path(directory) / "loss.jsonl") as path:
        path.write_text("".join(json.dumps(record) + "\n" for record in state.records))


def read_checkpoint(path: str | os.PathLike) -> dict:
    """A training checkpoint as data: settings, network, average, optimiser, step, seconds, records.

    Raises:
        BenchmarkError: no such file, or not a checkpoint of this trainer.
    """
    if not Path(path).is_file():
        raise BenchmarkError(f"{path}: no such checkpoint; `python -m benchmark train` writes it")
    try:
        data = torch.load(path, map_location="cpu", weights_only=True)
        data["settings"], data["average"], data["step"]
    except Exception as error:
        raise BenchmarkError(
            f"{path}: not a readable training checkpoint ({type(error).__name__}); delete it to begin anew"
        ) from None
    return data


def restore(state: TrainingState, settings: Training, path: str | os.PathLike) -> None:
    """Put a checkpoint's contents into ``state``; other settings than the checkpoint's are refused (but ``steps``)."""
    data = read_checkpoint(path)
    wanted = asdict(settings)
    for name in sorted(wanted.keys() | data["settings"].keys()):
        if name != "steps" and wanted.get(name) != data["settings"].get(name):
            raise BenchmarkError(
                f"{path}: made with {name} = {data['settings'].get(name)}, the command says {wanted.get(name)}; "
                "give the same settings or another --out"
            )
    state.network.load_state_dict(data["network"])
    for name, value in data["average"].items():
        state.average[name].copy_(value)
    state.optimiser.load_state_dict(data["optimiser"])
    state.step, state.seconds, state.records = data["step"], data["seconds"], data["records"]
