"""What docs/extending.md promises: its steps, followed to the letter in a copy of the project, give what they say."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml
from PIL import Image

from benchmark import store

ROOT = Path(__file__).resolve().parent.parent
GUIDE = (ROOT / "docs" / "extending.md").read_text()
SMALL = """
run: mine
toy: false
masks: {left: {recipe: left}}
samplers: {ddnm: {algorithm: ddnm, steps: 5}}
datasets:
  digits:
    source: {name: digits}
    prior: {name: digits_mixture}
    features: {name: digit_pixels}
    cases: 3
    tasks: {left: {mask: left}}
    metrics: [diversity, fidelity]
"""


def blocks(language: str, section: str) -> list[str]:
    """The blocks of a language below a heading of the guide."""
    part = GUIDE.split(f"## {section}\n", 1)[1].split("\n## ", 1)[0]
    return re.findall(rf"```{language}\n(.*?)```", part, re.DOTALL)


@pytest.fixture
def project(tmp_path):
    """A copy of what runs: package, workflow, environments."""
    shutil.copytree(ROOT / "benchmark", tmp_path / "benchmark", ignore=shutil.ignore_patterns("__pycache__", "files"))
    (tmp_path / "benchmark" / "weights" / "files").symlink_to(ROOT / "benchmark" / "weights" / "files")
    for name in ("workflow", "envs"):
        shutil.copytree(ROOT / name, tmp_path / name)
    shutil.copy(ROOT / "Snakefile", tmp_path)
    return tmp_path


def make(project, config, *targets):
    (project / "small.yaml").write_text(yaml.safe_dump(config))
    command = [sys.executable, "-m", "snakemake", *targets, "--configfile", "small.yaml", "--cores", "2"]
    run = subprocess.run(command, cwd=project, capture_output=True, text=True, env={**os.environ, "PYTHONPATH": "."})
    assert run.returncode == 0, run.stdout + run.stderr


def before_and_after(project):
    return {
        path.relative_to(project) for path in project.rglob("*") if path.is_file() and "__pycache__" not in path.parts
    }


PLACES = {  # the section of the guide -> where its file goes, what a small run then has
    "A mask": "data/masks/diagonal.py",
    "A problem (degradation)": "problems/dimming.py",
    "A feature": "features/brightness.py",
    "A selection strategy": "selection/first.py",
    "A metric": "metrics/families/contrast.py",
}


def enter(project, section, place):
    """Write the file of a section where the section says; gives what the section asks of a configuration."""
    assert f"`{Path(place).name}`" in GUIDE.split(f"## {section}\n", 1)[1].split("```", 1)[0]
    (project / "benchmark" / place).write_text(blocks("python", section)[0])
    return yaml.safe_load(blocks("yaml", section)[0])


@pytest.mark.slow
def test_mask_problem_feature_strategy_and_metric_are_a_file_each_and_have_their_rows(project):
    known, config = before_and_after(project), yaml.safe_load(SMALL)
    digits = config["datasets"]["digits"]
    for section, place in PLACES.items():
        asked = enter(project, section, place)
        config["masks"] |= asked.pop("masks", {})
        digits["tasks"] |= {"dim": asked.pop("tasks")["left"]} if "tasks" in asked else {}
        digits |= asked
    assert len(before_and_after(project) - known) == len(PLACES)
    digits["comparison"] = {"samplers": ["ddnm"]}
    make(project, config, "results/mine/tables/selection.csv", "results/mine/metrics.parquet")
    tables = pd.read_csv(project / "results" / "mine" / "tables" / "selection.csv")
    assert {"first"} < set(tables["method"])
    assert "Contrast" in (project / "results" / "mine" / "tables" / "selection.md").read_text()
    assert tables[tables["metric"] == "contrast"]["mean"].notna().all()
    values = pd.read_parquet(project / "results" / "mine" / "metrics.parquet")
    assert set(values["task"]) == {"left", "dim"}
    contrast = values[values["metric"] == "contrast"]
    assert len(contrast)
    assert contrast["value"].notna().all()
    cases = pd.read_parquet(project / "results" / "mine" / "cases" / "digits" / "left.parquet")
    assert len(cases) == 3


@pytest.mark.slow
def test_a_guidance_is_a_file_and_has_its_row(project):
    known, config = before_and_after(project), yaml.safe_load(SMALL)
    config["datasets"]["digits"] |= enter(project, "A guidance", "sampling/guidance/cauchy.py")
    assert len(before_and_after(project) - known) == 1
    make(project, config, "results/mine/tables/samplers.csv")
    table = pd.read_csv(project / "results" / "mine" / "tables" / "samplers.csv")
    mine = table[(table["method"] == "cauchy") & (table["metric"] == "psnr_best")]
    assert len(mine) == 1
    assert mine["mean"].notna().all()


@pytest.mark.slow
def test_a_source_is_a_file_and_its_pictures_are_restored(project):
    known, config = before_and_after(project), yaml.safe_load(SMALL)
    config["datasets"]["digits"] |= enter(project, "A source of pictures", "data/sources/stripes.py")
    config["datasets"]["digits"]["comparison"] = {"samplers": ["ddnm"]}
    assert len(before_and_after(project) - known) == 1
    make(project, config, "results/mine/metrics.parquet")
    values = pd.read_parquet(project / "results" / "mine" / "metrics.parquet")
    assert set(values["case"]) == {"stripes0_0000", "stripes0_0001", "stripes0_0002"}
    assert values[values["metric"] == "psnr"]["value"].notna().all()


@pytest.mark.slow
def test_a_world_is_a_file_whose_pictures_have_attributes_and_parts(project):
    known, config = before_and_after(project), yaml.safe_load(SMALL)
    config["datasets"]["digits"] |= enter(project, "A rendered world", "data/worlds/discs.py")
    config["masks"]["disc"] = {"recipe": "parts", "parts": ["disc"], "dilate": 0}
    config["datasets"]["digits"]["tasks"] = {"disc": {"mask": "disc"}}
    assert len(before_and_after(project) - known) == 1
    make(project, config, "results/mine/cases/digits/disc.parquet")
    cases = pd.read_parquet(project / "results" / "mine" / "cases" / "digits" / "disc.parquet")
    assert list(cases["case"]) == ["discs0_0000", "discs0_0001", "discs0_0002"]
    assert {key for row in cases["attributes"] for key in (item["key"] for item in row)} == {"colour", "ground"}
    assert cases["hole_fraction"].between(0.05, 0.25).all()


@pytest.mark.slow
def test_a_prior_is_a_file_and_samples_from_it_are_what_it_says(project):
    known, config = before_and_after(project), yaml.safe_load(SMALL)
    config["datasets"]["digits"] |= enter(project, "A model (prior)", "priors/loaders/gaussian.py")
    config["samplers"]["ddnm"] |= {"steps": 100, "eta_ddim": 0}
    config["datasets"]["digits"]["comparison"] = {"samplers": ["ddnm"]}
    assert len(before_and_after(project) - known) == 1
    make(project, config, "results/mine/samples/digits/left/ddnm/plain.parquet")
    sets = store.read_sets(project / "results" / "mine" / "samples" / "digits" / "left" / "ddnm" / "plain.parquet")
    hidden = np.concatenate([one.images[:, :, :, :4].ravel() for one in sets])  # white noise, whatever the rest shows
    assert hidden.std() == pytest.approx(0.3, abs=0.035)
    assert abs(hidden.mean()) < 0.05


@pytest.mark.slow
def test_a_world_of_truth_is_a_file_and_has_its_rows(project):
    known, config = before_and_after(project), yaml.safe_load(SMALL)
    del config["datasets"]
    asked = enter(project, "A world of the section truth", "exact/mixtures/two_moons.py")
    config["truth"] = {"samplers": {"ddnm": [5]}, "measurements": 2, "sets": 20, **asked}
    assert len(before_and_after(project) - known) == 1
    make(project, config, "results/mine/truth.parquet")
    rows = pd.read_parquet(project / "results" / "mine" / "truth.parquet")
    assert set(rows["world"]) == {"two_moons"}
    assert set(rows["sampler"]) == {"exact", "ddnm"}
    assert rows["value"].notna().any()


@pytest.mark.slow
@pytest.mark.parametrize("rehearsal", [False, True])
def test_a_sampler_is_one_file_and_has_its_row(project, rehearsal):
    known = before_and_after(project)
    (project / "benchmark" / "sampling" / "algorithms" / "replacement.py").write_text(
        blocks("python", "A sampler, worked through")[0]
    )
    assert len(before_and_after(project) - known) == 1
    config, asked = yaml.safe_load(SMALL), yaml.safe_load(blocks("yaml", "A sampler, worked through")[0])
    config["samplers"] |= asked["samplers"]
    config["datasets"]["digits"] |= asked["datasets"]["digits"]
    config["rehearsal"] = rehearsal
    folder = "results/mine_rehearsal" if rehearsal else "results/mine"
    make(project, config, f"{folder}/tables/samplers.csv")
    table = pd.read_csv(project / folder / "tables" / "samplers.csv")
    mine = table[(table["sampler"] == "mine") & (table["metric"] == "psnr_best")]
    assert set(mine["method"]) == {"plain", "nearest_neighbour"}
    assert mine["mean"].notna().all()


def test_what_the_new_sampler_refuses_is_refused_before_anything_runs(project):
    (project / "benchmark" / "sampling" / "algorithms" / "replacement.py").write_text(
        blocks("python", "A sampler, worked through")[0]
    )
    config = yaml.safe_load(SMALL)
    config["samplers"]["mine"] = {"algorithm": "replacement", "steps": 50}
    config["datasets"]["digits"]["tasks"]["noisy"] = {"mask": "left", "problem": {"name": "inpainting", "sigma": 0.1}}
    config["datasets"]["digits"]["comparison"] = {"samplers": ["mine"]}
    for change, words in (
        ({}, "sampler mine (replacement) cannot serve task noisy: it puts noise into the picture; use ddnm or dps"),
        ({"steps": 0}, "samplers.mine.steps: 0 is out of range; give a whole number from 1 to 1000. Sampling steps."),
        ({"stepz": 9}, "samplers.mine.stepz: unknown key; did you mean 'steps'"),
    ):
        config["samplers"]["mine"] |= change
        (project / "small.yaml").write_text(yaml.safe_dump(config))
        run = subprocess.run(
            [sys.executable, "-m", "benchmark", "plan", "--config", "small.yaml"],
            cwd=project,
            capture_output=True,
            text=True,
        )
        assert (run.returncode, run.stdout) == (2, "")
        assert words in run.stderr
        assert run.stderr.count("\n") == 1
        config["samplers"]["mine"] = {"algorithm": "replacement", "steps": 50}


@pytest.mark.slow
def test_a_table_and_a_figure_are_a_file_each_and_a_run_has_them(project):
    known, config = before_and_after(project), yaml.safe_load(SMALL)
    for section, place in {"A table": "tables/agreement.py", "A figure": "figures/spread.py"}.items():
        assert f"`{Path(place).name}`" in GUIDE.split(f"## {section}\n", 1)[1].split("```", 1)[0]
        (project / "benchmark" / "publish" / place).write_text(blocks("python", section)[0])
        config["datasets"]["digits"] |= yaml.safe_load(blocks("yaml", section)[0])
    assert len(before_and_after(project) - known) == 2
    make(project, config, "results/mine/tables/agreement.csv", "results/mine/figures/spread_digits.png")
    results = project / "results" / "mine"
    (row,) = pd.read_csv(results / "tables" / "agreement.csv").to_dict("records")
    assert (row["dataset"], row["sampler"]) == ("digits", "ddnm")
    assert 0 <= row["mean"] < 0.1
    text = (results / "tables" / "agreement.md").read_text()
    assert "| Dataset | Sampler |" in text
    assert "Consistency error" in text
    with Image.open(results / "figures" / "spread_digits.png") as picture:
        assert len(picture.convert("RGB").getcolors(10**6)) > 10
    assert {path.name for path in (results / "figures").glob("spread*")} == {"spread_digits.png", "spread_digits.svg"}
