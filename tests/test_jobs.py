"""The contract of jobs' settings: every key says what it is; whatever JSON brings is read, or refused in one line."""

import ast
import copy
import dataclasses
import inspect
import itertools
import json
import math
from pathlib import Path

import pytest
from measured_files import PIXELS, make_case, make_set, write_files

from benchmark import cli, jobs
from benchmark.config import load
from benchmark.errors import BenchmarkError
from benchmark.jobs.contract import Settings
from benchmark.jobs.exact import Run
from benchmark.jobs.gallery import Shown
from benchmark.jobs.publish import Block, Compared, Row
from benchmark.plan import Plan
from benchmark.store import canonical, load_settings

ROOT = Path(__file__).resolve().parent.parent
CLASSES = [*dict.fromkeys(jobs.KINDS.values()), Run, Shown, Row, Block, Compared]
OTHERS = [None, "text", "", "\ud800", 7, -1, 2.5, 2**63, True, math.nan, math.inf]
OTHERS += [[], ["text"], [1, 1], {}, {"text": 1}]


def first_jobs():
    """A job's settings of each kind, as JSON has them, from the demo and the section truth."""
    found = {}
    for plan in (Plan(load(ROOT / "config.yaml")), Plan(load(ROOT / "experiments" / "truth.yaml"))):
        for job in plan.jobs.values():
            guided = job.kind != "sample" or job.settings.guidance is not None
            if guided and (job.kind != "truth" or "exact" not in job.path):
                found.setdefault(job.kind, load_settings(job.json))
        publish, truth = plan.publish_settings(), plan.exact_report_settings() if plan.config["truth"] else None
        found.setdefault("publish", load_settings(canonical(publish.json)))
        if truth is not None:
            found["truth-report"] = load_settings(canonical(truth.json))
    found["publish"]["tables"] = {name: blocks[:1] for name, blocks in found["publish"]["tables"].items()}
    found["truth"]["runs"] = found["truth"]["runs"][:2]
    found["weights"] = {"name": "celebahq_ddpm"}
    return found


JOBS = first_jobs()


def places(value, where=()):
    """The path of every value within a JSON object, to a depth where rows of tables still have one each."""
    items = value.items() if isinstance(value, dict) else list(enumerate(value))[:2] if isinstance(value, list) else ()
    for key, item in items:
        yield (*where, key)
        yield from places(item, (*where, key))


def with_value(settings, where, value):
    changed = copy.deepcopy(settings)
    place = changed
    for key in where[:-1]:
        place = place[key]
    place[where[-1]] = value
    return changed


def read_or_refused(kind, settings):
    """Whether settings are read, and come back as they are written; if not, they are refused in one line."""
    try:
        found = jobs.read(kind, settings)
    except BenchmarkError as error:
        line = str(error)
    else:
        assert jobs.read(kind, load_settings(canonical(found.json))) == found
        return True
    assert "\n" not in line
    assert len(line) < 400
    return False


def test_there_is_an_example_of_every_kind():
    assert set(JOBS) == set(jobs.KINDS)


@pytest.mark.parametrize("kind", JOBS)
def test_settings_come_back_as_they_were_written(kind):
    assert canonical(jobs.read(kind, JOBS[kind]).json) == canonical(JOBS[kind])


@pytest.mark.parametrize("kind", JOBS)
def test_whatever_value_json_brings_is_read_or_refused_in_one_line(kind):
    taken = 0
    for where in places(JOBS[kind]):
        for other in OTHERS:
            taken += read_or_refused(kind, with_value(JOBS[kind], where, other))
    assert taken > 0


@pytest.mark.parametrize("kind", JOBS)
def test_a_key_that_is_missing_unknown_or_of_another_type_is_named(kind):
    for field in dataclasses.fields(jobs.KINDS[kind]):
        without = {key: value for key, value in JOBS[kind].items() if key != field.name}
        if field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING:
            with pytest.raises(BenchmarkError, match=field.name):
                jobs.read(kind, without)
        else:
            read_or_refused(kind, without)  # plain is no method of a guidance
        with pytest.raises(BenchmarkError, match=field.name):
            jobs.read(kind, {**JOBS[kind], field.name: math.nan})
        with pytest.raises(BenchmarkError, match=field.name):
            jobs.read(kind, {**JOBS[kind], field.name: [[True]]})
    for key in ("colour", "", "two\nlines", "{}"):
        assert not read_or_refused(kind, {**JOBS[kind], key: 1})


def test_the_line_names_the_place_within_lists_and_parts():
    table = JOBS["publish"]["tables"]["eta_sweep"]
    for where, value, words in [
        (("rows", 0, "eta"), "x", r"tables\.eta_sweep\[0\]\.rows\[0\]\.eta is 'x'; give a value of type float"),
        (("rows",), [], r"tables\.eta_sweep\[0\]: a block without rows"),
        (("rows", 0), {"label": "x"}, r"rows\[0\]: .* is not of the form label, sampler, method"),
    ]:
        tables = {"eta_sweep": with_value(table, (0, *where), value)}
        with pytest.raises(BenchmarkError, match=words):
            jobs.read("publish", {**JOBS["publish"], "tables": tables})


