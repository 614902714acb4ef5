"""Holes: recipes do what they say, and a bad one gets one line. (Random ones and files: test_mask_recipes.py.)"""

import inspect

import numpy as np
import pytest
import torch
from PIL import Image

from benchmark.data.masks import RECIPES, dilate, make_hole
from benchmark.errors import BenchmarkError

SHAPE = (16, 20)
DOT = torch.zeros(SHAPE, dtype=torch.bool)
DOT[8, 10] = True
SAMPLES = [
    {"recipe": "left"},
    {"recipe": "right"},
    {"recipe": "top"},
    {"recipe": "bottom"},
    {"recipe": "box", "fraction": 0.5},
    {"recipe": "parts", "parts": ["dot"], "dilate": 2},
    {"recipe": "ev2li"},
    {"recipe": "nn2"},
    {"recipe": "ex64"},
    {"recipe": "genhalf"},
    {"recipe": "polygon", "cases": {"default": [[1, 1], [9, 2], [4, 12]]}},
    {"recipe": "thin"},
    {"recipe": "medium"},
    {"recipe": "thick"},
]
FROM_FILES = {"mask_image", "mask_folder"}


def test_every_recipe_has_a_sample():
    assert {s["recipe"] for s in SAMPLES} | FROM_FILES == set(RECIPES)


@pytest.mark.parametrize("recipe", SAMPLES, ids=lambda r: r["recipe"])
def test_a_hole_is_boolean_of_the_picture_s_shape_and_neither_empty_nor_full(recipe):
    hole = make_hole(recipe, SHAPE, {"dot": DOT}, dataset="any", case="one")
    assert hole.dtype == torch.bool
    assert hole.shape == SHAPE
    assert 0 < hole.sum() < hole.numel()


@pytest.mark.parametrize(("one", "other"), [("left", "right"), ("top", "bottom")])
@pytest.mark.parametrize("shape", [(16, 20), (15, 17)])
def test_opposite_halves_make_the_picture(one, other, shape):
    assert torch.equal(make_hole({"recipe": one}, shape), ~make_hole({"recipe": other}, shape))


def test_left_hides_the_left_columns_and_top_the_upper_rows():
    assert make_hole({"recipe": "left"}, SHAPE)[:, :10].all()
    assert make_hole({"recipe": "top"}, SHAPE)[:8].all()


def test_a_centre_box_has_the_asked_sides_and_is_symmetric():
    hole = make_hole({"recipe": "box", "fraction": 0.5}, SHAPE)
    assert hole.sum() == 8 * 10
    assert torch.equal(hole, hole.flip(0, 1))


@pytest.mark.parametrize(("radius", "area"), [(0, 1), (1, 5), (2, 13), (3, 29)])
def test_a_dilated_pixel_is_a_disk(radius, area):
    assert dilate(DOT, radius).sum() == area


def test_parts_hides_the_union_of_the_parts():
    maps = {"a": torch.zeros(SHAPE, dtype=torch.bool), "b": DOT}
    maps["a"][2, 2] = True
    hole = make_hole({"recipe": "parts", "parts": ["a", "b"], "dilate": 1}, SHAPE, maps)
    assert torch.equal(hole, dilate(maps["a"], 1) | dilate(maps["b"], 1))


@pytest.mark.parametrize(
    ("recipe", "says"),
    [
        ({"recipe": "middle"}, "unknown mask recipe 'middle': known recipes are bottom, box, ev2li"),
        ({}, "unknown mask recipe None"),
        ({"recipe": "left", "width": 3}, "mask recipe left.width: unknown option; there is none"),
        ({"recipe": "box", "size": 3}, "mask recipe box.size: unknown option; known: fraction"),
        ({"recipe": "box", "fraction": 1.0}, "give more than 0 and less than 1"),
        ({"recipe": "box", "fraction": 0.001}, "the hole is empty"),
        ({"recipe": "parts", "parts": ["nose"]}, "unknown part 'nose': known parts are dot, none, all"),
        ({"recipe": "parts", "parts": "dot"}, "parts.parts: 'dot' is not of type list. Names of parts"),
        ({"recipe": "parts", "parts": []}, "has no parts; give names of parts"),
        (
            {"recipe": "parts", "parts": ["dot"], "dilate": -1},
            "dilate: -1 is out of range; give a whole number from 0 to 1000",
        ),
        ({"recipe": "parts"}, "mask recipe parts.parts: missing. Names of parts"),
        ({"recipe": "parts", "parts": ["dot"], "dilate": 0}, "covers 0.3%"),
        ({"recipe": "parts", "parts": ["dot"], "dilate": 9}, "min_area and max_area allow 0.5% to 50.0%"),
        ({"recipe": "parts", "parts": ["none"], "min_area": 0.0}, "the hole is empty"),
        ({"recipe": "parts", "parts": ["all"], "max_area": 1.0}, "covers the whole picture"),
        ({"recipe": "parts", "parts": ["dot"], "min_area": 0.6}, "min_area < max_area"),
    ],
)
def test_a_bad_recipe_gets_one_line_that_says_what_would_be_right(recipe, says):
    maps = {"dot": DOT, "none": torch.zeros_like(DOT), "all": torch.ones_like(DOT)}
    with pytest.raises(BenchmarkError) as error:
        make_hole(recipe, SHAPE, maps)
    assert says in str(error.value)
    assert "\n" not in str(error.value)


def test_parts_of_another_size_or_of_no_picture_are_refused():
    with pytest.raises(BenchmarkError, match="is 16x20; it must be 8x8"):
        make_hole({"recipe": "parts", "parts": ["dot"]}, (8, 8), {"dot": DOT})
    with pytest.raises(BenchmarkError, match="no part maps"):
        make_hole({"recipe": "parts", "parts": ["dot"]}, SHAPE)


NUMBERS = [
    (recipe, key)
    for recipe, function in RECIPES.items()
    for key, option in inspect.signature(function).parameters.items()
    if isinstance(option.default, int | float) and not isinstance(option.default, bool)
]


@pytest.mark.parametrize("value", [float("nan"), float("inf"), float("-inf")])
@pytest.mark.parametrize(("recipe", "key"), NUMBERS)
def test_a_number_that_is_not_finite_is_refused_by_every_recipe(recipe, key, value, tmp_path):
    Image.fromarray(np.eye(20, dtype=np.uint8) * 255).save(tmp_path / "mask.png")
    needed = {"parts": {"parts": ["dot"]}, "mask_image": {"file": str(tmp_path / "mask.png")}}
    needed["mask_folder"] = {"folder": str(tmp_path), "max_area": 0.99, "unknown": "black"}
    settings = {"recipe": recipe, **needed.get(recipe, {}), key: value}
    with pytest.raises(BenchmarkError, match=r"(nan|inf)") as error:
        make_hole(settings, SHAPE, {"dot": DOT}, dataset="any", case="one")
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("size", [[0, 20], [20, -1], [float("nan"), 20]])
def test_a_polygon_is_not_read_on_a_picture_without_pixels(size):
    settings = {"recipe": "polygon", "cases": {"default": [[1, 1], [9, 2], [4, 12]]}, "size": size}
    with pytest.raises(BenchmarkError, match="W, H"):
        make_hole(settings, SHAPE, case="one")
