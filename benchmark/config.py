"""The configuration: read, checked once by schema and by sense, and handed on as plain values.

Every fault is one line that names the file, the key's path and what would be right.
"""

from __future__ import annotations

import copy
import math
import os
import re
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

import jsonschema
import yaml

from benchmark.entries import REGISTRIES, entry_faults
from benchmark.errors import BenchmarkError, suggestion
from benchmark.exact_faults import exact_faults
from benchmark.jobs.contract import LARGEST
from benchmark.options import option_faults, options_of
from benchmark.priors.load import PRIORS, public_model
from benchmark.rehearsal import notes, rehearse
from benchmark.sampling.faults import sampler_faults, service_faults
from benchmark.sampling.guidance import UNITS
from benchmark.weights import public, shipped

SCHEMA = Path(__file__).resolve().parents[1] / "workflow" / "schemas" / "config.schema.yaml"
NUMERIC = {"eta", "D", "values", "sigma"}
BOOLEAN = {"rehearsal", "toy"}
DISTANCE = re.compile(r"(^|\.)D(\[\d+\])?$|sweeps\.D\.values\[\d+\]$")  # the keys that may be infinite: no limit
MERGE = "tag:yaml.org,2002:merge"
UNPRINTABLE = re.compile(r"[\x00-\x1f\x7f]")
SECTIONS_WITH_TASKS = ("eta", "D", "comparison", "candidates")


def load(path: str | os.PathLike) -> dict:
    """Read a YAML file, check it, and fill in the defaults.

    Raises:
        BenchmarkError: no such file, not YAML, or anything that :func:`check` refuses.
    """
    try:
        config = _read(path)
    except OSError as error:
        raise BenchmarkError(f"{path}: {error.strerror}") from None
    except yaml.YAMLError as error:
        raise BenchmarkError(f"{path}: not valid YAML: {' '.join(str(error).split())}") from None
    return check(config, str(path))


class _Twice(yaml.MarkedYAMLError):
    """A key that stands twice in a mapping."""


class _Strict(yaml.SafeLoader):
    """YAML in which a key stands once: the last of several would count, silently."""

    def compose_mapping_node(self, anchor: str | None) -> yaml.MappingNode:
        """A mapping as it is written: merging (``<<``) puts keys beside it later, which its own then override."""
        node, seen = super().compose_mapping_node(anchor), set()
        for key in (key for key, _ in node.value if isinstance(key, yaml.ScalarNode) and key.tag != MERGE):
            if key.value in seen:
                raise _Twice(None, None, f"key {key.value!r} stands there twice", key.start_mark)
            seen.add(key.value)
        return node


def _read(path: str | os.PathLike) -> Any:
    with open(path, encoding="utf-8") as file:
        return yaml.load(file, Loader=_Strict)


def refuse_twice(path: str | os.PathLike) -> None:
    """Refuse a YAML file with a key twice in one mapping, as :func:`load` does, for what Snakemake has read.

    Raises:
        BenchmarkError: naming key and line.
    """
    try:
        _read(path)
    except _Twice as error:
        raise BenchmarkError(f"{path}: {' '.join(str(error).split())}") from None
    except (OSError, ValueError, yaml.YAMLError):  # no YAML, as JSON may be: Snakemake has read it
        return


def check(config: Any, source: str = "configuration") -> dict:
    """A checked copy of a configuration with its defaults filled in; ``source`` is named in messages.

    Where it says ``rehearsal: true``, what comes back is its rehearsal (:mod:`benchmark.rehearsal`).

    Raises:
        BenchmarkError: one line with the key's path and what would be right.
    """
    if not isinstance(config, dict):
        raise BenchmarkError(f"{source}: empty or not a mapping of keys to values")
    config = _numbers(copy.deepcopy(dict(config)))
    try:
        for problem, _ in _where(config, lambda value: isinstance(value, int) and abs(value) > LARGEST):
            raise BenchmarkError(f"{problem}: a whole number beyond 63 bits; give a smaller one")
        for problem, text in _where(config, _unprintable):
            if problem != "publish.tuned_on" or "\0" in text:
                raise BenchmarkError(f"{problem}: holds a line's end or another control character; take it out")
        _check_schema(config)
        _fill_defaults(config, _schema())
        for problem in _faults(config):
            raise BenchmarkError(problem)
        for problem, value in _where(config, lambda value: isinstance(value, float) and not math.isfinite(value)):
            if math.isnan(value) or not DISTANCE.search(problem):
                raise BenchmarkError(f"{problem}: {abs(value)} is not a finite number; give one")
    except BenchmarkError as error:
        raise BenchmarkError(f"{source}: {error}") from None
    return rehearse(config, _sizes(config)) if config["rehearsal"] else config


