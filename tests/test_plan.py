"""The plan: the configuration expanded once into every job of the run."""

import copy
import math
import time
from pathlib import Path

import pytest
import yaml

from benchmark.config import check, load
from benchmark.errors import BenchmarkError
from benchmark.jobs import point, read
from benchmark.plan import Plan
from benchmark.store import load_settings
from benchmark.weights import shipped

ROOT = Path(__file__).resolve().parent.parent
DEMO = load(ROOT / "config.yaml")


def plan_of(change=None, config=DEMO):
    config = copy.deepcopy(config)
    if change:
        change(config)
    return Plan(check(config))


def new_jobs(before, after):
    """Kind -> paths of the jobs of ``after`` that ``before`` does not have, or has with other settings."""
    changed: dict[str, list[str]] = {}
    for path, job in after.jobs.items():
        if path not in before.jobs or before.jobs[path].fingerprint != job.fingerprint:
            changed.setdefault(job.kind, []).append(path)
    return changed


# -------------------------------------------------------------------------------------------------------------- points
@pytest.mark.parametrize(
    ("eta", "D", "unit", "guidance", "name"),
    [
        (0, 0.3, "rms", None, "plain"),
        (0.1, 0, "rms", None, "plain"),
        (0.1, 0.3, "rms", None, "eta0.1_D0.3rms"),
        (0.09, math.inf, "rms", None, "eta0.09_Dinf"),
        (0.09, math.inf, "repaint", "nearest_neighbour", "eta0.09_Dinf"),
        (0.3, 0.0003, "repaint", None, "eta0.3_D0.0003repaint"),
        (1.0, 0.3, "rms", "spell", "spell_eta1_D0.3rms"),
        (1.0, 0.3, "rms", {"name": "x", "power": 2}, "x_power2_eta1_D0.3rms"),
    ],
)
def test_a_points_name_says_its_values(eta, D, unit, guidance, name):
    assert point(eta, D, unit, guidance).name == name


def test_points_that_are_equal_by_definition_are_sampled_once():
    plan = plan_of()
    names = [path.rsplit("/", 1)[1] for path in plan.paths("sample") if "/digits/left/ddnm/" in path]
    sweeps = DEMO["datasets"]["digits"]["sweeps"]
    eta_sweep = [point(eta, sweeps["eta"]["D"], "rms").name for eta in sweeps["eta"]["values"]]
    D_sweep = [point(sweeps["D"]["eta"], D, "rms").name for D in sweeps["D"]["values"]]
    assert eta_sweep[0] == D_sweep[0] == "plain"
    assert sorted(names) == sorted(f"{name}.parquet" for name in {*eta_sweep, *D_sweep})


def test_candidates_of_equal_cost_have_a_number_for_each_sampler():
    def change(config):
        candidates = config["datasets"]["digits"]["candidates"]
        candidates |= {"samplers": ["ddnm", "ddrm"], "count": {"ddnm": 60, "ddrm": 20}, "shard_size": 30}

    jobs = plan_of(change).of_kind("candidates")
    drawn = {}
    for job in jobs:
        if "/digits/left/" in job.path:
            sampler = job.settings.sampler
            drawn[sampler] = drawn.get(sampler, 0) + job.settings.n
    assert drawn == {"ddnm": 60, "ddrm": 20}


def test_plain_appears_under_each_of_its_names_in_the_tables():
    plan = plan_of()
    for table, label in [("eta_sweep", "0"), ("D_sweep", "0"), ("selection", "plain"), ("samplers", "plain")]:
        for block in plan.blocks[table]:
            row = next(row for row in block.rows if row.label == label)
            assert (row.method, row.eta, row.D, row.D_unit) == ("plain", 0, 0, "rms")


def test_the_table_of_shares_knows_the_world_of_each_dataset_whose_attributes_are_measured():
    worlds = {name: name for name in ("faces", "cats", "bedrooms")}
    assert plan_of().publish_settings().shares == worlds | {"statues": "bedrooms"}

    def change(config):
        config["datasets"]["cats"]["metrics"] = ["diversity", "plausibility"]
        config["datasets"]["faces"] |= {"classifier": None, "features": {"name": "hole_pca"}}

    assert plan_of(change).publish_settings().shares == {"bedrooms": "bedrooms", "statues": "bedrooms"}


