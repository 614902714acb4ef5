"""Exact posteriors: the worlds, the distances, the samplers' limits, the jobs, and the run from end to end."""

import copy
import math
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
import yaml

from benchmark import statistics, store
from benchmark.cli import main
from benchmark.config import check, load
from benchmark.errors import BenchmarkError
from benchmark.exact import distances, tune
from benchmark.exact.distances import DESCRIPTIONS, DISTANCES
from benchmark.exact.measurements import Measurements, measure
from benchmark.exact.mixtures import WORLDS, build_world
from benchmark.exact.run import draw, references, run
from benchmark.jobs.exact import ExactSettings, Run
from benchmark.jobs.publish import ExactReportSettings
from benchmark.plan import Plan
from benchmark.priors.mixture import GaussianMixture, MixturePrior
from benchmark.problems import build
from benchmark.publish.exact.price import cost_at_gain, per_diversity

ROOT = Path(__file__).resolve().parent.parent
TEN = {"name": "ten_gaussians"}
INPAINTING = {"name": "inpainting", "sigma": 0.0}
LEFT = {"recipe": "left"}
TINY = yaml.safe_load("""
run: tiny
device: cpu
toy: false
masks: {left: {recipe: left}}
samplers:
  ddnm: {algorithm: ddnm, steps: 10}
  ddnm_reference: {algorithm: ddnm, preset: reference, steps: 10}
  dps: {algorithm: dps, steps: 10, scale: 0.2}
truth:
  measurements: 3
  sets: 4
  samplers: {ddnm: [5, 20], ddnm_reference: [5, 20], dps: [10]}
  problems:
    ten: {world: {name: ten_gaussians}, mask: left}
    projected: {world: {name: gauss25, dimension: 6}, problem: {name: random_projection, rows: 2, sigma: 0.02}}
    free: {world: {name: ten_gaussians}, samplers: [ddnm], guided: false}
  guided:
    - {samplers: [ddnm, ddnm_reference, dps], eta: [0.3, 3], D: [0.3, .inf]}
    - {samplers: [dps], eta: [3], D: [.inf], uncoupled: true}
  compare: [{sampler: ddnm_reference, against: ddnm, what: released code}]
""")


def job(**changes):
    settings = {
        "problem": "p", "world": TEN, "operator": INPAINTING, "mask": LEFT, "sampler": "ddnm",
        "algorithm": {"name": "ddnm", "preset": "paper"}, "runs": [{"steps": 5, "guidance": None}],
        "n": 5, "sets": 4, "measurements": 2, "seed": 0,
    }  # fmt: skip
    return settings | changes


# -------------------------------------------------------------------------------------------------------------- worlds
@pytest.mark.parametrize("name", WORLDS)
def test_a_worlds_data_lie_where_samplers_clip_to(name):
    world = build_world({"name": name})
    x = world.prior.mixture.sample(20_000, torch.Generator().manual_seed(0))
    assert (x.abs() > 1).double().mean() < (0.02 if name == "digits" else 1e-3)
    truths = world.truths(12, 0)
    assert truths.shape == (12, *world.prior.shape)
    assert truths.dtype == torch.float64
    assert name == "digits" or torch.equal(truths[:5], world.truths(5, 0))
    assert not torch.equal(truths, world.truths(12, 1))


def test_the_ten_gaussians_are_those_of_the_papers_figure():
    from benchmark.selection.toy import draw_points

    points, gaussian = draw_points(20_000)
    mixture = build_world(TEN).prior.mixture
    assert float(mixture.weights[0]) == pytest.approx(0.95)
    scaled = torch.from_numpy(points) / 6
    found = mixture.responsibilities(scaled).argmax(1)
    assert (found == torch.from_numpy(gaussian)).double().mean() > 0.999
    assert torch.allclose(torch.cov(scaled.mT), mixture.covariance(), atol=2e-3)


def test_the_grid_of_25_gaussians_is_that_of_the_literature_divided_by_20():
    mixture = build_world({"name": "gauss25", "dimension": 80}).prior.mixture
    pairs = {tuple(mean[:2].mul(20).round().int().tolist()) for mean in mixture.means}
    assert pairs == {(8 * i, 8 * j) for i in range(-2, 3) for j in range(-2, 3)}
    assert torch.equal(mixture.means, mixture.means[:, :2].repeat(1, 40))
    assert torch.allclose(mixture.covariances[0] * 400, torch.eye(80, dtype=torch.float64))


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"name": "mars"}, "world.name: 'mars' is not known; use one of digits"),
        ({"name": "gauss25", "dimension": 7}, "world.dimension: 7 is no multiple of 2"),
        ({"name": "ten_gaussians", "dimension": 2}, "world.dimension: ten_gaussians has no such option; it has none"),
    ],
)
def test_a_wrong_world_is_refused_in_one_line(settings, words):
    with pytest.raises(BenchmarkError, match=words):
        build_world(settings)


