"""Holes drawn at random, by hand, or read from files: the right geometry, and the same bits for the same case."""

import hashlib
import warnings
from pathlib import Path

import numpy as np
import pytest
import torch
import yaml
from PIL import Image

from benchmark.data.masks import make_hole
from benchmark.data.masks.base import Draws
from benchmark.data.masks.pictures import MaskWarning
from benchmark.data.masks.strokes import draw_line
from benchmark.errors import BenchmarkError

SHARED = Path(__file__).resolve().parent.parent.parent / "shared" / "images"
SHAPE = (256, 256)
RANDOM = ("thin", "medium", "thick")


def hole_of(recipe, shape=SHAPE, case="one", seed=0, **parameters):
    return make_hole({"recipe": recipe, **parameters}, shape, dataset="any", case=case, seed=seed).numpy()


def refused(says, recipe, **parameters):
    with pytest.raises(BenchmarkError, match=says) as error:
        hole_of(recipe, **parameters)
    assert "\n" not in str(error.value)


# ---------------------------------------------------------------------------------------------------- RePaint's regular
@pytest.mark.parametrize(("recipe", "share"), [("ev2li", 0.5), ("nn2", 0.75), ("ex64", 0.9375), ("genhalf", 0.5)])
def test_repaint_s_regular_masks_hide_their_published_share(recipe, share):
    assert hole_of(recipe).mean() == share


def test_repaint_s_regular_masks_keep_what_they_say():
    assert not hole_of("ev2li")[::2].any()
    assert not hole_of("nn2")[::2, ::2].any()
    assert not hole_of("ex64")[96:160, 96:160].any()
    assert not hole_of("genhalf")[:, :128].any()


# ------------------------------------------------------------------------------------------------------- random strokes
@pytest.mark.parametrize("recipe", RANDOM)
def test_a_random_mask_is_the_same_for_a_case_and_another_for_another(recipe):
    hole = hole_of(recipe)
    assert np.array_equal(hole, hole_of(recipe))
    others = [hole_of(recipe, case="two"), hole_of(recipe, seed=1), hole_of(recipe, variant=1)]
    others.append(make_hole({"recipe": recipe}, SHAPE, dataset="other", case="one").numpy())
    assert all(not np.array_equal(hole, other) for other in others)


def test_random_masks_have_known_bits():
    bits = {recipe: hashlib.sha256(np.packbits(hole_of(recipe)).tobytes()).hexdigest()[:12] for recipe in RANDOM}
    assert bits == KNOWN_BITS


KNOWN_BITS = {"thin": "18454c04f425", "medium": "c1ded0cbf638", "thick": "e1228e1b8bed"}


@pytest.mark.parametrize(
    ("recipe", "low", "high"), [("thin", 0.22, 0.33), ("medium", 0.18, 0.30), ("thick", 0.20, 0.33)]
)
def test_random_masks_hide_no_more_than_half_and_as_much_as_their_kind_on_average(recipe, low, high):
    areas = np.array([hole_of(recipe, case=str(i)).mean() for i in range(60)])
    assert areas.min() > 0
    assert areas.max() <= 0.5
    assert low < areas.mean() < high


@pytest.mark.parametrize("recipe", RANDOM)
def test_a_random_mask_is_the_same_drawing_at_every_size(recipe):
    full = hole_of(recipe)
    assert np.array_equal(hole_of(recipe, shape=(64, 64)), full[2::4, 2::4])
    assert np.array_equal(hole_of(recipe, shape=(512, 512))[::2, ::2], full)
    assert hole_of(recipe, shape=(64, 96)).shape == (64, 96)


def test_a_random_mask_without_a_case_s_name_is_refused():
    with pytest.raises(BenchmarkError, match="drawn for each case by its name"):
        make_hole({"recipe": "thick"}, SHAPE)
    refused("variant: 'a' is not of type int", "thick", variant="a")


def test_draws_are_uniform_and_within_their_limits():
    random = Draws(("test",))
    numbers = np.array([random.between(3, 7) for _ in range(2000)])
    assert set(numbers) == {3, 4, 5, 6, 7}
    assert np.bincount(numbers)[3:].min() > 330
    assert 0.48 < np.mean([random.uniform() for _ in range(2000)]) < 0.52


@pytest.mark.parametrize("end", [(40, 20), (20, 45), (9, 9), (38, 41), (20, 20)])
@pytest.mark.parametrize("thickness", [5, 8])
def test_a_line_is_every_pixel_within_half_its_thickness(end, thickness):
    hole = np.zeros((50, 60), bool)
    draw_line(hole, (20, 20), end, thickness)
    y, x = np.mgrid[:50, :60]
    along = np.linspace(0, 1, 2001)[:, None, None]
    px, py = 20 + along * (end[0] - 20), 20 + along * (end[1] - 20)
    distance = np.sqrt(((x - px) ** 2 + (y - py) ** 2).min(0))
    assert np.array_equal(
        hole[np.abs(distance - thickness / 2) > 0.01],
        (distance <= thickness / 2)[np.abs(distance - thickness / 2) > 0.01],
    )


