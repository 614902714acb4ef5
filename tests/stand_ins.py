"""Weights files of the real form, with random numbers, for the tests of loading: names, shapes and types are those of
the files that the metrics are made for; what a metric does not read takes no space."""

import warnings

import numpy as np
import torch
from scipy.io import savemat

from benchmark import store


def backbone(path, arch):
    """The state of torchvision's ``alexnet`` or ``vgg16``: random convolutions, and every other tensor a constant."""
    import torchvision

    with torch.device("meta"):
        shapes = {name: tensor.shape for name, tensor in getattr(torchvision.models, arch)().state_dict().items()}
    generator = torch.Generator().manual_seed(0)
    state = {
        name: _random(shape, generator) if name.startswith("features.") else torch.zeros(1).expand(shape)
        for name, shape in shapes.items()
    }
    return _saved(path, state)


def inception(path):
    """The state of the InceptionV3 for FID."""
    from pyiqa.archs import inception as archs

    original, archs.load_pretrained_network = archs.load_pretrained_network, lambda *_, **__: None
    try:
        with warnings.catch_warnings(), torch.device("meta"):
            warnings.simplefilter("ignore")
            network = archs.fid_inception_v3()
    finally:
        archs.load_pretrained_network = original
    generator = torch.Generator().manual_seed(0)
    state = {}
    for name, tensor in network.state_dict().items():
        constant = 1.0 if name.endswith(("bn.weight", "running_var")) else 0.0
        random = name.endswith("conv.weight")
        state[name] = _random(tensor.shape, generator) if random else torch.full(tensor.shape, constant)
    return _saved(path, state)


def niqe(path, seed=0):
    """The two arrays of ``niqe_modelparameters.mat``: mean (1, 36) and covariance (36, 36) of block features."""
    from benchmark.metrics.engines import niqe_features

    features = niqe_features.block_features(natural(12, 192, seed), 96).flatten(0, 1).numpy()
    covariance = np.cov(features, rowvar=False) + 0.01 * np.eye(36)
    path.parent.mkdir(parents=True, exist_ok=True)
    savemat(path, {"mu_prisparam": features.mean(0, keepdims=True), "cov_prisparam": covariance})
    return store.sha256_of(path)


def natural(n, size, seed=0, channels=3):
    """Pictures (n, channels, size, size) in [-1, 1] whose spectrum falls like that of photographs."""
    rng = np.random.default_rng([seed, size])
    radius = np.hypot(np.fft.fftfreq(size)[:, None], np.fft.rfftfreq(size)[None])
    spectrum = np.fft.rfft2(rng.normal(size=(n, channels, size, size))) / np.maximum(radius, 1 / size)
    pictures = np.fft.irfft2(spectrum, s=(size, size))
    pictures /= 3 * pictures.std(axis=(1, 2, 3), keepdims=True)
    return pictures.clip(-1, 1).astype(np.float32)


def _random(shape, generator):
    fan_in = int(np.prod(shape[1:])) if len(shape) > 1 else 1
    scale = (2 / fan_in) ** 0.5 if len(shape) > 1 else 0.05
    return torch.randn(tuple(shape), generator=generator) * scale


def _saved(path, state):
    path.parent.mkdir(parents=True, exist_ok=True)
    torch.save(state, path)
    return store.sha256_of(path)