# --------------------------------------------------------------------------------------------------- random projections
def test_each_case_has_a_projection_of_its_own_and_is_what_it_is_alone():
    settings, shape = {"name": "random_projection", "rows": 3, "sigma": 0.1}, (6, 1, 2)
    x = torch.randn(2, 4, *shape, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    both = build({**settings, "seed": [3, 8]}, shape, dtype=torch.float64)
    assert both.A(x).shape == (2, 4, 3, 1, 1)
    assert torch.allclose(both.V(both.Vt(x)), x)
    assert torch.allclose(both.A(both.pinv(both.A(x))), both.A(x))
    for case, seed in enumerate((3, 8)):
        alone = build({**settings, "seed": seed}, shape, dtype=torch.float64)
        assert torch.allclose(alone.A(x[case : case + 1]), both.A(x)[case : case + 1])
        assert torch.allclose(alone.Vt(x[case : case + 1]), both.Vt(x)[case : case + 1])
    assert not torch.allclose(both.A(x[:1].expand(2, -1, -1, -1, -1))[0], both.A(x[:1].expand(2, -1, -1, -1, -1))[1])


def test_the_measured_directions_of_random_projections_point_everywhere():
    seeds = list(range(4000))
    problem = build({"name": "random_projection", "rows": 1, "seed": seeds}, (3, 1, 1), dtype=torch.float64)
    basis = torch.zeros(1, 1, 3, 1, 1, dtype=torch.float64)
    basis[..., 0, 0, 0] = 1
    directions = problem.V(basis.expand(4000, -1, -1, -1, -1)).flatten(1)
    assert torch.allclose(directions.mT @ directions / 4000, torch.eye(3, dtype=torch.float64) / 3, atol=0.03)
    with pytest.raises(BenchmarkError, match="rows 4 of an image of 3 numbers; give 1 to 3"):
        build({"name": "random_projection", "rows": 4}, (3, 1, 1))


# ----------------------------------------------------------------------------------------------------------- distances
def gaussians(*means, std=0.1, weights=None):
    return GaussianMixture.isotropic(torch.tensor(means, dtype=torch.float64), std, weights)


def test_sliced_wasserstein_of_a_shift_is_the_shifts_root_mean_square_length_along_the_directions():
    x = torch.randn(50, 3, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    shift, along = torch.tensor([1.0, -2.0, 0.5], dtype=torch.float64), distances.directions(3)
    expected = float((along @ shift).square().mean().sqrt())
    assert distances.sliced_wasserstein(x, (x + shift)[torch.randperm(50)], along) == pytest.approx(expected)
    assert distances.sliced_wasserstein(x, x.flip(0), along) < 1e-12
    assert torch.allclose(along.norm(dim=1), torch.ones(len(along), dtype=torch.float64))


def draws(*size, seed=0):
    return torch.randn(*size, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))


def test_the_energy_distance_has_its_known_values():
    zero, far = torch.zeros(2, 2, 2, dtype=torch.float64), torch.zeros(3, 2, 2, dtype=torch.float64) + 3.0
    assert distances.energy(zero, far) == pytest.approx(2 * math.sqrt(18))
    mixed = torch.tensor([[[0.0], [1.0]], [[0.0], [1.0]]], dtype=torch.float64)  # 2 * 1/2 - 1/2 - 0
    assert distances.energy(mixed, torch.zeros(2, 2, 1, dtype=torch.float64)) == pytest.approx(0.5)
    assert math.isnan(distances.energy(mixed[:1], mixed))


def test_the_energy_distance_does_not_count_that_samples_of_a_set_repel_each_other():
    y = draws(200, 2, 1, seed=1)
    repelled = draws(200, 1, 1) * torch.tensor([[1.0], [-1.0]], dtype=torch.float64)  # each set x, -x: still normal
    assert distances.energy(repelled, y) == pytest.approx(0, abs=0.02)
    narrow = distances.energy(0.8 * draws(200, 2, 1), y)  # 2 E|X-Y| - E|X-X'| - E|Y-Y'| of normal differences
    expected = math.sqrt(2 / math.pi) * (2 * math.sqrt(1.64) - 0.8 * math.sqrt(2) - math.sqrt(2))
    assert narrow == pytest.approx(expected, abs=0.02)


def test_the_squared_excess_is_what_pairs_of_blocks_are_apart_less_what_each_is_from_itself():
    x, y, along = draws(3, 8, 4), 1.5 * draws(5, 8, 4, seed=1) + 0.3, distances.directions(4)

    def mean_of_pairs(a, b):
        pairs = [(i, j) for i in range(len(a)) for j in range(len(b)) if a is not b or i != j]
        return sum(distances.sliced_wasserstein(a[i], b[j], along) ** 2 for i, j in pairs) / len(pairs)

    expected = mean_of_pairs(x, y) - mean_of_pairs(x, x) / 2 - mean_of_pairs(y, y) / 2
    assert distances.squared_excess(x, y, along) == pytest.approx(expected)
    with pytest.raises(ValueError, match="two blocks"):
        distances.squared_excess(x[:1], y, along)


@pytest.mark.parametrize("scale", [0.7, 1.0, 1.4])
def test_the_squared_excess_has_its_expectation_for_narrow_exact_and_wide_samples_alike(scale):
    """Of scale * X against X the mean order statistics are apart by (scale - 1) times those of X, in any direction."""
    h, along, count = 10, distances.directions(1), 4000
    x, y = scale * draws(count, 2, h, 1), draws(count, 2, h, 1, seed=1)
    found = torch.tensor([distances.squared_excess(a, b, along) for a, b in zip(x, y, strict=True)])
    quantiles = draws(200_000, h, 1, seed=2).sort(dim=1).values.mean(0)
    expected = (scale - 1) ** 2 * float(quantiles.square().mean())
    assert float(found.mean()) == pytest.approx(expected, abs=4 * float(found.std()) / math.sqrt(count))


def test_total_variation_over_modes_is_the_share_that_is_in_the_wrong_place():
    prior = gaussians([-5.0], [0.0], [5.0], weights=torch.tensor([0.2, 0.3, 0.5]))
    posterior = prior.posterior(torch.zeros(1, 1).double(), torch.zeros(1))
    x = torch.tensor([[-5.0]] * 7 + [[5.0]] * 3, dtype=torch.float64)
    assert distances.mode_total_variation(x, prior, posterior) == pytest.approx(0.5)
    assert (
        distances.mode_total_variation(
            torch.tensor([[-5.0]] * 2 + [[0.0]] * 3 + [[5.0]] * 5).double(), prior, posterior
        )
        < 1e-6
    )


def test_mean_and_covariance_errors_are_relative_to_the_posteriors_spread():
    prior = gaussians([0.0, 0.0], std=2.0)
    posterior = prior.posterior(torch.zeros(1, 2).double(), torch.zeros(1))
    x = torch.tensor([[1.0, 0.0], [5.0, 0.0]], dtype=torch.float64)  # mean (3, 0), covariance diag(8, 0)
    assert distances.mean_error(x, posterior, posterior.covariance()) == pytest.approx(3 / math.sqrt(8))
    expected = math.hypot(8 - 4, 4) / math.hypot(4, 4)
    assert distances.covariance_error(x, posterior.covariance()) == pytest.approx(expected)
    nothing = torch.zeros(2, 2, dtype=torch.float64)
    assert math.isnan(distances.mean_error(x, posterior, nothing))
    assert math.isnan(distances.covariance_error(x, nothing))


def test_diversity_and_modes_are_counted_within_sets():
    sets = torch.tensor([[[0.0, 0.0], [3.0, 4.0]], [[1.0, 1.0], [1.0, 1.0]]], dtype=torch.float64)
    assert distances.diversity(sets) == pytest.approx(math.sqrt(12.5) / 2)
    assert distances.modes(sets, gaussians([0.0, 0.0], [3.0, 4.0])) == 1.5
    assert math.isnan(distances.diversity(sets[:, :1]))


def references_of(measurements, n=5, sets=100):
    return list(references(measurements, n, sets))


def test_exact_samples_are_at_the_floor_and_samples_of_the_prior_are_not():
    measurements = measure(
        "p", {"name": "gauss25", "dimension": 8}, {"name": "random_projection", "rows": 2, "sigma": 0.02}, None, 4, 0
    )
    for case, reference in enumerate(references_of(measurements)):
        fresh = measurements.posteriors[case].sample(500, torch.Generator().manual_seed(99))
        wrong = measurements.prior.mixture.sample(500, torch.Generator().manual_seed(99))
        at, off = reference.measure(fresh), reference.measure(wrong)
        for name in DISTANCES:
            assert at[name] < 3 * reference.exact[name] + 0.02
        for name in ("sliced_wasserstein", "mode_total_variation", "consistency"):
            assert off[name] > 3 * reference.exact[name]
        assert min(off["squared_excess"], off["energy"]) > 0.1
        assert reference.exact["squared_excess"] == reference.exact["energy"] == 0
        assert at["consistency"] == pytest.approx(0.04, rel=0.5)
        assert set(at) == set(DESCRIPTIONS)


def test_samples_that_are_not_finite_have_no_distance_and_say_so():
    reference = references_of(measure("p", TEN, INPAINTING, LEFT, 1, 0), sets=2)[0]
    x = torch.zeros(10, 2, dtype=torch.float64)
    x[0, 1] = float("nan")
    values = reference.measure(x)
    assert values["finite"] == 0.9
    assert all(math.isnan(value) for name, value in values.items() if name != "finite")


# -------------------------------------------------------------------------------------------------------------- limits
def distance(measurements, name, steps, **options):
    """Mean sliced W2 over the measurements, and its floor."""
    held_against = references_of(measurements, 5, 200)
    algorithm = {"name": name, "preset": "paper", **options}
    samples, _ = draw(measurements, algorithm, Run(steps=steps), 5, 200)
    found = [reference.measure(x)["sliced_wasserstein"] for reference, x in zip(held_against, samples, strict=True)]
    floor = [reference.exact["sliced_wasserstein"] for reference in held_against]
    return sum(found) / len(found), sum(floor) / len(floor)


def independent():
    """Two coordinates that know nothing of each other, the second with two modes; the first is measured."""
    means = torch.tensor([[0.1, -0.5], [0.1, 0.5]], dtype=torch.float64)
    prior = MixturePrior(GaussianMixture.isotropic(means, 0.15, torch.tensor([0.3, 0.7])))
    truths = prior.mixture.sample(3, torch.Generator().manual_seed(0)).reshape(3, 1, 1, 2)
    return Measurements("independent", 0, prior, truths, INPAINTING, torch.tensor([[False, True]]))


ONCE = {"jump_length": 1, "jump_n_sample": 1, "clip": False}
EXACT_IN_THE_LIMIT = {
    "DDPM": ("repaint", ONCE),
    "DDPM of DPS": ("dps", {"clip": False}),
    "DDIM of DDNM": ("ddnm", {"eta_ddim": 0.0}),
    "DDIM of DDRM": ("ddrm", {"eta": 0.0}),
}


@pytest.mark.slow
@pytest.mark.parametrize("which", EXACT_IN_THE_LIMIT)
def test_with_nothing_known_an_exact_score_gives_the_prior_as_steps_grow(which):
    """Ancestral sampling (the reverse SDE) and DDIM (its probability flow) converge; the score here is exact."""
    name, options = EXACT_IN_THE_LIMIT[which]
    measurements = measure("free", TEN, INPAINTING, None, 3, 0)
    few, floor = distance(measurements, name, 10, **options)
    many, _ = distance(measurements, name, 1000, **options)
    assert few > 1.6 * floor
    assert many < 1.25 * floor


@pytest.mark.slow
@pytest.mark.parametrize("which", ["DDPM", "DDIM of DDNM", "DDIM of DDRM"])
def test_a_known_coordinate_that_says_nothing_of_the_unknown_one_leaves_it_exact(which):
    name, options = EXACT_IN_THE_LIMIT[which]
    few, floor = distance(independent(), name, 5, **options)
    many, _ = distance(independent(), name, 1000, **options)
    assert few > 1.5 * floor
    assert many < 1.3 * floor


@pytest.mark.slow
def test_a_fixed_share_of_fresh_noise_and_conditioning_by_replacement_stay_away_from_the_posterior():
    """DDNM's and DDRM's eta = 0.85, DiffPIR's zeta = 1 are no reverse processes; RePaint is no posterior sampler."""
    free, known = measure("free", TEN, INPAINTING, None, 3, 0), measure("ten", TEN, INPAINTING, LEFT, 4, 0)
    for name in ("ddnm", "ddrm", "diffpir"):
        value, floor = distance(free, name, 1000)
        assert value > 1.4 * floor
    value, floor = distance(known, "repaint", 250, **ONCE)
    assert value > 1.4 * floor


@pytest.mark.parametrize("name", ["ddnm", "ddrm", "repaint"])
def test_with_everything_known_a_sampler_returns_it(name):
    prior, truths = build_world(TEN).prior, build_world(TEN).truths(3, 0)
    measurements = Measurements("full", 0, prior, truths, INPAINTING, torch.zeros(1, 2, dtype=torch.bool))
    samples, _ = draw(measurements, {"name": name}, Run(steps=10), 2, 2)
    assert torch.allclose(samples, truths.reshape(3, 1, 2).expand(3, 4, 2), atol=1e-12)
    reference = references_of(measurements, 2, 2)[0]
    assert reference.measure(samples[0])["sliced_wasserstein"] < 1e-9


# ------------------------------------------------------------------------------------------- the posterior as a sampler
@pytest.mark.parametrize("world", ["ten_gaussians", "digits"])
def test_the_exact_sampler_has_no_excess_in_expectation_and_the_prior_and_narrow_samples_have(world, tmp_path):
    common = {"problem": "p", "world": {"name": world}, "measurements": 24, "sets": 4}
    settings = job(sampler="exact", algorithm={"name": "exact"}, runs=[{"steps": 0}], **common)
    run(ExactSettings.from_json(settings), tmp_path / "e")
    rows = store.read_table(tmp_path / "e", "truth").to_pylist()
    excess = statistics.mean_interval(np.array([row["value"] for row in rows if row["metric"] == "squared_excess"]))
    assert excess.low < 0 < excess.high
    assert {(row["sampler"], row["preset"], row["nfe"]) for row in rows} == {("exact", "exact", 0)}
    measurements = measure("p", {"name": world}, INPAINTING, LEFT, 24, 0)
    prior = measurements.prior.mixture.sample(20, torch.Generator().manual_seed(0))
    held_against = list(references(measurements, 5, 4))
    wrong = np.array([reference.measure(prior)["squared_excess"] for reference in held_against])
    assert statistics.mean_interval(wrong).low > 0
    narrow = []
    for case, posterior in enumerate(measurements.posteriors):
        for seed in range(8):  # what the floor of wider samples would hide
            x = posterior.sample(20, torch.Generator().manual_seed(100 * case + seed))
            narrow.append(held_against[case].measure(posterior.mean() + 0.6 * (x - posterior.mean()))["squared_excess"])
    assert np.mean(narrow) > 0


def test_truths_of_the_model_have_uniform_ranks_and_real_digits_have_not(tmp_path):
    ranks = {}
    for truths in ("real", "model"):
        settings = job(sampler="exact", algorithm={"name": "exact"}, runs=[{"steps": 0, "guidance": None}])
        settings |= {"world": {"name": "digits", "truths": truths}, "measurements": 60}
        run(ExactSettings.from_json(settings), tmp_path / truths)
        rows = store.read_table(tmp_path / truths, "truth").to_pylist()
        ranks[truths] = torch.tensor([row["value"] for row in rows if row["metric"] == "truth_rank"])
    assert len(ranks["model"]) == 60
    assert (ranks["model"] < 0.05).double().mean() <= 0.15
    assert (ranks["real"] < 0.05).double().mean() >= 0.15
    with pytest.raises(BenchmarkError, match=r"world\.truths: 'fake' is not known; use real or model"):
        build_world({"name": "digits", "truths": "fake"})


# -------------------------------------------------------------------------------------------------------------- tuning
TUNE = {
    "measurements": 4,
    "sets": 4,
    "problems": ["ten"],
    "held_out": ["projected"],
    "grids": {"dps": {"scale": [0.2, 50]}},
}


def test_options_are_chosen_for_each_number_of_steps_on_measurements_of_their_own():
    config = check(changed(lambda c: c["truth"].update(tune=TUNE)))
    found = list(tune.scores(config))
    assert [(one.steps, one.options) for one in found] == [(10, {"scale": 0.2}), (10, {"scale": 50})]
    assert 0.5 < found[0].score < found[1].score
    assert tune.chosen(found) == {"dps": {"10": {"scale": 0.2}}}
    for name in ("ten", "projected"):
        own = tune.tuning_measurements(config, name)
        settings = Plan(config).job(f"results/tiny/truth/{name}/exact.parquet").settings
        keys = ("world", "operator", "mask", "measurements", "seed")
        theirs = measure(name, *(getattr(settings, key) for key in keys))
        assert not torch.isin(own.truths.flatten(), theirs.truths.flatten()).any()
        assert not torch.isin(own.y[own.y != 0], theirs.y[theirs.y != 0]).any()


def test_the_command_writes_its_choice_and_what_it_was_made_from(tmp_path, capsys):
    source, output = tmp_path / "config.yaml", tmp_path / "tuned.yaml"
    source.write_text(yaml.safe_dump(changed(lambda c: c["truth"].update(tune=TUNE))))
    assert main(["tune", "--config", str(source), "--output", str(output)]) == 0
    assert "by_steps:" in capsys.readouterr().out
    record = yaml.safe_load(output.read_text())
    assert record["by_steps"] == {"dps": {"10": {"scale": 0.2}}}
    assert [set(one) for one in record["scores"]] == [{"sampler", "steps", "options", "score", "ratios"}] * 2
    assert main(["tune", "--config", str(source), "--samplers", "ddnm"]) == 2
    assert "ddnm is none of truth.tune.grids: dps" in capsys.readouterr().err


def test_options_by_steps_hold_at_their_steps_alone_and_are_part_of_the_settings():
    def change(config):
        config["samplers"]["dps"]["by_steps"] = {10: {"scale": 0.5}}
        config["truth"]["samplers"]["dps"] = [5, 10]

    plan = Plan(check(changed(change)))
    runs = plan.job("results/tiny/truth/ten/dps.parquet").settings.runs
    assert [(one.steps, one.options) for one in runs[:3]] == [
        (5, {}),
        (10, {"scale": 0.5}),
        (10, {"scale": 0.5}),
    ]
    measurements = measure("p", TEN, INPAINTING, LEFT, 2, 0)
    algorithm = {"name": "dps", "preset": "paper", "scale": 0.2}
    changed_at, _ = draw(measurements, algorithm, Run(steps=5, options={"scale": 0.5}), 5, 2)
    same, _ = draw(measurements, {**algorithm, "scale": 0.5}, Run(steps=5), 5, 2)
    assert torch.equal(changed_at, same)


def test_the_experiments_options_are_those_that_were_chosen():
    record = yaml.safe_load((ROOT / "experiments" / "tuned" / "samplers.yaml").read_text())
    config = load(ROOT / "experiments" / "truth.yaml")
    tuned = {name: spec["by_steps"] for name, spec in config["samplers"].items() if "by_steps" in spec}
    assert tuned == record["by_steps"]
    section = config["truth"]["tune"]
    assert all(record[key] == section[key] for key in ("measurements", "sets", "problems", "held_out", "grids"))
    for sampler, by_steps in record["by_steps"].items():
        assert set(map(int, by_steps)) == set(config["truth"]["samplers"][sampler])
        for steps, options in by_steps.items():
            scores = [s for s in record["scores"] if (s["sampler"], str(s["steps"])) == (sampler, steps)]
            assert min(scores, key=lambda s: s["score"])["options"] == options


# ---------------------------------------------------------------------------------------------------------------- jobs
POINT = {"name": "nearest_neighbour", "eta": 3.0, "D": math.inf, "D_unit": "rms"}


def test_a_job_writes_a_row_for_each_run_measurement_and_measure_the_same_every_time(tmp_path):
    settings = job(runs=[{"steps": 5, "guidance": None}, {"steps": 8, "guidance": POINT}])
    for name in ("a", "b"):
        run(ExactSettings.from_json(settings), tmp_path / f"{name}.parquet")
    tables = [store.read_table(tmp_path / f"{name}.parquet", "truth", settings).to_pylist() for name in "ab"]
    assert tables[0] == tables[1]
    assert len(tables[0]) == 2 * 2 * len(DESCRIPTIONS)
    rows = [row for row in tables[0] if row["metric"] == "diversity"]
    assert [(row["steps"], row["nfe"], row["method"], row["eta"]) for row in rows[::2]] == [
        (5, 5, "plain", 0.0),
        (8, 8, "nearest_neighbour", 3.0),
    ]
    assert rows[0]["exact"] == rows[2]["exact"]


def test_the_noise_is_the_same_for_every_guidance():
    measurements = measure("p", TEN, INPAINTING, LEFT, 2, 0)
    zero = {**POINT, "eta": 0.0}
    samples = [draw(measurements, {"name": "ddnm"}, Run(steps=9, guidance=g), 5, 3)[0] for g in (None, zero, POINT)]
    assert torch.equal(samples[0], samples[1])
    assert not torch.equal(samples[0], samples[2])
    assert not torch.equal(samples[0][0], samples[0][1])


def test_an_uncoupled_push_changes_dps_alone():
    measurements = measure(
        "p", {"name": "gauss25", "dimension": 4}, {"name": "random_projection", "rows": 2, "sigma": 0.02}, None, 2, 0
    )
    for name, same in [("ddnm", True), ("dps", False)]:
        samples = [
            draw(measurements, {"name": name}, Run(steps=10, guidance=POINT, uncoupled=off), 5, 3)[0]
            for off in (False, True)
        ]
        assert torch.equal(*samples) is same


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"sets": 0}, "sets: 0 is below 1"),
        ({"n": 1, "sets": 1}, "one sample for each measurement has no covariance"),
        ({"extra": 1}, "extra is not known"),
        ({"world": "mars"}, "world is 'mars'; give a dict"),
        ({"runs": [{"guidance": None}]}, "is not of the form steps, guidance, uncoupled"),
        ({"operator": {"name": "random_projection", "rows": 3}}, "rows 3 of an image of 2 numbers"),
        ({"algorithm": {"name": "ddnm", "zeta": 1.0}}, "ddnm has no such option"),
    ],
)
def test_a_wrong_job_is_refused_in_one_line(tmp_path, change, words):
    with pytest.raises(BenchmarkError, match=words):
        run(ExactSettings.from_json(job(**change)), tmp_path / "t.parquet")
    assert not list(tmp_path.iterdir())


