"""Every fault of a configuration is one line that names the key and says what would be right."""

import copy
import math

import pytest
import yaml

from benchmark.config import SCHEMA, check, load
from benchmark.errors import BenchmarkError
from benchmark.sampling import SAMPLERS

GOOD = yaml.safe_load("""
run: test
n: 5
masks: {left: {recipe: left}, mouth: {recipe: parts, parts: [mouth], dilate: 3}}
samplers: {ddnm: {algorithm: ddnm, steps: 10}, repaint: {algorithm: repaint}}
datasets:
  digits:
    source: {name: digits}
    prior: {name: digits_mixture}
    cases: 2
    tasks: {left: {mask: left}, sr2: {problem: {name: super_resolution_average, factor: 2}}}
    sweeps:
      eta: {samplers: [ddnm], tasks: [left], values: [0, 0.1], D: 0.3, D_unit: rms}
      D: {samplers: [ddnm], values: [0, 0.3, inf], D_unit: rms, eta: 0.09}
    candidates: {samplers: [ddnm], count: 60, shard_size: 30}
    selection: {strategies: [kmeans, {name: random}], guided: {eta: 0.1, D: 0.3, D_unit: rms}}
""")


def changed(path, value):
    """The good configuration with the value at a dotted path replaced, or removed for None."""
    config = copy.deepcopy(GOOD)
    *parents, last = path.split(".")
    part = config
    for key in parents:
        part = part[key]
    if value is None:
        del part[last]
    else:
        part[last] = value
    return config


def refusal(config):
    with pytest.raises(BenchmarkError) as caught:
        check(config, "some.yaml")
    message = str(caught.value)
    assert "\n" not in message
    assert message.startswith("some.yaml: ")
    return message


