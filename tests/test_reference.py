"""The pages of docs/reference are what the registries say, the picture of the house what its modules import."""

import importlib.util
from pathlib import Path

import pytest

DOCS = Path(__file__).resolve().parent.parent / "docs"


def module(name):
    spec = importlib.util.spec_from_file_location(name, DOCS / f"{name}.py")
    found = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(found)
    return found


def pages():
    return module("make_reference")


@pytest.mark.parametrize("name", ["metrics", "samplers", "masks", "options"])
def test_a_page_of_the_reference_is_what_the_registries_say(name):
    assert (DOCS / "reference" / f"{name}.md").read_text(encoding="utf-8") == pages().page(name), "run `make pages`"


def test_every_page_of_the_reference_is_written_from_the_registries():
    assert {path.stem for path in (DOCS / "reference").glob("*")} == set(pages().PAGES)


def test_stars_of_a_formula_are_no_emphasis():
    assert pages().prose("y = m * x, (N, C*H*W), **bold**") == "y = m \\* x, (N, C\\*H\\*W), **bold**"


def test_the_picture_of_the_house_is_drawn_from_its_imports():
    house = module("make_architecture")
    assert house.PICTURE.read_text(encoding="utf-8") == house.picture(), "run `make pages`"


def test_a_room_stands_above_what_it_imports_and_lines_say_nothing_twice():
    house = module("make_architecture")
    graph = {"roof": {"wall", "stone"}, "wall": {"stone"}, "stone": set()}
    levels = house.floors(graph)
    assert levels == {"stone": 0, "wall": 1, "roof": 2}
    assert house.reduced(graph, levels) == {"roof": {"wall"}, "wall": {"stone"}, "stone": set()}
    with pytest.raises(ValueError, match="circle"):
        house.floors({"a": {"b"}, "b": {"a"}})
