"""What a subspace's denoiser learns: the posterior mean over each attribute, not one draw of it.

A picture x0 of a drawn world has attributes a_1 .. a_n, independent of each other. With x0 - d_kv the same picture
redrawn with value v of attribute k, what x_t says about attribute k, all else being as it is, is known exactly:

    w_kv = p(a_k = v | x_t, the rest) ~ p_k(v) N(x_t; sqrt(abar) (x0 - d_kv), (1 - abar) I),
    target = x0 - sum_k sum_v w_kv d_kv.

The sum over v is x0 less its mean given x_t and the rest, which is zero on average given x_t. So the target has the
mean E[x0 | x_t] that x0 itself has, and the same denoiser is learned; but the target's variance lacks what the
attributes put into x0, nearly four fifths of it at high noise (the theorem of Rao and Blackwell).

The same rule gives the posterior mean of an x_t that the world hardly makes: one that lies between two values of an
attribute, x_t = sqrt(abar) (x0 - m d_kv) + sqrt(1 - abar) noise with 0 < m < 1. Samplers do come through there, and
a network that has never been there leaves them between: a part of the inputs is drawn so, where the other attributes
are decided.

All is done in the coordinates of :class:`benchmark.networks.subspace.SubspaceNet`, where noise stays white.
"""

from __future__ import annotations

import json
import math
import os
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

import torch
from torch import Tensor, nn

from benchmark.data.worlds import World
from benchmark.errors import BenchmarkError
from benchmark.networks.subspace import SubspaceConfig, SubspaceNet
from benchmark.priors.protocol import linear_alphas_cumprod
from benchmark.training.loop import Training, keyed_generator
from benchmark.training.scenes import Scenes, kept_scenes, metric

LEAST_SHARE = 0.01  # a value that samples hardly show is raised by no more than this share would be
POWER = 0.8  # of a measured ratio: shares overshoot where it is taken whole
# Three quarters of a batch lie below t = 700, where attributes are decided.
DECISIVE_BELOW, DECISIVE_SHARE = 700, 0.75
BETWEEN_BELOW, BETWEEN = 600, 0.4  # below this t, the share of inputs that lie between two values of an attribute


@dataclass(frozen=True)
class SubspaceTraining(Training):
    """A training run of a subspace's denoiser.

    Attributes:
        network: sizes (see SubspaceConfig).
        scenes: pictures that the run knows, each with all its alternatives.
        lowest: the lowest timestep that is learned.
        shares: {attribute: {value: share}}: shares to learn instead of the world's own (see :func:`calibrated`).
    """

    decay: float = 0.8
    network: dict = field(default_factory=dict)
    scenes: int = 10_000
    lowest: int = 150
    shares: dict = field(default_factory=dict)


def marginalised(
    differences: Tensor,
    log_shares: Tensor,
    sizes: list[int],
    abar: Tensor,
    noise: Tensor,
    between: tuple[Tensor, Tensor] | None = None,
) -> Tensor:
    """sum_k sum_v w_kv d_kv of M noised items, (M, K).

    Args:
        differences: d, (M, V, K), in the coordinates or pixels in which ``noise`` (M, K) is white.
        log_shares: log p of the V values; ``sizes``: how many of them belong to each attribute, in order.
        abar: (M,).
        between: m (M,) and the index of the value (M,) of items x_t = sqrt(abar) (x0 - m d) + sqrt(1 - abar) noise.
    """
    abar = abar[:, None]
    apart = differences  # of what x_t was made from and the alternatives
    if between is not None:
        share, value = between
        attribute = torch.repeat_interleave(torch.arange(len(sizes)), torch.tensor(sizes)).to(value.device)
        same = (attribute[None] == attribute[value][:, None]).to(differences)
        moved = share[:, None] * differences[torch.arange(len(value)), value]
        apart = differences - same[:, :, None] * moved[:, None]
    along = torch.bmm(apart, noise[:, :, None])[:, :, 0]
    # -|x_t - sqrt(abar) (x0 - d)|^2 / 2 (1 - abar), without the part that all values share
    log_likelihood = -(abar * apart.square().sum(2) + 2 * (abar * (1 - abar)).sqrt() * along) / (2 * (1 - abar))
    weights = torch.cat([part.softmax(1) for part in (log_shares + log_likelihood).split(sizes, dim=1)], dim=1)
    return torch.bmm(weights[:, None], differences)[:, 0]