# ----------------------------------------------------------------------------------------------- configuration and plan
def changed(change):
    config = copy.deepcopy(TINY)
    change(config)
    return config


def test_the_plan_has_a_job_for_each_problem_and_sampler_and_plain_sampling_beside_each_guided_point():
    plan = Plan(check(TINY))
    assert len(plan.paths("truth")) == len(plan.jobs) == 7 + 3  # the exact sampler of each problem
    runs = plan.job("results/tiny/truth/ten/dps.parquet").settings.runs
    assert [(one.steps, one.guidance and one.guidance["eta"]) for one in runs[:3]] == [
        (10, None),
        (10, 0.3),
        (10, 0.3),
    ]
    assert sum(one.uncoupled or False for one in runs) == 1
    runs = plan.job("results/tiny/truth/ten/ddnm.parquet").settings.runs
    assert [one.steps for one in runs if one.guidance is None] == [5, 20, 10]
    assert [one.steps for one in plan.job("results/tiny/truth/free/ddnm.parquet").settings.runs] == [5, 20]


def test_a_problem_may_guide_some_of_its_samplers_alone():
    plan = Plan(check(changed(lambda c: c["truth"]["problems"]["ten"].update(guided=["dps"]))))
    runs = {name: plan.job(f"results/tiny/truth/ten/{name}.parquet").settings.runs for name in ("ddnm", "dps")}
    assert [one.steps for one in runs["ddnm"]] == [5, 20]
    assert runs["dps"] == Plan(check(TINY)).job("results/tiny/truth/ten/dps.parquet").settings.runs


