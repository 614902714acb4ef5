"""LPIPS of all pairs: equal to the package's, from one pass for each picture, with weights from files by their hash."""

import itertools
import warnings

import lpips
import numpy as np
import pytest
import stand_ins
import torch
from measured_files import make_case, make_set, measure_sets

from benchmark import store
from benchmark.errors import BenchmarkError
from benchmark.metrics import perceptual_benchmark
from benchmark.metrics.engines import lpips_pairs

ARCHS = {"alex": "alexnet", "vgg": "vgg16"}
FILES = {"alex": "checkpoints/alexnet-owt-7be5be79.pth", "vgg": "checkpoints/vgg16-397923af.pth"}


@pytest.fixture(scope="module")
def cache(tmp_path_factory):
    """A cache folder of torch with stand-ins in the standard places, and their hashes."""
    home = tmp_path_factory.mktemp("torch")
    return home, {ARCHS[net]: stand_ins.backbone(home / "hub" / FILES[net], ARCHS[net]) for net in ARCHS}


@pytest.fixture(scope="module", params=ARCHS)
def net(request):
    return request.param


@pytest.fixture(scope="module")
def model(net, cache):
    return lpips_pairs.load(net, cache[0] / "hub" / FILES[net])


def pictures(n, size=40, channels=3):
    smooth = stand_ins.natural(n, size, seed=1, channels=channels)
    smooth[1] = smooth[0] + 0.02 * np.random.default_rng(0).normal(size=smooth[0].shape)  # a near duplicate
    return smooth.clip(-1, 1)


def package_distances(model, images):
    """The package called on every ordered pair."""
    images = torch.as_tensor(images)
    with torch.inference_mode():
        return np.array([[float(model(a[None], b[None])) for b in images] for a in images])


# ------------------------------------------------------------------------------------------------------------- values
def test_all_pairs_are_those_of_the_package(model):
    images = pictures(4)
    ours, theirs = lpips_pairs.pairwise(model, images), package_distances(model, images)
    assert np.median(theirs[theirs > 0]) > 0.05  # the comparison is of numbers as large as a trained network's
    assert np.abs(ours - theirs).max() < 1e-5
    off = ~np.eye(4, dtype=bool)
    assert np.abs(ours - theirs)[off].max() / theirs[off].min() < 1e-2  # the near duplicate too
    assert (np.diag(ours) == 0).all()
    assert np.array_equal(ours, ours.T)


def test_a_random_backbone_without_a_file_agrees_as_well():
    torch.manual_seed(3)
    model, images = lpips_pairs.load("alex", None), pictures(3, 64)
    assert np.abs(lpips_pairs.pairwise(model, images) - package_distances(model, images)).max() < 1e-5


def test_the_hole_s_distance_is_the_mean_of_the_package_s_map_over_the_hole(model):
    images = pictures(3, 48)
    hole = np.zeros((48, 48), bool)
    hole[5:23, 17:40] = True
    ours = lpips_pairs.pairwise(model, images, hole)
    model.spatial = True
    try:
        for i, j in itertools.combinations(range(3), 2):
            with torch.inference_mode():
                where = model(torch.as_tensor(images[i][None]), torch.as_tensor(images[j][None]))[0, 0].numpy()
            assert ours[i, j] == pytest.approx(where[hole].mean(), abs=1e-5)
    finally:
        model.spatial = False


def test_grey_pictures_are_those_of_three_equal_channels_and_odd_sizes_work(model):
    grey = stand_ins.natural(3, 37, channels=1)[:, :, :, :33]
    rgb = np.repeat(grey, 3, axis=1)
    assert np.array_equal(lpips_pairs.pairwise(model, grey), lpips_pairs.pairwise(model, rgb))
    assert np.abs(lpips_pairs.pairwise(model, rgb) - package_distances(model, rgb)).max() < 1e-5


def test_equal_pictures_have_distance_exactly_zero(model):
    images = pictures(3)
    distances = lpips_pairs.pairwise(model, images[[0, 1, 0, 2]])
    assert distances[0, 2] == distances[2, 0] == 0
    assert (distances[~np.eye(4, dtype=bool)] > 0).sum() == 10


