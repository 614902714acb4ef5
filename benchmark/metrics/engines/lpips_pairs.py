"""LPIPS of all pairs of N pictures with N passes of the backbone.

LPIPS (Zhang et al. 2018, version 0.1 of the ``lpips`` package) of pictures x and y is

    d(x, y) = sum_l  1/(H_l W_l)  sum_q sum_c  w_lc (f_lcq(x) - f_lcq(y))^2

with f_l the backbone's features of layer l, scaled to unit length over the channels at each place q, and w_l >= 0 the
trained heads. That is a squared Euclidean distance of the vectors sqrt(w_lc / (H_l W_l)) f_lcq, so that all pairs
come from one Gram matrix. The hole's LPIPS is the mean over the hole of the map that ``LPIPS(spatial=True)`` gives,

    d_hole(x, y) = sum_p m_p sum_l U_l(e_l)_p / sum_p m_p,     e_lq = sum_c w_lc (f_lcq(x) - f_lcq(y))^2

with m the hole and U_l bilinear upsampling to the picture. U_l is linear, so d_hole is the same sum as above with
the weight (U_l^T m)_q / sum m in the place of 1/(H_l W_l).
"""

from __future__ import annotations

import hashlib
import inspect
import pickle
import warnings
from collections.abc import Sequence
from pathlib import Path

import lpips
import numpy as np
import torch
from torch import Tensor

from benchmark.errors import BenchmarkError
from benchmark.weights import of_metrics

BACKBONES = {"alex": "alexnet", "vgg": "vgg16"}
HEADS = {
    "alex": "df73285e35b22355a2df87cdb6b70b343713b667eddbda73e1977e0c860835c0",
    "vgg": "a78928a0af1e5f0fcb1f3b9e8f8c3a2a5a3de244d830ad5c1feddc79b8432868",
}
SMALLEST = {"alex": 31, "vgg": 16}  # pictures whose last layer has a pixel left
CHUNK = {"cpu": 4, "cuda": 64}  # pictures in one pass of the backbone: on a CPU, what its cache holds
COLUMNS = 2**14  # entries of the vectors in one block of a Gram matrix
BUDGET = 3 * 2**30  # bytes of vectors that are held at once


def load(net: str, path: Path | None, device: str = "cpu") -> lpips.LPIPS:
    """The LPIPS network ``alex`` or ``vgg`` with its trained heads and the backbone's state from a torchvision file.

    ``path`` None leaves the backbone random, as ``LPIPS(pnet_rand=True)`` does: for tests and timing only.

    Raises:
        BenchmarkError: heads other than those of version 0.1, a file that is no state of this backbone.
    """
    heads = Path(inspect.getfile(lpips)).parent / "weights" / "v0.1" / f"{net}.pth"
    of_metrics.check(heads, HEADS[net], f"the heads of LPIPS {net} 0.1 of the lpips package")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        if path is None:
            model = lpips.LPIPS(net=net, pnet_rand=True, verbose=False)
        else:
            # Built without numbers: drawing the random ones that the files replace takes longer than reading them.
            with torch.device("meta"):
                model = lpips.LPIPS(net=net, pnet_rand=True, pretrained=False, verbose=False)
            model = model.to_empty(device="cpu")
            model.scaling_layer = lpips.ScalingLayer()
            model.load_state_dict(torch.load(heads, map_location="cpu", weights_only=True), strict=False)
            _load_backbone(model, path)
    return model.to(device).eval().requires_grad_(False)


def _load_backbone(model: lpips.LPIPS, path: Path) -> None:
    """Copy ``features.I.*`` of a torchvision state into ``sliceK.I.*`` of the lpips package's backbone."""
    try:
        state = torch.load(path, map_location="cpu", weights_only=True)
        own = {f"features.{key.split('.', 1)[1]}": value for key, value in model.net.state_dict().items()}
        for name, value in own.items():
            if state[name].shape != value.shape:
                raise BenchmarkError(f"{path}: {name} is {tuple(state[name].shape)}, LPIPS needs {tuple(value.shape)}")
            value.copy_(state[name])
    except (KeyError, RuntimeError, EOFError, ValueError, TypeError, pickle.UnpicklingError) as error:
        reason = f"it has no {error}" if isinstance(error, KeyError) else str(error).splitlines()[0]
        raise BenchmarkError(f"{path}: not the state of a torchvision backbone: {reason}") from None


def as_rgb(images: np.ndarray | Tensor) -> Tensor:
    """Pictures (N, C, H, W) in [-1, 1] as a float tensor of three channels; grey is repeated."""
    tensor = torch.as_tensor(images, dtype=torch.float32)
    return tensor.expand(-1, 3, -1, -1) if tensor.shape[1] == 1 else tensor


