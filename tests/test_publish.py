"""Tables, figures and contact sheets, on made-up metrics whose answer is known."""

import csv
import io
import json
import math
import re

import made_metrics as made
import numpy as np
import pytest
from measured_files import case_row, make_case, make_set, set_rows
from PIL import Image

from benchmark import cli, store
from benchmark.jobs.gallery import GallerySettings
from benchmark.jobs.publish import Row
from benchmark.metrics.registry import find, metrics
from benchmark.publish import contents, document, labels
from benchmark.publish.contents import captions, figure_names, table, table_names
from benchmark.publish.document import Column, Document, Section, Value
from benchmark.publish.figures import style
from benchmark.publish.figures.panels import shown_measures
from benchmark.publish.figures.run import write_figures
from benchmark.publish.figures.sweeps import sweep_figure
from benchmark.publish.gallery import write_gallery
from benchmark.publish.results.measured import Measured, Scope, groups
from benchmark.publish.results.paper import beside, source_paper
from benchmark.publish.results.tradeoff import tradeoffs
from benchmark.publish.tables.notes import facts
from benchmark.publish.tables.run import write_tables
from benchmark.statistics import Interval, resolvable


def small(tasks=("left", "right"), **more):
    """Settings of two tasks and one sampler: an eta sweep, a D sweep, a selection, samplers."""
    tables = {"eta_sweep": [], "D_sweep": [], "selection": [], "samplers": []}
    for task in tasks:
        etas = [made.guided("ddnm_short", eta, 0.3, f"{eta:g}") for eta in (0, 0.07, 0.3)]
        reaches = [made.guided("ddnm_short", 0.09, D, f"{D:g}") for D in (0, 0.1, 0.3, 0.5, math.inf)]
        picks = [made.row("ddnm_short", name, "selected", method=name) for name in ("kmeans", "random")]
        tables["eta_sweep"].append(made.block("digits", task, "ddnm_short", etas, D=0.3, D_unit="rms"))
        tables["D_sweep"].append(made.block("digits", task, "ddnm_short", reaches, eta=0.09))
        tables["selection"].append(made.block("digits", task, "ddnm_short", [etas[0], etas[1], *picks]))
        tables["samplers"].append(made.block("digits", task, None, etas[:2]))
    return {"run": "tiny", "margin": {"psnr_best": 4.0}, "tables": tables, **more}


def known_values(settings, value, cases=6, tasks=("left", "right")):
    """Metrics rows that a function of (row of the block, task, case) gives as {metric: value}."""
    rows, done = [], set()
    for blocks in settings["tables"].values():
        for block in blocks:
            for row in block["rows"]:
                keys = {name: row[name] for name in ("sampler", "method", "eta", "D", "D_unit")}
                key = (block["task"], *keys.values())
                if key in done or block["task"] not in tasks:
                    continue
                done.add(key)
                for case in range(cases):
                    where = {"dataset": "digits", "task": block["task"], "case": f"c{case}", "seed": 0, "index": None}
                    for metric, number in value(row, block["task"], case).items():
                        rows.append(where | keys | {"D_rms": row["D"], "metric": metric, "value": number})
    return rows


def rising(row, task, case):
    """Diversity 1 + 10 eta, and 0.2 more on the right; quality the same everywhere."""
    base = case - 2.5 + (0.2 if task == "right" else 0.0)
    return {"feature_distance_mean": 5 + base + 10 * row["eta"], "psnr_best": 20.0 + base, "nfe": 250.0}


@pytest.fixture(scope="module")
def tables(tmp_path_factory):
    folder = tmp_path_factory.mktemp("tables")
    settings = small()
    made.write_metrics(folder / "metrics.parquet", known_values(settings, rising))
    write_tables(made.typed(settings), folder / "metrics.parquet", folder)
    return folder


def records(path, **where):
    rows = list(csv.DictReader(io.StringIO(path.read_text())))
    return [row for row in rows if all(row[key] == value for key, value in where.items())]


# -------------------------------------------------------------------------------------------------------------- values
def test_a_table_has_the_known_mean_interval_and_paired_difference(tables):
    (found,) = records(tables / "eta_sweep.csv", task="overall", label="0.3", metric="feature_distance_mean")
    assert float(found["mean"]) == pytest.approx(5 + 3 + 0.1)
    assert float(found["mean_low"]) < 8.1 < float(found["mean_high"])
    assert float(found["difference"]) == pytest.approx(3.0)
    assert float(found["difference_low"]) == pytest.approx(3.0)
    assert float(found["p"]) == pytest.approx(2 / 2**6)
    assert float(found["p_holm"]) == pytest.approx(4 / 2**6)
    assert (found["cases"], found["sets"], found["missing"]) == ("6", "12", "0")


def test_the_overall_view_averages_a_case_over_the_tasks_first(tables):
    each = [
        float(records(tables / "eta_sweep.csv", task=task, label="0", metric="psnr_best")[0]["mean"])
        for task in ("left", "right", "overall")
    ]
    assert each == pytest.approx([20.0, 20.2, 20.1])


