"""A table as a document: sections of cells, written as Markdown, LaTeX and HTML. It knows nothing of what it shows."""

from __future__ import annotations

import html
import math
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
    """A title, the sentences that a reader needs first, and sections."""

    name: str
    title: str
    intro: list[str]
    sections: list[Section] = field(default_factory=list)


# ------------------------------------------------------------------------------------------------------------- numbers
def formatted(cells: list, places: str | None = None) -> list[tuple[str, str]]:
    """A column's cells as (text, interval text), all numbers with the same decimals: three digits of the largest.

    Numbers below a thousandth are written with a power of ten; an interval without bounds (one case) is left out.
    """
    spec = places or _spec([_number(cell) for cell in cells if _number(cell) is not None])
    return [_cell(cell, spec) for cell in cells]


def _number(cell: object) -> float | None:
    value = cell.interval.estimate if isinstance(cell, Value) else cell
    return float(value) if isinstance(value, int | float) and math.isfinite(value) else None


def _spec(numbers: list[float]) -> str:
    largest = max((abs(number) for number in numbers), default=0)
    if largest == 0:
        return ".0f"
    if largest < 1e-3:
        return ".2e"
    if all(number == int(number) for number in numbers) and largest >= 10:
        return ".0f"
    return f".{min(max(2 - math.floor(math.log10(largest)), 0), 4)}f"


def _cell(cell: object, spec: str) -> tuple[str, str]:
    if cell is None:
        return ABSENT, ""
    if isinstance(cell, str):
        return cell, ""
    if not isinstance(cell, Value):
        return _text(float(cell), spec), ""
    interval = cell.interval
    text = _text(interval.estimate, ("+" if cell.signed else "") + spec) + (STAR if cell.star else "")
    if not (math.isfinite(interval.low) and math.isfinite(interval.high)):
        return text, ""
    return text, f"[{_text(interval.low, spec)}, {_text(interval.high, spec)}]"


def _text(value: float, spec: str) -> str:
    if math.isnan(value):
        return ABSENT
    text = format(value, spec)
    text = text.lstrip("+-") if float(text) == 0 else text
    return text.replace("-", "−") if not text.endswith("e") else text


def p_value(value: float) -> str:
    """A p-value with two digits, ``< 0.001`` below that."""
    if math.isnan(value):
        return ABSENT
    return "< 0.001" if value < 0.001 else f"{value:.3f}" if value < 0.1 else f"{value:.2f}"


def _columns(section: Section) -> list[list[tuple[str, str]]]:
    """The section's cells by column, formatted."""
    return [formatted([row[i] for row in section.rows]) for i in range(len(section.columns))]


# ------------------------------------------------------------------------------------------------------------ Markdown
def markdown(document: Document) -> str:
    """Tables with padded columns: as readable in a terminal as on a page."""
    parts = [f"# {document.title}", "\n".join(f"{line}  " for line in document.intro).rstrip()]
    for section in document.sections:
        parts += [f"## {section.title}", _markdown_table(section)]
        parts += [section.note] if section.note else []
    return "\n\n".join(part for part in parts if part) + "\n"


def _markdown_table(section: Section) -> str:
    columns = []
    for column, cells in zip(section.columns, _columns(section), strict=True):
        texts = [" ".join(filter(None, cell)).replace(STAR, r"\*").replace("|", r"\|") for cell in cells]
        width = max(3, len(column.header), *map(len, texts))
        align = str.rjust if column.numeric else str.ljust
        rule = "-" * (width - 1) + ":" if column.numeric else "-" * width
        columns.append([align(column.header, width), rule, *(align(text, width) for text in texts)])
    return "\n".join(f"| {' | '.join(line)} |" for line in zip(*columns, strict=True))


