"""Agreement with a measurement: without noise 0 is right, with noise exact samples are where the noise is."""

import json

import numpy as np
import pytest
import torch
from measured_files import measure_sets

from benchmark import store
from benchmark.cli import main
from benchmark.metrics import registry
from benchmark.priors.mixture import load_mixture, posterior_of
from benchmark.problems import build
from benchmark.problems.noise import measurement
from benchmark.sampling.run import prepare
from benchmark.store import decode_image, encode_image

HOLE = np.zeros((8, 8), bool)
HOLE[:, :4] = True
PROBLEMS = {
    "inpainting": {"name": "inpainting", "sigma": 0.1},
    "denoising": {"name": "denoising", "sigma": 0.1},
    "super_resolution_average": {"name": "super_resolution_average", "factor": 2, "sigma": 0.05},
    "deblurring_gaussian": {"name": "deblurring_gaussian", "std": 1.0, "sigma": 0.05},
}


def case_of(index, hole):
    truth = load_mixture().mixture.sample(20, torch.Generator().manual_seed(0))[index].reshape(1, 8, 8)
    image = decode_image(encode_image(truth.numpy()))
    return store.Case("digits", "left", f"digit{index}", image, hole, {})


def measured(settings, case, images, consistency, metrics=("consistency", "consistency_error")):
    """The values of a set with these pictures and residuals."""
    n = len(images)
    keys = {"dataset": "digits", "task": "left", "case": case.case, "sampler": "any", "method": "plain"}
    keys |= {"eta": 0.0, "D": 0.0, "D_unit": "rms", "D_rms": 0.0, "seed": 3}
    columns = {"nfe": np.ones(n), "seconds": np.ones(n), "gate_open": np.zeros(n), "finite": np.ones(n, bool)}
    one = store.RestorationSet(keys, np.arange(n), images, columns | {"consistency": np.asarray(consistency)})
    settings = {"metrics": list(metrics), "problem": settings, "dataset": "digits"}
    rows, _ = measure_sets(settings, [one], {case.case: case})
    return {row["metric"]: row["value"] for row in rows}


def world(name, index=0):
    """A case, its problem as the sampler builds it, the sampler's y and the exact posterior given it."""
    settings = PROBLEMS[name]
    case = case_of(index, HOLE if name == "inpainting" else None)
    prior = load_mixture()
    problem, y = prepare(settings, "digits", prior, [(case, 3)], "cpu")
    return case, problem, y, posterior_of(prior, problem, y)


def errors(name, index, samples):
    case, problem, y, posterior = world(name, index)
    x = samples(problem, y, posterior)
    residuals = problem.consistency(x, y)[0]
    return measured(PROBLEMS[name], case, x[0].float().numpy(), residuals.numpy())


def exact(problem, y, posterior):
    return posterior.sample(5, torch.Generator().manual_seed(1)).reshape(1, 5, 1, 8, 8).to(y.dtype)


def overfit(problem, y, posterior):
    return problem.paste(exact(problem, y, posterior), y)


@pytest.mark.parametrize("name", PROBLEMS)
def test_an_overfit_has_the_smaller_residual_and_the_larger_error(name):
    found = {kind: [errors(name, i, kind) for i in range(12)] for kind in (exact, overfit)}
    mean = {kind: {key: np.mean([one[key] for one in found[kind]]) for key in found[kind][0]} for kind in found}
    noise = 2 * PROBLEMS[name]["sigma"]
    assert mean[overfit]["consistency"] < 0.8 * mean[exact]["consistency"]
    assert mean[exact]["consistency"] == pytest.approx(noise, rel=0.1)
    assert mean[overfit]["consistency_error"] > 3 * mean[exact]["consistency_error"]
    _, problem, y, _ = world(name)
    count = float(torch.as_tensor(problem.observed_count(y)).flatten()[0])
    assert mean[exact]["consistency_error"] < noise * np.sqrt((1 + 1 / 5) / (2 * count))