def rehearsal_notes(config: dict) -> list[str]:
    """One line for everything that stands in for what is not there, where a configuration asks for its rehearsal."""
    if not _numbers(dict(config)).get("rehearsal"):
        return []
    return list(notes(check({**config, "rehearsal": False}), check(config)))


# -------------------------------------------------------------------------------------------------------------- schema
@cache
def _schema() -> dict:
    """The schema, with the names that it leaves to the registries (``x-registry``)."""
    registries = {name: list(entries) for name, (entries, _) in REGISTRIES.items()}
    registries |= {"units": list(UNITS), "classifiers": list(shipped.classifiers())}

    def filled(part: Any) -> Any:
        if isinstance(part, list):
            return [filled(item) for item in part]
        if not isinstance(part, dict):
            return part
        names = {"enum": registries[part["x-registry"]]} if "x-registry" in part else {}
        return {key: filled(value) for key, value in part.items()} | names

    return filled(yaml.safe_load(SCHEMA.read_text(encoding="utf-8")))


def _resolved(schema: dict) -> dict:
    """A schema with its reference followed; keys beside the reference win."""
    if "$ref" not in schema:
        return schema
    target = _schema()["$defs"][schema["$ref"].rsplit("/", 1)[1]]
    return {**_resolved(target), **{key: value for key, value in schema.items() if key != "$ref"}}


