"""Every drawn world: known attributes, exact parts, reproducible pictures; and what bedrooms promise beside."""

import inspect
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from benchmark import cli
from benchmark.data.masks import dilate, make_hole
from benchmark.data.sources import SOURCES, pictures
from benchmark.data.worlds import WORLDS, bedrooms, get_world
from benchmark.errors import BenchmarkError

COUNT = 32
EVERYWHERE = None
# Where each attribute shows, by the names of parts.
SHOWN_IN = {
    "faces": {
        "mouth": ["mouth"],
        "glasses": ["glasses"],
        "brows": ["brows"],
        "beard": ["beard"],
        "hair": ["hair"],
        "hair_colour": ["hair", "brows", "beard"],
        "hat": ["hair"],
        "skin": ["face"],
        "eyes": ["eyes"],
        "background": ["background", "hair", "beard", "face"],
    },
    "cats": {
        "ears": ["ears"],
        "eyes": ["eyes"],
        "eye_colour": ["eyes"],
        "pattern": ["head", "ears", "body"],
        "coat": ["head", "ears", "whiskers", "body"],
        "whiskers": ["whiskers"],
        "mouth": ["mouth"],
        "accessory": ["accessory"],
        "background": EVERYWHERE,
    },
    "bedrooms": {
        "symmetry": ["right_half"],
        **{name: [name] for name in ("bed", "window", "lamp", "wardrobe", "picture", "rug", "plant")},
        "bedspread": ["bed"],
        "wall": EVERYWHERE,
        "floor": EVERYWHERE,
    },
    "statues": {
        "stone": ["bust", "hair", "plinth"],
        "hair": ["hair"],
        "beard": ["bust"],
        "mouth": ["mouth"],
        "wreath": ["hair"],
        "plinth": ["plinth"],
        "background": EVERYWHERE,
    },
}


def drawn(name):
    world = get_world(name)
    attributes = world.sample_attributes(COUNT, torch.Generator().manual_seed(7))
    images, parts = world.render(attributes, parts=True)
    return world, attributes, images, parts


@pytest.fixture(scope="module", params=WORLDS)
def name(request):
    return request.param


@pytest.fixture(scope="module")
def scene(name):
    return drawn(name)


def test_the_shares_of_each_attribute_sum_to_one_and_stand_in_the_module_s_text(name):
    world = get_world(name)
    text = inspect.getdoc(world)
    for attribute, shares in world.ATTRIBUTES.items():
        assert sum(shares.values()) == pytest.approx(1), attribute
        for value, share in shares.items():
            assert f"{value} {share:.2f}".replace(" 0.", " .") in text, (attribute, value)


def test_most_attributes_have_a_value_of_at_most_a_tenth(name):
    tables = get_world(name).ATTRIBUTES
    assert sum(0.03 <= min(shares.values()) <= 0.10 for shares in tables.values()) > len(tables) / 2


def test_attributes_come_with_their_shares_and_independent_of_each_other(name):
    world, count = get_world(name), 40000
    values = world.sample_attributes(count, torch.Generator().manual_seed(0)).values
    for attribute, shares in world.ATTRIBUTES.items():
        found = torch.bincount(values[attribute], minlength=len(shares)) / count
        for share, value in zip(found.tolist(), shares):
            spread = (shares[value] * (1 - shares[value]) / count) ** 0.5
            assert abs(share - shares[value]) < 4.5 * spread, (attribute, value)
    columns = torch.stack([v.float() for v in values.values()])
    assert (torch.corrcoef(columns) - torch.eye(len(columns))).abs().max() < 4.5 / count**0.5


def test_a_picture_depends_neither_on_its_neighbours_nor_on_its_place_in_the_batch(scene):
    world, attributes, images, parts = scene
    alone, its_parts = world.render(attributes[11:12], parts=True)
    assert torch.equal(alone[0], images[11])
    assert all(torch.equal(its_parts[part][0], parts[part][11]) for part in world.PARTS)
    backwards = world.render(attributes[list(range(COUNT))[::-1]])
    assert torch.equal(backwards.flip(0), images)


def test_two_draws_in_a_row_continue_one_stream(name):
    world, generator = get_world(name), torch.Generator().manual_seed(1)
    first, second = world.sample_attributes(3, generator), world.sample_attributes(4, generator)
    whole = world.sample_attributes(7, torch.Generator().manual_seed(1))
    assert first.labels() + second.labels() == whole.labels()
    assert torch.equal(world.render(whole)[3:], world.render(second))


@pytest.mark.parametrize("size", [32, 63, 64, 96])
def test_pictures_are_float32_in_minus_one_to_one_at_any_size_and_so_large_are_the_parts(name, size):
    world = get_world(name)
    images, parts = world.render(world.sample_attributes(3, torch.Generator().manual_seed(0)), size, parts=True)
    assert images.shape == (3, 3, size, size)
    assert images.dtype == torch.float32
    assert images.min() >= -1
    assert images.max() <= 1
    assert tuple(parts) == world.PARTS
    assert all(m.shape == (3, size, size) and m.dtype == torch.bool for m in parts.values())


def test_every_part_is_inside_the_picture_with_room_for_a_hole(scene):
    world, _, _, parts = scene
    for part in world.PARTS:
        area = parts[part].float().mean(dim=(1, 2))
        assert area.min() >= 0.005, part
        assert area.max() <= 0.65, part


def test_parts_do_not_depend_on_the_attributes(scene):
    world, attributes, _, parts = scene
    for attribute, shares in world.ATTRIBUTES.items():
        other = world.part_maps(attributes.with_value(attribute, list(shares)[-1]))
        assert all(torch.equal(other[part], parts[part]) for part in world.PARTS)


