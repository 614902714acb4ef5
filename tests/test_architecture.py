"""The house stands as docs/architecture.md draws it: imports point downwards only."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent / "benchmark"
BOTTOM = {"errors", "store", "lazy", "options", "discovery", "device", "jobs"}
# room -> the rooms that it may import, besides itself and the bottom
ALLOWED = {
    "weights": set(),
    "networks": {"weights"},
    "priors": {"networks", "weights"},
    "problems": set(),
    "features": {"networks"},
    "data": {"networks.classifier"},
    "selection": {"features", "weights.shipped"},
    "sampling": {"priors", "problems", "weights.shipped"},
    "exact": {"exact_jobs", "sampling", "problems", "priors", "data", "selection.toy"},
    "metrics": {"features", "networks", "weights", "data", "problems", "statistics"},
    "planted": {"metrics", "data", "priors", "problems", "statistics"},
    "publish": {"statistics", "metrics.registry"},
    "publish/results": {"statistics", "metrics.registry", "publish.labels", "publish.contents"},
    "publish/tables": {
        "statistics",
        "metrics.registry",
        "publish.labels",
        "publish.contents",
        "publish.document",
        "publish.files",
        "publish.results",
    },
    "publish/figures": {
        "statistics",
        "metrics.registry",
        "publish.labels",
        "publish.contents",
        "publish.document",
        "publish.results",
    },
    "publish/exact": {
        "statistics",
        "publish.contents",
        "publish.document",
        "publish.files",
        "publish.tables.rows",
        "publish.figures.style",
    },
    "training": {
        "networks",
        "priors",
        "data",
        "weights",
        "sampling.run",
        "metrics.engines",
    },
    "statistics": set(),
    "rehearsal": {"sampling"},
    "exact_faults": {"exact_jobs", "sampling"},
    "config": {
        "jobs.contract",
        "priors.load",
        "sampling",
        "weights.public",
        "weights.shipped",
        "entries",
        "rehearsal",
        "exact_faults",
    },
    "entries": {
        "data.masks",
        "data.sources",
        "exact.mixtures",
        "features",
        "priors.loaders",
        "problems",
        "sampling.guidance",
        "selection.strategies",
    },
    "jobs": set(),
    "sensitivity": {"config", "plan"},
    "exact_jobs": set(),
    "plan": {
        "config",
        "priors.load",
        "exact_jobs",
        "weights.public",
        "weights.shipped",
        "publish.contents",
        "metrics.registry",
    },
}


def _is_module(name: str) -> bool:
    place = ROOT.parent.joinpath(*name.split("."))
    return place.with_suffix(".py").is_file() or place.is_dir()


def _imports(path: Path) -> set[str]:
    """What a file imports of the package; of ``from benchmark.room import module`` the module, not the room."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        names = []
        if isinstance(node, ast.ImportFrom) and node.module:
            within = [f"{node.module}.{alias.name}" for alias in node.names]
            names = [name if node.module == "benchmark" or _is_module(name) else node.module for name in within]
        elif isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        found |= {name.removeprefix("benchmark.") for name in names if name.startswith("benchmark.")}
    return found


def _modules(room: str) -> list[Path]:
    return sorted((ROOT / room).rglob("*.py")) if (ROOT / room).is_dir() else [ROOT / f"{room}.py"]


@pytest.mark.parametrize("room", ALLOWED)
def test_a_room_imports_only_the_rooms_below_it(room):
    allowed = ALLOWED[room] | BOTTOM | {room.replace("/", ".")}
    wrong = {
        f"{path.relative_to(ROOT)} imports benchmark.{name}"
        for path in _modules(room)
        for name in _imports(path)
        if name != "__version__" and not any(f"{name}.".startswith(f"{room}.") for room in allowed)
    }
    assert not wrong


def test_nothing_but_commands_imports_training():
    """Who runs the benchmark never meets the workshop that its networks come from."""
    inside = {*_modules("training"), *_modules("commands")}
    others = {path for path in ROOT.rglob("*.py") if path not in inside}
    assert not {path for path in others for name in _imports(path) if name.split(".")[0] == "training"}


def test_every_package_module_belongs_to_a_room_of_the_map():
    rooms = {path.stem if path.is_file() else path.name for path in ROOT.iterdir() if path.suffix in {"", ".py"}}
    assert rooms - set(ALLOWED) - BOTTOM <= {"__init__", "__main__", "cli", "commands", "__pycache__"}