# ------------------------------------------------------------------------------------------------------------- polygons
def test_a_box_of_a_case_hides_its_pixels():
    hole = hole_of("polygon", shape=(16, 20), cases={"one": {"box": [2, 3, 7, 9]}})
    assert hole.sum() == 5 * 6
    assert hole[3:9, 2:7].all()


def test_a_polygon_is_scaled_from_the_picture_it_was_read_on():
    small = hole_of("polygon", shape=(32, 32), cases={"one": [[8, 8], [24, 8], [16, 24]]})
    large = hole_of("polygon", shape=(64, 64), size=[32, 32], cases={"one": [[8, 8], [24, 8], [16, 24]]})
    assert abs(small.mean() - 128 / 1024) < 0.01
    assert abs(large.mean() - 128 / 1024) < 0.005


def test_several_polygons_add_up_and_a_default_serves_the_other_cases():
    squares = [[[0, 0], [4, 0], [4, 4], [0, 4]], [[8, 8], [12, 8], [12, 12], [8, 12]]]
    assert hole_of("polygon", shape=(16, 16), cases={"one": squares, "default": squares[0]}).sum() == 32
    assert hole_of("polygon", shape=(16, 16), case="two", cases={"one": squares, "default": squares[0]}).sum() == 16


def test_polygons_from_a_file_keep_names_as_they_are_written(tmp_path):
    file = tmp_path / "cats.yaml"
    file.write_text("size: [16, 16]\ncases:\n  00017: {box: [0, 0, 4, 4]}\n  15: [[0, 0], [8, 0], [8, 8], [0, 8]]\n")
    assert hole_of("polygon", shape=(16, 16), case="00017", file=str(file)).sum() == 16
    assert hole_of("polygon", shape=(16, 16), case="15", file=str(file)).sum() == 64
    refused("no polygon of case '17'", "polygon", case="17", file=str(file))


def test_a_bad_polygon_gets_one_line(tmp_path):
    refused("neither of file and cases; give one of them", "polygon")
    refused("cannot be read", "polygon", file=str(tmp_path / "none.yaml"))
    refused("no polygon of case 'one'", "polygon", cases={})
    refused("three corners", "polygon", cases={"one": [[0, 0], [1, 1]]})
    refused("three corners", "polygon", cases={"one": "everything"})
    refused(r"\[x0, y0, x1, y1\]", "polygon", cases={"one": {"box": [1, 2, 3]}})
    refused(r"expected \[W, H\]", "polygon", cases={"one": {"box": [1, 2, 3, 4]}}, size=[3])
    (tmp_path / "bad.yaml").write_text("cases: [\n")
    refused("not valid YAML", "polygon", file=str(tmp_path / "bad.yaml"))
    (tmp_path / "run.yaml").write_text("cases: !!python/object/apply:os.system [touch hacked]\n")
    refused("not valid YAML|keys cases", "polygon", file=str(tmp_path / "run.yaml"))


# -------------------------------------------------------------------------------------------------------- image as mask
def write_mask(path, hole, unknown="black", size=None):
    levels = np.where(hole == (unknown == "black"), 0, 255).astype(np.uint8)
    image = Image.fromarray(levels)
    path.parent.mkdir(parents=True, exist_ok=True)
    (image if size is None else image.resize(size, Image.Resampling.NEAREST)).save(path)
    return path


@pytest.fixture
def hole():
    area = np.zeros((64, 64), bool)
    area[10:30, 20:50] = True
    return area


@pytest.mark.parametrize("unknown", ["black", "white"])
def test_an_image_as_mask_hides_its_black_pixels_or_the_white_ones(tmp_path, hole, unknown):
    file = write_mask(tmp_path / "mask.png", hole, unknown)
    assert np.array_equal(hole_of("mask_image", (64, 64), file=str(file), unknown=unknown), hole)
    assert np.array_equal(hole_of("mask_image", (128, 128), file=str(file), unknown=unknown)[::2, ::2], hole)


def test_masks_are_found_by_the_case_s_name_unless_it_is_called_otherwise(tmp_path, hole):
    write_mask(tmp_path / "one.PNG", hole)
    write_mask(tmp_path / "1116.png", hole.T)
    recipe = {"folder": str(tmp_path), "files": {16315: "1116.png"}}
    assert np.array_equal(hole_of("mask_image", (64, 64), case="folder/one", **recipe), hole)
    assert np.array_equal(hole_of("mask_image", (64, 64), case="16315", **recipe), hole.T)
    refused("no mask of case 'two'", "mask_image", case="two", **recipe)
    refused("is no file name below", "mask_image", case="two", folder=str(tmp_path), files={"two": "../../etc/passwd"})
    refused("is no file name below", "mask_image", case="..", folder=str(tmp_path))


def test_the_threshold_is_inclusive_below_and_configurable(tmp_path):
    file = tmp_path / "ramp.png"
    Image.fromarray(np.arange(256, dtype=np.uint8).reshape(16, 16)).save(file)
    assert hole_of("mask_image", (16, 16), file=str(file)).sum() == 128
    assert hole_of("mask_image", (16, 16), file=str(file), threshold=178.5).sum() == 179