def test_the_knee_is_about_datasets_whose_sweep_over_eta_has_plausibility():
    assert plan_of().publish_settings().knee == ["faces", "cats", "bedrooms", "statues"]

    def change(config):
        config["datasets"]["faces"]["metrics"] = ["diversity", "plausibility"]
        config["datasets"]["cats"] |= {"classifier": None, "features": {"name": "hole_pca"}}
        config["datasets"]["bedrooms"]["metrics"] = ["diversity", "cost"]

    assert plan_of(change).publish_settings().knee == ["faces", "statues"]
    drawn = ("faces", "cats", "bedrooms", "statues")
    nothing = plan_of(lambda config: [config["datasets"].pop(name) for name in drawn])
    assert "knee" not in nothing.publish_settings().json
    assert not [path for path in nothing.tables() if "knee" in path]


# ------------------------------------------------------------------------------------------------------- what re-runs
def test_one_more_eta_is_one_new_point_for_each_sampler_and_mask_and_the_aggregates():
    def change(config):
        for dataset in config["datasets"].values():
            dataset["sweeps"]["eta"]["values"].append(0.5)

    new = new_jobs(plan_of(), plan_of(change))
    wanted = {
        f"results/demo/samples/{name}/{task}/{sampler}/eta0.5_D{dataset['sweeps']['eta']['D']:g}rms.parquet"
        for name, dataset in DEMO["datasets"].items()
        for task in dataset["tasks"]
        for sampler in dataset["sweeps"]["eta"]["samplers"]
    }
    assert set(new["sample"]) == wanted
    assert set(new) == {"sample", "measure", "gallery"}
    assert len(new["gallery"]) == len(wanted)


@pytest.mark.parametrize(
    ("weights", "dataset", "kinds"),
    [
        ("cats_subspace", "cats", {"sample", "measure", "gallery"}),
        ("cats_unet", "cats", {"sample", "measure", "gallery"}),
        ("cats_classifier", "cats", {"measure"}),
        ("faces_classifier", "faces", {"measure", "select"}),
    ],
)
def test_other_shipped_weights_change_the_jobs_that_read_them_and_no_other(monkeypatch, weights, dataset, kinds):
    old, known = plan_of(), shipped.sha256
    monkeypatch.setattr(shipped, "sha256", lambda name: "0" * 64 if name == weights else known(name))
    new = new_jobs(old, plan_of())
    assert kinds <= set(new)
    assert all(f"/{dataset}/" in path for paths in new.values() for path in paths)
    assert "cases" not in new


def test_every_command_takes_the_settings_that_the_plan_hands_it_and_refuses_other_weights():
    for job in plan_of().of_kind("sample", "candidates"):
        shipped.check(job.settings.shipped)
    for job in plan_of().of_kind("measure", "select"):
        shipped.check(job.settings.shipped)
    with pytest.raises(BenchmarkError, match="the job was planned for 00000000; plan it anew with this version"):
        shipped.check({"cats_subspace": "0" * 64})


def test_another_seed_of_cases_changes_every_job_of_its_dataset_and_no_other():
    new = new_jobs(plan_of(), plan_of(lambda config: config["datasets"]["digits"].update(case_seed=1)))
    changed = {path for paths in new.values() for path in paths}
    assert changed == {path for path in plan_of().jobs if "/digits/" in path}


@pytest.mark.parametrize("key", ["device", "batch_size"])
def test_what_does_not_change_results_changes_no_job(key):
    assert not new_jobs(
        plan_of(), plan_of(lambda config: config.update({key: {"device": "cpu", "batch_size": 7}[key]}))
    )


def test_more_candidates_keep_the_shards_that_are_there():
    def change(config):
        config["datasets"]["digits"]["candidates"]["count"] = 90

    new = new_jobs(plan_of(), plan_of(change))
    assert {path.rsplit("/", 1)[1] for path in new["candidates"]} == {"from00060.parquet"}
    assert "sample" not in new


# ------------------------------------------------------------------------------------------------------------ settings
def test_settings_survive_the_way_to_the_command():
    for job in plan_of().jobs.values():
        assert read(job.kind, load_settings(job.json)) == job.settings
        assert "'" not in job.json


def test_a_job_names_the_fingerprints_of_what_it_reads():
    plan = plan_of()
    for job in plan.jobs.values():
        if job.kind != "cases":
            assert job.settings.cases == plan.jobs[job.inputs["cases"]].fingerprint
        if job.kind == "measure":
            assert job.settings.sets == [plan.jobs[path].fingerprint for path in job.inputs["sets"]]
            assert job.settings.candidates == [plan.jobs[path].fingerprint for path in job.inputs["candidates"]]
        if job.kind == "select":
            shards = [plan.jobs[path] for path in job.inputs["candidates"]]
            assert job.settings.candidate_files == [shard.fingerprint for shard in shards]
            assert job.settings.candidates == sum(shard.settings.n for shard in shards)