def test_one_more_sampler_is_one_new_job_for_each_problem():
    def change(config):
        config["samplers"]["ddrm"] = {"algorithm": "ddrm", "steps": 10}
        config["truth"]["samplers"]["ddrm"] = [10]

    before, after = Plan(check(TINY)), Plan(check(changed(change)))
    new = {path for path, one in after.jobs.items() if before.jobs.get(path) != one}
    assert new == {f"results/tiny/truth/{problem}/ddrm.parquet" for problem in ("ten", "projected")}


def test_a_checked_configuration_is_one_itself_and_can_be_rehearsed():
    config = check(TINY)
    assert check(config) == config
    rehearsed = check({**TINY, "rehearsal": True})
    assert rehearsed["truth"]["measurements"] == 2
    assert len(Plan(rehearsed).paths("truth")) == 7 + 3


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda c: c.pop("truth"), "datasets: missing. Datasets by name"),
        (lambda c: c["truth"]["samplers"].update(dnm=[5]), "truth.samplers: no sampler 'dnm'; did you mean 'ddnm'?"),
        (lambda c: c["truth"]["problems"]["ten"].update(mask="lft"), "truth.problems.ten.mask: no mask 'lft'"),
        (lambda c: c["truth"]["problems"]["ten"].update(wold=1), "truth.problems.ten.wold: unknown key"),
        (
            lambda c: c["truth"]["problems"]["ten"].update(samplers=["drp"]),
            "truth.problems.ten.samplers: no sampler 'drp'",
        ),
        (
            lambda c: c["samplers"]["dps"].update(by_steps={10: {"scal": 1}}),
            "samplers.dps.by_steps.10.scal: unknown option; did you mean 'scale'?",
        ),
        (lambda c: c["samplers"]["dps"].update(by_steps={10: {"scale": "x"}}), "by_steps.10.scale: 'x' is not of type"),
        (lambda c: c["truth"]["samplers"].update(exact=[5]), "truth.samplers: 'exact' is the posterior itself"),
        (lambda c: c["truth"].update(tune={**TUNE, "held_out": ["ten"]}), "truth.tune.held_out: ten is tuned on, too"),
        (lambda c: c["truth"].update(tune={**TUNE, "problems": ["tn"]}), "truth.tune.problems: no problem 'tn'"),
        (lambda c: c["truth"].update(tune={**TUNE, "grids": {"x": {}}}), "truth.tune.grids: no sampler 'x'"),
        (
            lambda c: c["truth"].update(tune={**TUNE, "problems": ["free"]}),
            "truth.tune.grids: dps at 10 steps has none of tune.problems; add one that has it",
        ),
        (lambda c: c["truth"]["guided"][0].update(eta=[-1]), "truth.guided[0].eta[0]: -1"),
        (
            lambda c: c["truth"]["problems"]["free"].update(guided=["dps"]),
            "truth.problems.free.guided: 'dps' is no sampler that this problem and truth.guided have; known: ddnm",
        ),
        (lambda c: c["samplers"]["dps"].pop("steps"), "samplers.dps.steps: truth.guided[0] samples at these steps"),
        (
            lambda c: c["samplers"]["ddnm"].update(algorithm="repaint"),
            "(repaint) serves noiseless inpainting only",
        ),
        (
            lambda c: c["samplers"]["ddnm_reference"].update(algorithm="diffpir"),
            "ddnm_reference (diffpir) solves the data step of the preset reference on [0, 1]",
        ),
    ],
)
def test_a_wrong_truth_is_refused_in_one_line(change, words):
    with pytest.raises(BenchmarkError) as caught:
        check(changed(change), "some.yaml")
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)


