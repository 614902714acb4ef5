"""Hierarchies of candidates: pick n, give each of the others to its nearest pick, and go on inside every cell.

The first level is what a strategy would show; below each of its samples hangs what that sample stands for.
Source: arXiv 2310.16047 and its released code, whose twelve recorded trees ``preset="reference"`` reproduces node by
node. The rules of its *soft* trees are not written down anywhere and were derived from those recordings.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from benchmark.errors import BenchmarkError
from benchmark.selection import strategies

Pick = Callable[[np.ndarray, int], np.ndarray]  # (indices (K,), n) -> positions (n,) in them


@dataclass(frozen=True)
class Node:
    """A sample and those that it stands for."""

    index: int
    children: tuple[Node, ...] = ()


def farthest_picks(distances: np.ndarray, seed: int = strategies.REFERENCE_SEED) -> Pick:
    """Farthest points with a random first one in every node, all from one generator; distances (M, M)."""
    rng = np.random.RandomState(seed)

    def pick(indices: np.ndarray, n: int) -> np.ndarray:
        return strategies.farthest_from(lambda i: distances[indices[i], indices], n, rng.randint(len(indices)))

    return pick


def kmeans_picks(features: np.ndarray, seed: int = 0, preset: str = "paper") -> Pick:
    """Cluster representatives of the node's samples; features (M, F)."""
    return lambda indices, n: strategies.kmeans(features[indices], n, seed, preset=preset)


def hierarchy(
    distances: np.ndarray,
    n: int,
    pick: Pick,
    *,
    soft_factor: float = math.inf,
    max_distance: float = math.inf,
    recursive: bool = False,
    preset: str = "paper",
) -> tuple[Node, ...]:
    """The tree of M samples in which every node has at most n children.

    A node of at most n samples is a list of leaves. A larger one is split: ``pick`` chooses n of its samples and
    argmin_j d(a, pick_j) gives each other sample a its cell. A hard tree (``soft_factor`` infinite) holds every sample
    once. In a soft tree a node of more than ``soft_factor`` n samples lets each cell borrow, for each of its members,
    the nearest neighbour among all M samples if it is within ``max_distance``, with ``recursive`` that one's nearest
    neighbour in turn, and so on; samples picked on the way down are never borrowed. Borrowed samples are not candidates
    for the next picks as long as the cell has n of its own.

    Under ``reference`` the released code's slip is kept: from the second level on each call hands ``recursive`` and
    ``max_distance`` over in each other's place, so that every other level borrows nothing; nor are samples borrowed
    twice counted once.

    Args:
        distances: (M, M), symmetric.
        n: 2 or more.
        pick: e.g. :func:`farthest_picks` or :func:`kmeans_picks`.

    Returns:
        The nodes of the first level.

    Raises:
        BenchmarkError: n below 2, distances that are not a square of finite numbers.
    """
    if not n >= 2:
        raise BenchmarkError(f"hierarchy: n = {n}; a node needs at least 2 children")
    if np.ndim(distances) != 2 or len(set(np.shape(distances))) > 1 or not np.isfinite(distances).all():
        raise BenchmarkError(f"hierarchy: distances {np.shape(distances)}; a square of finite numbers is needed")
    reference = preset == "reference"
    others = np.array(distances, copy=True)
    np.fill_diagonal(others, np.inf)
    nearest = others.argmin(axis=1)

    def borrow(members: list[int], limit: float, follow: bool) -> list[int]:
        found = []
        for member in members:
            chain, last = [], member
            while True:
                near = int(nearest[last])
                if near in members or near in chain or distances[last, near] > limit:
                    break
                chain.append(near)
                last = near
                if not follow:
                    break
            found += chain
        return found if reference else list(dict.fromkeys(found))

    def split(own: list[int], borrowed: list[int], above: set[int], level: int, limit, follow) -> tuple[Node, ...]:
        members = own + borrowed
        if len(members) <= n:
            return tuple(Node(index) for index in members)
        candidates = np.array(own if len(own) >= n else members)
        # without duplicates, unless the reference's K-means gives two centres one sample
        picks = list(dict.fromkeys(candidates[pick(candidates, n)].tolist()))
        above = above | set(picks)
        rest = sorted(set(members) - set(picks))
        cells = distances[np.ix_(rest, picks)].argmin(axis=1)
        handed_over = (follow, limit) if reference and level > 0 else (limit, follow)
        nodes = []
        for j, index in enumerate(picks):
            cell = [a for a, cell_of_a in zip(rest, cells, strict=True) if cell_of_a == j]
            soft = borrow(sorted([*cell, index]), limit, follow) if len(members) > soft_factor * n else []
            soft = [a for a in soft if a not in above]
            nodes.append(Node(index, split(cell, soft, above, level + 1, *handed_over)))
        return tuple(nodes)

    return split(list(range(len(distances))), [], set(), 0, max_distance, recursive)


def paths(nodes: tuple[Node, ...], prefix: str = "") -> Iterator[tuple[str, int]]:
    """(path, index) of every node, depth first; the path's digits count children from 0 (up to 10 per node)."""
    for position, node in enumerate(nodes):
        yield f"{prefix}{position}", node.index
        yield from paths(node.children, f"{prefix}{position}")


def newick(nodes: tuple[Node, ...]) -> str:
    """The tree in Newick notation, children in parentheses before their node: ``((1,2)0,3);``."""

    def group(members: tuple[Node, ...]) -> str:
        return f"({','.join(group(m.children) + str(m.index) if m.children else str(m.index) for m in members)})"

    return f"{group(nodes)};"
