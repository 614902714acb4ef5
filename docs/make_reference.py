"""Writes docs/reference/ from the registries: ``make pages``. tests/test_reference.py holds the pages equal to them."""

from __future__ import annotations

import inspect
import math
import re
import textwrap
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path

from benchmark.entries import REGISTRIES
from benchmark.metrics import registry as metric_registry
from benchmark.options import Option
from benchmark.problems import PROBLEMS
from benchmark.sampling import SAMPLERS
from benchmark.sampling.sampler import Task
from benchmark.weights.shipped import classifiers

FOLDER = Path(__file__).resolve().parent / "reference"
NOTE = "<!-- written by `make pages` from the registries; change those, not this page -->"
Page = Iterator[str]


# -------------------------------------------------------------------------------------------------------- Markdown
def prose(text: str, indent: str = "") -> str:
    """A paragraph or a list's item in lines of less than 120 columns; stars stand for products."""
    plain = re.sub(r":\w+:`([^`]+)`", r"`\1`", " ".join(text.split()).replace("``", "`"))
    plain = re.sub(r"(?<=[\w)] )\*(?= )|(?<=\w)\*(?=\w)", r"\\*", plain)
    fill = textwrap.TextWrapper(118, break_long_words=False, break_on_hyphens=False, subsequent_indent=indent)
    return fill.fill(plain)


def first_paragraph(thing: object) -> str:
    """Of the docstring."""
    return inspect.cleandoc(getattr(thing, "__doc__", None) or "").split("\n\n")[0]


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = ([cell.replace("|", "\\|") for cell in line] for line in [head, ["---"] * len(head), *rows])
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def code(value: object) -> str:
    """A value as a configuration has it."""
    if value is inspect.Parameter.empty:
        return "required"
    words = {None: "null", True: "true", False: "false"}
    known = isinstance(value, bool | None) and value in words
    return f"`{words[value] if known else format(value, 'g') if isinstance(value, float) else value}`"


def items(registry: str) -> str:
    """A list of a registry's entries: the name, what it is, its options with their defaults."""
    entries, read = REGISTRIES[registry]
    lines = []
    for name, one in entries.items():
        names = ", ".join(f"`{option.name}` ({code(option.default)})" for option in read(one).values())
        about = f"- **`{name}`**: {first_paragraph(one)}" + (f" Options: {names}." if names else "")
        lines.append(prose(about, "  "))
    return "\n".join(lines)


# ----------------------------------------------------------------------------------------------------------- pages
def metrics() -> Page:
    yield "# Metrics"
    yield prose(
        "Every metric of every family, as `metrics` of a configuration names them; braces stand for a name. "
        "What a number may be compared with: [what is measured](../metrics.md)."
    )
    for name in metric_registry.FAMILIES:
        members = metric_registry.family(name).METRICS
        yield f"## {name}"
        yield prose(inspect.cleandoc(metric_registry.family(name).__doc__ or "").split("\n\n")[0])
        head = ("metric", "unit", "better", "one value a", "range", "says")
        yield table(head, (_metric(metric) for metric in members))
        needs = (
            ", ".join([*metric.needs, *(f"weights of {weight}" for weight in metric.weights)]) for metric in members
        )
        yield "\n".join(
            prose(f"- `{metric.name}`: {metric.definition}." + (f" Needs {need}." if need else ""), "  ")
            for metric, need in zip(members, needs, strict=True)
        )


def _metric(metric: metric_registry.Metric) -> tuple[str, ...]:
    low, high = metric.range
    reach = f"{low:g} to {high:g}" if math.isfinite(high) else f"{low:g} or more" if math.isfinite(low) else ""
    better = "" if metric.direction == "none" else metric.direction
    return f"`{metric.name}`", metric.unit, better, metric.per, reach, metric.measures


def samplers() -> Page:
    yield "# Samplers and guidances"
    yield prose(
        "Every algorithm with the options that a configuration may give it. `preset`: the published formulas "
        "(`paper`) or the released implementation with its quirks (`reference`), which "
        "[samplers, presets, guidance](../samplers.md) explains."
    )
    for name, sampler in SAMPLERS.items():
        yield f"## {name}"
        yield prose(first_paragraph(inspect.getmodule(sampler.function)))
        yield prose(first_paragraph(sampler))
        rows = (_option(option) for option in sampler.options.values())
        yield table(("option", "type", "default", "values", "meaning"), rows)
    yield "## What serves what"
    yield prose("Under `paper`: `+` with and without noise, `0` without noise alone, blank where the sampler refuses.")
    cells = ([f"`{problem}`", *(_serves(sampler, problem) for sampler in SAMPLERS)] for problem in PROBLEMS)
    yield table(("problem", *SAMPLERS), cells)
    yield "## Guidances"
    yield items("guidances")


def _option(option: Option) -> tuple[str, ...]:
    values = ", ".join(map(code, option.one_of)) or str(option.within or "")
    kinds = " or ".join("null" if kind == "None" else kind for kind in option.kinds)
    return f"`{option.name}`", kinds, code(option.default), values, option.about


def _serves(sampler: str, problem: str) -> str:
    asked = (Task.of({"name": problem, "sigma": sigma}) for sigma in (0.0, 0.1))
    clean, noisy = (SAMPLERS[sampler].refuses(task, {}) is None for task in asked)
    return "+" if clean and noisy else "0" if clean else ""


def masks() -> Page:
    yield "# Masks"
    yield "`masks: {NAME: {recipe: ..., ...options}}` in a configuration; the default is in brackets."
    yield items("masks")


def options() -> Page:
    yield "# Options of priors, problems, sources, features and strategies"
    yield "`{name: ..., ...options}` in a configuration; the default is in brackets."
    for title, key, registry in (
        ("Priors", "datasets.NAME.prior", "priors"),
        ("Problems", "datasets.NAME.tasks.NAME.problem", "problems"),
        ("Sources", "datasets.NAME.source", "sources"),
        ("Features", "datasets.NAME.features", "features"),
        ("Selection strategies", "datasets.NAME.selection.strategies", "strategies"),
        ("Worlds of the section truth", "truth.problems.NAME.world", "mixtures"),
    ):
        yield f"## {title}"
        yield f"`{key}`"
        yield items(registry)
    yield "## Classifiers"
    yield "`datasets.NAME.classifier`, and `classifier` of the features of this name"
    yield prose(f"Of the pictures of {', '.join(f'`{name}`' for name in classifiers())}.")


PAGES: dict[str, Callable[[], Page]] = {"metrics": metrics, "samplers": samplers, "masks": masks, "options": options}


def page(name: str) -> str:
    """The text of docs/reference/NAME.md."""
    title, *rest = PAGES[name]()
    return "\n\n".join([title, NOTE, *(block for block in rest if block)]) + "\n"


if __name__ == "__main__":
    FOLDER.mkdir(exist_ok=True)
    for name in PAGES:
        (FOLDER / f"{name}.md").write_text(page(name), encoding="utf-8")
