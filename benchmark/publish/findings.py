"""Statements and the tables that bear them: docs/findings.yaml says what is claimed, of which cells, if what holds.

A statement names numbers (cells of the csv tables of a run), a text with a place for each, and conditions. Every number
is an estimate with its interval; a condition is about the interval unless it says otherwise:

    a above b         low(a) > high(b)        b another number or a constant (whose ends are itself)
    a below b         high(a) < low(b)
    a includes b      low(a) <= b <= high(a): not resolved, b a constant
    a higher b        estimate(a) > estimate(b): an order that no interval bears
    a lower b         estimate(a) < estimate(b)
    a resolves b      the column ``resolves`` of a's row is at most b

What each condition needs stands in a table at the end: from what its cases resolve (the column ``resolves``, or what an
interval of that length does) follows their spread, and from that how many cases an effect takes
(:mod:`benchmark.statistics.power`). The effect is how far the two numbers are apart, or what the statement says with
``matters: EFFECT``, as it must for what is not resolved. With three seeds the variance is smaller by two thirds of the
part that a seed has in it, which ``python -m benchmark power`` measures (:class:`Seeds`).

A condition that does not hold, a cell that is not there and one that is there twice are faults; the text is written
from the tables, so that no number in docs/findings.md can differ from them.
"""

from __future__ import annotations

import csv
import math
import re
import textwrap
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from statistics import median

import yaml

from benchmark.errors import BenchmarkError, suggestion
from benchmark.publish.files import as_csv
from benchmark.statistics.power import needed_for, standard_effect

WIDTH = 112


@dataclass(frozen=True)
class Number:
    """A cell of a table: estimate and interval, the whole row, and how it is printed."""

    estimate: float
    low: float
    high: float
    row: dict
    style: str = ".2f"
    column: str = ""

    @property
    def metric(self) -> str:
        """The measure that it is of: its row's, or what its column is named after."""
        return self.row.get("metric") or {"implausible_change": "plausibility"}.get(self.column, "")

    def scaled(self, value: float) -> float:
        """A value on the scale that differences are tested on: the signed square of an excess, itself otherwise."""
        return math.copysign(value * value, value) if self.column == "excess" else value

    @property
    def cases(self) -> float:
        """How many cases it is a mean of; NaN where its row does not say."""
        return _number(self.row.get("cases") or self.row.get("n"))

    @property
    def resolves(self) -> float:
        """The smallest difference that its cases detect with 80 %: as its row says, or its interval's length does."""
        said = {"difference": "resolves", "implausible_change": "implausible_resolves"}.get(self.column)
        if said and not math.isnan(_number(self.row.get(said))):
            return _number(self.row[said])
        half = (self.scaled(self.high) - self.scaled(self.low)) / 2
        if not self.cases >= 2 or math.isnan(half):
            return math.nan
        return standard_effect(int(self.cases)) * half / 1.96 * math.sqrt(self.cases)

    @property
    def text(self) -> str:
        """``0.21 [0.18, 0.25]``; without an interval the estimate alone."""
        middle = _format(self.estimate, self.style)
        if math.isnan(self.low) or math.isnan(self.high):
            return middle
        return f"{middle} [{_format(self.low, self.style)}, {_format(self.high, self.style)}]"


class Tables:
    """The csv files of a folder; remembers which rows were asked for."""

    def __init__(self, folder: str | Path):
        self.folder = Path(folder)
        self.used: dict[str, dict[int, dict]] = {}
        self._rows: dict[str, list[dict]] = {}

    def rows(self, table: str) -> list[dict]:
        """The rows of a table. Raises BenchmarkError where its file is not there."""
        if table not in self._rows:
            path = self.folder / f"{table}.csv"
            if not path.is_file():
                raise BenchmarkError(f"{path}: no such table")
            with open(path, encoding="utf-8", newline="") as file:
                self._rows[table] = list(csv.DictReader(file))
        return self._rows[table]

    def cell(self, table: str, where: dict, column: str, style: str = ".2f") -> Number:
        """The one cell that ``where`` (column -> value) and ``column`` name.

        Raises:
            BenchmarkError: no such column, no row or several.
        """
        rows = self.rows(table)
        known = list(rows[0]) if rows else []
        for name in [*where, column]:
            if name not in known:
                raise BenchmarkError(f"{table}.csv has no column {name!r}{suggestion(name, known)}")
        found = [i for i, row in enumerate(rows) if all(_same(row[key], value) for key, value in where.items())]
        if len(found) != 1:
            raise BenchmarkError(f"{table}.csv: {len(found)} rows have {where}; one is needed")
        row = rows[found[0]]
        self.used.setdefault(table, {})[found[0]] = row
        low, high = (f"{column}_{end}" if f"{column}_{end}" in row else end for end in ("low", "high"))
        ends = (low, high) if column != low and (column == "value" or low.startswith(column)) else (None, None)
        return Number(
            _number(row[column]), *(_number(row.get(end)) if end else math.nan for end in ends), row, style, column
        )

    def excerpt(self) -> Iterator[tuple[str, str]]:
        """NAME and csv text of the rows that were asked for, in the order of their table."""
        for table, rows in sorted(self.used.items()):
            yield table, as_csv([row for _, row in sorted(rows.items())])