BAD = {
    "an unknown key": (
        "datasets.digits.sweeps.eta.valeus",
        [0.1],
        "datasets.digits.sweeps.eta.valeus: unknown key",
        "did you mean 'values'",
    ),
    "an unknown key at the top": ("sede", 1, "sede: unknown key", "did you mean 'seeds'"),
    "an unknown option of a sampler": (
        "samplers.ddnm.stepz",
        5,
        "samplers.ddnm.stepz: unknown key",
        "did you mean 'steps'",
    ),
    "a negative eta": (
        "datasets.digits.sweeps.eta.values",
        [0, -0.1],
        "datasets.digits.sweeps.eta.values[1]: -0.1",
        "minimum of 0",
    ),
    "a negative eta of the other sweep": (
        "datasets.digits.sweeps.D.eta",
        -1,
        "datasets.digits.sweeps.D.eta: -1",
        "minimum of 0",
    ),
    "an infinite eta": (
        "datasets.digits.sweeps.eta.values",
        [0, math.inf],
        "datasets.digits.sweeps.eta",
        "finite step size",
    ),
    "a negative D": (
        "datasets.digits.sweeps.D.values",
        [-0.3],
        "datasets.digits.sweeps.D.values[0]: -0.3",
        "minimum of 0",
    ),
    "a mask that does not exist": (
        "datasets.digits.tasks.left.mask",
        "lefft",
        "datasets.digits.tasks.left.mask: no mask 'lefft'",
        "did you mean 'left'",
    ),
    "a mask recipe that does not exist": (
        "masks.left.recipe",
        "lefft",
        "masks.left.recipe: 'lefft'",
        "did you mean 'left'",
    ),
    "D without a unit": (
        "datasets.digits.sweeps.eta.D_unit",
        None,
        "datasets.digits.sweeps.eta.D_unit: D = 0.3 has no unit",
        "give D_unit: rms",
    ),
    "a guided point without a unit": (
        "datasets.digits.selection.guided.D_unit",
        None,
        "datasets.digits.selection.guided.D_unit: D = 0.3 has no unit",
        "give D_unit",
    ),
    "a unit that does not exist": (
        "datasets.digits.sweeps.D.D_unit",
        "rsm",
        "datasets.digits.sweeps.D.D_unit: 'rsm'",
        "did you mean 'rms'",
    ),
    "a sweep without D": (
        "datasets.digits.sweeps.eta.D",
        None,
        "datasets.digits.sweeps.eta.D: missing",
        "inf for no limit",
    ),
    "N = 1 with eta > 0": ("n", 1, "n: a set of 1 has no neighbours", "n must be 2 or more"),
    "fewer candidates than N": (
        "datasets.digits.candidates.count",
        4,
        "datasets.digits.candidates.count: 4 candidates are fewer than n = 5",
        "give 5 or more",
    ),
    "a sampler without its number of candidates": (
        "datasets.digits.candidates.count",
        {},
        "datasets.digits.candidates.count: no number for ddnm",
        "one for each of its samplers",
    ),
    "candidates of a sampler that draws none": (
        "datasets.digits.candidates.count",
        {"ddnm": 10, "ddrm": 10},
        "datasets.digits.candidates.count: ddrm is none of its samplers",
        "samplers",
    ),
    "selection without candidates": (
        "datasets.digits.candidates",
        None,
        "datasets.digits.selection: nothing to select from",
        "candidates",
    ),
    "a sampler that does not exist": (
        "datasets.digits.sweeps.eta.samplers",
        ["dndm"],
        "datasets.digits.sweeps.eta.samplers: no sampler 'dndm'",
        "did you mean 'ddnm'",
    ),
    "an option of another algorithm": ("samplers.ddnm.lam", 1.0, "samplers.ddnm.lam: unknown key", "clip"),
    "an option out of its algorithm's range": (
        "samplers.ddnm",
        {"algorithm": "drp", "t_restore": 1000},
        "samplers.ddnm.t_restore: 1000 is out of range",
        "give a whole number from 0 to 999. The timestep at which the prior denoises.",
    ),
    "an option that is not a number": (
        "samplers.ddnm",
        {"algorithm": "dps", "scale": math.nan},
        "samplers.ddnm.scale: nan is not a finite number",
        "Step size",
    ),
    "a boolean for a number": ("samplers.ddnm.steps", True, "samplers.ddnm.steps: True is not of type int", "Sampling"),
    "a respacing that there is not": (
        "samplers.ddnm",
        {"algorithm": "dps", "steps": "ddim7x"},
        "samplers.ddnm.steps: 'ddim7x' is no respacing",
        "give for example 250",
    ),
    "an option by steps that its algorithm has not": (
        "samplers.ddnm.by_steps",
        {10: {"zeta": 1}},
        "samplers.ddnm.by_steps.10.zeta: unknown option",
        "eta_ddim",
    ),
    "an algorithm that does not exist": (
        "samplers.ddnm.algorithm",
        "ddmn",
        "samplers.ddnm.algorithm: 'ddmn'",
        "did you mean",
    ),
    "a task that does not exist": (
        "datasets.digits.sweeps.eta.tasks",
        ["lfet"],
        "datasets.digits.sweeps.eta.tasks: no task 'lfet'",
        "did you mean 'left'",
    ),
    "a source that does not exist": (
        "datasets.digits.source.name",
        "digit",
        "datasets.digits.source.name: 'digit'",
        "did you mean 'digits'",
    ),
    "a prior that does not exist": (
        "datasets.digits.prior.name",
        "digits",
        "datasets.digits.prior.name: 'digits'",
        "digits_mixture",
    ),
    "a strategy that does not exist": (
        "datasets.digits.selection.strategies",
        ["kmean"],
        "datasets.digits.selection.strategies[0]: 'kmean'",
        "did you mean 'kmeans'",
    ),
    "a strategy twice": (
        "datasets.digits.selection.strategies",
        ["kmeans", {"name": "kmeans"}],
        "selection.strategies: 'kmeans' stands there twice",
        "twice",
    ),
    "an eta twice": (
        "datasets.digits.sweeps.eta.values",
        [0.1, 0.1],
        "sweeps.eta.values: 0.1 stands there twice",
        "twice",
    ),
    "no cases": ("datasets.digits.cases", 0, "datasets.digits.cases: 0", "minimum of 1"),
    "a number written as a word": ("n", "five", "n: 'five' is not of type 'integer'", "Restorations in a set"),
    "a run with a slash": ("run", "a/b", "run: 'a/b' is not a name", "letter"),
    "a dataset with a dot": ("datasets", {"di.gits": GOOD["datasets"]["digits"]}, "datasets", "is not a name"),
    "no datasets": ("datasets", None, "datasets: missing", "Datasets by name"),
    "a sampler that cannot serve a task": (
        "datasets.digits.candidates.samplers",
        ["repaint"],
        "datasets.digits.candidates: sampler repaint (repaint) cannot serve task sr2: it serves noiseless inpainting",
        "use ddnm, ddrm, dps or diffpir, or give tasks",
    ),
    "a learned variance of a prior without one": (
        "samplers.ddnm",
        {"algorithm": "dps", "variance": "learned_range"},
        "samplers.ddnm.variance: learned_range needs a network with 2C output channels, and that of digits_mixture",
        "use fixed_small or fixed_large",
    ),
    "a task without mask and problem": (
        "datasets.digits.tasks.left",
        {},
        "datasets.digits.tasks.left: neither a mask nor a problem",
        "mask: NAME",
    ),
}