def test_plain_is_one_point_and_stands_in_both_sweeps(tables):
    (eta,) = records(tables / "eta_sweep.csv", task="overall", method="plain", metric="psnr_best")
    (reach,) = records(tables / "D_sweep.csv", task="overall", method="plain", metric="psnr_best")
    assert eta["mean"] == reach["mean"]
    assert "| 0 (posterior)" in (tables / "eta_sweep.md").read_text()
    assert "| 0 (posterior)" in (tables / "D_sweep.md").read_text()
    assert (eta["difference"], eta["p"]) == ("", "")


def test_the_published_values_stand_beside_ours_with_the_warning(tables):
    text = (tables / "eta_sweep.md").read_text()
    assert "not CelebA" in text
    assert "compare the direction, not the values" in text
    (line,) = [line for line in text.splitlines() if line.startswith("| 0.3") and "5.519" in line]
    assert "0.113" in line
    (found,) = records(tables / "D_sweep.csv", task="overall", label="inf", metric="psnr_best")
    assert (found["published_lpips_diversity"], found["published_niqe"]) == ("0.141", "5.45")
    assert (found["D"], found["published_D"]) == ("inf", "inf")


def test_a_published_step_that_the_run_has_not_sampled_has_no_row_but_is_named(tables):
    eta, reach = ((tables / f"{name}.md").read_text() for name in ("eta_sweep", "D_sweep"))
    assert "5.506" not in eta
    assert not [line for line in eta.splitlines() if line.startswith("| 0.1 ")]
    assert "Published, but without a step of this run beside it: η = 0.1." in eta
    assert "without a step of this run" not in reach


def test_published_distances_without_partners_are_named_in_their_unit(tmp_path):
    settings = small(tasks=("left",))
    settings["tables"]["D_sweep"][0]["rows"] = settings["tables"]["D_sweep"][0]["rows"][:2]
    made.write_metrics(tmp_path / "metrics.parquet", known_values(settings, rising))
    write_tables(made.typed(settings), tmp_path / "metrics.parquet", tmp_path)
    text = (tmp_path / "D_sweep.md").read_text()
    assert "beside it: D = 0.0002, 0.0003, 0.0004, ∞ in the published unit." in text
    assert "published only" not in text


def test_the_published_file_holds_both_tables_of_the_paper():
    eta, reach = (source_paper()["tables"][name]["rows"] for name in ("eta_sweep", "D_sweep"))
    assert [row["lpips_diversity"] for row in eta] == [0.090, 0.105, 0.109, 0.113]
    assert [row["niqe"] for row in reach] == [5.637, 5.552, 5.472, 5.554, 5.450]
    assert [row["D"] for row in reach] == [0, 0.0002, 0.0003, 0.0004, math.inf]


def test_finite_distances_have_published_partners_only_where_there_are_as_many():
    rows = [Row(**made.guided("ddnm", 0.09, D)) for D in (0, 0.1, 0.2, 0.3, math.inf)]
    partners, alone = beside("D_sweep", rows)
    assert [row["D"] for row in partners] == [0, 0.0002, 0.0003, 0.0004, math.inf]
    assert alone == []
    partners, alone = beside("D_sweep", rows[:2])
    assert partners[1] is None
    assert [row["D"] for row in alone] == [0.0002, 0.0003, 0.0004, math.inf]


def test_a_sweep_that_rises_in_every_case_has_a_trend(tables):
    trend = records(tables / "statistics.csv", table="eta_sweep", task="overall", metric="feature_distance_mean")
    p = {row["test"]: float(row["p"]) for row in trend if row["test"].startswith("trend")}
    assert p["trend_rising"] < 0.001
    assert p["trend_falling"] > 0.9


def test_the_operating_point_is_the_most_diverse_set_within_the_margin(tmp_path):
    def value(row, task, case):
        return rising(row, task, case) | {"ssim_best": 0.9 if row["eta"] < 0.3 else 0.2}

    settings = small(margin={"ssim_best": 0.2})
    made.write_metrics(tmp_path / "metrics.parquet", known_values(settings, value, cases=40))
    write_tables(made.typed(settings), tmp_path / "metrics.parquet", tmp_path)
    (found,) = records(tmp_path / "operating_point.csv", task="overall")
    assert (found["label"], found["quality_metric"]) == ("0.1", "ssim_best")
    assert float(found["diversity_gain"]) == pytest.approx(0.9)


def test_nothing_is_claimed_to_be_not_worse_in_a_measure_without_a_range(tables):
    (found,) = records(tables / "operating_point.csv", task="overall")
    assert (found["label"], found["quality_metric"], found["cases_needed"]) == ("0", "psnr_best", "")
    note = "Not claimed: no range. PSNR, best of N has none"
    assert note in (tables / "operating_point.md").read_text()
    assert note in (tables / "statistics.md").read_text()
    assert "no range |" in (tables / "statistics.md").read_text()
    rows = records(tables / "statistics.csv", metric="psnr_best", test="difference")
    assert {(row["not_worse"], row["worst_low"], row["worst_high"]) for row in rows} == {("", "", "")}


