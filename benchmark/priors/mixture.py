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
from benchmark.weights.shipped import WEIGHTS

DIGITS = WEIGHTS / "digits_mixture.safetensors"


@dataclass(frozen=True)
class GaussianMixture:
    """p(x) = sum_k w_k N(x; m_k, S_k) on vectors of dimension d.

    Attributes:
        weights: (K,), summing to 1.
        means: (K, d).
        covariances: (K, d, d), or (1, d, d) for one that all components share; symmetric, positive semi-definite.
    """

    weights: Tensor
    means: Tensor
    covariances: Tensor

    @classmethod
    def isotropic(cls, means: Tensor, std: float, weights: Tensor | None = None) -> GaussianMixture:
        """Components of covariance std^2 I around ``means`` (K, d), equally heavy without ``weights`` (K,)."""
        count, d = means.shape
        weights = means.new_ones(count) if weights is None else weights.to(means)
        shared = std**2 * torch.eye(d, dtype=means.dtype, device=means.device)
        return cls(weights / weights.sum(), means, shared[None])

    @cached_property
    def eigen(self) -> tuple[Tensor, Tensor]:
        """Eigenvalues, not negative, and eigenvectors of the covariances: S_k = Q_k diag(L_k) Q_k^T."""
        values, vectors = torch.linalg.eigh(self.covariances)
        return values.clamp_min(0), vectors

    @cached_property
    def _frames(self) -> tuple[Tensor, Tensor]:
        """The eigenvectors side by side, (d, K d) or (d, d), and each mean in its component's own, (K, d)."""
        vectors = self.eigen[1]
        return vectors.permute(1, 0, 2).flatten(1), (self.means.unsqueeze(1) @ vectors).squeeze(1)

    def to(self, device=None, dtype: torch.dtype | None = None) -> GaussianMixture:
        """The same mixture elsewhere or in another dtype; eigen systems are computed before the cast."""
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
        return (self.weights[:, None, None] * self.covariances).sum(0) + spread

    def sample(self, count: int, generator: torch.Generator) -> Tensor:
        """``count`` independent draws, (count, d); the numbers are drawn on the generator's device."""
        values, vectors = self.eigen
        where, weights = generator.device, self.weights.to(generator.device)
        component = torch.multinomial(weights, count, replacement=True, generator=generator).to(self.means.device)
        noise = torch.randn(count, self.means.shape[1], generator=generator, dtype=self.means.dtype, device=where)
        noise, x = noise.to(self.means.device), self.means[component]
        for k in component.unique().tolist():
            rows, own = component == k, k if len(vectors) > 1 else 0
            x[rows] += (noise[rows] * values[own].sqrt()) @ vectors[own].mT
        return x

    def _whitened(self, x: Tensor, scale: float, variance: float) -> tuple[Tensor, Tensor]:
        """Of x_t = scale x0 + sqrt(variance) n, for x (M, d) and every component.

        Returns:
            Coordinates c_k = Q_k^T (x - scale m_k) divided by their variances scale^2 L_k + variance, (M, K, d); and
            log(w_k N(x; ...)), (M, K).
        """
        frames, means = self._frames
        coordinates = (x @ frames).unflatten(-1, (-1, x.shape[-1])) - scale * means
        total = scale**2 * self.eigen[0] + variance
        divided = coordinates * (1 / total)
        log_scale = 0.5 * (total.log() + math.log(2 * math.pi)).sum(-1)
        return divided, self.weights.log() - log_scale - 0.5 * (coordinates * divided).sum(-1)

    def _gathered(self, coordinates: Tensor) -> Tensor:
        """sum_k Q_k c_k of coordinates c (M, K, d): (M, d)."""
        frames = self._frames[0]
        shared = frames.shape[1] == coordinates.shape[-1]
        return (coordinates.sum(1) if shared else coordinates.flatten(1)) @ frames.mT

    @cached_property
    def _shared_frame(self) -> tuple[Tensor | None, Tensor]:
        """Eigenvectors (d, d) of the one covariance of all components, None for a multiple of I; the means there."""
        values, vectors = (part[0] for part in self.eigen)
        if bool((values == values[0]).all()):
            return None, self.means
        return vectors, self.means @ vectors

    def _shared_whitened(self, x: Tensor, scale: float, variance: float) -> tuple[Tensor, Tensor]:
        """Where all components share a covariance: P(k | x_t) (M, K), and its mean of the c_k of :meth:`_whitened`,
        (M, d). What no component differs in is left out of the logarithms, so that nothing of size (M, K, d) is made.
        """
        frame, means = self._shared_frame
        coordinates = x if frame is None else x @ frame
        total = scale**2 * self.eigen[0][0] + variance
        weighted = scale * means / total
        log = self.weights.log() + coordinates @ weighted.mT - 0.5 * scale * (means * weighted).sum(-1)
        shares = log.softmax(-1)
        return shares, (coordinates - scale * (shares @ means)) / total

    def _from_shared_frame(self, coordinates: Tensor) -> Tensor:
        frame = self._shared_frame[0]
        return coordinates if frame is None else coordinates @ frame.mT

    def log_prob(self, x: Tensor) -> Tensor:
        """log p(x) of x (M, d): (M,). Not finite where a covariance is singular."""
        return self._whitened(x, 1.0, 0.0)[1].logsumexp(-1)

    def responsibilities(self, x: Tensor) -> Tensor:
        """P(component k | x) of x (M, d): (M, K)."""
        return self._whitened(x, 1.0, 0.0)[1].softmax(-1)

    def score(self, x: Tensor, abar: float) -> Tensor:
        """The gradient of log p_t at x_t = sqrt(abar) x0 + sqrt(1 - abar) n, in closed form: (M, d).

        -sum_k P(k | x_t) Q_k (c_k / (abar L_k + 1 - abar)), with the coordinates c_k = Q_k^T (x_t - sqrt(abar) m_k).
        """
        if len(self.covariances) == 1:
            return -self._from_shared_frame(self._shared_whitened(x, math.sqrt(abar), 1 - abar)[1])
        divided, log = self._whitened(x, math.sqrt(abar), 1 - abar)
        return -self._gathered(log.softmax(-1).unsqueeze(-1) * divided)

    def denoised(self, x: Tensor, abar: float) -> Tensor:
        """E[x0 | x_t] at x_t = sqrt(abar) x0 + sqrt(1 - abar) n, in closed form: (M, d).

        sum_k P(k | x_t) (m_k + Q_k (sqrt(abar) L_k / (abar L_k + 1 - abar)) c_k).
        """
        if len(self.covariances) == 1:
            shares, divided = self._shared_whitened(x, math.sqrt(abar), 1 - abar)
            return shares @ self.means + math.sqrt(abar) * self._from_shared_frame(self.eigen[0] * divided)
        divided, log = self._whitened(x, math.sqrt(abar), 1 - abar)
        shares = log.softmax(-1)
        return shares @ self.means + math.sqrt(abar) * self._gathered(shares.unsqueeze(-1) * (self.eigen[0] * divided))

    def posterior(self, A: Tensor, y: Tensor, noise: float = 0.0) -> Posterior:
        """The distribution of x given y = A x + noise n.

        A = U S V^T is reduced to its measured directions V_r, where S^-1 U^T y = V_r^T x + noise S^-1 n. Per component,
        with R = noise^2 S^-2 and C = V_r^T S_k V_r + R: gain G = S_k V_r C^-1, mean m_k + G (S^-1 U^T y - V_r^T m_k),
        covariance (I - G V_r^T) S_k (I - G V_r^T)^T + G R G^T, weight w_k N(S^-1 U^T y; V_r^T m_k, C).
        Without noise x is known on V_r, and what remains is a mixture on the null space. Singular values below
        max(m, d) times A's rounding error, relative to the largest, count as 0.

        Args:
            A: (m, d). y: (m,). noise: standard deviation of the measurement noise, in the units of y.

        Raises:
            BenchmarkError: a noiseless measurement of a direction along which the prior has no variance.
        """
        u, s, vt = torch.linalg.svd(A.to(self.means), full_matrices=True)
        smallest = max(A.shape) * torch.finfo(A.dtype).eps * s.max() if len(s) else 0.0
        rank = int((s > smallest).sum())
        measured, null, s = vt[:rank], vt[rank:], s[:rank]
        observed = (u.mT[:rank] @ y.to(self.means)) / s
        R = torch.diag((noise / s) ** 2)
        projected = measured @ self.covariances  # V_r^T S_k
        factor, info = torch.linalg.cholesky_ex(projected @ measured.mT + R)
        if bool((info != 0).any()):
            raise BenchmarkError("posterior: the prior has no variance along a measured direction; give noise > 0")
        residual = observed - self.means @ measured.mT  # (K, r)
        whitened = torch.linalg.solve_triangular(factor, residual.unsqueeze(-1), upper=False)
        log = self.weights.log() - factor.diagonal(dim1=1, dim2=2).log().sum(-1) - 0.5 * whitened.square().sum((1, 2))
        gain = torch.cholesky_solve(projected, factor).mT
        means = self.means + (gain @ residual.unsqueeze(-1)).squeeze(-1)
        kept = torch.eye(self.means.shape[1]).to(self.means) - gain @ measured
        covariances = kept @ self.covariances @ kept.mT + gain @ R @ gain.mT
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

    @property
    def weights(self) -> Tensor:
        """P(component k | y): (K,)."""
        return self.mixture.weights

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

    Args:
        shape: (C, H, W) of the images that the mixture's vectors are; (1, 1, d) if not given.
    """

    learned_range = False
    sha256: str | None = None  # of the weights file, where there is one

    def __init__(
        self,
        mixture: GaussianMixture,
        shape: tuple[int, int, int] | None = None,
        device="cpu",
        dtype: torch.dtype = torch.float64,
    ):
        d = mixture.means.shape[1]
        shape = (1, 1, d) if shape is None else shape
        if math.prod(shape) != d:
            raise BenchmarkError(f"mixture prior: images of shape {tuple(shape)} are not its vectors of dimension {d}")
        channels, height, width = shape
        self.shape, self.device, self.dtype = (channels, height, width), torch.device(device), dtype
        self.mixture = mixture.to(self.device, dtype)
        self.alphas_cumprod = linear_alphas_cumprod()

    def __call__(self, x: Tensor, t: int) -> Prediction:
        abar = float(self.alphas_cumprod[t])
        score = self.mixture.score(x.flatten(1), abar)
        return Prediction(-math.sqrt(1 - abar) * score.reshape(x.shape))

    def to(self, device=None, dtype: torch.dtype | None = None) -> MixturePrior:
        """The same prior on another device or in another dtype."""
        moved = MixturePrior(self.mixture, self.shape, device or self.device, dtype or self.dtype)
        moved.sha256 = self.sha256
        return moved


def posterior_of(prior: MixturePrior, problem, y: Tensor, case: int = 0) -> Posterior:
    """The exact posterior of one case of a :mod:`benchmark.problems` problem.

    The operator's matrix is read off by applying it to the identity; rows of zeros (a mask's hole) fall away.

    Args:
        y: (B, 1, ...) as the problem measured it. case: which of the B.
    """
    d, batch = math.prod(prior.shape), y.shape[0]
    basis = torch.eye(d, device=y.device, dtype=y.dtype).reshape(1, d, *prior.shape)
    A = problem.A(basis.expand(batch, *basis.shape[1:]))[case].flatten(1).mT.cpu()  # (m, d)
    mixture = prior.mixture.to("cpu", torch.float64)
    return mixture.posterior(A, y[case, 0].flatten().cpu(), 2 * problem.sigma)


def save_mixture(
    path: str | Path, mixture: GaussianMixture, shape: tuple[int, int, int], card: dict | None = None
) -> None:
    """Write a mixture prior as safetensors (float32; shape in the metadata), and its card, if any, with the sha256."""
    from safetensors.torch import save_file

    from benchmark.store import atomic, sha256_of, write_text

    tensors = {"weights": mixture.weights, "means": mixture.means, "covariances": mixture.covariances}
    with atomic(path) as temporary:
        save_file(
            {name: tensor.float().contiguous() for name, tensor in tensors.items()},
            str(temporary),
            metadata={"shape": json.dumps(list(shape))},
        )
    if card is not None:
        write_text(Path(path).with_suffix(".json"), json.dumps({**card, "sha256": sha256_of(path)}, indent=1) + "\n")


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
    found = sha256_of(path)
    if expected and found != expected:
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
    prior = MixturePrior(mixture, shape, device, dtype)
    prior.sha256 = found
    return prior
