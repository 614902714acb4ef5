"""Gaussian mixtures: a prior whose denoiser is exact at every noise level, and whose posterior is a mixture too."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import torch
from torch import Tensor

from benchmark.errors import BenchmarkError
from benchmark.priors.protocol import Prediction, linear_alphas_cumprod

DIGITS = Path(__file__).parents[1] / "weights" / "digits_mixture.safetensors"


@dataclass(frozen=True)
class GaussianMixture:
    """p(x) = sum_k w_k N(x; m_k, S_k) on vectors of dimension d.

    Attributes:
        weights: (K,), summing to 1. means: (K, d). covariances: (K, d, d), positive semi-definite.
    """

    weights: Tensor
    means: Tensor
    covariances: Tensor

    @cached_property
    def eigen(self) -> tuple[Tensor, Tensor]:
        """Eigenvalues (K, d), not negative, and eigenvectors (K, d, d) of the covariances."""
        values, vectors = torch.linalg.eigh(self.covariances)
        return values.clamp_min(0), vectors

    def to(self, device=None, dtype: torch.dtype | None = None) -> GaussianMixture:
        """The same mixture on another device or in another dtype; eigen systems are computed before the cast."""
        values, vectors = self.eigen
        moved = GaussianMixture(*(a.to(device, dtype) for a in (self.weights, self.means, self.covariances)))
        moved.__dict__["eigen"] = (values.to(device, dtype), vectors.to(device, dtype))
        return moved

    def mean(self) -> Tensor:
        """E[x] = sum_k w_k m_k, (d,)."""
        return self.weights @ self.means

    def covariance(self) -> Tensor:
        """Cov[x] = sum_k w_k (S_k + (m_k - m)(m_k - m)^T), (d, d)."""
        centred = self.means - self.mean()
        spread = torch.einsum("k,ki,kj->ij", self.weights, centred, centred)
        return torch.einsum("k,kij->ij", self.weights, self.covariances) + spread

    def sample(self, count: int, generator: torch.Generator) -> Tensor:
        """``count`` independent draws, (count, d)."""
        values, vectors = self.eigen
        component = torch.multinomial(self.weights, count, replacement=True, generator=generator)
        noise = torch.randn(count, self.means.shape[1], generator=generator, dtype=self.means.dtype)
        return self.means[component] + torch.einsum("nij,nj->ni", vectors[component], values[component].sqrt() * noise)

    def _whitened(self, x: Tensor, scale: float, variance: float) -> tuple[Tensor, Tensor, Tensor]:
        """For x_t = scale x + sqrt(variance) n: coordinates (K, M, d), eigenvalues (K, 1, d), log densities (K, M)."""
        values, vectors = self.eigen
        # Q_k^T (x - scale m_k), the mean's part computed once per component
        coordinates = x @ vectors - scale * (self.means.unsqueeze(1) @ vectors)
        total = (scale**2 * values + variance).unsqueeze(1)
        log = -0.5 * (coordinates.square() / total + total.log() + math.log(2 * math.pi)).sum(-1)
        return coordinates, total, log + self.weights.log()[:, None]

    def log_prob(self, x: Tensor) -> Tensor:
        """log p(x) of x (M, d): (M,)."""
        return self._whitened(x, 1.0, 0.0)[2].logsumexp(0)

    def responsibilities(self, x: Tensor) -> Tensor:
        """P(component k | x) of x (M, d): (M, K)."""
        return self._whitened(x, 1.0, 0.0)[2].softmax(0).mT

    def score(self, x: Tensor, abar: float) -> Tensor:
        """The gradient of log p_t at x_t = sqrt(abar) x0 + sqrt(1 - abar) n, in closed form: (M, d).

        sum_k P(k | x_t) Q_k (x_t's coordinates) / (abar L_k + 1 - abar), negative, with S_k = Q_k L_k Q_k^T.
        """
        coordinates, total, log = self._whitened(x, math.sqrt(abar), 1 - abar)
        shares = log.softmax(0).unsqueeze(-1)
        return -((shares * coordinates / total) @ self.eigen[1].mT).sum(0)

    def posterior(self, A: Tensor, y: Tensor, noise: float = 0.0) -> Posterior:
        """The distribution of x given y = A x + noise n.

        A is reduced by its singular system A = U S V^T to the measured directions V_r, where
        S^-1 U^T y = V_r^T x + noise S^-1 n. Per component, with C = V_r^T S_k V_r + noise^2 S^-2:
        gain K = S_k V_r C^-1, mean m_k + K (.), covariance S_k - K V_r^T S_k, weight w_k N(.; V_r^T m_k, C).
        Without noise x is known on V_r, and what remains is a mixture on the null space.

        Args:
            A: (m, d). y: (m,). noise: standard deviation of the measurement noise, in the units of y.

        Raises:
            BenchmarkError: a noiseless measurement that the prior cannot give (zero variance along a measured direction).
        """
        u, s, vt = torch.linalg.svd(A.to(self.means), full_matrices=True)
        rank = int((s > s.max() * 1e-10).sum()) if len(s) else 0
        measured, null = vt[:rank], vt[rank:]
        observed = (u.mT[:rank] @ y.to(self.means)) / s[:rank]
        projected = torch.einsum("ri,kij->krj", measured, self.covariances)  # V_r^T S_k
        C = projected @ measured.mT + torch.diag((noise / s[:rank]) ** 2)
        factor, info = torch.linalg.cholesky_ex(C)
        if bool((info != 0).any()):
            raise BenchmarkError("posterior: the prior has no variance along a measured direction; give noise > 0")
        residual = observed - self.means @ measured.mT  # (K, r)
        solved = torch.cholesky_solve(residual.unsqueeze(-1), factor).squeeze(-1)
        log = self.weights.log() - 0.5 * (residual * solved).sum(-1)
        log = log - factor.diagonal(dim1=1, dim2=2).log().sum(-1)
        means = self.means + torch.einsum("krj,kr->kj", projected, solved)
        covariances = self.covariances - projected.mT @ torch.cholesky_solve(projected, factor)
        covariances = (covariances + covariances.mT) / 2
        weights = log.softmax(0)
        if noise > 0:
            return Posterior(GaussianMixture(weights, means, covariances), torch.zeros_like(means[0]), None)
        on_null = GaussianMixture(weights, means @ null.mT, null @ covariances @ null.mT)
        return Posterior(on_null, observed @ measured, null)


@dataclass(frozen=True)
class Posterior:
    """x = offset + u basis with u a Gaussian mixture; ``basis`` (d', d) has orthonormal rows, None = the identity.

    After a noiseless measurement u lives on the null space of A, and densities are those of u.
    """

    mixture: GaussianMixture
    offset: Tensor
    basis: Tensor | None

    def _lift(self, u: Tensor) -> Tensor:
        return self.offset + (u if self.basis is None else u @ self.basis)

    def mean(self) -> Tensor:
        """E[x | y], (d,)."""
        return self._lift(self.mixture.mean())

    def covariance(self) -> Tensor:
        """Cov[x | y], (d, d)."""
        inner = self.mixture.covariance()
        return inner if self.basis is None else self.basis.mT @ inner @ self.basis

    def sample(self, count: int, generator: torch.Generator) -> Tensor:
        """Independent draws of x given y, (count, d)."""
        return self._lift(self.mixture.sample(count, generator))

    def log_prob(self, x: Tensor) -> Tensor:
        """log density of u(x) for x (M, d): (M,); x is taken to agree with a noiseless measurement."""
        return self.mixture.log_prob(self._lower(x))

    def responsibilities(self, x: Tensor) -> Tensor:
        """P(component | x, y) for x (M, d): (M, K)."""
        return self.mixture.responsibilities(self._lower(x))

    def _lower(self, x: Tensor) -> Tensor:
        u = x.to(self.offset) - self.offset
        return u if self.basis is None else u @ self.basis.mT


class MixturePrior:
    """A Gaussian mixture as a diffusion prior: eps(x, t) = -sqrt(1 - abar_t) grad log p_t(x), exact at every t.

    Satisfies :class:`benchmark.priors.protocol.Prior`; differentiable in x.
    """

    learned_range = False

    def __init__(
        self, mixture: GaussianMixture, shape: tuple[int, int, int], device="cpu", dtype: torch.dtype = torch.float64
    ):
        self.shape, self.device, self.dtype = tuple(shape), torch.device(device), dtype
        self.mixture = mixture.to(self.device, dtype)
        self.alphas_cumprod = linear_alphas_cumprod()

    def __call__(self, x: Tensor, t: int) -> Prediction:
        abar = float(self.alphas_cumprod[t])
        score = self.mixture.score(x.flatten(1), abar)
        return Prediction(-math.sqrt(1 - abar) * score.reshape(x.shape))

    def to(self, device=None, dtype: torch.dtype | None = None) -> MixturePrior:
        """The same prior on another device or in another dtype."""
        return MixturePrior(self.mixture, self.shape, device or self.device, dtype or self.dtype)


def posterior_of(prior: MixturePrior, problem, y: Tensor, case: int = 0) -> Posterior:
    """The exact posterior of one case of a :mod:`benchmark.problems` problem.

    The operator's matrix is read off by applying it to the identity; unmeasured numbers of y (a mask's hole) are rows of
    zeros and fall away.

    Args:
        y: (B, 1, ...) as the problem measured it. case: which of the B.
    """
    d = math.prod(prior.shape)
    basis = torch.eye(d, dtype=torch.float64).reshape(1, d, *prior.shape).to(prior.device, prior.dtype)
    batch = y.shape[0]
    columns = problem.A(basis.expand(batch, *basis.shape[1:]))[case].flatten(1)  # (d, m)
    A = columns.mT.double().cpu()
    mixture = prior.mixture.to("cpu", torch.float64)
    measured = A.abs().sum(1) > 0
    return mixture.posterior(A[measured], y[case, 0].flatten().double().cpu()[measured], 2 * problem.sigma)


def save_mixture(path: str | Path, mixture: GaussianMixture, shape: tuple[int, int, int]) -> None:
    """Write a mixture prior as safetensors (float32 means and covariances; the shape in the metadata)."""
    from safetensors.torch import save_file

    tensors = {"weights": mixture.weights, "means": mixture.means, "covariances": mixture.covariances}
    save_file(
        {name: tensor.float().contiguous() for name, tensor in tensors.items()},
        str(path),
        metadata={"shape": json.dumps(list(shape))},
    )


def load_mixture(path: str | Path | None = None, device="cpu", dtype: torch.dtype = torch.float64) -> MixturePrior:
    """The mixture prior in a safetensors file; by default the shipped one of the digits.

    Raises:
        BenchmarkError: no such file, truncated, not a mixture, or another file than its card names.
    """
    from safetensors import SafetensorError, safe_open

    from benchmark.store import sha256_of

    path = Path(path or DIGITS)
    if not path.is_file():
        raise BenchmarkError(f"{path}: no such weights file; `python -m benchmark fit digits` writes it")
    card = path.with_suffix(".json")
    expected = json.loads(card.read_text()).get("sha256") if card.is_file() else None
    if expected and sha256_of(path) != expected:
        raise BenchmarkError(f"{path}: damaged or replaced: its sha256 is not {expected} of its card; restore the file")
    try:
        with safe_open(str(path), "pt") as file:
            shape = tuple(json.loads(file.metadata()["shape"]))
            tensors = [file.get_tensor(name).double() for name in ("weights", "means", "covariances")]
    except (SafetensorError, KeyError, TypeError) as error:
        raise BenchmarkError(
            f"{path}: not a mixture prior ({error}); `python -m benchmark fit digits` writes one"
        ) from None
    weights, means, covariances = tensors
    mixture = GaussianMixture(weights / weights.sum(), means, (covariances + covariances.mT) / 2)
    return MixturePrior(mixture, shape, device, dtype)
