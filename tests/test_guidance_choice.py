"""Margin, eta and D are chosen as documented, on made metrics."""

from pathlib import Path

import pandas as pd
import pytest
import yaml

from benchmark.config import load
from benchmark.errors import BenchmarkError
from benchmark.publish.guidance_choice import choose


def metrics(points: dict, seeds=(0, 1), spread: float = 0.03, **changes) -> pd.DataFrame:
    """Rows of a metrics table: points (eta, D) -> (coverage, plausibility); a second seed is ``spread`` better."""
    rows = []
    for task in ("left", "right"):
        for (eta, D), values in points.items():
            for seed in seeds:
                for case in "abc":
                    for metric, value in zip(("coverage", "plausibility"), values, strict=True):
                        rows.append(
                            {
                                "dataset": "faces",
                                "task": task,
                                "sampler": "ddnm",
                                "case": case,
                                "index": None,
                                "eta": eta,
                            }
                            | {"method": "nearest_neighbour" if eta else "plain", "D": D, "D_unit": "rms", "seed": seed}
                            | {"metric": metric, "value": value + spread * (seed > 0 and metric != "coverage")}
                            | changes
                        )
    return pd.DataFrame(rows)


POINTS = {(0.0, 0.0): (0.5, 0.9), (0.3, 0.2): (0.6, 0.88), (1.0, 0.2): (0.7, 0.86), (3.0, 0.4): (0.9, 0.5)}


def test_the_most_diverse_point_within_the_margin_is_chosen_and_the_margin_is_what_a_seed_costs():
    choice = choose(metrics(POINTS), "coverage", "plausibility")
    assert (choice.margin, choice.eta, choice.D, choice.D_unit) == (0.05, 1.0, 0.2, "rms")
    assert choice.seed_difference == pytest.approx(0.03)
    assert choice.points["diversity"].tolist() == pytest.approx([0.9, 0.7, 0.6])
    assert choice.points["loss"].tolist() == pytest.approx([0.4, 0.04, 0.02])


def test_a_noisier_plain_allows_more():
    assert choose(metrics(POINTS, spread=0.12), "coverage", "plausibility").margin == 0.15


@pytest.mark.parametrize(
    ("table", "message"),
    [
        (metrics(POINTS, seeds=(0,)), "two seeds"),
        (metrics({key: POINTS[key] for key in list(POINTS)[:1]}), "no guided point"),
        (metrics(POINTS, spread=0.5), "more than any margin"),
        (metrics({(0.0, 0.0): (0.5, 0.9), (3.0, 0.4): (0.9, 0.5)}), "smaller steps"),
        (metrics(POINTS, metric="other"), "no value of coverage"),
    ],
)
def test_what_cannot_be_chosen_is_said_in_one_line(table, message):
    with pytest.raises(BenchmarkError, match=message):
        choose(table, "coverage", "plausibility")


def test_the_experiments_margin_and_first_guided_point_are_those_that_were_chosen():
    root = Path(__file__).resolve().parent.parent / "experiments"
    record = yaml.safe_load((root / "tuned" / "guidance.yaml").read_text())
    config = load(root / "truth.yaml")
    assert config["publish"]["margin"]["plausibility"] == record["margin"]
    tuned_on, worlds = record["on"]["dataset"], ("faces", "cats", "bedrooms")
    assert "bedrooms" not in tuned_on
    for world in worlds:
        assert config["datasets"][world]["selection"]["guided"][0] == record["guided"]
    seeds = {load(root / "tuning.yaml")["datasets"][world]["case_seed"] for world in tuned_on}
    assert seeds & {config["datasets"][world]["case_seed"] for world in worlds} == set()