def test_the_experiment_holds_what_it_promises():
    config = load(ROOT / "experiments" / "truth.yaml")
    truth = config["truth"]
    assert truth["measurements"] >= 8
    rows = {
        (problem["world"].get("dimension"), problem["problem"]["rows"])
        for problem in truth["problems"].values()
        if problem["problem"]["name"] == "random_projection"
    }
    assert rows == {(d, m) for d in (8, 80, 800) for m in (1, 2, 4)}
    assert {problem["mask"] for problem in truth["problems"].values() if problem["world"]["name"] == "digits"} == {
        "left", "right", "top", "bottom", "box"
    }  # fmt: skip
    algorithms = {
        (config["samplers"][name]["algorithm"], config["samplers"][name]["preset"]) for name in truth["samplers"]
    }
    assert algorithms >= {
        (name, preset) for name in ("ddnm", "ddrm", "diffpir", "dps", "repaint") for preset in ("paper", "reference")
    }
    for one in Plan(config).of_kind("truth"):
        assert one.settings.runs


# -------------------------------------------------------------------------------------------------- table and figures
def results(tmp_path, rows):
    from benchmark.publish.exact.results import Results

    common = {"problem": "p", "world": "w", "sampler": "s", "preset": "paper", "steps": 5, "nfe": 5, "D_unit": "rms"}
    store.write_table(tmp_path / "t.parquet", "truth", [common | row for row in rows], {})
    return Results(ExactReportSettings(problems=["p"], samplers=["s"]), str(tmp_path / "t.parquet"))


