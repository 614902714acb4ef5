"""The drawn faces: known attributes, exact parts, reproducible pictures."""

import pytest
import torch

from benchmark.data.masks import dilate, make_hole
from benchmark.data.worlds import WORLDS, faces, get_world
from benchmark.errors import BenchmarkError

# Where each attribute shows. Brows and beard take the hair's colour; skin also shades the nose.
SHOWN_IN = {
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
}
COUNT = 48


@pytest.fixture(scope="module")
def drawn():
    attributes = faces.sample_attributes(COUNT, torch.Generator().manual_seed(7))
    images, parts = faces.render(attributes, parts=True)
    return attributes, images, parts


def test_the_shares_of_each_attribute_sum_to_one_and_its_rarest_value_has_3_to_10_per_cent():
    for attribute, shares in faces.ATTRIBUTES.items():
        assert sum(shares.values()) == pytest.approx(1), attribute
        assert 0.03 <= min(shares.values()) <= 0.10, attribute


def test_attributes_come_with_their_documented_shares_and_independent_of_each_other():
    count = 40000
    values = faces.sample_attributes(count, torch.Generator().manual_seed(0)).values
    for attribute, shares in faces.ATTRIBUTES.items():
        found = torch.bincount(values[attribute], minlength=len(shares)) / count
        for share, value in zip(found.tolist(), shares):
            spread = (shares[value] * (1 - shares[value]) / count) ** 0.5
            assert abs(share - shares[value]) < 4.5 * spread, (attribute, value)
    columns = torch.stack([v.float() for v in values.values()])
    assert (torch.corrcoef(columns) - torch.eye(len(columns))).abs().max() < 4.5 / count**0.5


def test_a_picture_of_a_seed_does_not_depend_on_how_many_are_asked_for():
    few, few_labels, few_parts = faces.faces(5, seed=3)
    many, many_labels, many_parts = faces.faces(70, seed=3)
    assert torch.equal(few, many[:5])
    assert few_labels == many_labels[:5]
    assert all(torch.equal(few_parts[p], many_parts[p][:5]) for p in faces.PARTS)


def test_two_draws_in_a_row_continue_one_stream():
    generator = torch.Generator().manual_seed(1)
    first, second = faces.sample_attributes(3, generator), faces.sample_attributes(4, generator)
    whole = faces.sample_attributes(7, torch.Generator().manual_seed(1))
    assert first.labels() + second.labels() == whole.labels()


def test_another_seed_draws_other_pictures():
    assert not torch.equal(faces.faces(4, seed=0)[0], faces.faces(4, seed=1)[0])


@pytest.mark.parametrize("size", [32, 64, 96])
def test_pictures_are_float32_in_minus_one_to_one_at_any_size(size):
    images, labels, parts = faces.faces(3, seed=0, size=size)
    assert images.shape == (3, 3, size, size)
    assert images.dtype == torch.float32
    assert images.min() >= -1
    assert images.max() <= 1
    assert len(labels) == 3
    assert tuple(parts) == faces.PARTS
    assert all(m.shape == (3, size, size) and m.dtype == torch.bool for m in parts.values())


def test_flat_regions_have_the_palette_s_colours(drawn):
    attributes, images, parts = drawn
    for i, label in enumerate(attributes.labels()):
        colour = torch.tensor(faces.PALETTES["background"][label["background"]]) * 2 - 1
        inside = images[i][:, parts["background"][i] & ~dilate(~parts["background"][i], 1)]
        assert torch.allclose(inside, colour[:, None].expand_as(inside), atol=1e-6)


@pytest.mark.parametrize("attribute", faces.ATTRIBUTES)
def test_changing_an_attribute_changes_pixels_in_its_parts_only(drawn, attribute):
    attributes, images, parts = drawn
    region = torch.stack([parts[p] for p in SHOWN_IN[attribute]]).any(0)
    for value in faces.ATTRIBUTES[attribute]:
        changed = (faces.render(attributes.with_value(attribute, value)) != images).any(1)
        for i in range(COUNT):
            assert not (changed[i] & ~dilate(region[i], 1)).any(), (value, i)


@pytest.mark.parametrize("attribute", faces.ATTRIBUTES)
def test_every_value_shows_whatever_the_other_attributes_are(drawn, attribute):
    attributes, _, _ = drawn
    pictures = [faces.render(attributes.with_value(attribute, value)) for value in faces.ATTRIBUTES[attribute]]
    for i, one in enumerate(pictures):
        for other in pictures[i + 1 :]:
            visible = ((one - other).abs().amax(1) > 0.15).flatten(1).sum(1)
            assert visible.min() >= 12


def test_parts_do_not_depend_on_the_attributes(drawn):
    attributes, _, parts = drawn
    for attribute, shares in faces.ATTRIBUTES.items():
        other = faces.part_maps(attributes.with_value(attribute, list(shares)[-1]))
        assert all(torch.equal(other[p], parts[p]) for p in faces.PARTS)


def test_eyes_lie_within_glasses_and_background_meets_neither_face_nor_hair(drawn):
    _, _, parts = drawn
    assert not (parts["eyes"] & ~parts["glasses"]).any()
    assert not (parts["background"] & (parts["face"] | parts["hair"])).any()


@pytest.mark.parametrize("attribute", ["mouth", "glasses", "brows", "beard", "eyes"])
def test_a_hole_over_an_attribute_s_part_hides_its_value(drawn, attribute):
    attributes, images, parts = drawn
    recipe = {"recipe": "parts", "parts": SHOWN_IN[attribute], "dilate": 3}
    for i in range(0, COUNT, 6):
        hole = make_hole(recipe, (64, 64), {p: m[i] for p, m in parts.items()})
        for value in faces.ATTRIBUTES[attribute]:
            other = faces.render(attributes[i : i + 1].with_value(attribute, value))[0]
            assert torch.equal(other[:, ~hole], images[i][:, ~hole])


def test_an_unknown_value_or_world_is_refused_with_the_known_ones(drawn):
    with pytest.raises(BenchmarkError, match="smile, neutral, open, frown"):
        drawn[0].with_value("mouth", "grin")
    with pytest.raises(BenchmarkError, match="one of mouth, glasses"):
        drawn[0].with_value("ears", "big")
    with pytest.raises(BenchmarkError, match="known worlds are bedrooms, cats, faces"):
        get_world("dogs")


@pytest.mark.parametrize("name", WORLDS)
def test_every_world_draws_its_parts_and_attributes(name):
    world = get_world(name)
    attributes = world.sample_attributes(2, torch.Generator().manual_seed(0))
    images, parts = world.render(attributes, parts=True)
    assert images.shape == (2, 3, 64, 64)
    assert tuple(parts) == world.PARTS
    assert all(set(label) == set(world.ATTRIBUTES) for label in attributes.labels())