def _numbers(value: Any, key: str | None = None) -> Any:
    """Numbers that YAML reads as text (1e-4, inf) become numbers under the keys that hold numbers, and ``true`` and
    ``false``, which Snakemake's ``--config`` leaves as text, become what they say."""
    if isinstance(value, dict):
        return {str(name): _numbers(item, str(name)) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return [_numbers(item, key) for item in value]
    if key in NUMERIC and isinstance(value, str) and re.fullmatch(r"[-+]?(\d[\d.]*(e[-+]?\d+)?|\.?inf)", value.lower()):
        return float(value.lower().replace(".inf", "inf"))
    if key in BOOLEAN and isinstance(value, str) and value.lower() in ("true", "false"):
        return value.lower() == "true"
    return value


def _where(value: Any, wrong: Callable[[Any], bool], *path: str | int) -> Iterator[tuple[str, Any]]:
    """(path, value) of the values that are wrong, wherever they stand."""
    if isinstance(value, dict):
        for name, item in value.items():
            yield from _where(item, wrong, *path, name)
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from _where(item, wrong, *path, index)
    elif wrong(value):
        yield _path(list(path)), value


def _unprintable(value: Any) -> bool:
    return isinstance(value, str) and UNPRINTABLE.search(value) is not None


def _whole(_: object, value: object) -> bool:
    """A whole number, written as one: 1e308 and true are none."""
    return isinstance(value, int) and not isinstance(value, bool)


def _check_schema(config: dict) -> None:
    draft = jsonschema.Draft202012Validator
    strict = jsonschema.validators.extend(draft, type_checker=draft.TYPE_CHECKER.redefine("integer", _whole))
    validator = strict(_schema())
    error = jsonschema.exceptions.best_match(validator.iter_errors(config))
    if error is not None:
        raise BenchmarkError(_message(error))


def _message(error: jsonschema.ValidationError) -> str:
    """One line from a schema error: the key's path, what is wrong, what would be right."""
    where = _path(error.absolute_path)
    if error.validator == "additionalProperties":
        known = sorted(error.schema.get("properties", {}))
        unknown = next(key for key in error.instance if key not in known)
        return f"{_path([*error.absolute_path, unknown])}: unknown key{suggestion(unknown, known)}"
    if error.validator == "required":
        missing = next(key for key in error.validator_value if key not in error.instance)
        about = _resolved(error.schema.get("properties", {}).get(missing, {})).get("description", "")
        return f"{_path([*error.absolute_path, missing])}: missing. {about}".rstrip()
    if error.validator == "pattern":
        what = f"{error.instance!r} is not a name: a letter, then letters, digits, _ or -"
    elif error.validator == "enum":
        what = f"{error.instance!r} is not one of its values{suggestion(str(error.instance), error.validator_value)}"
    else:
        what = " ".join(error.message.split())
        if len(what) > 160:
            what = what[:157] + "..."
    about = error.schema.get("description", "")
    return f"{where}: {what}{f'. {about}' if about else ''}"


def _path(parts: Iterator[str | int] | list) -> str:
    text = ""
    for part in parts:
        text += f"[{part}]" if isinstance(part, int) else f".{part}" if text else str(part)
    return text or "top level"


def _fill_defaults(instance: object, schema: dict) -> None:
    schema = _resolved(schema)
    if isinstance(instance, list):
        for item in instance:
            _fill_defaults(item, schema.get("items", {}))
    if not isinstance(instance, dict):
        return
    properties = schema.get("properties", {})
    for key, part in properties.items():
        part = _resolved(part)
        if key not in instance and "default" in part:
            instance[key] = copy.deepcopy(part["default"])
    others = schema.get("additionalProperties", {})
    for key, value in instance.items():
        part = properties.get(key, others)
        if isinstance(part, dict):
            _fill_defaults(value, part)


# --------------------------------------------------------------------------------------------------------------- sense
def guided_points(section: dict) -> list[dict]:
    """The guided points of a section ``comparison`` or ``selection``: none, one or several."""
    guided = section.get("guided") or []
    return [guided] if isinstance(guided, dict) else guided


def _faults(config: dict) -> Iterator[str]:
    """What the schema cannot see, one message each."""
    n = config["n"]
    if not config["datasets"] and not config["truth"]:
        about = _schema()["properties"]["datasets"]["description"]
        yield f"datasets: missing. {about} Or give truth: problems whose posterior is known"
    yield from sampler_faults(config["samplers"])
    yield from entry_faults(config)
    if config["truth"]:
        yield from exact_faults(config, config["truth"])
    for name, dataset in config["datasets"].items():
        where = f"datasets.{name}"
        yield from _prior_faults(config, dataset["prior"], where)
        yield from _task_faults(config, dataset, where)
        sections = {"sweeps.eta": dataset["sweeps"].get("eta"), "sweeps.D": dataset["sweeps"].get("D")}
        sections |= {key: dataset.get(key) for key in ("comparison", "candidates")}
        for key, section in sections.items():
            if section is not None:
                yield from _reference_faults(section, f"{where}.{key}", config["samplers"], dataset["tasks"])
                learned = _learned_range(config, dataset["prior"]["name"])
                yield from service_faults(section, f"{where}.{key}", dataset, config["samplers"], learned)
        yield from _grid_faults(dataset, where, n)
        yield from _selection_faults(dataset, where, n)


def public_models(config: dict) -> dict[str, public.Entry]:
    """The public diffusion models that a configuration may name: by their names here and on the Hugging Face hub."""
    models = public.diffusion_models(config["weights_registry"] or public.REGISTRY)
    hub = {entry.flags["hub"]: entry for entry in models.values() if "hub" in entry.flags}
    return {**models, **hub}


def _sizes(config: dict) -> dict[str, int]:
    """Height and width of the images of every public diffusion model."""
    flags = {name: entry.flags for name, entry in public_models(config).items()}
    return {
        name: those.get("image_size") or those.get("config", {}).get("sample_size", 256)
        for name, those in flags.items()
    }


def _learned_range(config: dict, prior: str) -> bool | None:
    """Whether a prior's network gives variance values; None where its job alone can know."""
    if prior in PRIORS:
        return PRIORS[prior].learned_range
    models = public_models(config)
    return bool(models[prior].flags.get("learn_sigma", False)) if prior in models else None


def _prior_faults(config: dict, prior: dict, where: str) -> Iterator[str]:
    """A prior that is not there, and options that a public model does not have or take."""
    name, options = prior["name"], {key: value for key, value in prior.items() if key != "name"}
    if name in PRIORS:
        return
    if name in public_models(config):
        yield from option_faults(options_of(public_model), options, f"{where}.prior")
    else:
        known = [*PRIORS, *public_models(config)]
        yield f"{where}.prior.name: {name!r} is not one of its values{suggestion(name, known)}"


def _task_faults(config: dict, dataset: dict, where: str) -> Iterator[str]:
    for task, spec in dataset["tasks"].items():
        mask = spec.get("mask")
        if mask is not None and mask not in config["masks"]:
            yield f"{where}.tasks.{task}.mask: no mask {mask!r} in masks{suggestion(mask, list(config['masks']))}"
        problem = spec.get("problem", {}).get("name", "inpainting")
        if mask is None and problem == "inpainting":
            yield f"{where}.tasks.{task}: neither a mask nor a problem; give mask: NAME or problem: {{name: ...}}"


def _reference_faults(section: dict, where: str, samplers: dict, tasks: dict) -> Iterator[str]:
    for key, known in (("samplers", samplers), ("unguided", samplers), ("tasks", tasks)):
        for name in section.get(key, []):
            if name not in known:
                yield f"{where}.{key}: no {key[:-1] if key != 'unguided' else 'sampler'} {name!r}" + suggestion(
                    name, list(known)
                )


def _grid_faults(dataset: dict, where: str, n: int) -> Iterator[str]:
    eta, reach = dataset["sweeps"].get("eta"), dataset["sweeps"].get("D")
    points: list[tuple[str, dict]] = []
    if eta:
        if "D" not in eta:
            yield f"{where}.sweeps.eta.D: missing. The distance up to which samples repel each other; inf for no limit"
        points += [(f"{where}.sweeps.eta", {**eta, "eta": value}) for value in eta["values"]]
    if reach:
        points += [(f"{where}.sweeps.D", {**reach, "D": value}) for value in reach["values"]]
    for key in ("comparison", "selection"):
        points += [(f"{where}.{key}.guided", point) for point in guided_points(dataset.get(key) or {})]
    for key, section in (("eta", eta), ("D", reach)):
        values = section["values"] if section else []
        repeated = next((value for index, value in enumerate(values) if value in values[:index]), None)
        if repeated is not None:
            yield f"{where}.sweeps.{key}.values: {repeated:g} stands there twice"
    for path, point in points:
        distance = point["D"]
        if math.isinf(point["eta"]):
            yield f"{path}: eta is infinite; a finite step size is needed"
        if 0 < distance < math.inf and "D_unit" not in point:
            yield f"{path}.D_unit: D = {distance:g} has no unit; give D_unit: rms (or repaint, ddnm, dps, full)"
        if n == 1 and point["eta"] > 0 and distance > 0:
            yield f"n: a set of 1 has no neighbours to repel with eta = {point['eta']:g} of {path}; n must be 2 or more"


def _count_faults(candidates: dict, where: str, n: int) -> Iterator[str]:
    counts = candidates["count"]
    if not isinstance(counts, dict):
        counts = dict.fromkeys(candidates["samplers"], counts)
    for sampler in candidates["samplers"]:
        if sampler not in counts:
            yield f"{where}.count: no number for {sampler}; give one number, or one for each of its samplers"
    for sampler, count in counts.items():
        if sampler not in candidates["samplers"]:
            yield f"{where}.count: {sampler} is none of its samplers{suggestion(sampler, candidates['samplers'])}"
        elif count < n:
            yield f"{where}.count: {count} candidates are fewer than n = {n}; give {n} or more"


def _selection_faults(dataset: dict, where: str, n: int) -> Iterator[str]:
    candidates = dataset.get("candidates")
    if candidates:
        yield from _count_faults(candidates, f"{where}.candidates", n)
    if dataset.get("selection"):
        if not candidates:
            yield f"{where}.selection: nothing to select from; give {where}.candidates too"
        names = [item if isinstance(item, str) else item["name"] for item in dataset["selection"]["strategies"]]
        for name in names:
            if names.count(name) > 1:
                yield f"{where}.selection.strategies: {name!r} stands there twice"