def rows_of(diversity, bias):
    """Plain at 0, and one guided point with these changes by case."""
    for case, values in enumerate(zip(diversity, bias, strict=True)):
        for metric, value in zip(("diversity", "sliced_wasserstein"), values, strict=True):
            yield {
                "case": str(case),
                "method": "plain",
                "eta": 0.0,
                "D": 0.0,
                "metric": metric,
                "value": 1.0,
                "exact": 0.5,
            }
            yield {"case": str(case), "method": "spell", "eta": 1.0, "D": 0.2, "metric": metric, "value": 1.0 + value}


def test_the_bias_of_a_unit_of_diversity_is_the_ratio_of_the_mean_changes(tmp_path):
    found = results(tmp_path, rows_of([1, 2, 3, 2], [0.5, 1.0, 1.5, 1.0]))
    (setting,) = found.of("p", guided=True)
    ratio = per_diversity(found, ["p"], setting, "sliced_wasserstein")
    assert (ratio.estimate, ratio.low, ratio.high) == pytest.approx((0.5, 0.5, 0.5))
    assert found.difference(["p"], setting, setting.plain, "diversity").estimate == 2
    assert found.beyond_exact(["p"], setting.plain, "diversity").estimate == 0.5
    assert found.times_floor(["p"], setting.plain, "sliced_wasserstein") == 2