def test_the_front_is_the_dominating_set(tables):
    front = [row["label"] for row in records(tables / "pareto.csv", task="overall", front="True")]
    assert front == ["0.3"]  # of equal quality, the most diverse


def test_missing_values_are_counted_and_left_out(tmp_path):
    def value(row, task, case):
        lost = row["eta"] == 0.3 and task == "left" and case == 0
        return rising(row, task, case) | ({"feature_distance_mean": math.nan} if lost else {})

    settings = small()
    made.write_metrics(tmp_path / "metrics.parquet", known_values(settings, value))
    write_tables(made.typed(settings), tmp_path / "metrics.parquet", tmp_path)
    (found,) = records(tmp_path / "eta_sweep.csv", task="left", label="0.3", metric="feature_distance_mean")
    assert (found["cases"], found["missing"]) == ("5", "1")
    assert float(found["difference"]) == pytest.approx(3.0)  # pairs only
    assert "have no value" in (tmp_path / "eta_sweep.md").read_text()


def extremes(case, low, high):
    """Six values of a range that tempt an interval to leave it: at an end, all but one; by case."""
    low, high = max(low, -1e3), min(high, 1e3)
    return {"low": low, "high": high, "one": high if case == 0 else low, "two": low if case < 2 else high}


def test_no_interval_of_a_count_leaves_the_number_of_samples(tmp_path):
    metric = {"dataset": "digits", "task": "left", "sampler": "ddnm", "method": "plain", "eta": 0.0, "D": 0.0}
    metric |= {"D_unit": "rms", "D_rms": 0.0, "seed": 0, "index": None, "metric": "cluster_distinct"}
    rows = [metric | {"case": str(case), "value": value} for case, value in enumerate([5.0, 5.0, 5.0, 3.0])]
    store.write_table(tmp_path / "m.parquet", "metrics", rows, {})
    row = Row(**made.row("ddnm", "plain"))
    scope = Scope("left", ("left",))
    known = Measured(tmp_path / "m.parquet", n=5).mean("digits", scope, row, "cluster_distinct")
    assert known.low < known.estimate == 4.5 < known.high == 5
    assert Measured(tmp_path / "m.parquet").mean("digits", scope, row, "cluster_distinct").high > 5


def test_no_interval_leaves_the_range_that_its_metric_declares(tmp_path):
    names = [re.sub(r"\{(\w+)\}", r"\1", name) for name in metrics()]
    rows = [made.guided("ddnm", eta, 0.3, f"{eta:g}") for eta in (0, 0.1, 0.2, 0.3)]
    kinds = dict(zip(("low", "high", "one", "two"), rows, strict=True))
    settings = {"tables": {"eta_sweep": [made.block("digits", "left", "ddnm", rows)]}}

    def value(row, task, case):
        kind = next(kind for kind, at in kinds.items() if at["eta"] == row["eta"])
        return {name: extremes(case, *labels.measure(name).bounds())[kind] for name in names}

    made.write_metrics(tmp_path / "m.parquet", known_values(settings, value, tasks=("left",)))
    measured, (group,) = Measured(tmp_path / "m.parquet"), groups(made.typed(settings), "eta_sweep")
    scope = group.scopes()[0]
    assert {labels.measure(name).bounds() for name in names} > {(0, 1), (0, math.inf), (-1, 1)}
    for name in names:
        low, high = labels.measure(name).bounds()
        assert (low, high) == find(name)[1].range
        for row in group.rows:
            found = measured.mean("digits", scope, row, name)
            assert low <= found.low <= found.estimate <= found.high <= high, name
            for other in group.rows:
                change = measured.difference("digits", scope, row, other, name)
                assert low - high <= change.low <= change.estimate <= change.high <= high - low, name


def test_an_unknown_name_has_no_range_and_no_place_among_what_is_tested():
    assert labels.measure("something_new").bounds() == (-math.inf, math.inf)
    assert not labels.measure("something_new").tested
    assert labels.measure("psnr_best").tested
    assert not labels.measure("nfe").tested


def test_a_metric_that_was_not_measured_has_no_column(tables):
    for suffix in ("csv", "md", "tex", "html"):
        text = (tables / f"eta_sweep.{suffix}").read_text()
        assert "off_support" not in text
        assert "Off support" not in text
        assert "PSNR" in text or "psnr" in text


def test_one_case_has_a_mean_and_no_interval(tmp_path):
    settings = small(tasks=("left",))
    made.write_metrics(tmp_path / "metrics.parquet", known_values(settings, rising, cases=1))
    write_tables(made.typed(settings), tmp_path / "metrics.parquet", tmp_path)
    write_figures(made.typed(settings), tmp_path / "metrics.parquet", tmp_path)
    text = (tmp_path / "eta_sweep.md").read_text()
    assert "1 case (no interval)" in text
    assert "inf" not in text.replace("information", "")
    for row in records(tmp_path / "eta_sweep.csv"):
        assert (row["mean_low"], row["mean_high"], row["p"], row["p_holm"]) == ("", "", "", "")
    assert "[" not in text


