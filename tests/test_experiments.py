"""The shipped experiments hold the paper's grids, plan without data or weights, and can be rehearsed."""

import math
import os
import re
import subprocess
import sys
from pathlib import Path

import pyarrow.parquet as pq
import pytest
import torch
import yaml

from benchmark.config import check, load, rehearsal_notes
from benchmark.data.masks import make_hole
from benchmark.data.posterior import posterior_of_case
from benchmark.data.sources import pictures
from benchmark.plan import Plan
from benchmark.rehearsal import notes, rehearse

ROOT = Path(__file__).resolve().parent.parent
EXPERIMENTS = sorted((ROOT / "experiments").glob("*.yaml"))
NAMES = ["celebahq", "imagenet", "lsun_bedroom", "lsun_cat", "out_of_distribution"]
SIZES = {f"adm_{name}256": 256 for name in ("celebahq", "imagenet", "lsun_bedroom", "lsun_cat")}


def experiment(name):
    return load(ROOT / "experiments" / f"{name}.yaml")


def nowhere(_):
    return False


def test_the_five_experiments_of_the_paper_are_there():
    assert set(NAMES) <= {path.stem for path in EXPERIMENTS}


@pytest.mark.parametrize("name", NAMES)
def test_an_experiment_fetches_its_weights_before_it_samples(name):
    plan = Plan(experiment(name))
    weights = {job.settings.name for job in plan.of_kind("weights")}
    assert {dataset["prior"]["name"] for dataset in plan.config["datasets"].values()} <= weights
    for job in plan.of_kind("sample", "candidates"):
        assert job.inputs["weights"] == [f"results/{name}/weights/{job.settings.prior['name']}.txt"]
    for job in plan.of_kind("measure"):
        assert f"results/{name}/weights/alexnet.txt" in job.inputs["weights"]
        assert f"results/{name}/weights/niqe.txt" in job.inputs["weights"]


def test_the_demo_fetches_nothing():
    assert not Plan(load(ROOT / "config.yaml")).paths("weights")


@pytest.mark.parametrize("name", ["celebahq", "lsun_bedroom", "lsun_cat"])
def test_the_papers_grids_are_there(name):
    sweeps = next(iter(experiment(name)["datasets"].values()))["sweeps"]
    assert (sweeps["eta"]["values"], sweeps["eta"]["D"], sweeps["eta"]["D_unit"]) == (
        [0, 0.07, 0.1, 0.3],
        3e-4,
        "repaint",
    )
    assert (sweeps["D"]["values"], sweeps["D"]["eta"]) == ([0, 2e-4, 3e-4, 4e-4, math.inf], 0.09)
    assert sweeps["D"]["D_unit"] == "repaint"


def test_imagenet_has_the_grid_of_the_papers_figure():
    sweep = experiment("imagenet")["datasets"]["imagenet"]["sweeps"]["eta"]
    assert (min(sweep["values"][1:]), max(sweep["values"]), sweep["D"]) == (0.3, 1.0, 0.003)


@pytest.mark.parametrize("name", NAMES)
def test_published_settings_of_the_samplers_are_there(name):
    config = experiment(name)
    samplers = config["samplers"]
    assert config["n"] == 5
    assert {key: samplers["repaint"][key] for key in ("steps", "jump_length", "jump_n_sample")} == {
        "steps": 250, "jump_length": 10, "jump_n_sample": 10
    }  # fmt: skip
    assert [samplers[key]["steps"] for key in ("ddrm", "ddnm", "dps")] == [20, 100, 1000]
    assert {sampler["preset"] for sampler in samplers.values()} == {"reference"}
    counts = {d["candidates"]["count"] for d in config["datasets"].values() if "candidates" in d}
    assert counts == {100}


# -------------------------------------------------------------------------------------------------------------- worlds
WORLDS = ("faces", "cats", "bedrooms")


def test_the_holes_of_the_truth_experiment_leave_what_they_hide_independent():
    config = experiment("truth")
    for world in WORLDS:
        spec = config["datasets"][world]
        drawn = list(pictures(spec["source"], 3, spec["case_seed"]))
        for task in spec["tasks"].values():
            for picture in drawn:
                parts = {name: torch.as_tensor(part) for name, part in picture.parts.items()}
                hole = make_hole(config["masks"][task["mask"]], tuple(picture.image.shape[1:]), parts)
                assert posterior_of_case(world, picture.case, hole.shape[-1], hole.numpy().tobytes()) is not None


def test_the_truth_experiment_sweeps_two_holes_of_a_world_and_selects_behind_the_first():
    plan = Plan(experiment("truth"))
    for world in WORLDS:
        first, second = plan.config["datasets"][world]["tasks"]
        assert {block.task for block in plan.blocks["eta_sweep"] if block.dataset == world} == {first, second}
        assert {block.task for block in plan.blocks["selection"] if block.dataset == world} == {first}