@dataclass(frozen=True)
class Need:
    """How many cases a condition of a statement takes: those that it has resolve ``resolved``, and it is about
    ``effect``."""

    statement: str
    condition: str
    number: Number
    resolved: float
    effect: float

    def cases(self, seed_share: float = 0.0, seeds: int = 1) -> int:
        """So many, of so many seeds, where ``seed_share`` of the variance of one seed's values is the seed's."""
        spread = self.resolved / standard_effect(int(self.number.cases))
        return int(needed_for(self.effect / spread / math.sqrt(1 - seed_share * (1 - 1 / seeds))))


class Seeds:
    """The part of a seed in the variance of a measure's change from plain: the median over what was measured of it in
    the table of ``python -m benchmark power``."""

    def __init__(self, path: str | Path):
        tables = Tables(Path(path).parent)
        found: dict[str, list[float]] = {}
        for row in tables.rows(Path(path).stem):
            found.setdefault(row["metric"], []).append(_number(row["seed_share"]))
        self._shares = {metric: median(share for share in shares if share >= 0) for metric, shares in found.items()}

    def share(self, number: Number) -> float:
        """NaN for what was not measured with several seeds."""
        return self._shares.get(number.metric, math.nan)


@dataclass(frozen=True)
class Statement:
    """One statement of docs/findings.yaml: ``say`` with {NAME} for a number, ``numbers``, ``holds``."""

    name: str
    spec: dict
    tables: Tables

    @cached_property
    def numbers(self) -> dict[str, Number]:
        """NAME -> its number."""
        try:
            return {
                name: self.tables.cell(
                    cell["table"],
                    cell.get("where", {}),
                    cell["column"],
                    cell.get("style", self.spec.get("style", ".2f")),
                )
                for name, cell in self.spec.get("numbers", {}).items()
            }
        except BenchmarkError as error:
            raise BenchmarkError(f"{self.name}: {error}") from None

    def faults(self) -> Iterator[str]:
        """A line for each condition that the tables do not bear; for a statement with numbers and no condition, too."""
        if self.spec.get("numbers") and not self.spec.get("holds"):
            yield f"{self.name}: has numbers and no condition"
        for condition in self.spec.get("holds", []):
            words = condition.split()
            if len(words) != 3 or words[1] not in CONDITIONS:
                raise BenchmarkError(f"{self.name}: {condition!r} is not NAME {'|'.join(CONDITIONS)} NAME or NUMBER")
            left, right = (self._operand(word) for word in (words[0], words[2]))
            if not CONDITIONS[words[1]](left, right):
                yield f"{self.name}: {condition} does not hold: {words[0]} is {left.text}, {words[2]} {right.text}"

    def needs(self) -> Iterator[Need]:
        """What each condition about an interval takes.

        Raises:
            BenchmarkError: it says that something is not resolved, and not which difference would matter.
        """
        matters = self.spec.get("matters", {})
        for condition in self.spec.get("holds", []):
            left, sort, right = condition.split()
            if sort not in ("above", "below", "includes"):
                continue
            ends = [self._operand(word) for word in (left, right)]
            resolved = math.hypot(*(number.resolves for number in ends if number.row))
            effect = abs(ends[0].scaled(ends[0].estimate) - ends[0].scaled(ends[1].estimate))
            if left in matters:
                effect = ends[0].scaled(matters[left])
            elif sort == "includes":
                raise BenchmarkError(f"{self.name}: {condition}, and matters: does not say what {left} would matter")
            if resolved > 0 and effect > 0:
                yield Need(self.name, condition, ends[0], resolved, effect)

    def _operand(self, word: str) -> Number:
        if word in self.numbers:
            return self.numbers[word]
        try:
            value = float(word)
        except ValueError:
            raise BenchmarkError(f"{self.name}: {word!r} is neither one of its numbers nor a number") from None
        return Number(value, value, value, {}, "g")

    def text(self) -> str:
        """The sentence with its numbers; {NAME.COLUMN} is another column of that number's row, {NAME.needs_EFFECT} how
        many cases a difference of EFFECT would take."""

        def fill(match: re.Match) -> str:
            name, _, column = match[1].partition(".")
            if name not in self.numbers:
                raise BenchmarkError(f"{self.name}: {{{name}}} stands in its text and not among its numbers")
            number = self.numbers[name]
            if column.startswith("needs_"):
                effect = float(column.removeprefix("needs_"))
                return str(Need(self.name, "", number, number.resolves, effect).cases())
            return number.text if not column else _format(_number(number.row[column]), ".4g")

        return re.sub(r"\{(\w+(?:\.[\w.]+)?)\}", fill, self.spec["say"]).strip()