def test_what_no_case_differs_in_costs_and_what_has_no_direction_is_not_tested(tmp_path):
    def value(row, task, case):
        untested = {"nfe": 250.0 + row["eta"], "gate_open": row["eta"], "consistency": 0.1 + row["eta"] / 100}
        constant = {"ssim_best": 0.5} if row["eta"] != 0.3 else {"ssim_best": 0.6}
        return rising(row, task, case) | untested | constant

    settings = small(tasks=("left",))
    made.write_metrics(tmp_path / "metrics.parquet", known_values(settings, value, cases=12))
    write_tables(made.typed(settings), tmp_path / "metrics.parquet", tmp_path)
    for metric in ("nfe", "gate_open", "consistency", "psnr_best"):
        for row in records(tmp_path / "eta_sweep.csv", task="left", metric=metric):
            assert (row["p"], row["p_holm"]) == ("", ""), metric
    (changed,) = records(tmp_path / "eta_sweep.csv", task="left", metric="ssim_best", label="0.3")
    assert float(changed["p_holm"]) == float(changed["p"])  # alone in its family: at η 0.07 no case differs
    (shown,) = records(
        tmp_path / "statistics.csv", table="eta_sweep", metric="psnr_best", label="0.3", test="difference"
    )
    assert shown["shown"] == "no case differs"
    page = (tmp_path / "statistics.md").read_text()
    assert "PSNR, best of N" in page
    assert "Residual of the measurement" not in page


def noisy(row, task, case):
    """A quality whose changes differ from case to case and cancel, and a diversity that rises alike in all."""
    change = (0.9, -1.1, 0.4, -0.2, 1.0, -0.8)[case % 6] if row["method"] != "plain" else 0.0
    return rising(row, task, case) | {"psnr_best": 20.0 + change}


def test_power_stands_beside_every_comparison_and_an_open_interval_is_not_called_no_difference(tmp_path):
    settings = small(tasks=("left",))
    made.write_metrics(tmp_path / "metrics.parquet", known_values(settings, noisy))
    write_tables(made.typed(settings), tmp_path / "metrics.parquet", tmp_path)
    (change,) = records(tmp_path / "eta_sweep.csv", task="left", label="0.3", metric="psnr_best")
    expected = resolvable(np.array([0.9, -1.1, 0.4, -0.2, 1.0, -0.8]))
    assert float(change["resolves"]) == pytest.approx(expected)
    (plain,) = records(tmp_path / "eta_sweep.csv", task="left", label="0", metric="psnr_best")
    assert plain["resolves"] == ""
    (shown,) = records(
        tmp_path / "statistics.csv", table="eta_sweep", metric="psnr_best", label="0.3", test="difference"
    )
    assert shown["shown"] == "not resolved"
    assert float(shown["difference_low"]) < 0
    for name in ("selection", "guided_or_selected"):
        assert "resolves" in records(tmp_path / f"{name}.csv")[0]
    text = (tmp_path / "eta_sweep.md").read_text()
    assert f"Smallest change that these cases detect with 80%: PSNR, best of N {expected:.2g}." in text
    assert "| not resolved" in (tmp_path / "statistics.md").read_text()


def test_a_table_says_where_so_few_cases_can_give_no_star(tables, tmp_path):
    note = "6 cases, 2 sets: no p below .062 is possible, so no star can appear."
    assert note in (tables / "eta_sweep.md").read_text()
    settings = small()
    made.write_metrics(tmp_path / "metrics.parquet", known_values(settings, rising, cases=12))
    write_tables(made.typed(settings), tmp_path / "metrics.parquet", tmp_path)
    assert "no star can appear" not in (tmp_path / "eta_sweep.md").read_text()


def test_plain_pairwise_distances_carry_their_note(tables):
    note = "Noise wins what no support bounds (Feature distance) whatever one does: read it beside support."
    assert note in (tables / "eta_sweep.md").read_text()
    assert labels.measure("vendi_q1").noise_wins
    assert not labels.measure("supported_distance_mean").noise_wins
    assert labels.measure("lpips_alex_hole_min").noise_wins


def test_what_was_tuned_on_other_cases_is_said_where_margins_and_eta_count(tmp_path):
    settings = small(tasks=("left",), tuned_on="cats and rooms, case seed 7")
    made.write_metrics(tmp_path / "metrics.parquet", known_values(settings, rising))
    write_tables(made.typed(settings), tmp_path / "metrics.parquet", tmp_path)
    note = "Margins, η and D were chosen on other cases: cats and rooms, case seed 7."
    assert note in (tmp_path / "eta_sweep.md").read_text()
    assert note in (tmp_path / "operating_point.md").read_text()
    assert note not in (tmp_path / "D_sweep.md").read_text()


