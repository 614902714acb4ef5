"""The environments of the project name the same versions."""

import re
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).resolve().parent.parent


def lock():
    """Package -> version of requirements.lock."""
    lines = (ROOT / "requirements.lock").read_text().splitlines()
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


def test_the_lock_pins_every_dependency_of_the_package():
    import tomllib

    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    wanted = [
        *project["dependencies"],
        *(name for extra in project["optional-dependencies"].values() for name in extra),
    ]
    names = {canonical(re.match(r"[\w.-]+", requirement)[0]) for requirement in wanted}
    assert names <= set(lock())


def test_the_lock_names_no_index_and_no_path():
    text = (ROOT / "requirements.lock").read_text()
    assert not re.search(r"://|^-|@|/", text, re.MULTILINE)


def test_the_package_is_not_pinned_to_itself():
    assert "meaningful-diversity-benchmark" not in lock()