CONDITIONS = {
    "above": lambda a, b: a.low > b.high,
    "below": lambda a, b: a.high < b.low,
    "includes": lambda a, b: a.low <= b.estimate <= a.high,
    "higher": lambda a, b: a.estimate > b.estimate,
    "lower": lambda a, b: a.estimate < b.estimate,
    "resolves": lambda a, b: _number(a.row.get("resolves")) <= b.estimate,
}


def statements(spec: dict, tables: Tables) -> Iterator[Statement]:
    """Every statement of the sections of docs/findings.yaml."""
    for section in spec["sections"]:
        for index, statement in enumerate(section["statements"]):
            yield Statement(statement.get("name", f"{section['title']}, {index + 1}"), statement, tables)


def load(path: str | Path) -> dict:
    """docs/findings.yaml."""
    return yaml.safe_load(Path(path).read_text(encoding="utf-8"))


def faults(spec: dict, tables: Tables) -> list[str]:
    """What the tables do not bear, a line each."""
    return [line for statement in statements(spec, tables) for line in statement.faults()]


def document(spec: dict, tables: Tables, seeds: Seeds) -> str:
    """docs/findings.md."""
    lines = [f"# {spec['title']}", "", _filled(spec["intro"]), ""]
    found = statements(spec, tables)
    for section in spec["sections"]:
        lines += [f"## {section['title']}", ""]
        lines += [_filled(section["intro"]), ""] if section.get("intro") else []
        for _ in section["statements"]:
            lines += [_filled(next(found).text()), ""]
    lines += [f"## {NEEDS}", "", _filled(spec["needs"]), ""] if "needs" in spec else []
    lines += [*_needs_table(spec, tables, seeds), ""] if "needs" in spec else []
    return "\n".join(lines).rstrip() + "\n"


NEEDS = "How many cases and seeds"


def _needs_table(spec: dict, tables: Tables, seeds: Seeds) -> Iterator[str]:
    """A line for each condition: what it is about, and how many cases of one seed and of three it takes."""
    yield "| statement | what must hold | cases | resolve | for | cases, 1 seed | cases, 3 seeds |"
    yield "|---|---|--:|--:|--:|--:|--:|"
    before = None
    for need in (need for statement in statements(spec, tables) for need in statement.needs()):
        share = seeds.share(need.number)
        several = "" if math.isnan(share) else f"{need.cases(share, 3)}"
        name = need.statement if need.statement != before else ""
        values = f"{need.number.cases:.0f} | {need.resolved:.2g} | {need.effect:.2g} | {need.cases()} | {several}"
        yield f"| {name} | {need.condition} | {values} |"
        before = need.statement


def _filled(text: str) -> str:
    """Paragraphs of at most ``WIDTH`` columns; indented ones (commands) stay as they are."""
    parts = text.strip("\n").split("\n\n")
    fill = textwrap.TextWrapper(WIDTH, break_long_words=False, break_on_hyphens=False).fill
    return "\n\n".join(part.rstrip() if part.startswith("    ") else fill(part) for part in parts)


def _same(cell: str, value: object) -> bool:
    if isinstance(value, bool) or value is None:
        return cell == ("" if value is None else str(value))
    if isinstance(value, int | float):
        return _number(cell) == value
    return cell == str(value)


def _number(cell: object) -> float:
    try:
        return float(cell) if cell not in ("", None) else math.nan
    except ValueError:
        return math.nan


def _format(value: float, style: str) -> str:
    text = format(value, style)
    return f"−{text[1:]}" if text.startswith("-") else text
