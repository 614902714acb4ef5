"""A table as a document: sections of cells, written as Markdown, LaTeX and HTML. It knows nothing of what it shows."""

from __future__ import annotations

import html
import math
import re
import unicodedata
from dataclasses import dataclass, field

from benchmark.statistics import Interval

STAR = "*"
ABSENT = "–"


@dataclass(frozen=True)
class Value:
    """A number with an interval; ``star`` marks a change from plain that stands after Holm's correction."""

    interval: Interval
    star: bool = False
    signed: bool = False


@dataclass(frozen=True)
class Column:
    """A column: its header, and whether it holds numbers (aligned right)."""

    header: str
    numeric: bool = True


@dataclass(frozen=True)
class Section:
    """A table with its title and the sentence below it. A cell is text, a number, a :class:`Value` or None.

    ``breaks``: rows before which a rule is drawn.
    """

    title: str
    columns: list[Column]
    rows: list[list]
    note: str = ""
    breaks: frozenset[int] = frozenset()


@dataclass(frozen=True)
class Document:
    """A title, the sentences that a reader needs first, and sections; ``legend``: for LaTeX captions of intervals."""

    name: str
    title: str
    intro: list[str]
    sections: list[Section] = field(default_factory=list)
    legend: str = ""


# ------------------------------------------------------------------------------------------------------------- numbers
SMALL, LARGE = 1e-3, 1e6  # beyond these a column is scaled by a power of ten
WIDE = 1e3  # a column whose values differ by more than this has a power of ten for each


@dataclass(frozen=True)
class _Format:
    """How a column's numbers are written: decimals after scaling by 10^-power; None: each with a power of its own."""

    decimals: int | None
    power: int = 0

    def text(self, value: float, signed: bool = False) -> str:
        if math.isnan(value):
            return ABSENT
        if self.decimals is None and value != 0:
            power = math.floor(math.log10(abs(value)))
            return f"{_fixed(value / 10.0**power, 1, signed)}×10{superscript(power)}"
        if not math.isfinite(value):
            return "∞" if value > 0 else "−∞"
        return _fixed(value / 10.0**self.power, self.decimals or 0, signed)


def _fixed(value: float, decimals: int, signed: bool) -> str:
    text = f"{value:{'+' if signed else ''}.{decimals}f}"
    return (text.lstrip("+-") if float(text) == 0 else text).replace("-", "−")


def superscript(number: int) -> str:
    """An integer as an exponent: ⁻⁷."""
    return "".join("⁻⁰¹²³⁴⁵⁶⁷⁸⁹"["-0123456789".index(digit)] for digit in str(number))


def formatted(cells: list) -> tuple[list[tuple[str, str]], str]:
    """A column's cells as (text, interval), all with the same decimals: three digits of the largest number, and at
    least one decimal for numbers below ten.

    The second value is the power of ten that the numbers are to be multiplied by (``×10⁻⁷``), or nothing. An interval
    of no length or without bounds (one case) is left out.
    """
    form = _format(cells)
    return [_cell(cell, form) for cell in cells], f"×10{superscript(form.power)}" if form.power else ""


def _format(cells: list) -> _Format:
    numbers = [abs(number) for cell in cells for number in _numbers(cell) if math.isfinite(number) and number]
    if not numbers:
        return _Format(0)
    estimates = [abs(number) for cell in cells for number in _numbers(cell)[:1] if math.isfinite(number) and number]
    largest = max(numbers)
    if estimates and max(estimates) > WIDE * min(estimates) and min(estimates) < SMALL:
        return _Format(None)
    power = math.floor(math.log10(largest)) if largest < SMALL or largest >= LARGE else 0
    if power == 0 and largest >= 10 and all(number == int(number) for number in numbers):
        return _Format(0)
    decimals = min(max(2 - math.floor(math.log10(largest / 10.0**power)), 0), 4)
    return _Format(max(decimals, int(min(estimates or [largest]) < 10.0 ** (power + 1))), power)


def _numbers(cell: object) -> list[float]:
    if isinstance(cell, Value):
        return [cell.interval.estimate, cell.interval.low, cell.interval.high]
    return [float(cell)] if isinstance(cell, int | float) else []


def _cell(cell: object, form: _Format) -> tuple[str, str]:
    if cell is None:
        return ABSENT, ""
    if isinstance(cell, str):
        return cell, ""
    if not isinstance(cell, Value):
        return form.text(float(cell)), ""
    interval = cell.interval
    text = form.text(interval.estimate, cell.signed)
    low, high = form.text(interval.low), form.text(interval.high)
    known = math.isfinite(interval.low) and math.isfinite(interval.high) and low != high
    return text + (STAR if cell.star else ""), f"[{low}, {high}]" if known else ""