# ----------------------------------------------------------------------------------------------------------- rehearsal
@pytest.mark.parametrize("name", NAMES)
def test_a_rehearsal_plans_the_same_files_but_for_fewer_shards(name):
    config = experiment(name)
    full, short = Plan(config), Plan(rehearse(config, SIZES, nowhere))
    for kind in ("cases", "sample", "select", "measure", "gallery"):
        wanted = [path.replace(f"results/{name}/", f"results/{name}_rehearsal/") for path in full.paths(kind)]
        assert short.paths(kind) == wanted
    assert not short.paths("weights")


@pytest.mark.parametrize("name", NAMES)
def test_a_rehearsal_has_random_weights_two_cases_and_few_evaluations(name):
    from benchmark.sampling import SAMPLERS
    from benchmark.sampling.settings import algorithm_of

    plan = Plan(rehearse(experiment(name), SIZES, nowhere))
    assert {job.settings.count for job in plan.of_kind("cases")} == {2}
    for job in plan.of_kind("sample", "candidates"):
        assert job.settings.prior["random_weights"] == 0
        name, options = algorithm_of(job.settings.algorithm)
        assert SAMPLERS[name].evaluations(options) <= 8


def test_a_rehearsal_takes_the_pictures_that_are_there():
    config = experiment("celebahq")
    source = rehearse(config, SIZES, lambda path: True)["datasets"]["celebahq"]["source"]
    assert source == config["datasets"]["celebahq"]["source"]


def test_a_rehearsal_says_in_one_line_each_what_stands_in():
    config = experiment("celebahq")
    config["masks"]["mine"] = {"recipe": "mask_image", "folder": "my/masks"}
    rehearsed = rehearse(config, SIZES, nowhere)
    lines = list(notes(config, rehearsed))
    assert rehearsed["datasets"]["celebahq"]["source"] == {"name": "faces", "size": 256}
    assert len(lines) == 4
    assert "datasets.celebahq: datasets/CelebAMask-HQ is not there; rendered faces of 256 pixels stand in" in lines[0]
    assert "masks.mine" in lines[-1]


def test_a_rehearsal_is_asked_for_on_the_command_line_and_is_a_configuration_itself():
    config = yaml.safe_load((ROOT / "experiments" / "lsun_cat.yaml").read_text())
    rehearsed = check({**config, "rehearsal": "true"})
    assert rehearsed["run"] == "lsun_cat_rehearsal"
    assert check(rehearsed) == rehearsed
    assert len(rehearsal_notes({**config, "rehearsal": "true"})) == 1
    assert rehearsal_notes(config) == []


@pytest.mark.slow
def test_the_rules_of_an_experiment_run_in_its_rehearsal_and_with_weights(tmp_path):
    """A part of celebahq.yaml, a small network under its prior's name: rehearsed, then given its file by hand."""
    from test_public_models import ADM, small_adm

    config = yaml.safe_load((ROOT / "experiments" / "celebahq.yaml").read_text())
    dataset = config["datasets"]["celebahq"]
    dataset |= {"tasks": {"mouth": {"mask": "mouth"}}, "sweeps": {}, "metrics": ["diversity", "cost"]}
    del dataset["candidates"], dataset["selection"]
    dataset["comparison"] |= {"tasks": ["mouth"], "samplers": ["ddnm"]}
    config |= {"datasets": {"celebahq": dataset}, "device": "cpu", "weights_registry": str(tmp_path / "registry.yaml")}
    entry = {"family": "adm", "what": "small", "flags": ADM, "files": [{"path": "celeba256_250000.pt"}]}
    (tmp_path / "registry.yaml").write_text(yaml.safe_dump({"adm_celebahq256": entry}))
    (tmp_path / "config.yaml").write_text(yaml.safe_dump(config))
    sets = "samples/celebahq/mouth/ddnm/eta0.09_D0.0003repaint.parquet"

    def run(target, *arguments):
        command = [sys.executable, "-m", "snakemake", "--snakefile", str(ROOT / "Snakefile"), "--cores", "2", target]
        command += ["--configfile", "config.yaml", *arguments]
        environment = {**os.environ, "OMP_NUM_THREADS": "1"}
        return subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, env=environment)

    rehearsed = run(f"results/celebahq_rehearsal/{sets}", "--config", "rehearsal=true")
    assert rehearsed.returncode == 0, rehearsed.stdout + rehearsed.stderr
    assert "rendered faces of 32 pixels stand in" in rehearsed.stderr
    assert pq.read_table(tmp_path / "results/celebahq_rehearsal" / sets).num_rows == 10

    missing = run("results/celebahq/weights/adm_celebahq256.txt")
    assert missing.returncode != 0
    assert re.search(r"no file weights/celeba256_250000.pt; get it by hand and put it there", missing.stderr)
    (tmp_path / "weights").mkdir()
    torch.save(small_adm().state_dict(), tmp_path / "weights" / "celeba256_250000.pt")
    fetched = run("results/celebahq/weights/adm_celebahq256.txt")
    assert fetched.returncode == 0, fetched.stdout + fetched.stderr
