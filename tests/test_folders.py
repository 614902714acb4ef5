"""Pictures from folders: any file, the layouts of the real datasets, and one line for whatever is wrong."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageDraw, features

from benchmark import store
from benchmark.data.images import SUFFIXES, fit, fit_nearest, read_image, to_float
from benchmark.data.masks import make_hole
from benchmark.data.sources import celebamask_hq, choosing, pictures
from benchmark.errors import BenchmarkError

SHARED = Path(__file__).resolve().parent.parent.parent / "shared" / "images"
RNG = np.random.default_rng(0)


def save(path, height=40, width=60, image=None, **options):
    path.parent.mkdir(parents=True, exist_ok=True)
    noise = Image.fromarray(RNG.integers(0, 256, (height, width, 3), np.uint8))
    (image or noise).save(path, **options)
    return path


def cases(source, count=1, seed=0, **options):
    return list(pictures({"name": source, **options}, count, seed))


def refused(says, source, count=1, **options):
    with pytest.raises(BenchmarkError, match=says) as error:
        cases(source, count, **options)
    assert "\n" not in str(error.value)


# --------------------------------------------------------------------------------------------------------- image files
def pixels(path):
    return np.asarray(read_image(path))


def test_common_formats_become_rgb(tmp_path):
    optional = {"jp2": "jpg_2000", "avif": "avif"}
    there = [suffix for suffix, feature in optional.items() if feature in features.get_supported()]
    for suffix in ("png", "jpg", "jfif", "webp", "bmp", "tif", "gif", "ppm", *there):
        assert pixels(save(tmp_path / f"a.{suffix}")).shape == (40, 60, 3)
        assert f".{suffix}" in SUFFIXES


def test_grey_16_bit_palette_and_cmyk_images_become_8_bit_rgb(tmp_path):
    grey = np.arange(256, dtype=np.uint8).reshape(16, 16)
    colour = Image.fromarray(np.dstack([grey] * 3))
    assert np.array_equal(pixels(save(tmp_path / "grey.png", image=Image.fromarray(grey)))[..., 1], grey)
    deep = Image.fromarray(grey.astype(np.uint16) * 257)
    assert np.array_equal(pixels(save(tmp_path / "deep.png", image=deep))[..., 2], grey)
    assert np.array_equal(pixels(save(tmp_path / "deep.tif", image=deep))[..., 0], grey)
    assert np.array_equal(
        pixels(save(tmp_path / "palette.png", image=Image.fromarray(grey).convert("P")))[..., 0], grey
    )
    assert (
        np.abs(pixels(save(tmp_path / "cmyk.tif", image=colour.convert("CMYK"))).astype(int) - pixels_of(grey)).max()
        < 3
    )


def pixels_of(grey):
    return np.dstack([grey] * 3).astype(int)


def test_what_is_transparent_is_laid_over_white(tmp_path):
    picture = np.zeros((2, 2, 4), np.uint8)
    picture[0, 0] = [10, 20, 30, 255]
    picture[0, 1] = [0, 0, 0, 51]
    found = pixels(save(tmp_path / "a.png", image=Image.fromarray(picture)))
    assert found[0, 0].tolist() == [10, 20, 30]
    assert found[0, 1].tolist() == [204, 204, 204]
    assert found[1, 1].tolist() == [255, 255, 255]


def test_a_camera_s_orientation_is_applied(tmp_path):
    exif = Image.Exif()
    exif[0x0112] = 6  # turn by 90 degrees
    path = save(tmp_path / "a.jpg", 40, 60, exif=exif)
    assert pixels(path).shape == (60, 40, 3)


def test_a_picture_of_the_right_size_keeps_its_bits_through_the_cases_file(tmp_path):
    path = save(tmp_path / "a.png", 64, 64)
    (case,) = cases("image_folder", path=str(tmp_path), size=64)
    assert case.image.dtype == np.float32
    assert np.array_equal(store.to_uint8(case.image), np.asarray(Image.open(path)))


@pytest.mark.parametrize("shape", [(40, 60), (600, 300), (64, 64), (256, 100), (65, 64), (1024, 1024), (10, 7)])
def test_any_size_is_fitted_by_its_shorter_side_and_cut_in_the_middle(shape):
    rows, columns = np.mgrid[: shape[0], : shape[1]].astype(float)
    middle = np.hypot(rows + 0.5 - shape[0] / 2, columns + 0.5 - shape[1] / 2) < min(shape) / 4
    image = Image.fromarray(np.where(middle, 255, 0).astype(np.uint8)).convert("RGB")
    fitted = np.asarray(fit(image, (64, 64)))[..., 0]
    assert fitted.shape == (64, 64)
    assert abs((fitted > 127).mean() - np.pi / 16) < 0.05
    rows, columns = np.nonzero(fitted > 127)
    assert abs(rows.mean() - 31.5) < 1.1
    assert abs(columns.mean() - 31.5) < 1.1
    agreement = (fit_nearest(middle, (64, 64)) == (fitted > 127)).mean()
    assert agreement > (0.97 if min(shape) > 20 else 0.9)


def test_resizing_is_guided_diffusion_s(tmp_path):
    image = read_image(save(tmp_path / "a.png", 300, 420))
    halved = image.resize((210, 150), Image.Resampling.BOX)  # 150 < 2 * 100: halved once
    scaled = halved.resize((round(210 * 100 / 150), 100), Image.Resampling.BICUBIC)
    left = (scaled.width - 100) // 2
    assert np.array_equal(np.asarray(fit(image, (100, 100))), np.asarray(scaled)[:, left : left + 100])


def test_labels_are_fitted_by_the_nearest_pixel():
    labels = np.arange(512)[:, None] + np.zeros(512, int)
    assert np.array_equal(fit_nearest(labels, (256, 256))[:, 0], np.arange(1, 512, 2))
    assert np.array_equal(fit_nearest(labels, (512, 512)), labels)


def test_images_are_between_minus_one_and_one():
    image = to_float(Image.new("RGB", (2, 2), (0, 255, 51)))
    assert image[:, 0, 0].tolist() == pytest.approx([-1, 1, -0.6])


# --------------------------------------------------------------------------------------------------------- image folder
@pytest.fixture
def album(tmp_path):
    for name in ("a.png", "b.jpg", "c/d.webp", "c/e.PNG", "c/a1.png"):
        save(tmp_path / name)
    (tmp_path / "notes.txt").write_text("no image")
    (tmp_path / ".thumb.png").write_bytes(b"hidden")
    return tmp_path


def names(found):
    return [case.case for case in found]


def test_without_ids_the_seed_draws_and_more_cases_begin_with_the_same(album):
    five = names(cases("image_folder", 5, path=str(album), size=16))
    assert sorted(five) == ["a", "b", "c/a1", "c/d", "c/e"]
    assert names(cases("image_folder", 3, path=str(album), size=16)) == five[:3]
    orders = {tuple(names(cases("image_folder", 5, seed, path=str(album), size=16))) for seed in range(5)}
    assert len(orders) > 1


def test_ids_are_taken_in_their_order_by_path_or_bare_name(album, tmp_path):
    found = cases("image_folder", 4, path=str(album), size=16, ids=["c/d", "b.jpg", "e", "a"])
    assert names(found) == ["c/d", "b", "c/e", "a"]
    listed = tmp_path / "list.txt"
    listed.write_text("# a comment\nb\n\nc/d  # another\n")
    assert names(cases("image_folder", 2, path=str(album), size=16, ids=str(listed))) == ["b", "c/d"]
    assert names(cases("image_folder", 1, path=str(album), size=16, ids=str(listed))) == ["b"]


@pytest.mark.parametrize("identifier", ["../a", "/etc/passwd", "c/../../a", "a\\b", "", "c/../a"])
def test_an_id_that_could_leave_its_folder_is_refused(album, identifier):
    refused("is no id|no ids", "image_folder", path=str(album), ids=[identifier])


def test_whatever_is_wrong_with_a_folder_gets_one_line(album, tmp_path):
    here = {"path": str(album), "size": 16}
    refused("image_folder.path: missing", "image_folder")
    refused("no such folder", "image_folder", path=str(tmp_path / "none"))
    refused("6 cases asked for; there are 5", "image_folder", 6, **here)
    refused("2 cases asked for; there are 1", "image_folder", 2, **here, ids=["a"])
    refused("no image of id 'z'", "image_folder", **here, ids=["z"])
    refused("id 'a' stands there twice", "image_folder", **here, ids=["a", "a"])
    refused("neither a file nor one of the lists celebamask_hq_published", "image_folder", **here, ids="nothing")
    refused("ids: 17 is not of type str or list or None", "image_folder", **here, ids=17)
    refused("size: 0 is out of range", "image_folder", path=str(album), size=0)
    refused("unknown option", "image_folder", colour=1)
    save(album / "c" / "b.png")
    save(album / "b.png")
    refused("id 'b' is both", "image_folder", **here, ids=["b"])
    refused("have one name", "image_folder", **here)
    empty = tmp_path / "empty"
    empty.mkdir()
    refused("has no images", "image_folder", path=str(empty))


@pytest.mark.parametrize("content", [b"", b"<html>not found</html>", b"\x89PNG\r\n\x1a\n"])
def test_an_unreadable_image_gets_one_line(tmp_path, content):
    (tmp_path / "a.png").write_bytes(content)
    refused("a.png: not a readable image", "image_folder", path=str(tmp_path))


def test_a_truncated_image_gets_one_line(tmp_path):
    for name in ("a.png", "a.jpg"):
        path = save(tmp_path / name, 64, 64)
        path.write_bytes(path.read_bytes()[:-2000])
        refused("not a readable image", "image_folder", path=str(tmp_path))
        path.unlink()


# -------------------------------------------------------------------------------------------------------- CelebAMask-HQ
@pytest.fixture
def celeba(tmp_path):
    """The distributed layout with pictures 2 (test), 3 (val), 2000 (test); picture 2 wears glasses and smiles."""
    root = tmp_path / "CelebAMask-HQ"
    for number in (2, 3, 2000):
        save(root / "CelebA-HQ-img" / f"{number}.jpg", 128, 128)
        layer(root, number, "skin", (100, 100, 400, 450))
        layer(root, number, "hair", (100, 40, 400, 120))
        layer(root, number, "mouth", (200, 350, 300, 380))
        layer(root, number, "u_lip", (200, 340, 300, 355))
    layer(root, 2, "l_eye", (150, 200, 200, 220))
    layer(root, 2, "eye_g", (140, 190, 360, 230))
    layer(root, 2, "hat", (100, 40, 400, 80))
    (root / "CelebA-HQ-to-CelebA-mapping.txt").write_text(
        "idx          orig_idx     orig_file\n2            200121       200122.jpg\n"
        "3            170000       170001.jpg\n2000         182638       182639.jpg\n"
    )
    (root / "CelebAMask-HQ-attribute-anno.txt").write_text(
        "3\nEyeglasses Smiling Young\n2.jpg  1  1 -1\n3.jpg -1 -1 1\n2000.jpg -1 1 1\n"
    )
    return root


def layer(root, number, label, area):
    image = Image.new("RGB", (512, 512))
    ImageDraw.Draw(image).rectangle(area, fill=(255, 255, 255))
    save(root / "CelebAMask-HQ-mask-anno" / str(number // 2000) / f"{number:05d}_{label}.png", image=image)


def celebamask(root, count=1, **options):
    return cases("celebamask_hq", count, path=str(root), size=64, **options)


def test_celebamask_hq_gives_pictures_attributes_and_parts(celeba):
    (case,) = celebamask(celeba)
    assert case.case == "2"
    assert case.attributes == {"Eyeglasses": "yes", "Smiling": "yes", "Young": "no"}
    assert set(case.parts) == set(celebamask_hq.PARTS)
    assert {area.shape for area in case.parts.values()} == {(64, 64)}
    assert case.parts["eyes"][25:27, 20:24].all()  # rows 200-220, columns 150-200 of 512
    assert case.parts["lips"][43:46, 26:37].all()
    assert not case.parts["brows"].any()


def test_where_labels_overlap_the_later_one_counts(celeba):
    (case,) = celebamask(celeba)
    covered = celebamask_hq.celebamask_parts(celeba / "CelebAMask-HQ-mask-anno", "2", 512)
    assert not (covered["hair"] & covered["face"]).any()  # hair over skin
    assert covered["glasses"][195, 145]
    assert not covered["glasses"][210, 170]  # l_eye (4) over eye_g (3)
    assert covered["hair"][45, 200]  # hat (14) belongs to hair
    assert covered["background"].sum() == 512 * 512 - covered["face"].sum() - covered["hair"].sum()
    assert case.parts["glasses"].any()


def test_parts_of_celebamask_hq_make_holes(celeba):
    import torch

    (case,) = celebamask(celeba)
    parts = {name: torch.from_numpy(area) for name, area in case.parts.items()}
    hole = make_hole({"recipe": "parts", "parts": ["lips"], "dilate": 2}, (64, 64), parts)
    assert hole[44, 30]
    assert 0.01 < hole.float().mean() < 0.1


def test_official_splits_follow_from_the_mapping(celeba):
    assert names(celebamask(celeba, 2, ids=None, split="test")) in (["2", "2000"], ["2000", "2"])
    assert names(celebamask(celeba, ids=None, split="val")) == ["3"]
    assert len(celebamask(celeba, 3, ids=None, split="all")) == 3
    with pytest.raises(BenchmarkError, match="picture 3 is not in the split 'test'"):
        celebamask(celeba, ids=["3"])
    with pytest.raises(BenchmarkError, match="'dev' is not known; use train or val or test or all"):
        celebamask(celeba, split="dev")
    (celeba / "CelebA-HQ-to-CelebA-mapping.txt").unlink()
    assert names(celebamask(celeba, 2, ids=["2000", "3"])) == ["2000", "3"]
    with pytest.raises(BenchmarkError, match="the split 'test' needs it"):
        celebamask(celeba, ids=None)


def test_the_official_splits_have_their_published_boundaries():
    assert celebamask_hq.SPLITS["val"] == (162_771, 182_638)
    assert sum(high - low for low, high in celebamask_hq.SPLITS.values()) == 202_599


def test_celebamask_hq_without_its_text_files_and_annotation_is_only_pictures(celeba):
    import shutil

    shutil.rmtree(celeba / "CelebAMask-HQ-mask-anno")
    (celeba / "CelebAMask-HQ-attribute-anno.txt").unlink()
    (case,) = celebamask(celeba)
    assert case.parts is None
    assert case.attributes == {}


def test_a_damaged_celebamask_hq_gets_one_line(celeba):
    for file in (celeba / "CelebAMask-HQ-mask-anno" / "1").iterdir():
        file.unlink()
    with pytest.raises(BenchmarkError, match="no annotation of picture 2000"):
        celebamask(celeba, ids=["2000"])
    with pytest.raises(BenchmarkError, match="no image of id '4'"):
        celebamask(celeba, 2)
    (celeba / "CelebAMask-HQ-attribute-anno.txt").write_text("1\nA B\n2.jpg 1 7\n")
    with pytest.raises(BenchmarkError, match="2 of 1 or -1 are expected"):
        celebamask(celeba)
    (celeba / "CelebA-HQ-to-CelebA-mapping.txt").write_text("nothing")
    with pytest.raises(BenchmarkError, match="not the mapping"):
        celebamask(celeba)


# ---------------------------------------------------------------------------------------------------- ImageNet and LSUN
def test_imagenet_val_lies_flat_or_in_class_folders(tmp_path):
    for i, folder in ((1, "flat"), (2, "flat"), (1, "classes/n01440764"), (2, "classes/n03594945")):
        save(tmp_path / folder / f"ILSVRC2012_val_{i:08d}.JPEG", format="JPEG")
    flat = cases("imagenet_val", 2, path=str(tmp_path / "flat"), size=16)
    assert names(flat) == ["ILSVRC2012_val_00000001", "ILSVRC2012_val_00000002"]
    assert flat[0].attributes == {}
    sorted_ = cases("imagenet_val", 2, path=str(tmp_path / "classes"), size=16)
    assert [case.attributes for case in sorted_] == [{"synset": "n01440764"}, {"synset": "n03594945"}]


@pytest.mark.parametrize(
    ("text", "attributes"),
    [
        ("ILSVRC2012_val_00000001.JPEG 65\nILSVRC2012_val_00000002.JPEG 970\n", {"class": "970"}),
        ("ILSVRC2012_val_00000001 n01440764\nILSVRC2012_val_00000002 n03594945\n", {"synset": "n03594945"}),
        ("490\n361\n", {"class": "361"}),
        ("ImageId,PredictionString\nILSVRC2012_val_00000002,n03594945 85 1 499 272\n", {"synset": "n03594945"}),
    ],
)
def test_imagenet_labels_come_in_their_published_forms(tmp_path, text, attributes):
    save(tmp_path / "val" / "ILSVRC2012_val_00000002.JPEG", format="JPEG")
    labels = tmp_path / "labels.txt"
    labels.write_text(text)
    options = {"path": str(tmp_path / "val"), "size": 16, "labels": str(labels), "ids": ["ILSVRC2012_val_00000002"]}
    (case,) = cases("imagenet_val", **options)
    assert case.attributes == attributes
    labels.write_text("ILSVRC2012_val_00000009 3\n")
    refused("has no label of ILSVRC2012_val_00000002", "imagenet_val", **options)
    refused("no such file of labels", "imagenet_val", **{**options, "labels": "none.txt"})
    labels.write_text("a b c\n")
    refused("lines of NAME and LABEL", "imagenet_val", **options)


def test_lsun_s_exported_pictures_are_known_by_their_keys(tmp_path):
    keys = ["f0a1c2", "03b7aa", "9c0001"]
    for key in keys:
        save(tmp_path / "/".join(key[:3]) / f"{key}.webp")
    found = cases("lsun_folder", 2, path=str(tmp_path), size=16, category="bedroom")
    assert names(found) == ["03b7aa", "9c0001"]
    assert found[0].attributes == {"category": "bedroom"}
    assert names(cases("lsun_folder", 1, path=str(tmp_path), size=16, ids=["f0a1c2"])) == ["f0a1c2"]


# --------------------------------------------------------------------------------------------------------- lists of ids
def test_the_lists_that_ship_are_well_formed():
    assert len(choosing.read_ids("celebamask_hq_test")) == 100
    assert choosing.read_ids("imagenet_val")[99] == "ILSVRC2012_val_00000100"
    numbers = [int(identifier) for identifier in choosing.read_ids("celebamask_hq_test")]
    assert numbers == sorted(numbers)
    assert all(choosing.read_ids(path.stem) for path in choosing.IDS.glob("*.txt"))


# ---------------------------------------------------------------------------------------------------------- real files
@pytest.mark.skipif(not SHARED.is_dir(), reason="the photographs are not here")
def test_real_faces_keep_their_pixels_and_photographs_are_fitted():
    faces = cases("image_folder", 4, path=str(SHARED / "celeba_inp"), ids="celebamask_hq_published")
    assert names(faces) == ["16315/16315", "19054/19054", "21359/21359", "29302/29302"]
    for case in faces:
        original = Image.open(SHARED / "celeba_inp" / f"{case.case}.jpg").convert("RGB")
        assert np.array_equal(store.to_uint8(case.image), np.asarray(original))
    photographs = cases("image_folder", 68, path=str(SHARED / "cbsd68"), size=64)
    assert {case.image.shape for case in photographs} == {(3, 64, 64)}
    assert all(-1 <= case.image.min() < case.image.max() <= 1 for case in photographs)
    assert len(cases("image_folder", 5, path=str(SHARED / "ffhq"))) == 5
    assert names(cases("image_folder", 1, path=str(SHARED / "imagenet"), ids=["n01494475_8931"])) == [
        "n01494475_8931/n01494475_8931"
    ]