def test_where_no_set_can_be_shown_to_be_not_worse_the_table_says_how_many_cases_it_takes(tmp_path):
    settings = small(tasks=("left",), margin={"ssim_best": 0.2})

    def value(row, task, case):
        return rising(row, task, case) | {"ssim_best": 0.5}

    made.write_metrics(tmp_path / "metrics.parquet", known_values(settings, value))
    write_tables(made.typed(settings), tmp_path / "metrics.parquet", tmp_path)
    (found,) = records(tmp_path / "operating_point.csv", task="left")
    assert (found["label"], found["cases"], found["cases_needed"]) == ("0", "6", "36")  # a tenth of SSIM's range
    note = "6 cases cannot show that SSIM, best of N is not worse by 0.2: it takes 36 cases without any affected one."
    assert note in (tmp_path / "operating_point.md").read_text()
    made.write_metrics(tmp_path / "metrics.parquet", known_values(settings, value, cases=36))
    write_tables(made.typed(settings), tmp_path / "metrics.parquet", tmp_path)
    (found,) = records(tmp_path / "operating_point.csv", task="left")
    assert found["label"] != "0"


def test_metrics_without_any_quality_still_give_every_file(tmp_path):
    settings = small(tasks=("left",), margin={})
    rows = known_values(settings, lambda row, task, case: {"feature_distance_mean": 1.0 + case + row["eta"]})
    made.write_metrics(tmp_path / "metrics.parquet", rows)
    assert write_tables(made.typed(settings), tmp_path / "metrics.parquet", tmp_path) == table_names(
        made.typed(settings)
    )
    assert "operating_point" not in table_names(made.typed(settings))
    for name in write_figures(made.typed(settings), tmp_path / "metrics.parquet", tmp_path):
        assert (tmp_path / f"{name}.png").is_file()


# --------------------------------------------------------------------------------------------------------------- forms
def test_every_table_is_written_in_every_form_and_nothing_else(tables):
    names = table_names(made.typed(small()))
    expected = {f"{name}.{suffix}" for name in names for suffix in ("csv", "md", "tex", "html")}
    assert {path.name for path in tables.iterdir()} - {"metrics.parquet"} == expected


def test_latex_is_balanced_and_every_row_has_as_many_cells_as_columns(tables):
    for path in tables.glob("*.tex"):
        text = path.read_text()
        body = "\n".join(line for line in text.splitlines() if not line.startswith("%"))
        assert body.isascii(), path
        bare = body.replace("\\\\", "").replace(r"\{", "").replace(r"\}", "")
        assert bare.count("{") == bare.count("}")
        assert body.replace(r"\$", "").count("$") % 2 == 0
        assert not re.search(r"(?<!\\)_", body), path
        for match in re.finditer(r"\\begin\{tabular\}\{@\{\}([lr]+)@\{\}\}(.*?)\\end\{tabular\}", body, re.DOTALL):
            lines = [line for line in match[2].splitlines() if "&" in line]
            assert lines
            assert {len(re.findall(r"(?<!\\)&", line)) + 1 for line in lines} == {len(match[1])}


def test_markdown_columns_are_aligned(tables):
    for path in tables.glob("*.md"):
        for block in re.findall(r"(?:^\|.*\|$\n?)+", path.read_text(), re.MULTILINE):
            assert len({len(line) for line in block.splitlines()}) == 1


def test_a_page_is_complete_by_itself(tables):
    for path in tables.glob("*.html"):
        text = path.read_text()
        assert text.startswith("<!doctype html>")
        assert "http://" not in text
        assert "https://" not in text
        assert text.count("<table>") == text.count("</table>") > 0


def test_numbers_share_their_decimals_and_small_columns_a_power_of_ten():
    interval = Value(Interval(3.29e-7, 3.26e-7, 3.345e-7, 8))
    cells, power = document.formatted([interval, 1e-7, None])
    assert cells == [("3.29", "[3.26, 3.34]"), ("1.00", ""), ("–", "")] or cells[0] == ("3.29", "[3.26, 3.35]")
    assert power == "×10⁻⁷"
    assert document.formatted([1000.0, 250.0]) == ([("1000", ""), ("250", "")], "")
    assert document.formatted([0.123456, 12.3456])[0] == [("0.1", ""), ("12.3", "")]
    assert document.formatted([Value(Interval(-0.5, -0.7, -0.2, 8), star=True, signed=True)])[0] == [
        ("−0.500*", "[−0.700, −0.200]")
    ]
    assert document.formatted([3e-7, 0.02])[0] == [("3.0×10⁻⁷", ""), ("2.0×10⁻²", "")]


def test_what_latex_and_html_would_misread_is_escaped():
    section = Section("a_b & c", [Column("x_1 <i>", False)], [["50% {z}"]])
    text = Document("some_name", "T", [], [section])
    assert r"a\_b \& c" in document.latex(text)
    assert r"50\% \{z\}" in document.latex(text)
    assert "x_1 &lt;i&gt;" in document.page(text)


