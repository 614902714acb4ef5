"""The pages of docs/reference are what the registries say."""

import importlib.util
from pathlib import Path

import pytest

DOCS = Path(__file__).resolve().parent.parent / "docs"


def pages():
    spec = importlib.util.spec_from_file_location("make_reference", DOCS / "make_reference.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("name", ["metrics", "samplers", "masks", "options"])
def test_a_page_of_the_reference_is_what_the_registries_say(name):
    assert (DOCS / "reference" / f"{name}.md").read_text(encoding="utf-8") == pages().page(name), "run `make pages`"


def test_every_page_of_the_reference_is_written_from_the_registries():
    assert {path.stem for path in (DOCS / "reference").glob("*")} == set(pages().PAGES)


def test_stars_of_a_formula_are_no_emphasis():
    assert pages().prose("y = m * x, (N, C*H*W), **bold**") == "y = m \\* x, (N, C\\*H\\*W), **bold**"