def test_changing_an_attribute_changes_pixels_in_its_parts_only(name, scene):
    world, attributes, images, parts = scene
    assert set(SHOWN_IN[name]) == set(world.ATTRIBUTES)
    for attribute, places in SHOWN_IN[name].items():
        if places is EVERYWHERE:
            continue
        region = torch.stack([parts[part] for part in places]).any(0)
        for value in world.ATTRIBUTES[attribute]:
            changed = (world.render(attributes.with_value(attribute, value)) != images).any(1)
            for i in range(COUNT):
                assert not (changed[i] & ~dilate(region[i], 1)).any(), (attribute, value, i)


def test_every_value_shows_whatever_the_other_attributes_are(scene):
    world, attributes, _, _ = scene
    for attribute, shares in world.ATTRIBUTES.items():
        drawings = [world.render(attributes.with_value(attribute, value)) for value in shares]
        for i, one in enumerate(drawings):
            for other in drawings[i + 1 :]:
                visible = ((one - other).abs().amax(1) > 0.15).flatten(1).sum(1)
                assert visible.min() >= 12, (attribute, i)


@pytest.mark.parametrize(
    ("name", "attributes", "parts"),
    [
        ("cats", ["eyes", "eye_colour", "mouth"], ["face"]),
        ("cats", ["ears"], ["ears"]),
        ("cats", ["whiskers"], ["whiskers"]),
        ("cats", ["accessory"], ["accessory"]),
        ("faces", ["mouth", "brows"], ["mouth", "brows"]),
        ("bedrooms", ["symmetry"], ["right_half"]),
        ("bedrooms", ["bed", "bedspread"], ["bed"]),
        ("bedrooms", ["window"], ["window"]),
        ("bedrooms", ["lamp"], ["lamp"]),
        ("bedrooms", ["wardrobe"], ["wardrobe"]),
        ("bedrooms", ["picture"], ["picture"]),
        ("bedrooms", ["rug"], ["rug"]),
        ("bedrooms", ["plant"], ["plant"]),
        ("statues", ["mouth"], ["mouth"]),
    ],
)
def test_a_hole_over_parts_hides_what_they_show(name, attributes, parts):
    world, drawn_ones, images, maps = drawn(name)
    grow = 0 if parts == ["right_half"] else 2
    recipe = {"recipe": "parts", "parts": parts, "dilate": grow, "max_area": 0.6}
    for i in range(0, COUNT, 4):
        hole = make_hole(recipe, (64, 64), {part: m[i] for part, m in maps.items()})
        for attribute in attributes:
            for value in world.ATTRIBUTES[attribute]:
                other = world.render(drawn_ones[i : i + 1].with_value(attribute, value))[0]
                assert torch.equal(other[:, ~hole], images[i][:, ~hole]), (attribute, value)


@pytest.mark.parametrize("size", [32, 63, 64])
def test_a_mirrored_room_is_its_own_mirror_image_and_no_other_room_is(size):
    attributes = bedrooms.sample_attributes(COUNT, torch.Generator().manual_seed(2))
    for value in bedrooms.ATTRIBUTES["symmetry"]:
        rooms = bedrooms.render(attributes.with_value("symmetry", value), size)
        equal = (rooms == rooms.flip(-1)).flatten(1).all(1)
        assert bool(equal.all()) if value == "mirrored" else not bool(equal.any())


def test_the_left_half_of_a_room_tells_nothing_about_its_symmetry():
    attributes = bedrooms.sample_attributes(COUNT, torch.Generator().manual_seed(2))
    rooms = [bedrooms.render(attributes.with_value("symmetry", value)) for value in bedrooms.ATTRIBUTES["symmetry"]]
    assert all(torch.equal(rooms[0][..., :32], other[..., :32]) for other in rooms[1:])


def test_every_world_is_a_source_of_the_same_pictures(name):
    assert name in SOURCES
    first = list(pictures({"name": name}, 2, 0))
    assert [picture.case for picture in first] == [f"{name}0_0000", f"{name}0_0001"]
    assert set(first[0].attributes) == set(get_world(name).ATTRIBUTES)
    assert (list(pictures({"name": name}, 3, 0))[1].image == first[1].image).all()


def test_an_unknown_world_is_refused_with_the_known_ones():
    with pytest.raises(BenchmarkError, match="known worlds are bedrooms, cats, faces, statues"):
        get_world("dogs")


def test_the_documentation_holds_the_tables_that_the_command_prints(capsys):
    assert cli.main(["worlds"]) == 0
    page = (Path(__file__).resolve().parent.parent / "docs" / "worlds.md").read_text()
    sections = capsys.readouterr().out.split("### ")[1:]
    assert [section.split("\n", 1)[0] for section in sections] == list(WORLDS)
    assert all(section.split("\n", 1)[1].strip() in page for section in sections)


def test_the_sheet_is_the_one_of_the_documentation(tmp_path):
    assert cli.main(["worlds", "--output", str(tmp_path / "sheet.png")]) == 0
    shown = Path(__file__).resolve().parent.parent / "docs" / "images" / "worlds.png"
    drawn, known = (np.asarray(Image.open(path), np.int16) for path in (tmp_path / "sheet.png", shown))
    assert shown.stat().st_size <= 300_000
    assert drawn.shape == known.shape
    assert np.abs(drawn - known).max() <= 1


@pytest.mark.parametrize(
    ("options", "message"),
    [(["--world", "dogs"], "known worlds are"), (["--output", "a.jpg"], ".png"), (["--rows", "0"], "--rows 0")],
)
def test_the_command_refuses_what_it_cannot_draw(options, message, capsys, tmp_path):
    options = options if "--output" in options else [*options, "--output", str(tmp_path / "a.png")]
    assert cli.main(["worlds", *options]) == 2
    assert message in capsys.readouterr().err