class Embedding:
    """Maps pictures of one size to vectors (N, D) whose weighted squared distances are their LPIPS."""

    def __init__(self, model: lpips.LPIPS, size: tuple[int, int]):
        self.model, self.size = model, size
        self.device = next(model.parameters()).device
        self.roots = [torch.sqrt(head.model[-1].weight.clamp_min(0)) for head in model.lins]  # (1, C_l, 1, 1)
        with torch.inference_mode():
            self.shapes = [tuple(layer.shape[1:]) for layer in self._layers(torch.zeros(1, 3, *size))]

    @property
    def length(self) -> int:
        """D, the floats that one picture needs."""
        return sum(int(np.prod(shape)) for shape in self.shapes)

    def _layers(self, images: Tensor) -> list[Tensor]:
        return list(self.model.net(self.model.scaling_layer(images.to(self.device))))

    @torch.inference_mode()
    def __call__(self, images: Tensor) -> Tensor:
        """sqrt(w_lc) f_lcq of pictures (N, 3, H, W) in [-1, 1], all layers in one row: (N, D)."""
        chunk = CHUNK.get(self.device.type, 16)
        vectors = torch.empty(len(images), self.length, device=self.device)
        for start in range(0, len(images), chunk):
            column = 0
            for layer, root in zip(self._layers(images[start : start + chunk]), self.roots):
                flat = (lpips.normalize_tensor(layer) * root).flatten(1)
                vectors[start : start + len(flat), column : column + flat.shape[1]] = flat
                column += flat.shape[1]
        return vectors

    def place_weights(self, hole: np.ndarray | None = None) -> Tensor:
        """The weight of every entry of a vector, (D,): 1/(H_l W_l), or (U_l^T m)_q / sum m for a hole m (H, W)."""
        rows = []
        for channels, height, width in self.shapes:
            if hole is None:
                places = torch.full((height, width), 1 / (height * width))
            else:
                places = _upsampling_adjoint(torch.as_tensor(hole, dtype=torch.float32), (height, width))
                places = places / float(hole.sum())
            rows.append(places.flatten().repeat(channels))
        return torch.cat(rows).to(self.device)


def _upsampling_adjoint(m: Tensor, size: tuple[int, int]) -> Tensor:
    """U^T m for bilinear upsampling U from ``size`` to the size of m, by automatic differentiation of <m, U e>."""
    with torch.enable_grad():
        e = torch.zeros(1, 1, *size, requires_grad=True)
        upsampled = torch.nn.functional.interpolate(e, size=m.shape, mode="bilinear", align_corners=False)
        (gradient,) = torch.autograd.grad((upsampled[0, 0] * m).sum(), e)
    return gradient[0, 0].clamp_min(0)


@torch.inference_mode()
def squared_distances(a: Tensor, b: Tensor, places: Tensor) -> Tensor:
    """sum_k places_k (a_ik - b_jk)^2 of vectors (P, D) and (Q, D), (P, Q), by Gram matrices about the mean of a.

    Taking out the mean first keeps what is lost by cancellation near the distances' own rounding error. Works through
    the columns in blocks that stay in a core's cache.
    """
    gram = torch.zeros(len(a), len(b), dtype=torch.float64, device=a.device)
    squares_a, squares_b = gram.new_zeros(len(a)), gram.new_zeros(len(b))
    for start in range(0, a.shape[1], COLUMNS):
        columns = slice(start, start + COLUMNS)
        root = places[columns].sqrt()
        if not bool(root.any()):
            continue
        left, mean = a[:, columns], a[:, columns].mean(0)
        left = (left - mean).mul_(root)
        right = left if b is a else (b[:, columns] - mean).mul_(root)
        product = left @ right.T
        gram += product
        squares_a += product.diagonal() if b is a else left.square().sum(1)
        squares_b += product.diagonal() if b is a else right.square().sum(1)
    return (squares_a[:, None] + squares_b[None] - 2 * gram).clamp_min(0)


def pairwise(
    model: lpips.LPIPS, images: np.ndarray | Tensor, hole: np.ndarray | None = None, budget: int = BUDGET
) -> np.ndarray:
    """LPIPS (N, N) of all pairs of pictures (N, C, H, W) in [-1, 1], in the hole alone where one is given."""
    return matrices(model, images, [hole], budget)[0]


def matrices(
    model: lpips.LPIPS, images: np.ndarray | Tensor, holes: Sequence[np.ndarray | None], budget: int = BUDGET
) -> list[np.ndarray]:
    """:func:`pairwise` for each of several holes (None: the whole picture), from the same passes of the backbone.

    While the vectors of all N fit into ``budget`` bytes, the backbone sees each picture once. Beyond that, blocks of
    pictures are held against each other, two blocks in memory at a time: with K blocks the backbone runs about
    N (K + 1) / 2 times.
    """
    images = as_rgb(images)
    embedding = Embedding(model, tuple(images.shape[-2:]))
    places = [embedding.place_weights(hole) for hole in holes]
    fits = max(2, int(budget / (4 * embedding.length)))
    block = len(images) if len(images) <= fits else fits // 2
    results = [np.zeros((len(images), len(images))) for _ in holes]
    for row in range(0, len(images), block):
        a = embedding(images[row : row + block])
        for column in range(row, len(images), block):
            b = a if column == row else embedding(images[column : column + block])
            for result, weight in zip(results, places, strict=True):
                distances = squared_distances(a, b, weight).cpu().numpy()
                result[row : row + block, column : column + block] = distances
                result[column : column + block, row : row + block] = distances.T
    return [exact_zeros(result, images) for result in results]


def exact_zeros(distances: np.ndarray, images: Tensor) -> np.ndarray:
    """Distance 0 between pictures that are the same, and of each to itself; the rest symmetric."""
    digests = np.array([hashlib.sha256(image.contiguous().numpy().tobytes()).hexdigest() for image in images.cpu()])
    distances = (distances + distances.T) / 2
    distances[digests[:, None] == digests[None]] = 0.0
    return distances
