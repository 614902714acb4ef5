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

from benchmark.metrics import lpips_pairs


def main() -> None:
    """Print the times, their ratio, the largest difference and the peak memory."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--net", default="alex", choices=sorted(lpips_pairs.BACKBONES))
    parser.add_argument("--n", type=int, default=50, help="pictures")
    parser.add_argument("--size", type=int, default=256, help="side of a picture")
    parser.add_argument("--pairs", type=int, default=40, help="ordered pairs on which the package is timed; 0: skip")
    args = parser.parse_args()
    torch.manual_seed(0)
    model = lpips_pairs.load(args.net, None)
    images = torch.rand(args.n, 3, args.size, args.size) * 2 - 1
    lpips_pairs.pairwise(model, images[:2])
    start = time.perf_counter()
    distances = lpips_pairs.pairwise(model, images)
    ours = time.perf_counter() - start
    print(f"all pairs of {args.n} pictures {args.size}x{args.size}, {args.net}: {ours:.2f} s")
    if args.pairs:
        rng = np.random.default_rng(0)
        pairs = [rng.choice(args.n, 2, replace=False) for _ in range(args.pairs)]
        start = time.perf_counter()
        with torch.inference_mode():
            package = [model(images[i : i + 1], images[j : j + 1]).item() for i, j in pairs]
        theirs = (time.perf_counter() - start) / args.pairs * args.n * (args.n - 1)
        difference = max(abs(distances[i, j] - value) for (i, j), value in zip(pairs, package))
        print(
            f"lpips package on each of {args.n * (args.n - 1)} ordered pairs: {theirs:.1f} s (from {args.pairs} pairs)"
        )
        print(f"{theirs / ours:.0f} times faster; largest difference {difference:.1e}")
    print(f"peak memory {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20:.2f} GiB")


if __name__ == "__main__":
    main()