def test_the_cost_at_a_gain_is_read_between_the_etas_and_is_unknown_beyond_them(tmp_path):
    rows = list(rows_of([1, 1.2, 0.8, 1], [0.5, 0.6, 0.4, 0.5]))
    rows += [row | {"eta": 3.0, "value": 1 + 2 * (row["value"] - 1)} for row in rows if row["method"] == "spell"]
    found = results(tmp_path, rows)
    curve = sorted(found.of("p", guided=True), key=lambda setting: setting.eta)
    assert [setting.eta for setting in curve] == [1.0, 3.0]
    cost = cost_at_gain(found, ["p"], curve, 1.5, "sliced_wasserstein")
    assert (cost.estimate, cost.low, cost.high) == pytest.approx((0.75, 0.75, 0.75))
    assert cost_at_gain(found, ["p"], curve, 0.5, "sliced_wasserstein").estimate == pytest.approx(0.25)
    assert math.isnan(cost_at_gain(found, ["p"], curve, 2.5, "sliced_wasserstein").estimate)
    dearer = [replace(setting, D=math.inf) for setting in curve]
    rows += [row | {"D": math.inf, "value": row["value"] ** 2} for row in rows if row["method"] == "spell"]
    found = results(tmp_path, rows)
    alone = [cost_at_gain(found, ["p"], one, 1.2, "sliced_wasserstein").estimate for one in (curve, dearer)]
    less = cost_at_gain(found, ["p"], curve, 1.2, "sliced_wasserstein", dearer)
    assert less.estimate == pytest.approx(alone[0] - alone[1])
    assert less.low <= less.estimate <= less.high


