"""``toy``: the source paper's Figure 1 made anew, as data (csv) and picture (png, svg)."""

from __future__ import annotations

import argparse

from benchmark import store
from benchmark.errors import BenchmarkError
from benchmark.selection import toy


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--output-data", required=True, help="csv: all points and every strategy's picks")
    parser.add_argument("--output-figure", required=True, help="the figure as png")
    parser.add_argument("--output-svg", required=True, help="the figure as svg")
    parser.add_argument("--points", type=int, default=1000, help="points drawn (1000)")
    parser.add_argument("--n", type=int, default=20, help="points picked by each strategy (20)")
    parser.add_argument("--seed", type=int, default=0, help="seed of the points and of the picks (0)")


def run(args: argparse.Namespace) -> None:
    if args.seed < 0:
        raise BenchmarkError(f"--seed: {args.seed}; 0 or more is needed")
    if args.n < 1 or args.points < max(args.n, 2):
        raise BenchmarkError(f"--points {args.points}, --n {args.n}: at least 2 points and 1 <= n <= points are needed")
    from benchmark.publish.figures.toy import draw
    from benchmark.publish.files import as_csv

    rows = toy.compare(args.points, args.n, args.seed)
    records = [row | {"x": f"{row['x']:.6f}", "y": f"{row['y']:.6f}"} for row in rows]
    store.write_text(args.output_data, as_csv(records))
    for name, count in toy.covered(rows).items():
        print(f"{name}: {count} of {toy.GAUSSIANS} Gaussians")
    print(f"expected of {args.n} independent draws: {toy.expected_cover_of_iid(args.n):.2f}")
    draw(args.output_data, args.output_figure, args.output_svg)