def test_points_are_named_in_words():
    assert labels.point_of_name("eta0.1_D0.3rms") == "η 0.1, D 0.3 RMS"
    assert labels.point_of_name("eta0.09_Dinf") == "η 0.09, D ∞"
    assert labels.point_of_name("spell_eta0.5_D1e-05ddnm") == "spell η 0.5, D 1e-05 DDNM's unit"
    assert labels.point_of_name("farthest") == "Farthest points"
    assert labels.measure("lpips_alex_mean").header == "LPIPS alex ↑"
    assert labels.measure("something_new").label == "something new"


# ------------------------------------------------------------------------------------------------------- the same again
def test_two_runs_write_the_same_bytes_and_rows_in_another_order_too(tmp_path):
    settings = small(tasks=("left",))
    rows = made.measured(settings, cases=4)
    for name, part in (("a", rows), ("b", rows[::-1])):
        made.write_metrics(tmp_path / f"{name}.parquet", part)
        write_tables(made.typed(settings), tmp_path / f"{name}.parquet", tmp_path / name)
        write_figures(made.typed(settings), tmp_path / f"{name}.parquet", tmp_path / name)
    names = sorted(path.name for path in (tmp_path / "a").iterdir())
    figures = {f"{name}.{suffix}" for name in figure_names(made.typed(settings)) for suffix in ("png", "svg")}
    assert figures < set(names)
    for name in names:
        assert (tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes(), name


def test_names_are_those_that_the_settings_have_blocks_for():
    settings = made.settings()
    assert table_names(made.typed(settings)) == [
        *("eta_sweep", "D_sweep", "selection", "samplers", "statistics", "pareto", "operating_point"),
        "guided_or_selected",
    ]
    some = {"eta_faces", "D_digits", "selection_faces", "samplers_digits", "pareto_faces"}
    assert some < set(figure_names(made.typed(settings)))
    only = {"run": "x", "tables": {"eta_sweep": settings["tables"]["eta_sweep"][:1]}}
    assert table_names(made.typed(only)) == ["eta_sweep", "statistics", "pareto"]
    assert figure_names(made.typed(only)) == ["eta_digits", "pareto_digits"]
    assert table_names(made.typed({"tables": {}})) == figure_names(made.typed({"tables": {}})) == []
    assert table_names(made.typed(settings | {"knee": ["faces"]}))[-1] == "knee"
    assert table_names(made.typed(settings | {"shares": {"faces": "faces"}}))[-1] == "attribute_shares"


def test_every_table_and_figure_has_a_caption_for_the_report():
    settings = made.typed(made.settings(knee=["faces"], shares={"faces": "faces"}))
    said = captions(settings, "tables", "figures")
    assert set(said) == {*(f"table_{name}" for name in table_names(settings))} | {
        *(f"figure_{name}" for name in figure_names(settings))
    }
    assert set(captions(None, "exact")) == {"table_truth", "figure_truth_steps", "figure_truth_bias"}
    assert all(len(text) > 20 and text.endswith(".") for text in said.values())


def test_a_table_cannot_be_entered_twice():
    with pytest.raises(ValueError, match="a table 'pareto' already"):
        table("pareto", "Another.")(contents.tables()["pareto"].make)


def test_groups_are_blocks_that_differ_in_their_task_alone():
    found = groups(made.typed(made.settings()), "eta_sweep")
    assert [(group.dataset, group.sampler, group.tasks) for group in found] == [
        ("digits", "ddnm", made.TASKS["digits"]),
        ("faces", "ddnm_short", made.TASKS["faces"]),
        ("faces", "repaint_short", made.TASKS["faces"]),
    ]


def test_the_tradeoff_takes_the_quality_that_every_point_has(tmp_path):
    settings = small(margin={})

    def value(row, task, case):
        only_plain = {"niqe": 5.0} if row["method"] == "plain" else {}
        return rising(row, task, case) | only_plain

    made.write_metrics(tmp_path / "m.parquet", known_values(settings, value))
    (overall, *each) = tradeoffs(made.typed(settings), Measured(tmp_path / "m.parquet"), "digits")
    assert overall.quality.name == "psnr_best"
    assert [trade.scope.name for trade in each] == ["left", "right"]
    assert len(overall.rows) == 9  # plain, two etas, four distances, two strategies


# ----------------------------------------------------------------------------------------------------------- bad input
def run_cli(capsys, *arguments):
    status = cli.main([str(argument) for argument in arguments])
    return status, capsys.readouterr().err


def test_a_point_without_metrics_is_named_in_one_line(tmp_path, capsys):
    settings = small()
    rows = [row for row in known_values(settings, rising) if not (row["eta"] == 0.3 and row["task"] == "right")]
    path = made.write_metrics(tmp_path / "metrics.parquet", rows)
    for command in ("tables", "figures"):
        status, text = run_cli(
            capsys,
            command,
            "--settings",
            store.canonical(settings),
            "--metrics",
            path,
            "--output-dir",
            tmp_path / "out",
        )
        assert status == 2
        assert text.count("\n") == 1
        for part in ("metrics.parquet", "digits", "right", "ddnm_short", "nearest_neighbour", "eta 0.3", "D 0.3 rms"):
            assert part in text


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ({"run": "x"}, "tables: missing"),
        ({"tables": {"nonsense": []}}, "unknown table 'nonsense'"),
        ({"tables": {"eta_sweep": [{"dataset": "d", "task": "t", "rows": []}]}}, "a block without rows"),
    ],
)
def test_settings_of_another_kind_are_refused(settings, expected, tmp_path, capsys):
    arguments = ("--settings", json.dumps(settings), "--metrics", tmp_path / "m.parquet", "--output-dir", tmp_path)
    status, text = run_cli(capsys, "tables", *arguments)
    assert (status, text.count("\n")) == (2, 1)
    assert expected in text