@dataclass(frozen=True)
class SubspaceTask:
    """Learning x0's coordinates at t from ``lowest`` on; a :class:`benchmark.training.loop.Task`.

    ``metric``, (K, K), symmetric: the squared length of an error e in coordinates is e metric e; None for the identity.
    Any metric has the same minimiser, but a network of finite size spends itself where errors are long.
    """

    settings: SubspaceTraining
    scenes: Scenes
    alphas_cumprod: Tensor
    metric: Tensor | None = None
    bands: int = 10

    def build(self) -> nn.Module:
        """The network with the scenes' subspace in it."""
        network = SubspaceNet(SubspaceConfig(**self.settings.network), self.alphas_cumprod)
        return network.span(self.scenes.mean, self.scenes.basis, self.scenes.variances)

    @cached_property
    def learned_shares(self) -> dict[str, dict[str, float]]:
        """The shares that the run learns."""
        return {name: self.settings.shares.get(name, table) for name, table in self.scenes.shares.items()}

    @cached_property
    def _weights(self) -> Tensor:
        """How often each scene is drawn: as often as the learned shares have its attributes, (M,)."""
        weights = torch.ones(len(self.scenes.coordinates))
        for name, learned in self.learned_shares.items():
            ratio = torch.tensor([learned[value] / share for value, share in self.scenes.shares[name].items()])
            weights *= ratio[self.scenes.values[name]]
        return weights

    def draw(self, step: int) -> tuple[Tensor, ...]:
        """Bands of the timestep; coordinates, differences, timesteps, noise, m, values (see :func:`marginalised`)."""
        generator = keyed_generator(self.settings.seed, "subspace", step)
        batch, lowest, timesteps = self.settings.batch, self.settings.lowest, len(self.alphas_cumprod)
        chosen = torch.multinomial(self._weights, batch, replacement=True, generator=generator)
        u = (torch.arange(batch) + torch.rand(batch, generator=generator)) / batch
        decisive = u < DECISIVE_SHARE
        t = torch.where(
            decisive,
            lowest + u / DECISIVE_SHARE * (DECISIVE_BELOW - lowest),
            DECISIVE_BELOW + (u - DECISIVE_SHARE) / (1 - DECISIVE_SHARE) * (timesteps - DECISIVE_BELOW),
        )
        t = t.long().clamp_(max=timesteps - 1)
        coordinates = self.scenes.coordinates[chosen]
        noise = torch.randn(coordinates.shape, generator=generator)
        share = torch.rand(batch, generator=generator)
        share *= (torch.rand(batch, generator=generator) < BETWEEN) & (t < BETWEEN_BELOW)
        value = torch.randint(self.scenes.differences.shape[1], (batch,), generator=generator)
        return t * self.bands // timesteps, coordinates, self.scenes.differences[chosen], t, noise, share, value

    def losses(
        self,
        network: SubspaceNet,
        z0: Tensor,
        differences: Tensor,
        t: Tensor,
        noise: Tensor,
        share: Tensor,
        value: Tensor,
    ) -> Tensor:
        """Squared length of F's error, each coordinate weighted by its c_out, per item, (b,)."""
        shares = [share for table in self.learned_shares.values() for share in table.values()]
        log_shares = torch.tensor([math.log(share) for share in shares], device=z0.device)
        sizes = [len(table) for table in self.scenes.shares.values()]
        abar = network.alphas_cumprod[t]
        differences = differences.float()
        target = z0 - marginalised(differences, log_shares, sizes, abar, noise, (share, value))
        start = z0 - share[:, None] * differences[torch.arange(len(value)), value]
        z = abar.sqrt()[:, None] * start + (1 - abar).sqrt()[:, None] * noise
        skip, out, scale = network.coefficients(t)
        error = (target - skip * z) / out - network.residual(scale * z, t)
        # Between equal weight in x0, which forgets small features, and in F, which learns mostly noise.
        error = error * out.sqrt()
        longer = error if self.metric is None else error @ self.metric.to(error.device)
        return (error * longer).mean(dim=1) / network.variances.sqrt().mean()


def calibrated(shares: dict[str, dict[str, float]], tables: list[dict]) -> dict[str, dict[str, float]]:
    """Shares to learn so that samples show ``shares``, given what samples have shown so far.

        learned(v) ~ shares(v) prod_i (shares(v) / shown_i(v))^POWER

    A denoiser that sees less in x_t than there is favours the likelier values, systematically; this takes the favour
    back. ``tables`` are those of ``check-prior --json``, one for each earlier round, in order.

    Raises:
        BenchmarkError: a table without these attributes.
    """
    learned = {}
    for name, table in shares.items():
        logs = {value: math.log(share) for value, share in table.items()}
        for shown in tables:
            try:
                values = shown["attributes"][name]["values"]
                for value, share in table.items():
                    logs[value] += POWER * math.log(share / max(values[value]["prior"], LEAST_SHARE))
            except (KeyError, TypeError):
                raise BenchmarkError(
                    f"calibration: no table of `check-prior --json` for this world: {name} is missing"
                ) from None
        total = sum(math.exp(log) for log in logs.values())
        learned[name] = {value: round(math.exp(log) / total, 5) for value, log in logs.items()}
    return learned


def subspace_task(
    world: World, common: dict, scenes: int, tables: list[str], folder: str | os.PathLike, threads: int
) -> SubspaceTask:
    """The task of a run with the settings ``common`` on ``scenes`` pictures, which are kept in ``folder``.

    ``tables`` are files of `check-prior --json`, see :func:`calibrated`; ``threads`` processes draw the pictures.
    """
    config = SubspaceConfig()
    drawn = kept_scenes(folder, common["world"], scenes, config.coordinates, common["seed"], threads)
    shares = calibrated(drawn.shares, [_table(path) for path in tables]) if tables else {}
    settings = SubspaceTraining(**common, network=config.to_flags(), scenes=scenes, shares=shares)
    return SubspaceTask(settings, drawn, linear_alphas_cumprod(), metric(world, drawn.basis, common["seed"]))


def _table(path: str) -> dict:
    try:
        return json.loads(Path(path).read_text())
    except (OSError, json.JSONDecodeError) as error:
        raise BenchmarkError(f"--calibrate {path}: no table of `check-prior --json` ({error})") from None