def test_a_default_is_left_out_or_written_and_never_counts_for_another_fingerprint():
    short = {key: JOBS["sample"][key] for key in ("dataset", "task", "sampler", "prior", "problem", "algorithm", "n")}
    short = jobs.read("sample", {**short, "seeds": [0]})
    assert short == jobs.read("sample", {**short.json, "guidance": None, "first_index": 0, "method": "plain"})
    assert {"cases", "shipped"} & set(short.json) == set()


@pytest.mark.parametrize("kind", CLASSES, ids=lambda kind: kind.__name__)
def test_every_key_says_what_it_means(kind):
    """A string below each field."""
    (body,) = (node.body for node in ast.parse(inspect.getsource(kind)).body if isinstance(node, ast.ClassDef))
    said = {
        node.target.id: isinstance(after, ast.Expr) and isinstance(after.value, ast.Constant)
        for node, after in itertools.pairwise(body)
        if isinstance(node, ast.AnnAssign) and "ClassVar" not in ast.unparse(node.annotation)
    }
    assert said == {field.name: True for field in dataclasses.fields(kind)}
    assert issubclass(kind, Settings)


# ---------------------------------------------------------------------------------------------------------- by command
GUIDANCE = {"name": "nearest_neighbour", "eta": 0.1, "D": 0.3, "D_unit": "rms"}
OF = {"dataset": "world", "task": "box", "sampler": "ddnm"}
SHORT = {
    "cases": {"dataset": "digits", "source": {"name": "digits"}, "mask": {"recipe": "box", "share": 0.3}, "count": 1},
    "sample": {
        **OF, "prior": {"name": "digits_mixture"}, "problem": {"name": "inpainting", "sigma": 0.0},
        "guidance": GUIDANCE, "algorithm": {"name": "ddnm", "preset": "paper", "steps": 2}, "n": 2, "first_index": 0,
        "seeds": [0],
    },
    "select": {
        **OF, "strategy": {"name": "kmeans", "preset": "paper"}, "features": {"name": "hole_pca", "components": 2},
        "n": 2, "seed": 0,
    },
    "measure": {
        **OF, "metrics": ["diversity", "consistency"], "features": PIXELS, "classifier": {"name": "digits"}, "n": 5,
        "problem": {"name": "inpainting", "sigma": 0.1}, "niqe_refit": {"images": 4}, "kid_cases": 3,
        "weights": {"niqe": {"path": "none", "sha256": "none"}},
    },
    "gallery": {**OF, "rows": [{"label": "plain"}], "n": 5, "seed": 0},
    "truth": {
        "problem": "p", "world": {"name": "ten_gaussians"}, "operator": {"name": "inpainting", "sigma": 0.0},
        "mask": {"recipe": "left"}, "sampler": "s", "algorithm": {"name": "ddnm", "preset": "paper"}, "n": 2, "sets": 1,
        "measurements": 1, "seed": 0,
        "runs": [{"steps": 2, "guidance": GUIDANCE, "uncoupled": False, "options": {"eta_ddim": 0.5}}],
    },
}  # fmt: skip


@pytest.mark.parametrize("kind", SHORT)
def test_no_value_ends_a_command_in_a_traceback(kind, tmp_path, capsys):
    """With each value replaced or left out, the command writes its file, or says in one line why not."""
    case = make_case("one", size=8, channels=1)
    cases, sets = map(str, write_files(tmp_path, [case], [make_set(case)]))
    given = {"cases": [], "truth": [], "sample": ["--cases", cases, "--quiet"]}
    given |= {"select": ["--cases", cases, "--candidates", sets]}
    output, statuses = tmp_path / "output", set()
    for settings in variants(SHORT[kind]):
        words = given.get(kind, ["--cases", cases, "--sets", sets])
        status = cli.main([kind, "--settings", json.dumps(settings), *words, "--output", str(output)])
        said = capsys.readouterr().err
        assert output.exists() == (status == 0), settings
        assert [line for line in said.splitlines() if line.startswith("error: ")] == said.splitlines()[
            -1:
        ] or status == 0
        output.unlink(missing_ok=True)
        statuses.add(status)
    assert statuses == {0, 2}


def variants(settings):
    """Settings with each of their values replaced or left out, and with a key beside it."""
    yield settings
    for where in places(settings):
        yield from (
            with_value(settings, where, value) for value in (None, "text", 7, 2.5, True, math.nan, [], {"a": 1})
        )
        if isinstance(where[-1], str):
            without = with_value(settings, where, None)
            parent = without
            for key in where[:-1]:
                parent = parent[key]
            del parent[where[-1]]
            yield without
            yield with_value(settings, (*where[:-1], "colour"), 1)


def test_settings_that_are_no_text_are_one_line(tmp_path):
    (tmp_path / "settings.json").write_bytes(b"\x7fELF\xff\xfe")
    with pytest.raises(BenchmarkError, match="not a readable text file"):
        load_settings(str(tmp_path / "settings.json"))