def test_the_reference_is_the_truth_s_residual_of_the_measurement_that_the_sampler_had():
    case, problem, y, _ = world("inpainting")
    truth = torch.from_numpy(case.image)[None, None].to(y.dtype)
    expected = float(problem.consistency(truth, y))
    assert expected == pytest.approx(0.2, rel=0.5)
    assert measured(PROBLEMS["inpainting"], case, case.image[None], [0.0])["consistency_error"] == pytest.approx(
        expected
    )
    assert measured(PROBLEMS["inpainting"], case, case.image[None], [expected])["consistency_error"] < 1e-6


@pytest.mark.parametrize("settings", [{"name": "inpainting", "sigma": 0.0}, {"name": "inpainting"}, None])
def test_without_noise_the_error_is_the_consistency(settings):
    case = case_of(0, HOLE)
    values = measured(settings, case, np.stack([case.image] * 3), [0.01, 0.02, 0.06])
    assert values["consistency"] == values["consistency_error"] == pytest.approx(0.03)


@pytest.mark.parametrize("sigma", [0.0, 0.1])
def test_restorations_from_outside_have_no_error_where_their_noise_is_not_known(tmp_path, sigma):
    case, problem = case_of(0, HOLE), {"name": "inpainting", "sigma": sigma}
    picture = encode_image(case.image)
    row = {"dataset": "digits", "task": "left", "case": case.case, "sampler": "any", "method": "plain", "eta": 0.0}
    row |= {"D": 0.0, "D_unit": "rms", "D_rms": 0.0, "seed": 3, "image": picture, "nfe": 1, "seconds": 1.0}
    row |= {"gate_open": 0.0, "finite": True, "consistency": 2 * sigma}
    whole = {"dataset": "digits", "mask": "left", "case": case.case, "image": picture, "attributes": []}
    whole |= {"hole": store.encode_hole(HOLE), "hole_fraction": 0.5}
    store.write_table(tmp_path / "cases.parquet", "cases", [whole], {})
    settings = {"metrics": ["consistency", "consistency_error"], "features": {"name": "hole_pca"}, "problem": problem}
    (tmp_path / "settings.json").write_text(json.dumps({**settings, "dataset": "digits"}))
    found = {}
    for origin in ({}, {"package": "1"}):
        store.write_table(tmp_path / "sets.parquet", "sets", [{**row, "index": i} for i in range(2)], {}, origin)
        words = ["measure", "--settings", "settings.json", "--sets", "sets.parquet", "--cases", "cases.parquet"]
        words = [str(tmp_path / word) if "." in word else word for word in words]
        assert main([*words, "--output", str(tmp_path / f"m{len(origin)}.parquet")]) == 0
        table = store.read_table(tmp_path / f"m{len(origin)}.parquet", "metrics")
        found[len(origin)] = {item["metric"]: item["value"] for item in table.to_pylist()}
        faults = store.provenance_of(table)["faults"]
        assert bool(faults) == (sigma > 0 and not origin)
    assert found[0]["consistency"] == found[1]["consistency"] == pytest.approx(2 * sigma)
    missing = found[0]["consistency_error"]
    assert (missing is None or missing != missing) == (sigma > 0)
    assert np.isfinite(found[1]["consistency_error"])


def test_only_the_error_has_a_direction():
    assert registry.find("consistency")[1].direction == "none"
    assert registry.find("consistency_error")[1].direction == "lower"


def test_a_measurement_is_that_of_its_case_and_seed_whatever_is_measured_beside_it():
    problem = build({"name": "denoising", "sigma": 0.1}, (1, 8, 8))
    truths = torch.zeros(3, 1, 1, 8, 8)
    keys = [(0, "digits", "a"), (1, "digits", "a"), (0, "digits", "b")]
    together = measurement(problem, truths, keys)
    for row, key in enumerate(keys):
        assert torch.equal(measurement(problem, truths[:1], [key])[0], together[row])
    assert len({float(y.sum()) for y in together}) == 3