def test_what_several_problems_measure_of_a_truth_is_one_case(tmp_path):
    from benchmark.publish.exact.results import Results, Setting

    common = {
        "world": "w",
        "sampler": "s",
        "preset": "paper",
        "steps": 5,
        "nfe": 5,
        "D_unit": "rms",
        "eta": 0.0,
        "D": 0.0,
    }
    common |= {"method": "plain", "metric": "squared_excess", "exact": 0.0}
    values = {"p": {"0": 0.5, "1": 0.3, "2": None}, "q": {"0": -0.1, "1": 0.1, "2": 0.4, "3": -0.5}}
    rows = [
        common | {"problem": problem, "case": case, "value": value}
        for problem, cases in values.items()
        for case, value in cases.items()
    ]
    store.write_table(tmp_path / "t.parquet", "truth", rows, {})
    found = Results(ExactReportSettings(problems=["p", "q"], samplers=["s"]), str(tmp_path / "t.parquet"))
    assert found.by_case(["p", "q"], Setting("s", 5), "squared_excess") == pytest.approx(
        [0.2, 0.2, np.nan, -0.5], nan_ok=True
    )
    excess = found.excess(["p", "q"], Setting("s", 5))
    assert excess.n == 3
    assert excess.estimate == pytest.approx(-math.sqrt(0.1 / 3))


def test_there_is_no_price_where_no_diversity_was_bought(tmp_path):
    found = results(tmp_path, rows_of([1, -1, 1, -0.9], [0.5, 1.0, 1.5, 1.0]))
    (setting,) = found.of("p", guided=True)
    assert math.isnan(per_diversity(found, ["p"], setting, "sliced_wasserstein").estimate)


def test_a_file_without_a_sampler_of_the_table_is_refused(tmp_path):
    from benchmark.publish.exact.results import Results

    results(tmp_path, rows_of([1, 2], [1, 2]))
    with pytest.raises(BenchmarkError, match="nothing of sampler other in it"):
        Results(ExactReportSettings(problems=["p"], samplers=["s", "other"]), str(tmp_path / "t.parquet"))


@pytest.mark.slow
def test_the_workflow_makes_table_figures_and_report_and_a_second_run_does_nothing(tmp_path):
    (tmp_path / "config.yaml").write_text(yaml.safe_dump(TINY))
    command = [sys.executable, "-m", "snakemake", "--snakefile", str(ROOT / "Snakefile"), "--directory", str(tmp_path)]
    command += ["--configfile", str(tmp_path / "config.yaml"), "--cores", "2"]
    first = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path)
    assert first.returncode == 0, first.stdout + first.stderr
    folder = tmp_path / "results" / "tiny"
    files = ["truth.parquet", "report.html", *(f"tables/truth.{suffix}" for suffix in ("csv", "md", "tex", "html"))]
    files += [f"figures/truth_{name}.{suffix}" for name in ("steps", "bias") for suffix in ("png", "svg")]
    for name in files:
        assert (folder / name).stat().st_size > 0
    text = (folder / "tables" / "truth.md").read_text()
    for words in (
        "How far from the posterior: ten_gaussians, noiseless",
        "How far from the posterior: ten_gaussians, nothing known",
        "What a choice costs",
        "What diversity costs: gauss25, 6-D, noisy",
        "What diversity costs at equal gain: ten_gaussians, noiseless",
        "Problem free",
    ):
        assert words in text
    assert "ddnm_reference" in text
    second = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path)
    assert "Nothing to be done" in second.stdout + second.stderr