def test_a_jpeg_as_mask_is_used_with_a_warning_and_a_png_without(tmp_path, hole):
    write_mask(tmp_path / "mask.jpg", hole)
    write_mask(tmp_path / "mask.png", hole)
    with pytest.warns(
        MaskWarning, match=r"a JPEG as mask: .*% of its pixels are neither black nor white; split at 127"
    ):
        hole_of("mask_image", (64, 64), file=str(tmp_path / "mask.jpg"))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        hole_of("mask_image", (64, 64), file=str(tmp_path / "mask.png"))


def test_a_mask_file_that_cannot_be_used_gets_one_line(tmp_path, hole):
    (tmp_path / "bad.png").write_bytes(b"\x89PNG\r\n\x1a\n and no more")
    Image.fromarray(hole.astype(np.uint8)).save(tmp_path / "ones.png")
    write_mask(tmp_path / "full.png", np.ones((8, 8), bool))
    refused("not a readable image", "mask_image", file=str(tmp_path / "bad.png"))
    refused("no such image", "mask_image", file=str(tmp_path / "none.png"))
    refused("levels are 0 and 1", "mask_image", file=str(tmp_path / "ones.png"))
    refused("covers the whole picture", "mask_image", file=str(tmp_path / "full.png"))
    refused("neither of file and folder; give one of them", "mask_image")
    refused("use black or white", "mask_image", file="x", unknown="grey")
    refused(
        "threshold: 255 is out of range; give 0 or more and less than 255",
        "mask_image",
        file=str(tmp_path / "full.png"),
        threshold=255,
    )


# ------------------------------------------------------------------------------------------------------ irregular masks
def irregular(folder, unknown, count=12):
    for i in range(count):
        write_mask(folder / f"{i:05d}.png", hole_of("thin", case=f"mask{i}"), unknown, (512, 512))
    return str(folder)


@pytest.mark.parametrize("unknown", ["black", "white"])
def test_the_polarity_of_irregular_masks_is_found_by_their_area(tmp_path, unknown):
    folder = irregular(tmp_path, unknown)
    holes = [hole_of("mask_folder", case=str(i), folder=folder) for i in range(8)]
    assert all(0.01 <= hole.mean() <= 0.6 for hole in holes)
    assert np.array_equal(holes[0], hole_of("mask_folder", case="0", folder=folder, unknown=unknown))
    assert len({hole.tobytes() for hole in holes}) > 3
    assert np.array_equal(holes[0], hole_of("mask_folder", case="0", folder=folder))


def test_the_area_limits_choose_among_the_masks(tmp_path):
    folder = irregular(tmp_path, "white")
    areas = sorted(hole_of("thin", case=f"mask{i}").mean() for i in range(12))
    limits = {"min_area": areas[3] - 1e-6, "max_area": areas[5] + 1e-6, "unknown": "white"}
    for i in range(6):
        assert (
            limits["min_area"]
            <= hole_of("mask_folder", case=str(i), folder=folder, **limits).mean()
            <= limits["max_area"]
        )
    refused("no mask whose hole", "mask_folder", folder=folder, min_area=0.9, max_area=0.95, unknown="white")


def test_a_folder_that_does_not_tell_its_polarity_asks_for_it(tmp_path):
    for i in range(4):
        write_mask(tmp_path / f"{i}.png", np.arange(64)[:, None].repeat(64, 1) < 32)
    refused("do not tell which is the hole; say unknown: black or unknown: white", "mask_folder", folder=str(tmp_path))
    assert hole_of("mask_folder", folder=str(tmp_path), unknown="white").mean() == 0.5


def test_a_bad_mask_folder_gets_one_line(tmp_path):
    refused("folder: missing", "mask_folder")
    refused("no such folder", "mask_folder", folder=str(tmp_path / "none"))
    refused("has no images", "mask_folder", folder=str(tmp_path))
    refused("use black or white or auto", "mask_folder", folder=str(tmp_path), unknown="grey")
    refused("min_area < max_area", "mask_folder", folder=str(tmp_path), min_area=0.7)


# ------------------------------------------------------------------------------------------------------ published masks
@pytest.mark.skipif(not SHARED.is_dir(), reason="the published masks are not here")
def test_the_published_masks_go_through_with_a_warning_and_their_areas():
    folder = SHARED / "celeba_inp_masks"
    areas = {"16315": 0.186920, "19054": 0.297546, "21359": 0.327301, "29302": 0.186920}
    for case, area in areas.items():
        with pytest.warns(MaskWarning):
            hole = hole_of("mask_image", case=f"{case}/{case}", folder=str(folder), files={"16315": "1116.jpg"})
        assert abs(hole.mean() - area) < 1e-6
    with pytest.warns(MaskWarning):
        drawn = hole_of("mask_folder", folder=str(folder))
    assert round(float(drawn.mean()), 6) in areas.values()


def test_every_recipe_of_a_configuration_survives_yaml():
    recipe = yaml.safe_load("{recipe: polygon, size: [16, 16], cases: {cat: [[1, 1], [9, 2], [4, 12]]}}")
    assert make_hole(recipe, (16, 16), case="cat").dtype == torch.bool
