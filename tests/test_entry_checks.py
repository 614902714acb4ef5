"""What every entry is asked before anything runs: each of its options, its files, its own declaration, its own file."""

import copy
import math
import re
import sys

import pytest
import yaml

from benchmark.config import check, load, refuse_twice
from benchmark.data.sources import SOURCES
from benchmark.data.worlds import WORLDS
from benchmark.discovery import modules_of
from benchmark.entries import REGISTRIES, entry_options
from benchmark.errors import BenchmarkError
from benchmark.metrics.registry import Metric, metrics
from benchmark.options import is_kind, option_faults
from benchmark.sampling import SAMPLERS

SMALL = yaml.safe_load("""
run: small
masks: {left: {recipe: left}}
samplers: {ddnm: {algorithm: ddnm, steps: 5}}
datasets:
  digits:
    source: {name: digits}
    prior: {name: digits_mixture}
    features: {name: hole_pixels}
    cases: 2
    metrics: [diversity]
    tasks: {left: {mask: left}}
    comparison: {samplers: [ddnm]}
""")
ODD = [None, "text", "", "\0", 7, -1, 0, 2.5, -0.5, 1e300, 2**62, True, math.nan, math.inf, -math.inf]
ODD += [[], ["a"], {}, {"a": 1}]
OPTIONS = [
    pytest.param(options, option, id=f"{registry}-{name}-{option}")
    for registry, (entries, _) in REGISTRIES.items()
    for name in entries
    for options in [entry_options(registry, name)]
    for option in options
]
OPTIONS += [
    pytest.param(one.options, option, id=f"{name}-{option}") for name, one in SAMPLERS.items() for option in one.options
]


def refusal(change):
    """The line by which a changed small configuration is refused."""
    config = copy.deepcopy(SMALL)
    change(config)
    with pytest.raises(BenchmarkError) as caught:
        check(config)
    assert "\n" not in str(caught.value)
    return str(caught.value)


@pytest.mark.parametrize(("options", "option"), OPTIONS)
def test_every_option_takes_a_value_of_its_type_and_range_or_says_what_is_right(options, option):
    known, taken = options[option], 0
    for value in ODD:
        found = list(option_faults({option: known}, {option: value}, "here"))
        assert len(found) < 2
        if found:
            assert found[0].startswith(f"here.{option}: ")
            assert "\n" not in found[0]
            continue
        taken += 1
        assert not known.kinds or any(is_kind(value, kind) for kind in known.kinds)
        assert not isinstance(value, float) or math.isfinite(value)
    assert taken or known.one_of or known.within


@pytest.mark.parametrize("world", WORLDS)
def test_a_world_s_source_has_the_parts_of_the_world(world):
    assert SOURCES[world].parts == tuple(WORLDS[world].PARTS)
    assert SOURCES["digits"].parts == ()


@pytest.mark.parametrize(
    ("problem", "words"),
    [
        ({"name": "deblurring_gaussian", "cutoff": -1}, "problem.cutoff: -1 is out of range; give 0 to 0.99"),
        ({"name": "deblurring_gaussian", "std": 0}, "problem.std: 0 is out of range"),
        ({"name": "deblurring_motion", "length": 0}, "problem.length: 0 is out of range; give 1 or more"),
        ({"name": "deblurring_motion", "angle": math.inf}, "problem.angle: inf is not a finite number"),
        ({"name": "denoising", "sigma": 1e6}, "problem.sigma: 1000000.0 is out of range; give 0 to 10"),
        ({"name": "random_projection", "seed": -1}, "problem.seed: -1 is out of range"),
    ],
)
def test_a_problem_out_of_its_range_is_refused(problem, words):
    assert words in refusal(lambda config: config["datasets"]["digits"]["tasks"]["left"].update(problem=problem))


