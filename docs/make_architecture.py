"""Writes docs/images/architecture.svg from the imports: ``make pages``. tests/test_architecture.py holds it equal.

Every room stands above all that it imports; a line leads from a room to one that it imports, where no other room that
it imports leads there as well. What nearly everybody imports (the ground floor) is a bar without lines.
"""

from __future__ import annotations

import ast
import sys
from html import escape
from pathlib import Path

PACKAGE = Path(__file__).resolve().parent.parent / "benchmark"
PICTURE = Path(__file__).resolve().parent / "images" / "architecture.svg"
GROUND = ("store", "options", "discovery", "lazy", "device", "errors")
BOX, GAP, FLOOR, MARGIN = (104, 30), 14, 68, 16
Graph = dict[str, set[str]]


def rooms() -> dict[str, list[Path]]:
    """Each folder or file of the package, with its modules; what only starts it is left out."""
    found: dict[str, list[Path]] = {}
    for path in sorted(PACKAGE.rglob("*.py")):
        name = path.relative_to(PACKAGE).parts[0].removesuffix(".py")
        if name != "cli" and not name.startswith("__"):
            found.setdefault(name, []).append(path)
    return found


def imports(modules: list[Path]) -> set[str]:
    """The rooms that modules import, anywhere in their code."""
    found = set()
    for path in modules:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ImportFrom) and node.module:
                parts = node.module.split(".")
                if parts[0] == "benchmark":
                    found |= {parts[1]} if len(parts) > 1 else {alias.name for alias in node.names}
    return found


def graph(modules: dict[str, list[Path]]) -> Graph:
    """room -> rooms that it imports, besides itself and the ground floor."""
    above = [room for room in modules if room not in GROUND]
    return {room: {other for other in imports(modules[room]) if other in above and other != room} for room in above}


def floors(graph: Graph) -> dict[str, int]:
    """room -> its floor: 0 where it imports nothing but the ground floor, else one above the highest that it imports.

    Raises:
        ValueError: rooms import each other in a circle.
    """
    levels: dict[str, int] = {}
    while len(levels) < len(graph):
        ready = {room for room in graph if room not in levels and graph[room] <= set(levels)}
        if not ready:
            raise ValueError(f"a circle among {sorted(set(graph) - set(levels))}")
        levels |= {room: 1 + max((levels[other] for other in graph[room]), default=-1) for room in ready}
    return levels


def reduced(graph: Graph, levels: dict[str, int]) -> Graph:
    """The graph without lines that other lines already say."""
    reach: Graph = {}
    for room in sorted(graph, key=levels.__getitem__):
        reach[room] = graph[room].union(*(reach[other] for other in graph[room]))
    return {room: {x for x in graph[room] if not any(x in reach[y] for y in graph[room])} for room in graph}


def placed(graph: Graph, levels: dict[str, int]) -> dict[str, tuple[float, int]]:
    """room -> its centre's x in boxes from the middle, and its floor; a room stands near those that it leads to."""
    order = {level: sorted(room for room in graph if levels[room] == level) for level in set(levels.values())}
    x: dict[str, float] = {}

    def spread(rooms: list[str]) -> None:
        x.update({room: i - (len(rooms) - 1) / 2 for i, room in enumerate(rooms)})

    for level in sorted(order):
        spread(order[level])
    leads_from = {room: {other for other in graph if room in graph[other]} for room in graph}
    for _ in range(8):  # up and down, as in Sugiyama's method
        for near, levels_in_turn in ((graph, sorted(order)), (leads_from, sorted(order, reverse=True))):
            for level in levels_in_turn:
                wanted = {r: sum(x[o] for o in near[r]) / len(near[r]) if near[r] else x[r] for r in order[level]}
                order[level].sort(key=lambda room: (wanted[room], room))
                spread(order[level])
    return {room: (x[room], levels[room]) for room in graph}


def picture() -> str:
    """The SVG."""
    modules = rooms()
    full = graph(modules)
    levels = floors(full)
    lines = reduced(full, levels)
    places = placed(lines, levels)
    widest = max(abs(x) for x, _ in places.values()) * 2 + 1
    width, top = widest * (BOX[0] + GAP) + 2 * MARGIN, max(levels.values())
    height = (top + 2) * FLOOR + MARGIN

    def centre(room: str) -> tuple[float, float]:
        x, level = places[room]
        return width / 2 + x * (BOX[0] + GAP), MARGIN + (top - level) * FLOOR + BOX[1] / 2

    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:.0f} {height:.0f}" '
        'font-family="sans-serif" text-anchor="middle">',
        f'<rect width="{width:.0f}" height="{height:.0f}" fill="#ffffff"/>',
    ]
    for room in sorted(lines):
        for other in sorted(lines[room]):
            (x, y), (u, v) = centre(room), centre(other)
            y, v = y + BOX[1] / 2, v - BOX[1] / 2
            bend = (v - y) / 2
            parts.append(
                f'<path d="M{x:.0f} {y:.0f}C{x:.0f} {y + bend:.0f} {u:.0f} {v - bend:.0f} {u:.0f} {v:.0f}" '
                'fill="none" stroke="#8a97a8" stroke-width="1.2"/>'
            )
    for room in sorted(places):
        parts += _box(*centre(room), *BOX, room, "", "#eaf1f8")
    ground = ", ".join(room for room in GROUND if room in modules)
    parts += _box(
        width / 2, height - MARGIN - BOX[1] / 2, width - 2 * MARGIN, BOX[1], "ground floor", ground, "#f3efe4"
    )
    return "\n".join([*parts, "</svg>", ""])


def _box(x: float, y: float, width: float, height: float, name: str, below: str, fill: str) -> list[str]:
    """A room's frame, name and, if there is one, a line below."""
    parts = [
        f'<rect x="{x - width / 2:.0f}" y="{y - height / 2:.0f}" width="{width:.0f}" height="{height:.0f}" rx="5" '
        f'fill="{fill}" stroke="#4a5a6e"/>',
        f'<text x="{x:.0f}" y="{y + (-2 if below else 5):.0f}" font-size="14" fill="#1d2733">{escape(name)}</text>',
    ]
    if below:
        parts.append(f'<text x="{x:.0f}" y="{y + 13:.0f}" font-size="11" fill="#4a5a6e">{escape(below)}</text>')
    return parts


if __name__ == "__main__":
    PICTURE.write_text(picture(), encoding="utf-8")
    sys.stdout.write(f"{PICTURE}\n")
