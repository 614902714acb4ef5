"""The table of the knee, on made-up shares whose answer is known."""

import csv
import io
import math

import made_metrics as made
import pytest

from benchmark.publish.contents import table_names
from benchmark.publish.tables.run import write_tables

ETAS = (0, 0.1, 0.3, 1, 4)
WOBBLE = (0.0, 0.05, -0.05, 0.1, -0.1, 0.0)  # of the cases; its mean is 0


def settings(tasks=("left",), **more):
    rows = [made.guided("ddnm", eta, 0.4, f"{eta:g}") for eta in ETAS]
    blocks = [made.block("faces", task, "ddnm", rows, D=0.4, D_unit="rms") for task in tasks]
    return {"run": "tiny", "margin": {"plausibility": 0.15}, "tables": {"eta_sweep": blocks}, "knee": ["faces"]} | more


def losing(losses, wobble=WOBBLE):
    """Plausibility 0.8 less a loss at each eta, by case; everything finite."""

    def values(eta, case, task):
        return {"plausibility": 0.8 - losses[eta] - wobble[case % 6] * (eta > 0), "finite_share": 1.0}

    return values


def written(folder, values, made_settings=None, cases=6):
    """Write the tables of what ``values(eta, case, task)`` gives: the csv's records by (task, eta), and the page."""
    made_settings, rows = made_settings or settings(), []
    for block in made_settings["tables"]["eta_sweep"]:
        for row in block["rows"]:
            keys = {name: row[name] for name in ("sampler", "method", "eta", "D", "D_unit")} | {"D_rms": row["D"]}
            for case in range(cases):
                where = {"dataset": "faces", "task": block["task"], "case": f"c{case}", "seed": 0, "index": None}
                for metric, value in values(row["eta"], case, block["task"]).items():
                    rows.append(where | keys | {"metric": metric, "value": value})
    made.write_metrics(folder / "metrics.parquet", rows)
    write_tables(made.typed(made_settings), folder / "metrics.parquet", folder)
    records = list(csv.DictReader(io.StringIO((folder / "knee.csv").read_text())))
    return {(row["task"], float(row["eta"])): row for row in records}, (folder / "knee.md").read_text()


def number(row, name):
    return float(row[name]) if row[name] else None


def test_the_knee_is_the_smallest_eta_from_which_on_every_step_is_worse(tmp_path):
    found, text = written(tmp_path, losing({0: 0, 0.1: 0, 0.3: 0, 1: 0.4, 4: 0.6}))
    assert {number(row, "knee") for row in found.values()} == {1.0}
    assert [found["left", eta]["implausible_worse"] for eta in ETAS] == ["", "False", "False", "True", "True"]
    assert {number(row, "knee_earliest") for row in found.values()} == {1.0}
    assert "Knee: η = 1; every smaller step is shown to lose less than half as much." in text
    assert [round(128 * (number(found["left", eta], "loss_p") or 0)) for eta in (1, 4)] == [1, 1]
    assert number(found["left", 0.3], "loss_p") > 0.05


def test_implausible_is_the_rest_of_plausible_with_its_interval_and_paired_change_turned_round(tmp_path):
    found, _ = written(tmp_path, losing({0: 0, 0.1: 0, 0.3: 0, 1: 0.4, 4: 0.6}))
    plain, step = found["left", 0], found["left", 1]
    assert number(plain, "implausible") == pytest.approx(0.2)
    assert number(step, "implausible") == pytest.approx(0.6)
    assert number(step, "implausible_low") < 0.6 < number(step, "implausible_high")
    assert number(step, "implausible_change") == pytest.approx(0.4)
    assert number(step, "implausible_p") == pytest.approx(2 / 2**6)
    assert number(step, "implausible_p_holm") == pytest.approx(8 / 2**6)
    (same,) = [
        row
        for row in csv.DictReader(io.StringIO((tmp_path / "statistics.csv").read_text()))
        if (row["label"], row["metric"], row["test"]) == ("1", "plausibility", "difference")
    ]
    assert number(step, "implausible_change_high") == -float(same["difference_low"])
    assert (step["not_worse"], same["not_worse"]) == ("False", "False")


def test_where_no_step_is_worse_the_loss_that_the_largest_etas_interval_allows_is_named(tmp_path):
    found, text = written(tmp_path, losing(dict.fromkeys(ETAS, 0)))
    last = found["left", 4]
    assert last["knee"] == ""
    assert number(last, "loss_allowed") == pytest.approx(number(last, "implausible_change_high"))
    assert 0 < number(last, "loss_allowed") < 0.2
    words = f"Knee: none up to η = 4; there the 95% interval still allows a loss of {number(last, 'loss_allowed'):.2f}"
    assert words in text


def test_a_worse_step_in_the_middle_alone_is_no_knee(tmp_path):
    found, text = written(tmp_path, losing({0: 0, 0.1: 0, 0.3: 0.4, 1: 0, 4: 0}))
    assert found["left", 0.3]["implausible_worse"] == "True"
    assert found["left", 0.3]["knee"] == ""
    assert "Knee: none up to η = 4 (worse at η = 0.3 alone)" in text


def test_a_worse_step_below_a_better_one_does_not_move_the_knee_down(tmp_path):
    found, text = written(tmp_path, losing({0: 0, 0.1: 0.4, 0.3: 0, 1: 0, 4: 0.4}))
    assert number(found["left", 0], "knee") == 4
    assert "Knee: η = 4, the largest step of the sweep;" in text


