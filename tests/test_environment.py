"""The environments of the project name the same versions."""

import re
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).resolve().parent.parent


LOCKS = ("requirements.lock", "requirements-checks.lock")  # what a run and the tests need; what .ci/run checks with


def lock(name="requirements.lock"):
    """Package -> version of a lock."""
    lines = (ROOT / name).read_text().splitlines()
    pins = [re.fullmatch(r"([\w.-]+)==([\w.+!-]+)( ; .+)?", line) for line in lines]
    assert all(pins), [line for line, pin in zip(lines, pins) if not pin]
    return {canonical(pin[1]): pin[2] for pin in pins}


def canonical(name):
    return re.sub(r"[-_.]+", "-", name).lower()


@pytest.mark.parametrize("name", ["cpu.yaml", "gpu.yaml"])
def test_conda_environments_hold_the_locks_versions(name):
    environment = yaml.safe_load((ROOT / "envs" / name).read_text())
    pins = next(item["pip"] for item in environment["dependencies"] if isinstance(item, dict))
    found = dict(pin.split("==") for pin in pins)
    assert {"torch", "pyarrow", "safetensors"} <= set(found)
    assert {package: lock()[canonical(package)] for package in found} == found


def test_the_locks_pin_every_dependency_of_the_package():
    import tomllib

    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    extras = project["optional-dependencies"]
    checks = extras.pop("checks")
    runs = [*project["dependencies"], *(name for extra in extras.values() for name in extra)]
    for wanted, name in zip((runs, checks), LOCKS, strict=True):
        names = {canonical(re.match(r"[\w.-]+", requirement)[0]) for requirement in wanted}
        assert names <= set(lock(name))


@pytest.mark.parametrize("name", LOCKS)
def test_a_lock_names_no_index_and_no_path(name):
    assert not re.search(r"://|^-|@|/", (ROOT / name).read_text(), re.MULTILINE)


@pytest.mark.parametrize("name", LOCKS)
def test_the_package_is_not_pinned_to_itself(name):
    assert "meaningful-diversity-benchmark" not in lock(name)