# --------------------------------------------------------------------------------------------------------------- LaTeX
_LATEX = {
    "\\": r"\textbackslash{}", "&": r"\&", "%": r"\%", "$": r"\$", "#": r"\#", "_": r"\_", "{": r"\{", "}": r"\}",
    "~": r"\textasciitilde{}", "^": r"\textasciicircum{}", "∞": r"$\infty$", "η": r"$\eta$", "↑": r"$\uparrow$",
    "↓": r"$\downarrow$", "−": r"$-$", "–": "--", "×": r"$\times$", "·": r"$\cdot$", "<": r"$<$", ">": r"$>$",
    "≥": r"$\geq$", "±": r"$\pm$", "Δ": r"$\Delta$", "‖": r"$\Vert$", "☆": r"$\star$",
}  # fmt: skip


def latex_escape(text: str) -> str:
    """Text that LaTeX sets as it stands."""
    return "".join(_LATEX.get(character, character) for character in text)


def latex(document: Document) -> str:
    r"""One ``table`` environment for each section, to be read by ``\input``; needs the package booktabs only."""
    intro = "\n".join(f"% {line}" for line in document.intro)
    head = f"% {document.title}\n{intro}\n% Needs \\usepackage{{booktabs}}."
    tables = [_latex_table(document, number, section) for number, section in enumerate(document.sections, 1)]
    return "\n\n".join([head, *tables]) + "\n"


def _latex_table(document: Document, number: int, section: Section) -> str:
    columns = _columns(section)
    lines = []
    for index, cells in enumerate(zip(*columns, strict=True)):
        rule = "\\midrule\n" if index in section.breaks and index else ""
        lines.append(rule + " & ".join(_latex_cell(*cell) for cell in cells) + r" \\")
    caption = latex_escape(" ".join(filter(None, [section.title + ".", section.note])))
    return "\n".join(
        [
            r"\begin{table}[htbp]",
            r"\centering\footnotesize\setlength{\tabcolsep}{4pt}",
            rf"\caption{{{caption}}}",
            rf"\label{{tab:{document.name.replace('_', '-')}-{number}}}",
            rf"\begin{{tabular}}{{@{{}}{''.join('r' if column.numeric else 'l' for column in section.columns)}@{{}}}}",
            r"\toprule",
            " & ".join(_latex_header(column) for column in section.columns) + r" \\",
            r"\midrule",
            *lines,
            r"\bottomrule",
            r"\end{tabular}",
            r"\end{table}",
        ]
    )


def _latex_header(column: Column) -> str:
    """A header on two lines where it is long, broken at the blank nearest its middle."""
    words = column.header.split(" ")
    if len(column.header) < 12 or len(words) < 2:
        return latex_escape(column.header)
    halves = ((" ".join(words[:cut]), " ".join(words[cut:])) for cut in range(1, len(words)))
    first, second = (latex_escape(half) for half in min(halves, key=lambda pair: abs(len(pair[0]) - len(pair[1]))))
    return rf"\shortstack[{'r' if column.numeric else 'l'}]{{{first}\\{second}}}"


def _latex_cell(text: str, interval: str) -> str:
    star = text.endswith(STAR)
    text = latex_escape(text.removesuffix(STAR)) + ("$^{*}$" if star else "")
    return text + (rf" {{\scriptsize {latex_escape(interval)}}}" if interval else "")


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
    header = "".join(
        f"<th{kind}>{html.escape(column.header)}</th>" for kind, column in zip(kinds, section.columns, strict=True)
    )
    lines = []
    for index, cells in enumerate(zip(*_columns(section), strict=True)):
        row = "".join(f"<td{kind}>{_html_cell(*cell)}</td>" for kind, cell in zip(kinds, cells, strict=True))
        lines.append(f"<tr{' class=break' if index in section.breaks and index else ''}>{row}</tr>")
    note = f'\n<p class="note">{html.escape(section.note)}</p>' if section.note else ""
    return (
        f'<h2>{html.escape(section.title)}</h2>\n<div class="scroll"><table>\n<thead><tr>{header}</tr></thead>\n<tbody>\n'
        + "\n".join(lines)
        + f"\n</tbody>\n</table></div>{note}"
    )


def _html_cell(text: str, interval: str) -> str:
    star = text.endswith(STAR)
    body = html.escape(text.removesuffix(STAR)) + ("<sup>*</sup>" if star else "")
    return body + (f'<span class="interval">{html.escape(interval)}</span>' if interval else "")