@pytest.mark.parametrize("fault", BAD)
def test_a_fault_is_one_line_with_the_key_and_what_would_be_right(fault):
    path, value, where, right = BAD[fault]
    message = refusal(changed(path, value))
    assert where in message
    assert right in message


def test_the_released_data_step_is_refused_where_it_does_not_hold():
    config = changed("samplers.ddnm", {"algorithm": "diffpir", "preset": "reference"})
    config["datasets"]["digits"]["tasks"]["projected"] = {"problem": {"name": "random_projection", "rows": 8}}
    message = refusal(config)
    assert (
        "sampler ddnm (diffpir) cannot serve task projected: it solves the data step of the preset reference" in message
    )
    assert message.endswith("use the preset paper, or give tasks")
    config["samplers"]["ddnm"]["preset"] = "paper"
    check(config)


@pytest.mark.parametrize("sigma", [0.0, 0.1])
def test_the_configuration_refuses_what_the_samplers_refuse_and_no_more(sigma):
    import torch

    from benchmark.priors.mixture import load_mixture
    from benchmark.problems import PROBLEMS, build
    from benchmark.sampling import SAMPLERS
    from benchmark.sampling.guidance import no_guidance
    from benchmark.sampling.noise import Streams
    from benchmark.sampling.sampler import Task

    prior, hole = load_mixture(), torch.zeros(1, 8, 8, dtype=torch.bool)
    hole[:, :4] = True
    for kind in PROBLEMS:
        settings = {"name": kind, "sigma": sigma, **({"factor": 2} if "super_resolution" in kind else {})}
        problem = build(settings, prior.shape, hole, dtype=prior.dtype)
        y = problem.A(torch.zeros(1, 1, *prior.shape, dtype=prior.dtype))
        for algorithm, sampler in SAMPLERS.items():
            noise, refused = Streams([[(0, "d", "c", 0)]], prior.shape, dtype=prior.dtype), False
            try:
                next(iter(sampler(prior, problem, y, noise, no_guidance, steps=4)))
            except BenchmarkError:
                refused = True
            reason = sampler.refuses(Task.of({"name": kind, "sigma": sigma}), {})
            assert (reason is not None) is refused, (algorithm, kind)


@pytest.mark.parametrize(
    ("where", "section"),
    [
        ("datasets.digits.sweeps.eta.D", {"samplers": ["ddnm"], "values": [0.1], "D": math.inf, "guidance": "spell"}),
        (
            "datasets.digits.sweeps.D.values",
            {"samplers": ["ddnm"], "values": [0, 0.3, math.inf], "D_unit": "rms", "eta": 1, "guidance": "spell"},
        ),
        (
            "datasets.digits.comparison.guided[1].D",
            {
                "samplers": ["ddnm"],
                "guided": [
                    {"eta": 1, "D": 0.3, "D_unit": "rms", "guidance": "spell"},
                    {"eta": 1, "D": math.inf, "guidance": {"name": "spell"}},
                ],
            },
        ),
        ("truth.guided[0].D", {"samplers": ["ddnm"], "eta": [1], "D": [0.2, math.inf], "guidance": "spell"}),
    ],
)
def test_a_distance_that_a_guidance_cannot_take_is_refused_before_anything_runs(where, section):
    if where.startswith("truth"):
        config = changed("n", 5)
        problems = {"p": {"world": {"name": "ten_gaussians"}}}
        config["truth"] = {"samplers": {"ddnm": [5]}, "problems": problems, "guided": [section]}
    else:
        config = changed(where.rsplit(".", 1)[0].removesuffix(".guided[1]"), section)
    assert refusal(config) == f"some.yaml: {where}: spell needs a finite radius; give D and D_unit"