# ------------------------------------------------------------------------------------------------------ speed, memory
@pytest.fixture
def passes(model):
    """How many pictures the backbone saw, call by call."""
    seen = []
    hook = model.net.register_forward_pre_hook(lambda _, inputs: seen.append(len(inputs[0])))
    yield seen
    hook.remove()


def test_the_backbone_sees_every_picture_once_for_all_pairs_and_holes(model, passes):
    images = pictures(9)
    lpips_pairs.matrices(model, images, [None, np.tri(40, dtype=bool)])
    assert sum(passes) == 9 + 1  # and one picture of zeros, for the shapes
    assert max(passes) <= lpips_pairs.CHUNK["cpu"]


def test_beyond_its_budget_memory_is_bounded_and_the_result_the_same(model, passes, monkeypatch):
    images = pictures(9)
    whole = lpips_pairs.pairwise(model, images)
    passes.clear()
    length = lpips_pairs.Embedding(model, (40, 40)).length
    held = []
    monkeypatch.setattr(lpips_pairs, "squared_distances", _recording(held, lpips_pairs.squared_distances))
    blocks = lpips_pairs.pairwise(model, images, budget=4 * 4 * length)  # room for 4 vectors, in blocks of 2
    assert np.allclose(blocks, whole, rtol=1e-5, atol=1e-7)
    assert max(held) <= 4
    k = 5
    assert sum(passes) <= 9 * (k + 1) / 2 + 3


def _recording(held, function):
    def wrapped(a, b, places):
        held.append(len(a) if a is b else len(a) + len(b))
        return function(a, b, places)

    return wrapped


def test_a_thousand_pictures_of_256_need_no_more_than_the_budget():
    for net, layers in {"alex": ALEX_256, "vgg": VGG_256}.items():
        vector = 4 * sum(channels * side * side for channels, side in layers)
        fits = int(lpips_pairs.BUDGET / vector)
        block = 1000 if fits >= 1000 else fits // 2
        held = vector * (1000 if block == 1000 else 2 * block)
        assert held <= lpips_pairs.BUDGET, net
        assert block >= 40, net  # so that the backbone runs a dozen times, not five hundred


ALEX_256 = [(64, 63), (192, 31), (384, 15), (256, 15), (256, 15)]
VGG_256 = [(64, 256), (128, 128), (256, 64), (512, 32), (512, 16)]


def test_the_layers_of_256_are_those_that_the_reasoning_counts(model, net):
    embedding = lpips_pairs.Embedding(model, (256, 256))
    assert [(shape[0], shape[1]) for shape in embedding.shapes] == {"alex": ALEX_256, "vgg": VGG_256}[net]


@pytest.mark.slow
def test_all_pairs_of_fifty_are_fifty_times_faster_than_the_package_on_each_ordered_pair():
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        ratio, difference = perceptual_benchmark.run("alex", 50, 256, 30)
    finally:
        torch.set_num_threads(threads)
    assert ratio >= 50
    assert difference < 1e-5


# -------------------------------------------------------------------------------------------------- weights from files
def test_with_the_files_in_their_places_the_metrics_are_those_of_the_package(cache, net, monkeypatch):
    """The package loads the same file by its own way, through torchvision, from the same cache folder."""
    home, hashes = cache
    monkeypatch.setenv("TORCH_HOME", str(home))
    case = make_case("one", 64)
    made = make_set(case, 3)
    names = [f"lpips_{net}_{name}" for name in ("mean", "min", "to_truth_mean", "to_truth_best", "to_truth_of_mean")]
    settings = {"metrics": names, "features": {"name": "hole_pixels"}}
    settings["weights"] = {ARCHS[net]: {"sha256": hashes[ARCHS[net]]}}
    rows, record = measure_sets(settings, [made], {"one": case})
    values = {row["metric"].removeprefix(f"lpips_{net}_"): row["value"] for row in rows}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        package = lpips.LPIPS(net=net, verbose=False)
    pictures = np.concatenate([made.images, case.image[None], made.images.mean(axis=0, keepdims=True)])
    d = package_distances(package, pictures)
    pairs = d[:3, :3][np.triu_indices(3, 1)]
    assert values["mean"] == pytest.approx(pairs.mean(), abs=1e-5)
    assert values["min"] == pytest.approx(pairs.min(), abs=1e-5)
    assert values["to_truth_mean"] == pytest.approx(d[:3, 3].mean(), abs=1e-5)
    assert values["to_truth_best"] == pytest.approx(d[:3, 3].min(), abs=1e-5)
    assert values["to_truth_of_mean"] == pytest.approx(d[4, 3], abs=1e-5)
    assert record["weights"][ARCHS[net]] == hashes[ARCHS[net]]
    assert record["weights"][f"lpips heads {net} 0.1"] == lpips_pairs.HEADS[net]


