"""Replays a recorded run of a reference implementation through a sampler of ours."""

from __future__ import annotations

import json

import numpy as np
import torch

from benchmark.priors.protocol import Prediction, linear_alphas_cumprod
from benchmark.sampling.guidance import NearestNeighbour, no_guidance
from benchmark.sampling.noise import Recorded

VARIANTS = ("off", "inf", "gate")


def tensor(array, dtype=torch.float32):
    return torch.tensor(np.asarray(array), dtype=dtype)


class TinyNet:
    """The small network of the recorded runs (its definition stands in their README)."""

    def __init__(self, run):
        self.w = {key: tensor(run[f"net_{key}"]) for key in ("w1", "b1", "w2", "b2", "wt", "s_tab", "r_tab")}
        self.alphas_cumprod = linear_alphas_cumprod()
        self.learned_range = self.w["w2"].shape[0] == 6
        self.device, self.dtype, self.shape = torch.device("cpu"), torch.float32, (3, 16, 16)

    def __call__(self, x, t):
        w = self.w
        h = torch.conv2d(x, w["w1"], w["b1"], padding=1) + (t / 1000) * w["wt"][None, :, None, None]
        o = torch.tanh(torch.conv2d(torch.nn.functional.silu(h), w["w2"], w["b2"], padding=1))
        return Prediction(w["s_tab"][t] * x + w["r_tab"][t] * o[:, :3], o[:, 3:] if self.learned_range else None)


def meta(run) -> dict:
    return json.loads(str(run["meta_json"]))


def draws(run, start: int = 0) -> list[torch.Tensor]:
    names = sorted(name for name in run.files if name.startswith("noise_") and name[6:].isdigit())
    return [tensor(run[name]) for name in names[start:]]


def hole_of(run) -> torch.Tensor:
    return torch.tensor(run["keep_mask"] == 0)[None]


def guide_of(run, variant: str, divisor: float, region):
    """The guidance of a variant: none, without threshold, with the run's threshold in its own divisor."""
    if variant == "off":
        return no_guidance
    info = meta(run)
    norm = float("inf") if variant == "inf" else info["D"] * divisor
    return NearestNeighbour(torch.tensor([float(info["g_eta"])]), torch.tensor([norm]), region)


def noise_of(drawn: list[torch.Tensor]) -> Recorded:
    """Draws shaped (N, C, H, W) become (1, N, C, H, W)."""
    return Recorded([draw[None] for draw in drawn])


def assert_agrees(run, variant: str, states: list, divisor: float, xs_tolerance=1e-4, x0_tolerance=2e-4) -> None:
    """States, clean estimates, neighbours, distances and gates against the recorded ones."""
    xs = tensor(run[f"{variant}/xs"])
    committed = f"{variant}/xs_at" in run.files  # the committed selection holds the first and the last state
    steps = run[f"{variant}/xs_at"] if committed else range(len(xs))
    assert len(states) == steps[-1] + 1
    for index, x in zip(steps, xs, strict=True):
        assert (states[index].x[0] - x).abs().max() <= xs_tolerance, f"state {index}"
    evaluated = [state for state in states if state.x0 is not None]
    if not committed:
        assert len(evaluated) == len(run[f"{variant}/x0_hat"])
    for index, state in enumerate(evaluated):
        for array, ours in (("x0_hat", state.x0), ("x0_guided", state.x0_guided)):
            if committed or f"{variant}/{array}" not in run.files:
                continue
            recorded = tensor(run[f"{variant}/{array}"][index])
            assert (ours[0] - recorded).abs().max() <= x0_tolerance, f"{array} of evaluation {index}"
        if variant == "off":
            continue
        nn_idx = run[f"{variant}/nn_idx"][index]
        if nn_idx[0] < 0:
            assert state.repulsion is None
            continue
        assert (state.repulsion.neighbour[0].numpy() == nn_idx).all(), f"neighbours of evaluation {index}"
        assert (state.repulsion.gate[0].numpy() == (run[f"{variant}/gate"][index] == 1)).all(), f"gates of {index}"
        recorded = run[f"{variant}/nn_dist"][index]
        if not np.isnan(recorded).any():
            ours = state.repulsion.distance[0].numpy() / divisor
            assert np.allclose(ours, recorded, rtol=1e-3)