@pytest.mark.parametrize(
    ("prior", "fault"),
    [
        ({"name": "faces_unet", "dtype": "tf32"}, "dtype: 'tf32' is not known; use float32 or bfloat16 or float16"),
        ({"name": "digits_mixture", "random_weights": 0}, "random_weights: unknown option"),
        ({"name": "digits_mixture", "weights": 7}, "weights: 7 is not of type str"),
        ({"name": "diffusers_folder"}, "folder: missing. The folder of config.json and the weights."),
        ({"name": "adm_celebahq256", "folder": "here"}, "folder: unknown option"),
        ({"name": "adm_celebahq256", "random_weights": -1}, "random_weights: -1 is out of range; give 0 or more"),
    ],
)
def test_what_the_loader_of_a_prior_would_refuse_is_refused_before_anything_runs(prior, fault):
    assert refusal(changed("datasets.digits.prior", prior)).startswith(f"some.yaml: datasets.digits.prior.{fault}")


def test_the_good_configuration_is_accepted_and_its_defaults_are_filled_in():
    config = check(GOOD)
    assert config["seeds"] == [0]
    assert config["device"] == "auto"
    assert config["samplers"]["ddnm"]["preset"] == "paper"
    assert config["datasets"]["digits"]["features"] == {"name": "hole_pca"}
    assert "seeds" not in GOOD


@pytest.mark.parametrize("text", ["inf", ".inf", "Inf"])
def test_infinity_may_be_spelled_as_in_yaml_or_plainly(text):
    value = yaml.safe_load(text)
    config = check(changed("datasets.digits.sweeps.D.values", [0, 0.3, value]))
    assert config["datasets"]["digits"]["sweeps"]["D"]["values"][2] == math.inf


def test_exponents_without_a_point_are_numbers():
    config = check(changed("datasets.digits.sweeps.eta.values", yaml.safe_load("[0, 1e-2]")))
    assert config["datasets"]["digits"]["sweeps"]["eta"]["values"][1] == 0.01


def test_n_of_one_is_accepted_where_nothing_is_guided():
    config = changed("n", 1)
    del config["datasets"]["digits"]["sweeps"], config["datasets"]["digits"]["selection"]["guided"]
    assert check(config)["n"] == 1


def test_checking_twice_changes_nothing():
    once = check(GOOD)
    assert check(once) == once


def test_a_file_that_is_missing_empty_or_no_yaml_is_refused_in_one_line(tmp_path):
    path = tmp_path / "config.yaml"
    for text in (None, "", "- a list", "run: [", "run: x\n\tn: 5"):
        if text is not None:
            path.write_text(text)
        with pytest.raises(BenchmarkError, match=r"config\.yaml: ") as caught:
            load(path)
        assert "\n" not in str(caught.value)


def test_every_key_of_the_schema_has_a_description():
    missing = []

    def walk(schema, path):
        for key, part in schema.get("properties", {}).items():
            if "description" not in part:
                missing.append(f"{path}.{key}")
            walk(part, f"{path}.{key}")
        for name, part in schema.get("$defs", {}).items():
            walk(part, name)
        for word in ("items", "additionalProperties", "else"):
            if isinstance(schema.get(word), dict):
                walk(schema[word], path)
        for part in schema.get("anyOf", []):
            walk(part, path)

    walk(yaml.safe_load(SCHEMA.read_text()), "config")
    assert not missing


def test_every_key_of_the_schema_stands_in_the_configurations_documentation():
    schema = yaml.safe_load(SCHEMA.read_text())
    text = (SCHEMA.parents[2] / "config" / "README.md").read_text()
    keys = set(schema["properties"]) | set(schema["$defs"]["dataset"]["properties"])
    assert not {key for key in keys if f"`{key}`" not in text}
    reference = (SCHEMA.parents[2] / "docs" / "reference" / "samplers.md").read_text()
    options = {option for sampler in SAMPLERS.values() for option in sampler.options}
    assert not {option for option in options if f"`{option}`" not in reference}