def test_a_file_with_another_hash_than_the_published_one_is_refused_in_one_line(cache, net, monkeypatch):
    monkeypatch.setenv("TORCH_HOME", str(cache[0]))
    case = make_case("one", 64)
    settings = {"metrics": [f"lpips_{net}_mean"], "features": {"name": "hole_pixels"}}
    with pytest.raises(BenchmarkError) as refusal:
        measure_sets(settings, [make_set(case)], {"one": case})
    assert "\n" not in str(refusal.value)
    assert f"sha256 is {cache[1][ARCHS[net]]}, expected {FILES[net].split('-')[-1].removesuffix('.pth')}" in str(
        refusal.value
    )
    assert "replace or delete the file" in str(refusal.value)


def test_a_file_that_is_no_such_backbone_is_refused_in_one_line(tmp_path, cache):
    path = tmp_path / "weights.pth"
    torch.save({"features.0.weight": torch.zeros(64, 3, 11, 11)}, path)
    with pytest.raises(BenchmarkError, match=r"not the state of a torchvision backbone: it has no 'features.0.bias'"):
        lpips_pairs.load("alex", path)
    with pytest.raises(BenchmarkError, match=r"features.0.weight is \(64, 3, 11, 11\), LPIPS needs \(64, 3, 3, 3\)"):
        lpips_pairs.load("vgg", cache[0] / "hub" / FILES["alex"])
    path.write_bytes(b"no archive")
    with pytest.raises(BenchmarkError, match="not the state of a torchvision backbone"):
        lpips_pairs.load("alex", path)
    torch.save({"features.0.weight": make_case}, path)  # code instead of tensors is never run
    with pytest.raises(BenchmarkError, match="not the state of a torchvision backbone"):
        lpips_pairs.load("alex", path)


# --------------------------------------------------------------------------------------------------------- small, few
def test_pictures_too_small_for_the_network_have_no_value_and_say_so(cache, net):
    digest = cache[1][ARCHS[net]]
    case = make_case("one", 12)
    settings = {"metrics": [f"lpips_{net}_mean", f"lpips_{net}_hole_min"], "features": {"name": "hole_pixels"}}
    settings["weights"] = {ARCHS[net]: {"path": str(cache[0] / "hub" / FILES[net]), "sha256": digest}}
    rows, record = measure_sets(settings, [make_set(case)], {"one": case})
    assert len(rows) == 2
    assert np.isnan([row["value"] for row in rows]).all()
    assert "pictures of 12x12; LPIPS needs" in record["faults"][f"lpips_{net}"]


def test_the_smallest_picture_is_the_smallest_that_the_package_can_take(model, net):
    smallest = lpips_pairs.SMALLEST[net]
    images = stand_ins.natural(2, smallest)
    assert np.isfinite(lpips_pairs.pairwise(model, images)).all()
    with pytest.raises(RuntimeError):
        lpips_pairs.pairwise(model, images[:, :, 1:, 1:])


def test_one_restoration_has_a_distance_to_the_truth_and_none_between_pairs(cache):
    case = make_case("one", 32)
    whole = store.Case(case.dataset, case.mask, case.case, case.image, None, {})
    settings = {"metrics": ["lpips_alex_mean", "lpips_alex_to_truth_mean"], "features": {"name": "hole_pixels"}}
    path = cache[0] / "hub" / FILES["alex"]
    settings["weights"] = {"alexnet": {"path": str(path), "sha256": cache[1]["alexnet"]}}
    rows, _ = measure_sets(settings, [make_set(case, 1)], {"one": whole})
    values = {row["metric"]: row["value"] for row in rows}
    assert np.isnan(values["lpips_alex_mean"])
    assert values["lpips_alex_to_truth_mean"] > 0
