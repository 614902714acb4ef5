"""What docs/findings.md says is borne by the tables that it was written from; a statement that is not borne fails."""

from pathlib import Path

import pytest

from benchmark.cli import main
from benchmark.errors import BenchmarkError
from benchmark.publish import findings
from benchmark.statistics.power import needed_for, standard_effect

DOCS = Path(__file__).resolve().parent.parent / "docs"
CSV = """dataset,eta,metric,mean,mean_low,mean_high,difference,difference_low,difference_high,resolves,cases
faces,0.0,coverage,0.65,0.56,0.72,,,,,8
faces,0.3,coverage,0.76,0.69,0.85,0.11,0.05,0.17,0.09,8
faces,1.0,coverage,0.70,0.60,0.80,0.05,-0.02,0.12,0.09,8
"""


@pytest.fixture
def tables(tmp_path):
    (tmp_path / "sweep.csv").write_text(CSV)
    return findings.Tables(tmp_path)


def statement(tables, say="{gain}", holds=("gain above 0",), eta=0.3, column="difference", **where):
    cell = {"table": "sweep", "where": {"eta": eta, **where}, "column": column}
    return findings.Statement("s", {"say": say, "numbers": {"gain": cell}, "holds": list(holds)}, tables)


def test_a_statement_is_written_from_its_cells(tables):
    found = statement(tables, "It rises by {gain}; {gain.resolves} can be seen.")
    assert list(found.faults()) == []
    assert found.text() == "It rises by 0.11 [0.05, 0.17]; 0.09 can be seen."
    assert statement(tables, "{gain.needs_0.03}").text() == "42"  # 8 cases resolve 0.09
    assert statement(tables, eta=0.0, column="mean").text() == "0.65 [0.56, 0.72]"
    assert statement(tables, eta=0.0).text() == "nan"


@pytest.mark.parametrize(
    ("eta", "condition", "holds"),
    [
        (0.3, "gain above 0", True), (1.0, "gain above 0", False), (1.0, "gain includes 0", True),
        (0.3, "gain includes 0", False), (0.3, "gain below 0.2", True), (0.3, "gain below 0.1", False),
        (1.0, "gain higher 0", True), (1.0, "gain lower 0", False), (0.3, "gain resolves 0.1", True),
        (0.3, "gain resolves 0.05", False), (0.0, "gain above 0", False), (0.0, "gain resolves 1", False),
    ],
)  # fmt: skip
def test_a_condition_holds_or_is_a_fault_and_what_is_unknown_never_holds(tables, eta, condition, holds):
    faults = list(statement(tables, holds=[condition], eta=eta).faults())
    assert faults == [] if holds else condition in faults[0]


def test_a_statement_with_numbers_needs_a_condition(tables):
    assert "no condition" in next(iter(statement(tables, holds=[]).faults()))


@pytest.mark.parametrize(
    ("where", "message"),
    [
        ({"eta": 7}, "0 rows"), ({"eta": 0.3, "dataset": "cats"}, "0 rows"), ({"et": 1, "eta": 0.3}, "no column 'et'"),
        ({"eta": 0.3, "column": "gain"}, "no column 'gain'"), ({"eta": 0.3, "holds": ["gain over 0"]}, "gain over 0"),
        ({"eta": 0.3, "holds": ["gain above nothing"]}, "neither"),
    ],
)  # fmt: skip
def test_a_cell_that_is_not_there_or_a_condition_without_meaning_is_one_line(tables, where, message):
    with pytest.raises(BenchmarkError, match=message):
        list(statement(tables, **where).faults())
    with pytest.raises(BenchmarkError, match="3 rows"):
        tables.cell("sweep", {"dataset": "faces"}, "mean")
    with pytest.raises(BenchmarkError, match="other"):
        statement(tables, "{other}").text()


def test_the_rows_that_were_used_bear_the_same_again(tables, tmp_path):
    statement(tables).text()
    ((name, text),) = tables.excerpt()
    assert (name, text.splitlines()) == ("sweep", [CSV.splitlines()[0], CSV.splitlines()[2]])