# ------------------------------------------------------------------------------------------- names known to the schema
def parts_of(schema):
    """Every part of the schema that is a mapping."""
    if isinstance(schema, dict):
        yield schema
    for item in schema.values() if isinstance(schema, dict) else schema if isinstance(schema, list) else ():
        yield from parts_of(item)


def test_the_schema_lists_no_name_that_a_registry_has():
    written = [
        part["enum"] for part in parts_of(yaml.safe_load(SCHEMA.read_text())) if isinstance(part.get("enum"), list)
    ]
    assert written == [["auto", "cpu", "cuda"]]


def test_a_name_of_a_registry_is_known_the_moment_it_is_there(monkeypatch):
    from benchmark import config
    from benchmark.features import FEATURES

    config._schema.cache_clear()
    with pytest.raises(BenchmarkError, match=r"features\.name: 'mine' is not one of its values"):
        check(changed("datasets.digits.features", {"name": "mine"}))
    monkeypatch.setitem(FEATURES, "mine", FEATURES["hole_pca"])
    config._schema.cache_clear()
    check(changed("datasets.digits.features", {"name": "mine"}))
    config._schema.cache_clear()


# ------------------------------------------------------------------------------------- options of every named entry
def entries():
    """(configuration with the entry in it, path of its options, the option's name, its option or None) for all."""
    from benchmark.data.masks import RECIPES
    from benchmark.data.sources import SOURCES
    from benchmark.exact.mixtures import WORLDS
    from benchmark.features import FEATURES
    from benchmark.options import options_of
    from benchmark.priors.load import PRIORS, public_model
    from benchmark.problems import PROBLEMS
    from benchmark.sampling.guidance import GUIDANCE
    from benchmark.selection.strategies import STRATEGIES

    task, point = "datasets.digits.tasks.sr2.problem", "datasets.digits.sweeps.eta.guidance"
    for name, sampler in SAMPLERS.items():
        yield f"samplers.{name}", {"algorithm": name}, "algorithm", sampler.options
    for name, function in RECIPES.items():
        yield f"masks.{name}", {"recipe": name}, "recipe", options_of(function, positional=1)
    for name, function in SOURCES.items():
        yield "datasets.digits.source", {"name": name}, "name", options_of(function)
    for name, loader in PRIORS.items():
        yield "datasets.digits.prior", {"name": name}, "name", loader.options
    yield "datasets.digits.prior", {"name": "adm_celebahq256"}, "name", options_of(public_model)
    for name, function in FEATURES.items():
        yield "datasets.digits.features", {"name": name}, "name", options_of(function)
    for name, kind in PROBLEMS.items():
        options = options_of(kind.__init__, beside=("hole", "device", "dtype"))
        yield task, {"name": name}, "name", options
    for name, function in STRATEGIES.items():
        yield "datasets.digits.selection.strategies", [{"name": name}], "name", options_of(function)
    for name, kind in GUIDANCE.items():
        yield point, {"name": name}, "name", options_of(kind)
    for name, function in WORLDS.items():
        yield "truth.problems.p.world", {"name": name}, "name", options_of(function, positional=0)


def configured(path, spec):
    config = changed("n", 5)
    if path.startswith("truth"):
        config["truth"] = {"samplers": {"ddnm": [5]}, "problems": {"p": {"world": spec, "mask": "left"}}}
        return config
    *parents, last = path.split(".")
    part = config
    for key in parents:
        part = part[key]
    part[last] = spec
    return config


ENTRIES = [
    pytest.param(*entry, id=f"{entry[0]}:{entry[1][0] if isinstance(entry[1], list) else entry[1]}")
    for entry in entries()
]


@pytest.mark.parametrize(("path", "spec", "key", "options"), ENTRIES)
def test_no_entry_takes_an_option_that_it_has_not_or_a_value_of_another_kind(path, spec, key, options):
    wrong = {"float": "much", "int": 2.5, "bool": "yes", "str": 7, "list": 7, "dict": 7, "None": 7}
    for option, value in [("no_such_option", 1)] + [
        (name, wrong[one.kinds[0]]) for name, one in options.items() if one.kinds
    ]:
        given = copy.deepcopy(spec)
        (given[0] if isinstance(given, list) else given)[option] = value
        message = refusal(configured(path, given))
        assert f".{option}: " in message or f"[0].{option}: " in message, message
        assert path.split("[")[0] in message, message


