"""Commands parse and call, nothing else: what is done stands in the stages, each with one entry."""

import ast
from pathlib import Path

import pytest

from benchmark.cli import COMMANDS, main

FOLDER = Path(__file__).resolve().parent.parent / "benchmark" / "commands"
MODULES = {path.stem: ast.parse(path.read_text()) for path in FOLDER.glob("*.py") if path.stem != "__init__"}
# command -> the module that does what it says, with one function for it
ENTRIES = {
    "cases": "data.cases",
    "sample": "sampling.run",
    "select": "selection.run",
    "measure": "metrics.run",
    "collect": "metrics.collect",
    "truth": "exact.run",
    "tables": "publish.tables.run",
    "figures": "publish.figures.run",
    "gallery": "publish.gallery",
    "train": "training.run",
    "weights": "weights.actions",
}
MOST_STATEMENTS = 15


def functions(name):
    return {node.name: node for node in MODULES[name].body if isinstance(node, ast.FunctionDef)}


def statements(body):
    """The statements of a function but its docstring and imports, those inside others included."""
    for node in body:
        if isinstance(node, ast.Import | ast.ImportFrom):
            continue
        if not (isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)):
            yield node
        for inner in ("body", "orelse"):
            yield from statements(getattr(node, inner, []))


def test_every_command_is_a_module_and_every_module_a_command():
    assert {name.replace("-", "_") for name in COMMANDS} == set(MODULES)


@pytest.mark.parametrize("name", MODULES)
def test_a_command_adds_arguments_and_runs_and_has_nothing_else_but_constants(name):
    allowed = ast.Import | ast.ImportFrom | ast.Assign | ast.FunctionDef
    docstring, *rest = MODULES[name].body
    assert isinstance(docstring, ast.Expr)
    assert [ast.unparse(node) for node in rest if not isinstance(node, allowed)] == []
    assert list(functions(name)) == ["add_arguments", "run"]


@pytest.mark.parametrize("name", MODULES)
def test_what_a_command_runs_is_short_and_loops_only_to_print_or_gather(name):
    run = functions(name)["run"]
    assert len(list(statements(run.body))) <= MOST_STATEMENTS
    loops = [node for node in ast.walk(run) if isinstance(node, ast.For | ast.While | ast.Try)]
    for loop in loops:
        assert isinstance(loop, ast.For)
        assert len(list(statements(loop.body))) <= 4
        assert not [inner for inner in ast.walk(loop) if isinstance(inner, ast.For) and inner is not loop]


@pytest.mark.parametrize("name", MODULES)
def test_no_command_imports_another(name):
    imported = {node.module for node in ast.walk(MODULES[name]) if isinstance(node, ast.ImportFrom) and node.module}
    assert not {module for module in imported if module.startswith("benchmark.commands")}


@pytest.mark.parametrize("name", ENTRIES)
def test_a_command_calls_the_entry_of_its_stage(name):
    imported = {node.module for node in ast.walk(MODULES[name]) if isinstance(node, ast.ImportFrom)}
    assert f"benchmark.{ENTRIES[name]}" in imported


def test_measure_lists_the_metrics_without_asking_for_files(capsys):
    with pytest.raises(SystemExit) as stopped:
        main(["measure", "--list"])
    assert stopped.value.code == 0
    assert "[diversity]" in capsys.readouterr().out
