"""How much faster all pairs' LPIPS is than the lpips package called on each ordered pair, and how far they differ.

    python -m benchmark.metrics.perceptual_benchmark [--net alex] [--n 50] [--size 256] [--pairs 40]

The package is timed on a sample of the ordered pairs, picture by picture as a loop would call it, and scaled to all
N (N-1). The backbone is random: time and agreement do not depend on the weights.
"""

from __future__ import annotations

import argparse
import resource
import time

import numpy as np
import torch

from benchmark.metrics.engines import lpips_pairs


def main() -> None:
    """Print the times, their ratio, the largest difference and the peak memory."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--net", default="alex", choices=sorted(lpips_pairs.BACKBONES))
    parser.add_argument("--n", type=int, default=50, help="pictures")
    parser.add_argument("--size", type=int, default=256, help="side of a picture")
    parser.add_argument("--pairs", type=int, default=40, help="ordered pairs on which the package is timed; 0: skip")
    args = parser.parse_args()
    run(args.net, args.n, args.size, args.pairs)


def run(net: str, n: int, size: int, pairs: int) -> tuple[float, float]:
    """Time both ways and print it; gives how many times faster ours is, and the largest difference of a distance."""
    torch.manual_seed(0)
    model = lpips_pairs.load(net, None)
    for layer in model.net.modules():
        if isinstance(layer, torch.nn.Conv2d):  # features as large as a trained network's, so that errors would show
            torch.nn.init.kaiming_normal_(layer.weight)
    images = torch.rand(n, 3, size, size) * 2 - 1
    lpips_pairs.pairwise(model, images[:2])
    start = time.perf_counter()
    distances = lpips_pairs.pairwise(model, images)
    ours = time.perf_counter() - start
    print(f"all pairs of {n} pictures {size}x{size}, {net}: {ours:.2f} s")
    ratio = difference = float("nan")
    if pairs:
        rng = np.random.default_rng(0)
        sample = [rng.choice(n, 2, replace=False) for _ in range(pairs)]
        start = time.perf_counter()
        with torch.inference_mode():
            package = [model(images[i : i + 1], images[j : j + 1]).item() for i, j in sample]
        theirs = (time.perf_counter() - start) / pairs * n * (n - 1)
        difference = max(abs(distances[i, j] - value) for (i, j), value in zip(sample, package))
        ratio = theirs / ours
        largest = distances.max()
        print(f"lpips package on each of {n * (n - 1)} ordered pairs: {theirs:.1f} s (from {pairs} pairs)")
        print(f"{ratio:.0f} times faster; largest difference {difference:.1e} of distances up to {largest:.1e}")
    print(f"peak memory {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20:.2f} GiB")
    return ratio, difference


if __name__ == "__main__":
    main()
