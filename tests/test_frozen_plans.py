"""What every configuration expands to, byte for byte: names, fingerprints and settings are what results are found by.

A change of the house must not change a line of tests/golden_data/plans. A change of a configuration does, on purpose:
``python tests/test_frozen_plans.py`` writes the files anew, and the diff shows what is sampled again.
"""

import io
import json
import subprocess
import sys
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path

import pytest

from benchmark import cli
from benchmark.config import load
from benchmark.plan import Plan

ROOT = Path(__file__).resolve().parent.parent
FROZEN = ROOT / "tests" / "golden_data" / "plans"
CONFIGURATIONS = [ROOT / "config.yaml", *sorted((ROOT / "experiments").glob("*.yaml"))]


def frozen(path: Path) -> Path:
    return FROZEN / f"{path.stem}.txt"


def printed(*arguments: str) -> str:
    """What the command line prints, its notes first."""
    notes, text = io.StringIO(), io.StringIO()
    with redirect_stderr(notes), redirect_stdout(text):
        cli.main(list(arguments))
    return notes.getvalue() + text.getvalue()


def expansion(path: Path) -> str:
    """``plan --config F``, and ``plan --config F PATH`` of the first job of each kind."""
    text = printed("plan", "--config", str(path))
    first = {job.kind: job.path for job in reversed(Plan(load(path)).jobs.values())}
    for kind in sorted(first):
        text += f"\n{kind}: {first[kind]}\n" + printed("plan", "--config", str(path), first[kind])
    return text


@pytest.mark.parametrize("path", CONFIGURATIONS, ids=lambda path: path.stem)
def test_a_configuration_expands_to_what_it_expanded_to(path):
    assert expansion(path) == frozen(path).read_text()


def test_every_frozen_plan_is_of_a_configuration():
    assert {path.name for path in FROZEN.iterdir()} == {frozen(path).name for path in CONFIGURATIONS}


def test_planning_imports_none_of_the_large_libraries():
    code = "import sys; from benchmark.config import load; from benchmark.plan import Plan; "
    code += "plan = Plan(load('config.yaml')); assert plan.tables() and plan.figures(); "
    code += "print(*sorted({'torch', 'pandas', 'scipy', 'matplotlib'} & set(sys.modules)))"
    run = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True)
    assert (run.returncode, run.stdout.strip()) == (0, ""), run.stderr


if __name__ == "__main__":
    FROZEN.mkdir(exist_ok=True)
    for configuration in CONFIGURATIONS:
        frozen(configuration).write_text(expansion(configuration))
        print(json.dumps(str(frozen(configuration).relative_to(ROOT))))