def test_a_value_that_stands_twice_is_refused(tmp_path, capsys):
    settings = small()
    rows = known_values(settings, rising)
    path = made.write_metrics(tmp_path / "metrics.parquet", [*rows, rows[0]])
    status, text = run_cli(
        capsys, "tables", "--settings", store.canonical(settings), "--metrics", path, "--output-dir", tmp_path
    )
    assert status == 2
    assert "twice" in text


def test_no_metrics_file_is_one_line(tmp_path, capsys):
    status, text = run_cli(
        capsys,
        *("tables", "--settings", store.canonical(small()), "--metrics", tmp_path / "none.parquet"),
        *("--output-dir", tmp_path),
    )
    assert (status, text.count("\n")) == (2, 1)
    assert "none.parquet" in text


# ------------------------------------------------------------------------------------------------------------- gallery
LABELS = ("plain", "eta0.1_D0.3rms", "farthest")


def gallery_files(folder, size=8, channels=1, cases=6, seeds=(0, 1), broken=()):
    """A cases file and three set files; ``broken``: (label, case) whose first restoration is not finite."""
    made_cases = [make_case(f"test{i}", size, channels, seed=i) for i in range(cases)]
    store.write_table(folder / "cases.parquet", "cases", [case_row(case) for case in made_cases], {"what": "cases"})
    paths = []
    for label in LABELS:
        rows = []
        for case in made_cases:
            for seed in seeds:
                part = set_rows(make_set(case, 5, seed=seed) if seed == 0 else make_set(case, 5, 0.0))
                rows += [row | {"seed": seed} for row in part]
                if (label, case.case) in broken:
                    rows[-5]["finite"] = False
        paths.append(folder / f"{label}.parquet")
        store.write_table(paths[-1], "sets", rows, {"what": label})
    settings = {"dataset": "world", "task": "box", "sampler": "ddnm", "n": 5, "seed": 0}
    settings |= {"cases": store.fingerprint({"what": "cases"})}
    settings["rows"] = [{"label": label, "fingerprint": store.fingerprint({"what": label})} for label in LABELS]
    return settings, folder / "cases.parquet", paths


def test_a_sheet_shows_truth_hole_and_restorations_pixel_by_pixel(tmp_path):
    settings, cases, sets = gallery_files(tmp_path)
    assert write_gallery(GallerySettings.from_json(settings), cases, sets, tmp_path / "sheet.png") == 4
    sheet = np.asarray(Image.open(tmp_path / "sheet.png"))
    case = store.read_cases(cases)["test0"]
    for image in (case.image, store.read_sets(sets[2])[0].images[4]):
        tile = np.repeat(np.repeat(store.to_uint8(image), 12, 0), 12, 1).repeat(3, 2)
        windows = np.lib.stride_tricks.sliding_window_view(sheet[..., 0], (1, 96))[:, :, 0]
        starts = np.argwhere((windows == tile[0, :, 0]).all(-1))
        assert any((sheet[y : y + 96, x : x + 96] == tile).all() for y, x in starts)
    blue = (sheet == np.array([205, 219, 240])).all(-1).sum() + (sheet == np.array([168, 190, 224])).all(-1).sum()
    assert blue == 4 * case.hole.sum() * 12**2


def test_what_is_not_finite_is_hatched(tmp_path):
    settings, cases, sets = gallery_files(tmp_path, broken={("farthest", "test1")})
    write_gallery(GallerySettings.from_json(settings), cases, sets, tmp_path / "sheet.png")
    sheet = np.asarray(Image.open(tmp_path / "sheet.png"))
    red = (sheet == np.array([200, 30, 45])).all(-1).sum()
    assert 0 < red < 96 * 96