def p_value(value: float) -> str:
    """A p-value with two digits, ``< 0.001`` below that."""
    if math.isnan(value):
        return ABSENT
    return "< 0.001" if value < 0.001 else f"{value:.3f}" if value < 0.1 else f"{value:.2f}"


def _columns(section: Section) -> tuple[list[str], list[list[tuple[str, str]]]]:
    """The section's headers, with the power of ten where a column has one, and its cells by column."""
    found = [formatted([row[i] for row in section.rows]) for i in range(len(section.columns))]
    headers = [
        f"{column.header} ({power})" if power else column.header
        for column, (_, power) in zip(section.columns, found, strict=True)
    ]
    return headers, [cells for cells, _ in found]


# ------------------------------------------------------------------------------------------------------------ Markdown
def markdown(document: Document) -> str:
    """Tables with padded columns: as readable in a terminal as on a page."""
    parts = [f"# {document.title}", "\n".join(f"{_markdown_text(line)}  " for line in document.intro).rstrip()]
    for section in document.sections:
        parts += [f"## {section.title}", _markdown_table(section)]
        parts += [section.note] if section.note else []
    return "\n\n".join(part for part in parts if part) + "\n"


def _markdown_table(section: Section) -> str:
    columns = []
    for column, header, cells in zip(section.columns, *_columns(section), strict=True):
        texts = [_markdown_text(" ".join(filter(None, cell))) for cell in cells]
        width = max(3, len(header), *map(len, texts))
        align = str.rjust if column.numeric else str.ljust
        rule = "-" * (width - 1) + ":" if column.numeric else "-" * width
        columns.append([align(header, width), rule, *(align(text, width) for text in texts)])
    return "\n".join(f"| {' | '.join(line)} |" for line in zip(*columns, strict=True))


def _markdown_text(text: str) -> str:
    return text.replace(STAR, r"\*").replace("|", r"\|")


# --------------------------------------------------------------------------------------------------------------- LaTeX
_LATEX = {
    "\\": r"\textbackslash{}", "&": r"\&", "%": r"\%", "$": r"\$", "#": r"\#", "_": r"\_", "{": r"\{", "}": r"\}",
    "~": r"\textasciitilde{}", "^": r"\textasciicircum{}", "∞": r"$\infty$", "η": r"$\eta$", "↑": r"$\uparrow$",
    "↓": r"$\downarrow$", "−": r"$-$", "–": "--", "×": r"$\times$", "·": r"$\cdot$", "<": r"$<$", ">": r"$>$",
    "“": "``", "”": "''", "*": "$^{*}$",
}  # fmt: skip


def latex_escape(text: str) -> str:
    """Text that LaTeX sets as it stands."""
    powers = re.split(r"10([⁻⁰¹²³⁴⁵⁶⁷⁸⁹]+)", text)
    powers[::2] = ["".join(_LATEX.get(character, character) for character in part) for part in powers[::2]]
    powers[1::2] = [rf"$10^{{{unicodedata.normalize('NFKC', part).replace('−', '-')}}}$" for part in powers[1::2]]
    return "".join(powers)


def latex(document: Document) -> str:
    r"""One ``table`` environment for each section, to be read by ``\input``; needs the package booktabs only."""
    intro = "\n".join(f"% {line}" for line in document.intro)
    head = f"% {document.title}\n{intro}\n% Needs \\usepackage{{booktabs}}."
    tables = [_latex_table(document, number, section) for number, section in enumerate(document.sections, 1)]
    return "\n\n".join([head, *tables]) + "\n"