@pytest.mark.parametrize(
    ("key", "value", "words"),
    [
        ("publish", {"margin": {"plausibility": math.inf}}, "publish.margin.plausibility: inf is not a finite number"),
        ("publish", {"margin": {"plausibility": -0.1}}, "publish.margin.plausibility: -0.1"),
        ("publish", {"confidence": 1.5}, "publish.confidence: 1.5"),
        ("publish", {"confidence": math.nan}, "publish.confidence"),
        ("weights_dir", "a\0b", "weights_dir: holds a line's end or another control character"),
        ("weights_dir", "a\nb", "weights_dir: holds a line's end"),
        ("run", "", "run: "),
    ],
)
def test_what_no_stage_could_use_is_refused(key, value, words):
    assert words in refusal(lambda config: config.update({key: value}))


def test_a_key_twice_is_one_line_with_its_place(tmp_path):
    path = tmp_path / "twice.yaml"
    path.write_text(yaml.safe_dump(SMALL) + "\nn: 3\nn: 4\n")
    for read in (load, refuse_twice):
        with pytest.raises(BenchmarkError, match=r"twice.yaml: .*key 'n' stands there twice.*line \d+") as caught:
            read(path)
        assert "\n" not in str(caught.value)
    path.write_text("a: &x {b: 1}\nc: {<<: *x, b: 2}\n")
    refuse_twice(path)  # a key over a merged one is meant
    path.write_text("x: &x {b: 1}\np: {q: &y {<<: *x, b: 2}}\nd: {<<: *y}\n")
    refuse_twice(path)  # also where that mapping is merged into another before it is read itself
    path.write_text("a: {b: 1, b: 2}\n")
    with pytest.raises(BenchmarkError, match="key 'b' stands there twice"):
        refuse_twice(path)


# ------------------------------------------------------------------------------------------------- declarations, files
GOOD = {"name": "mine", "needs": ("pairs",), "direction": "higher", "unit": "", "definition": "what it is"}
GOOD |= {"label": "Mine", "group": "diversity"}


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"direction": "up"}, "direction: 'up' is none of 'higher', 'lower', 'none'"),
        ({"group": "beauty"}, "group: 'beauty' is none of 'truth', 'diversity'"),
        ({"per": "picture"}, "per: 'picture' is none of 'set', 'sample', 'pool'"),
        ({"measures": "taste"}, "measures: 'taste' is none of"),
        ({"needs": ("pears",)}, "needs: 'pears' is none of 'pairs'"),
        ({"needs": "pairs"}, "needs: 'pairs' is none of .* in a tuple"),
        ({"range": (1.0, 0.0)}, "range: (1.0, 0.0) is not (least, greatest)"),
        ({"label": " "}, "label is empty"),
    ],
)
def test_a_metric_that_tables_could_not_read_says_so_when_it_is_declared(change, words):
    Metric(**GOOD)
    with pytest.raises(BenchmarkError) as caught:
        Metric(**{**GOOD, **change})
    assert re.search(words if ".*" in words else re.escape(words), str(caught.value))
    assert str(caught.value).startswith("metric mine: ")
    assert metrics()


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("def f(:\n", r"newcomer.py: line 1: invalid syntax; mend it or take it away"),
        ("x = 1\ny = nowhere + 1\n", r"newcomer.py: line 2: NameError: name 'nowhere' is not defined"),
        ("import no_such_module_anywhere\n", r"newcomer.py: line 1: ModuleNotFoundError: No module named"),
    ],
)
def test_a_new_file_that_cannot_be_read_is_one_line_with_its_place(tmp_path, monkeypatch, text, words):
    package = tmp_path / "room_of_newcomers"
    package.mkdir()
    (package / "__init__.py").write_text("")
    (package / "newcomer.py").write_text(text)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "room_of_newcomers", raising=False)
    with pytest.raises(BenchmarkError, match=words) as caught:
        modules_of("room_of_newcomers", [str(package)])
    assert "\n" not in str(caught.value)