def test_a_sheet_is_the_same_again_and_small(tmp_path):
    settings, cases, sets = gallery_files(tmp_path, size=64, channels=3)
    for name in ("a.png", "b.png"):
        write_gallery(GallerySettings.from_json(settings), cases, sets, tmp_path / name)
    assert (tmp_path / "a.png").read_bytes() == (tmp_path / "b.png").read_bytes()
    assert (tmp_path / "a.png").stat().st_size < 2_000_000


def test_a_sheet_of_large_pictures_keeps_below_its_size_with_fewer_cases(tmp_path, monkeypatch):
    settings, cases, sets = gallery_files(tmp_path, size=160, channels=3, cases=3, seeds=(0,))
    monkeypatch.setattr("benchmark.publish.gallery.MOST_BYTES", 450_000)
    assert 1 <= write_gallery(GallerySettings.from_json(settings), cases, sets, tmp_path / "sheet.png") < 3


def test_the_gallery_refuses_files_of_other_settings_and_rows_without_files(tmp_path, capsys):
    settings, cases, sets = gallery_files(tmp_path)
    other = settings | {"rows": [settings["rows"][0], settings["rows"][1], {"label": "x", "fingerprint": "0" * 16}]}
    output = tmp_path / "sheet.png"
    arguments = ("--cases", cases, "--sets", *sets, "--output", output)
    status, text = run_cli(capsys, "gallery", "--settings", json.dumps(other), *arguments)
    assert status == 2
    assert "farthest.parquet: made with other settings" in text
    status, text = run_cli(capsys, "gallery", "--settings", json.dumps(settings | {"rows": []}), *arguments)
    assert (status, text.count("\n")) == (2, 1)
    status, text = run_cli(capsys, "gallery", "--settings", json.dumps(settings | {"seed": 7}), *arguments)
    assert status == 2
    assert "seed 7" in text
    assert not output.exists()


# ------------------------------------------------------------------------------------------- figures of drawn worlds
def known_truth(tmp_path, truth=True, scale=1.0):
    """Metrics of one sweep whose truth is known (or not), its measures ``scale`` times 0.6 to 0.9: settings, file."""
    settings = {"run": "tiny", "tables": {"eta_sweep": small(("left",))["tables"]["eta_sweep"]}}
    rows = made.measured(settings, cases=4)
    extra = {"attribute_coverage": 0.6, "plausibility": 0.9} if truth else {}
    extra |= {f"{name}_exact": 0.7 for name in extra}
    extra = {name: scale * value for name, value in extra.items()}
    where = {json.dumps({k: v for k, v in row.items() if k not in ("metric", "value")}) for row in rows}
    rows += [json.loads(at) | {"metric": name, "value": value} for at in sorted(where) for name, value in extra.items()]
    return settings, made.write_metrics(tmp_path / "metrics.parquet", rows)


@pytest.mark.parametrize(("scale", "height"), [(1.0, 0.7), (1e-4, 7.0)])  # below 1e-3 an axis is in powers of ten
def test_where_the_truth_is_known_figures_show_it_first_with_the_line_of_exact_samples(tmp_path, scale, height):
    settings, path = known_truth(tmp_path, scale=scale)
    measured, found = Measured(path), groups(made.typed(settings), "eta_sweep")
    names = [shown.name for shown in shown_measures(measured, found)]
    assert names == ["attribute_coverage", "plausibility", "feature_distance_mean", "off_support"]
    with style.style():
        figure = sweep_figure(measured, found)
        lines = [
            [line.get_ydata()[0] for line in axis.lines if line.get_color() == style.EXACT["color"]]
            for axis in figure.axes
        ]
        texts = [text.get_text() for text in figure.legends[0].get_texts()]
    assert lines == [[pytest.approx(height)], [pytest.approx(height)], [], []]
    assert texts[-1] == "exact samples of the posterior"


def test_without_the_truth_figures_have_no_line_of_exact_samples(tmp_path):
    settings, path = known_truth(tmp_path, truth=False)
    with style.style():
        figure = sweep_figure(Measured(path), groups(made.typed(settings), "eta_sweep"))
        texts = [text.get_text() for text in figure.legends[0].get_texts()]
    assert "exact samples of the posterior" not in texts


@pytest.mark.parametrize("columns", [1, 2, 3, 4])
def test_a_legend_is_no_wider_than_its_figure(columns):
    from matplotlib.lines import Line2D

    with style.style():
        figure, _ = style.grid(1, columns)
        handles = [Line2D([], [], label=text) for text in ("ddnm_20", "repaint_15")]
        style.legend(figure, [*handles, style.open_handle(), style.exact_handle()])
        figure.draw_without_rendering()
        box = figure.legends[0].get_window_extent()
        assert 0 <= box.x0 < box.x1 <= figure.bbox.width


def test_what_a_tables_values_are_of_is_said_in_one_way():
    assert facts(8, 5, {"D": 0.3, "D_unit": "rms"}) == ["8 cases", "sets of N = 5", "D = 0.3 RMS"]
    assert facts(1, 0, {"eta": 0.1}) == ["1 case (no interval)", "η = 0.1"]