def _latex_table(document: Document, number: int, section: Section) -> str:
    headers, columns = _columns(section)
    stacked = any(interval for cells in columns for _, interval in cells)
    lines = []
    for index, cells in enumerate(zip(*columns, strict=True)):
        rule = "\\midrule\n" if index in section.breaks and index else ""
        lines.append(rule + " & ".join(_latex_cell(*cell) for cell in cells) + (r" \\[3pt]" if stacked else r" \\"))
    legend = document.legend if stacked or any("[" in text for cells in columns for text, _ in cells) else ""
    caption = latex_escape(" ".join(filter(None, [section.title + ".", section.note, legend])))
    return "\n".join(
        [
            r"\begin{table}[htbp]",
            r"\centering\footnotesize\setlength{\tabcolsep}{4pt}",
            rf"\caption{{{caption}}}",
            rf"\label{{tab:{document.name.replace('_', '-')}-{number}}}",
            rf"\begin{{tabular}}{{@{{}}{''.join('r' if column.numeric else 'l' for column in section.columns)}@{{}}}}",
            r"\toprule",
            " & ".join(map(_latex_header, headers, section.columns)) + r" \\",
            r"\midrule",
            *lines,
            r"\bottomrule",
            r"\end{tabular}",
            r"\end{table}",
        ]
    )


def _latex_header(header: str, column: Column) -> str:
    """A header on two lines where it is long, broken at the blank nearest its middle."""
    words = header.split(" ")
    if len(header) < 12 or len(words) < 2:
        return latex_escape(header)
    halves = ((" ".join(words[:cut]), " ".join(words[cut:])) for cut in range(1, len(words)))
    first, second = (latex_escape(half) for half in min(halves, key=lambda pair: abs(len(pair[0]) - len(pair[1]))))
    return rf"\shortstack[{'r' if column.numeric else 'l'}]{{{first}\\{second}}}"


def _latex_cell(text: str, interval: str) -> str:
    """A number with its interval below it, so that eight columns fit a page."""
    if not interval:
        return latex_escape(text)
    return rf"\shortstack[r]{{{latex_escape(text)}\\{{\tiny {latex_escape(interval)}}}}}"


# ---------------------------------------------------------------------------------------------------------------- HTML
_STYLE = """
:root { color-scheme: light; }
body { font: 15px/1.5 system-ui, "Segoe UI", Helvetica, Arial, sans-serif; color: #1c2126; background: #fff;
       margin: 2rem auto; max-width: 76rem; padding: 0 1.5rem; }
h1 { font-size: 1.45rem; margin: 0 0 .6rem; } h2 { font-size: 1.05rem; margin: 2.2rem 0 .5rem; }
p { margin: .2rem 0; max-width: 60rem; color: #454d55; } .note { font-size: .87rem; margin-top: .4rem; }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; border-top: 2px solid #1c2126;
        border-bottom: 2px solid #1c2126; }
th, td { padding: .28rem .7rem; text-align: right; white-space: nowrap; }
th { vertical-align: bottom; font-weight: 600; border-bottom: 1px solid #1c2126; white-space: normal; }
th.text, td.text { text-align: left; } tr.break td { border-top: 1px solid #c9ced4; }
tbody tr:hover { background: #f3f6f9; } .interval { color: #737c86; font-size: .82em; margin-left: .3em; }
""".strip()


def page(document: Document) -> str:
    """One self-contained HTML page."""
    intro = "\n".join(f"<p>{html.escape(line)}</p>" for line in document.intro)
    sections = "\n".join(_html_section(section) for section in document.sections)
    title = html.escape(document.title)
    return (
        f'<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n<title>{title}</title>\n'
        f"<style>\n{_STYLE}\n</style>\n</head>\n<body>\n<h1>{title}</h1>\n{intro}\n{sections}\n</body>\n</html>\n"
    )


def _html_section(section: Section) -> str:
    kinds = ["" if column.numeric else ' class="text"' for column in section.columns]
    headers, columns = _columns(section)
    header = "".join(f"<th{kind}>{html.escape(text)}</th>" for kind, text in zip(kinds, headers, strict=True))
    lines = []
    for index, cells in enumerate(zip(*columns, strict=True)):
        row = "".join(f"<td{kind}>{_html_cell(*cell)}</td>" for kind, cell in zip(kinds, cells, strict=True))
        lines.append(f'<tr class="break">{row}</tr>' if index in section.breaks and index else f"<tr>{row}</tr>")
    note = f'\n<p class="note">{html.escape(section.note)}</p>' if section.note else ""
    return (
        f'<h2>{html.escape(section.title)}</h2>\n<div class="scroll"><table>\n'
        + f"<thead><tr>{header}</tr></thead>\n<tbody>\n"
        + "\n".join(lines)
        + f"\n</tbody>\n</table></div>{note}"
    )


def _html_cell(text: str, interval: str) -> str:
    star = text.endswith(STAR)
    body = html.escape(text.removesuffix(STAR)) + ("<sup>*</sup>" if star else "")
    return body + (f'<span class="interval">{html.escape(interval)}</span>' if interval else "")