@pytest.mark.parametrize(("path", "spec", "key", "options"), list(ENTRIES))
def test_no_entry_takes_a_number_out_of_its_range(path, spec, key, options):
    for name, one in options.items():
        if one.within is None:
            continue
        beyond = [one.within.most + 1] if one.within.most < math.inf else []
        between = [one.within.least + 1] if one.within.step else []
        for value in (one.within.least - 1, math.nan, *beyond, *between):
            given = copy.deepcopy(spec)
            (given[0] if isinstance(given, list) else given)[name] = value
            assert f".{name}: " in refusal(configured(path, given))


@pytest.mark.parametrize("value", [math.nan, 10**400, -(2**63) - 1])
@pytest.mark.parametrize(
    "path",
    [
        ("n",),
        ("datasets", "digits", "sweeps", "eta", "values", 1),
        ("datasets", "digits", "sweeps", "eta", "D"),
        ("datasets", "digits", "comparison", "guided", "eta"),
        ("publish", "confidence"),
        ("samplers", "ddnm", "steps"),
    ],
)
def test_a_number_that_no_file_can_hold_is_one_line(path, value):
    config = yaml.safe_load((SCHEMA.parents[2] / "config.yaml").read_text())
    part = config
    for key in path[:-1]:
        part = part[key]
    part[path[-1]] = value
    with pytest.raises(BenchmarkError, match=r"nan is not |whole number beyond 63 bits") as caught:
        check(config)
    assert str(path[-1]) in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("key", ["n", "measure_together", "batch_size"])
def test_a_float_is_no_whole_number(key):
    config = yaml.safe_load((SCHEMA.parents[2] / "config.yaml").read_text()) | {key: 1e308}
    with pytest.raises(BenchmarkError, match=f"{key}: .*is not of type 'integer'"):
        check(config)


def test_a_walk_of_a_billion_repeats_is_refused_at_once():
    config = yaml.safe_load((SCHEMA.parents[2] / "config.yaml").read_text())
    config["samplers"]["ddnm"]["travel_repeat"] = 10**9
    with pytest.raises(BenchmarkError, match="travel_repeat"):
        check(config)


@pytest.mark.parametrize("what", ["sampler", "feature", "recipe", "strategy", "source", "world", "guidance", "prior"])
def test_no_entry_of_a_registry_is_silently_replaced(what):
    """Each way into a registry, with a name that is taken."""
    from benchmark.data.masks.base import recipe
    from benchmark.data.sources import source
    from benchmark.discovery import register
    from benchmark.exact.mixtures import mixture
    from benchmark.features import feature
    from benchmark.priors.loaders import prior
    from benchmark.sampling.guidance.base import Guidance, guidance
    from benchmark.selection.strategies import strategy

    def named(name):
        def function():
            raise AssertionError

        function.__name__ = name
        return function

    ways = {
        "sampler": lambda: register(SAMPLERS, "ddnm", object(), "sampler"),
        "feature": lambda: feature(named("hole_pca")),
        "recipe": lambda: recipe(named("left")),
        "strategy": lambda: strategy(named("kmeans")),
        "source": lambda: source(named("digits")),
        "world": lambda: mixture(named("ten_gaussians")),
        "guidance": lambda: guidance("spell")(type("Mine", (Guidance,), {})),
        "prior": lambda: prior()(named("digits_mixture")),
    }
    with pytest.raises(ValueError, match=f"there is a {what} '.*' already"):
        ways[what]()


# --------------------------------------------------------------------------------- what a mask needs, and a source has
def of_pictures(source, mask):
    """The good configuration with a task of this mask on pictures of this source."""
    config = changed("masks.mine", mask)
    config["datasets"]["digits"] |= {"source": source, "tasks": {"left": {"mask": "mine"}, "sr2": {"mask": "left"}}}
    return config


