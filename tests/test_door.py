"""What a stranger meets first holds what it says: versions, locks, hooks, workflows, pages."""

import re
from pathlib import Path

import pytest
import yaml

from benchmark import __version__

ROOT = Path(__file__).resolve().parent.parent


def read(path: str) -> str:
    return (ROOT / path).read_text(encoding="utf-8")


def test_the_changelog_begins_with_the_packages_version():
    assert re.search(r"^## \[(.+?)\]", read("CHANGELOG.md"), re.MULTILINE)[1] == __version__
    assert yaml.safe_load(read("CITATION.cff"))["version"] == __version__


def test_the_workflow_calls_the_checks_on_the_oldest_and_the_newest_python():
    job = yaml.safe_load(read(".github/workflows/test.yml"))["jobs"]["ci"]
    assert job["steps"][-1] == {"run": "bash .ci/run"}
    assert job["strategy"]["matrix"]["python"] == ["3.11", "3.13"]
    assert job["timeout-minutes"] <= 60


def test_what_ci_runs_has_style_types_and_the_site_before_the_tests():
    recipe = re.search(r"^check: .*\n((?:\t.*\n)+)", read("Makefile"), re.MULTILINE)[1]
    for tool in ("pre-commit run --all-files", "mypy", "mkdocs build --quiet --strict"):
        assert tool in recipe
    commands = read(".ci/run")
    assert 0 < commands.index(" check") < commands.index("snakemake --lint") < commands.index(" test\n")


def test_hooks_are_tools_that_the_locks_pin():
    hooks = [hook for repo in yaml.safe_load(read(".pre-commit-config.yaml"))["repos"] for hook in repo["hooks"]]
    assert {"ruff", "ruff-format", "snakefmt", "typos", "large-files"} == {hook["id"] for hook in hooks}
    assert all(hook["entry"].startswith(".venv/") and hook["language"] == "system" for hook in hooks)


@pytest.mark.parametrize("template", ["bug.yml", "proposal.yml"])
def test_a_template_of_issues_has_a_name_and_a_form(template):
    form = yaml.safe_load(read(f".github/ISSUE_TEMPLATE/{template}"))
    assert form["name"]
    assert form["description"]
    assert form["body"]


PRINTED = {"statistics.md", "sensitivity_table.md"}  # by their commands
PROSE = [
    *sorted(f"docs/{path.relative_to(ROOT / 'docs')}" for path in (ROOT / "docs").rglob("*.md")),
    *("README.md", "CONTRIBUTING.md", "CHANGELOG.md", "config/README.md", "results/README.md"),
]


@pytest.mark.parametrize("page", [page for page in PROSE if Path(page).name not in PRINTED])
def test_lines_of_prose_have_fewer_than_120_columns(page):
    outside = re.sub(r"^```.*?^```", "", read(page), flags=re.DOTALL | re.MULTILINE).splitlines()
    assert not [line for line in outside if len(line) >= 120 and not line.startswith("|")]


@pytest.mark.parametrize("page", ["README.md", "CONTRIBUTING.md", "config/README.md", "results/README.md"])
def test_links_of_pages_outside_the_site_lead_somewhere(page):
    links = re.findall(r"\]\((?!https?:|#)([^)#]+)", read(page))
    assert not [link for link in links if not (ROOT / page).parent.joinpath(link).exists()]