def test_every_set_is_measured_once():
    plan = plan_of()
    measured = [path for job in plan.of_kind("measure") for path in job.inputs["sets"]]
    assert sorted(measured) == sorted(plan.paths("sample", "select"))


def test_every_row_of_a_table_stands_in_a_set_file():
    plan = plan_of()
    for blocks in plan.blocks.values():
        for block in blocks:
            for row in block.rows:
                where = (row.kind, block.dataset, block.task, row.sampler, row.point)
                job = plan.job("results/demo/{}/{}/{}/{}/{}.parquet".format(*where))
                if row.kind == "samples":
                    assert job.settings.method == row.method


def test_a_task_without_a_mask_has_cases_of_its_own():
    def change(config):
        config["datasets"]["digits"]["tasks"] = {"sr2": {"problem": {"name": "super_resolution_average", "factor": 2}}}
        config["datasets"]["digits"]["comparison"] |= {"tasks": ["sr2"], "samplers": ["ddnm", "ddrm", "diffpir", "dps"]}

    plan = plan_of(change)
    job = plan.job("results/demo/cases/digits/none.parquet")
    assert job.settings.mask is None
    sample = plan.job("results/demo/samples/digits/sr2/ddnm/plain.parquet")
    assert sample.settings.problem == {"name": "super_resolution_average", "sigma": 0.0, "factor": 2}


def test_a_file_that_is_not_of_the_plan_and_a_metric_that_does_not_exist_are_refused():
    with pytest.raises(BenchmarkError, match="asks for no such file"):
        plan_of().job("results/demo/nothing.parquet")
    with pytest.raises(BenchmarkError, match=r"datasets\.digits\.metrics: no metric or family 'diversty'"):
        plan_of(lambda config: config["datasets"]["digits"].update(metrics=["diversty"]))


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("niqe_refit", "publish.margin.niqe_refit: its values have no bound"),
        ("psnr", "publish.margin.psnr: its values have no bound"),
        ("mirror", "publish.margin.mirror: neither more nor less of it is better"),
        ("plausibilty", "publish.margin.plausibilty: metrics: no metric or family 'plausibilty'; did you mean"),
    ],
)
def test_a_margin_that_nothing_could_meet_is_refused_before_anything_runs(name, words):
    config = yaml.safe_load((ROOT / "config.yaml").read_text())
    config["publish"] = {"margin": {name: 0.3}}
    with pytest.raises(BenchmarkError) as caught:
        Plan(check(config))
    assert str(caught.value).startswith(words)
    assert "\n" not in str(caught.value)


def test_a_bank_is_asked_of_one_sampler_s_candidates_and_only_where_a_metric_needs_it():
    def counts(count, metrics=("diversity", "bank")):
        def change(config):
            (task, *_), digits = config["datasets"]["digits"]["tasks"], config["datasets"]["digits"]
            digits["candidates"] = {"tasks": [task], "samplers": list(count), "count": count}
            digits["metrics"] = list(metrics)

        return change

    few = (
        "candidates.count: 23 candidates are too few for bank_coverage, which needs 19 besides a set of n = 5; give 24"
    )
    with pytest.raises(BenchmarkError, match=few):
        plan_of(counts({"ddnm": 23}))
    plan_of(counts({"ddnm": 24}))
    plan_of(counts({"ddnm": 24, "repaint": 6}))
    plan_of(counts({"ddnm": 6}, ["diversity", "attributes"]))


# -------------------------------------------------------------------------------------------------------------- limits
def test_ten_thousand_points_expand_in_a_few_seconds():
    plan_of()
    start = time.process_time()
    plan = plan_of(config=yaml.safe_load(ten_thousand_points()))
    seconds = time.process_time() - start
    assert len(plan.paths("sample")) == 10_000
    assert seconds < 8


def ten_thousand_points():
    """A configuration with 10,000 grid points: 5 masks, 2,000 values of eta."""
    masks = ["left", "right", "top", "bottom", "box"]
    return yaml.safe_dump(
        {
            "run": "large",
            "masks": {name: {"recipe": name} for name in masks},
            "samplers": {"ddnm": {"algorithm": "ddnm"}},
            "datasets": {
                "digits": {
                    "source": {"name": "digits"},
                    "prior": {"name": "digits_mixture"},
                    "tasks": {name: {"mask": name} for name in masks},
                    "sweeps": {
                        "eta": {
                            "samplers": ["ddnm"],
                            "values": [round(1e-4 * index, 4) for index in range(2000)],
                            "D": 0.3,
                            "D_unit": "rms",
                        }
                    },
                }
            },
        }
    )