def test_unstable_restorations_make_a_step_worse_although_their_sets_have_no_plausibility(tmp_path):
    def values(eta, case, task):
        broken = {1: case < 1, 4: True}.get(eta, False)
        return {"plausibility": math.nan if broken else 0.8, "finite_share": 0.4 + WOBBLE[case] if broken else 1.0}

    found, text = written(tmp_path, values)
    assert number(found["left", 4], "unstable") == pytest.approx(0.6)
    assert (found["left", 4]["missing"], found["left", 4]["implausible"]) == ("6", "")
    assert [found["left", eta]["unstable_worse"] for eta in ETAS] == ["", "False", "False", "False", "True"]
    assert number(found["left", 4], "knee") == 4
    assert found["left", 4]["not_worse"] == "False"
    assert "sets without plausibility: 1 at η = 1, 6 at η = 4" in text
    (row,) = [line for line in text.splitlines() if line.startswith("| 4 ")]
    assert "| unstable " in row


def test_a_few_unstable_restorations_at_the_largest_eta_are_part_of_what_is_still_allowed(tmp_path):
    def values(eta, case, task):
        broken = eta == 4 and case == 0
        return {"plausibility": math.nan if broken else 0.8, "finite_share": 0.8 if broken else 1.0}

    found, text = written(tmp_path, values)
    allowed = number(found["left", 4], "unstable_change_high")
    assert 0 < allowed < 1
    assert f"a rise of {allowed:.2f} in unstable restorations" in text


def test_the_largest_eta_within_the_margin_is_named(tmp_path):
    found, text = written(tmp_path, losing({0: 0, 0.1: 0, 0.3: 0, 1: 0.1, 4: 0.6}), cases=60)
    assert number(found["left", 0], "largest_not_worse") == 0.3
    assert "Largest η that is not worse by the margin of 0.15: 0.3." in text
    _, text = written(tmp_path, losing({0: 0, 0.1: 0.3, 0.3: 0.3, 1: 0.3, 4: 0.3}), cases=60)
    assert "No step is shown to be not worse by the margin of 0.15." in text


def test_so_few_cases_show_no_step_to_be_not_worse_and_the_table_says_how_many_would(tmp_path):
    for wobble in (WOBBLE, (0,) * 6):
        found, text = written(tmp_path, losing({0: 0, 0.1: 0, 0.3: 0, 1: 0.1, 4: 0.6}, wobble))
        assert number(found["left", 0], "largest_not_worse") is None
        assert (
            "6 cases cannot show that Plausible is not worse by 0.15: it takes 23 cases without any affected one."
            in text
        )
    _, text = written(tmp_path, losing(dict.fromkeys(ETAS, 0)), settings(margin={}))
    assert "margin" not in text


def test_cases_that_do_not_differ_bound_the_loss_by_their_number_and_one_case_does_not(tmp_path):
    found, text = written(tmp_path, losing(dict.fromkeys(ETAS, 0), (0,) * 6))
    assert number(found["left", 4], "loss_allowed") == pytest.approx(1 - 0.025 ** (1 / 6), abs=0.02)
    assert found["left", 4]["implausible_p"] == ""
    assert "no case differs" in text
    found, text = written(tmp_path, losing({0: 0, 0.1: 0, 0.3: 0, 1: 0, 4: 0.8}), cases=1)
    assert found["left", 4]["knee"] == ""
    assert "one case has no interval that bounds the loss" in text
    assert "inf" not in text


def test_several_tasks_have_a_knee_each_and_one_together(tmp_path):
    def values(eta, case, task):
        return losing({0: 0, 0.1: 0, 0.3: 0, 1: 0.2, 4: 0.6} if task == "left" else dict.fromkeys(ETAS, 0))(
            eta, case, task
        )

    found, text = written(tmp_path, values, settings(tasks=("left", "right")))
    knees = {task: number(found[task, 0], "knee") for task in ("overall", "left", "right")}
    assert (knees["left"], knees["right"]) == (1, None)
    assert knees["overall"] in (1, 4)
    assert text.index("## The knees") < text.index("## faces, ddnm: mean over 2 tasks") < text.index("ddnm: right")


def test_a_task_without_plausibility_and_a_run_without_finite_share_are_left_to_what_there_is(tmp_path):
    def values(eta, case, task):
        return {"psnr_best": 20.0} if task == "blur" else {"plausibility": 0.8 - WOBBLE[case] * eta, "psnr_best": 20.0}

    found, _ = written(tmp_path, values, settings(tasks=("left", "blur")))
    assert {task for task, _ in found} == {"overall", "left"}
    assert {row["unstable"] for row in found.values()} == {""}


def test_the_table_is_there_where_the_settings_name_datasets_and_in_every_form(tmp_path):
    assert "knee" in table_names(made.typed(settings()))
    assert "knee" not in table_names(made.typed(settings(knee=[])))
    written(tmp_path, losing({0: 0, 0.1: 0, 0.3: 0.4, 1: 0, 4: 0}))
    body = [line for line in (tmp_path / "knee.tex").read_text().splitlines() if not line.startswith("%")]
    assert "\n".join(body).isascii()
    assert (tmp_path / "knee.html").read_text().count("<table>") == 2