@pytest.mark.parametrize(
    ("mask", "fault"),
    [
        ({"recipe": "mask_folder"}, "masks.mine.folder: missing. The folder of the masks."),
        ({"recipe": "mask_image"}, "masks.mine: mask_image has neither of file and folder; give one of them"),
        ({"recipe": "mask_image", "file": "a", "folder": "b"}, "masks.mine: mask_image has both of file and folder"),
        ({"recipe": "polygon"}, "masks.mine: polygon has neither of file and cases"),
        (
            {"recipe": "polygon", "cases": {"a": [[0, 0], [1, 1]]}},
            "masks.mine: polygon has case 'a': [[0, 0], [1, 1]]:",
        ),
        ({"recipe": "polygon", "cases": {"a": {"box": [0, 0, 1, 1]}}, "size": [0, 1]}, "masks.mine: polygon has size:"),
        ({"recipe": "parts"}, "masks.mine.parts: missing. Names of parts"),
        ({"recipe": "parts", "parts": []}, "masks.mine: parts has no parts"),
        ({"recipe": "parts", "parts": ["mouth", 7]}, "masks.mine.parts: 7 in it is not of type str"),
        ({"recipe": "parts", "parts": ["a"], "min_area": 0.6}, "masks.mine: parts has min_area 0.6 and max_area 0.5"),
        ({"recipe": "mask_folder", "folder": "a", "min_area": 0.6}, "masks.mine: mask_folder has min_area 0.6 and"),
        ({"recipe": "mask_folder", "folder": "a", "unknown": "grey"}, "masks.mine.unknown: 'grey' is not known"),
        (
            {"recipe": "mask_image", "file": "a", "threshold": 255},
            "masks.mine.threshold: 255 is out of range; give 0 or",
        ),
        ({"recipe": "box", "fraction": 0}, "masks.mine.fraction: 0 is out of range; give more than 0 and less than 1"),
    ],
)
def test_what_a_mask_needs_is_asked_for_before_anything_runs(mask, fault):
    assert refusal(of_pictures({"name": "digits"}, mask)).startswith(f"some.yaml: {fault}")


@pytest.mark.parametrize(
    ("source", "part", "fault"),
    [
        ({"name": "digits"}, "mouth", "parts hides parts of the picture, and these have none that are known"),
        ({"name": "image_folder", "path": "here"}, "mouth", "parts hides parts of the picture, and these have none"),
        ({"name": "faces"}, "lips", "parts hides the part 'lips', which these have not; known: mouth, eyes, brows"),
        ({"name": "celebamask_hq", "path": "here"}, "beard", "parts hides the part 'beard', which these have not"),
    ],
)
def test_a_part_that_pictures_have_not_is_refused_before_anything_runs(source, part, fault):
    message = refusal(of_pictures(source, {"recipe": "parts", "parts": [part]}))
    assert message.startswith(f"some.yaml: datasets.digits.tasks.left.mask: {fault}")
    if source["name"] in ("faces", "celebamask_hq"):
        check(of_pictures(source, {"recipe": "parts", "parts": ["mouth"]}))


@pytest.mark.parametrize(
    ("mask", "fault"),
    [
        ({"recipe": "parts", "parts": ["mouth"]}, "parts hides parts of the picture, and these have none"),
        ({"recipe": "thick"}, "thick is drawn for each case by its name, and these have none"),
        ({"recipe": "mask_folder", "folder": "a"}, "mask_folder is drawn for each case by its name"),
        ({"recipe": "mask_image", "folder": "a"}, "mask_image is drawn for each case by its name"),
        ({"recipe": "polygon", "cases": {"a": {"box": [0, 0, 1, 1]}}}, "polygon has polygons of cases by their names"),
    ],
)
def test_a_mask_that_no_world_of_the_truth_can_have_is_refused_before_anything_runs(mask, fault):
    config = changed("masks.mine", mask)
    config["truth"] = {"samplers": {"ddnm": [5]}, "problems": {"p": {"world": {"name": "digits"}, "mask": "mine"}}}
    assert refusal(config).startswith(f"some.yaml: truth.problems.p.mask: {fault}")


def test_every_source_gives_the_parts_that_it_declares():
    from benchmark.data.sources import SOURCES, pictures
    from benchmark.data.worlds import WORLDS

    for name in ("digits", *WORLDS):
        (picture,) = pictures({"name": name}, 1, 0)
        assert set(SOURCES[name].parts) == set(picture.parts or ())