def test_the_findings_are_borne_by_the_rows_beside_them_and_written_from_them(capsys):
    assert main(["findings", "--statements", str(DOCS / "findings.yaml"), "--tables", str(DOCS / "findings")]) == 0
    spec = findings.load(DOCS / "findings.yaml")
    tables = findings.Tables(DOCS / "findings")
    seeds = findings.Seeds(DOCS.parent / "experiments" / "tuned" / "seeds.csv")
    assert findings.document(spec, tables, seeds) == (DOCS / "findings.md").read_text(encoding="utf-8")


def test_a_changed_table_fails(tmp_path, capsys):
    spec = "title: t\nintro: i\nsections:\n- title: s\n  statements:\n  - say: '{a}'\n"
    spec += "    numbers: {a: {table: sweep, where: {eta: 0.3}, column: difference}}\n    holds: [a above 0]\n"
    (tmp_path / "findings.yaml").write_text(spec)
    (tmp_path / "sweep.csv").write_text(CSV)
    call = ["findings", "--statements", str(tmp_path / "findings.yaml"), "--tables", str(tmp_path)]
    assert main([*call, "--write", str(tmp_path / "findings.md")]) == 0
    assert "0.11 [0.05, 0.17]" in (tmp_path / "findings.md").read_text()
    (tmp_path / "sweep.csv").write_text(CSV.replace("0.11,0.05", "0.11,-0.05"))
    assert main(call) == 2
    assert "a above 0 does not hold" in capsys.readouterr().err


def test_what_a_condition_needs_is_what_its_own_spread_gives(tables):
    (need,) = statement(tables).needs()
    spread = 0.09 / standard_effect(8)  # 8 cases resolve 0.09
    assert (need.resolved, need.effect) == (0.09, 0.11)
    assert need.cases() == needed_for(0.11 / spread) < 8
    assert findings.Need("s", "", need.number, 0.09, 0.03).cases() == needed_for(0.03 / spread) > 8
    few = [findings.Need("s", "", need.number, 0.09, 0.01).cases(1.0, seeds) for seeds in (1, 2, 4)]
    assert few[0] > 1.9 * few[1] > 3.6 * few[2]  # where all that varies is the seed, a seed is worth a case
    assert findings.Need("s", "", need.number, 0.09, 0.01).cases(0.0, 3) == few[0]


def test_what_resolves_nothing_says_so_by_its_interval(tables):
    spread = statement(tables, eta=0.3, column="mean").numbers["gain"]
    assert spread.resolves == pytest.approx(standard_effect(8) * 0.08 / 1.96 * 8**0.5)


def test_what_is_not_resolved_must_say_what_would_matter(tables):
    unsaid = statement(tables, holds=["gain includes 0"], eta=1.0)
    with pytest.raises(BenchmarkError, match="what gain would matter"):
        list(unsaid.needs())
    unsaid.spec["matters"] = {"gain": 0.02}
    assert [need.effect for need in unsaid.needs()] == [0.02]


def test_an_excess_is_counted_as_its_square(tmp_path):
    (tmp_path / "truth.csv").write_text("sampler,n,excess,excess_low,excess_high\nddnm,16,0.1,-0.02,0.2\n")
    cell = {"table": "truth", "where": {"sampler": "ddnm"}, "column": "excess"}
    spec = {"say": "", "numbers": {"a": cell}, "holds": ["a higher 0", "a below 0.3"]}
    (need,) = findings.Statement("s", spec, findings.Tables(tmp_path)).needs()
    assert need.effect == pytest.approx(0.09 - 0.01)
    assert need.resolved == pytest.approx(standard_effect(16) * (0.04 + 0.0004) / 2 / 1.96 * 4)


def test_two_numbers_are_apart_where_their_intervals_are(tables):
    cells = {
        name: {"table": "sweep", "where": {"eta": eta}, "column": "difference"}
        for name, eta in (("a", 0.3), ("b", 1.0))
    }
    for condition in ("a above b", "b below a"):
        (fault,) = findings.Statement("s", {"say": "", "numbers": cells, "holds": [condition]}, tables).faults()
        assert condition in fault  # 0.05 to 0.17 and -0.02 to 0.12
