"""From cases to a set file: what the sampling command writes, and what it refuses in one line."""

import json
import math
import time
from dataclasses import replace

import numpy as np
import pytest
import torch

from benchmark import store
from benchmark.cli import main
from benchmark.errors import BenchmarkError
from benchmark.jobs.sample import SampleSettings
from benchmark.priors.mixture import load_mixture
from benchmark.priors.protocol import Prediction, linear_alphas_cumprod
from benchmark.sampling import SAMPLERS, run
from benchmark.sampling.choose_D import while_sampling
from benchmark.sampling.noise import Streams
from benchmark.sampling.sampler import sampler
from benchmark.sampling.speed import TimedPrior
from benchmark.sampling.state import State

GUIDED = {"name": "nearest_neighbour", "eta": 0.3, "D": 0.4, "D_unit": "rms"}
PLAIN = {
    "dataset": "digits", "task": "left", "sampler": "short", "method": "plain", "prior": {"name": "digits_mixture"},
    "problem": {"name": "inpainting", "sigma": 0.0}, "algorithm": {"name": "ddnm", "steps": 10}, "guidance": None,
    "n": 5, "first_index": 0, "seeds": [0],
}  # fmt: skip


def with_guidance(**change) -> dict:
    return {**PLAIN, "method": "nearest_neighbour", "guidance": {**GUIDED, **change}}


def with_algorithm(**options) -> dict:
    return {**PLAIN, "algorithm": {**PLAIN["algorithm"], **options}}


def write_cases(path, hole=None, count=3):
    hidden = np.zeros((8, 8), dtype=bool)
    hidden[:, :4] = True
    hidden = hidden if hole is None else hole
    truths = load_mixture().mixture.sample(count, torch.Generator().manual_seed(0)).reshape(count, 1, 8, 8)
    rows = [
        {
            "dataset": "digits",
            "mask": "left",
            "case": f"digit{index}",
            "image": store.encode_image(truth.numpy()),
            "hole": store.encode_hole(hidden),
            "hole_fraction": float(hidden.mean()),
            "attributes": {},
        }
        for index, truth in enumerate(truths)
    ]
    store.write_table(path, "cases", rows, {})
    return path


@pytest.fixture(scope="module")
def cases(tmp_path_factory):
    return write_cases(tmp_path_factory.mktemp("cases") / "left.parquet")


@pytest.fixture
def draw(cases, tmp_path):
    """Samples settings by the command; gives the sets."""

    def sampled(settings, *arguments):
        output = tmp_path / f"{store.fingerprint([settings, *arguments])}.parquet"
        command = ["sample", "--settings", json.dumps(settings).replace("Infinity", '"inf"'), "--cases", str(cases)]
        assert main([*command, "--output", str(output), "--quiet", *arguments]) == 0
        return store.read_sets(output, settings)

    return sampled


def images(sets) -> np.ndarray:
    return np.stack([one.images for one in sets])


def test_a_set_file_has_a_row_for_every_restoration(draw, cases, tmp_path):
    sets = draw({**with_guidance(D=0.01, D_unit="ddnm"), "seeds": [0, 1]})
    assert [(one.keys["case"], one.keys["seed"]) for one in sets] == [
        (f"digit{case}", seed) for seed in (0, 1) for case in range(3)
    ]
    one = sets[0]
    assert one.keys["method"] == "nearest_neighbour"
    assert (one.keys["eta"], one.keys["D"], one.keys["D_unit"]) == (0.3, 0.01, "ddnm")
    assert one.keys["D_rms"] == pytest.approx(0.01 * math.sqrt(32))
    assert one.index.tolist() == [0, 1, 2, 3, 4]
    assert one.columns["nfe"].tolist() == [10] * 5
    assert (one.columns["seconds"] > 0).all()
    assert one.columns["finite"].all()
    assert (one.columns["consistency"].astype(float) < 1e-6).all()
    assert ((one.columns["gate_open"] > 0) & (one.columns["gate_open"] < 1)).any()
    provenance = store.provenance_of(store.read_table(next(tmp_path.glob("*.parquet"))))
    assert len(provenance["weights_sha256"]) == 64


def test_the_gate_is_always_open_without_a_threshold_and_never_matters_when_plain(draw):
    assert all((one.columns["gate_open"] == 1).all() for one in draw(with_guidance(D=math.inf)))
    assert all((one.columns["gate_open"] == 0).all() for one in draw(PLAIN))


@pytest.mark.parametrize("settings", [PLAIN, with_guidance()])
def test_the_batch_size_changes_nothing(draw, settings):
    whole = draw(settings)
    for size in ("1", "7"):
        small = draw(settings, "--batch-size", size)
        assert np.array_equal(images(small), images(whole))
        assert all(
            np.array_equal(a.columns["gate_open"], b.columns["gate_open"]) for a, b in zip(small, whole, strict=True)
        )


def test_candidates_begin_with_the_plain_set_and_their_shards_join(draw):
    plain, many = images(draw(PLAIN)), images(draw({**PLAIN, "n": 8}))
    shard = images(draw({**PLAIN, "n": 3, "first_index": 5}))
    assert np.array_equal(many[:, :5], plain)
    assert np.array_equal(many[:, 5:], shard)


def test_other_cases_and_seeds_do_not_touch_a_set(draw, tmp_path):
    both = images(draw({**PLAIN, "seeds": [0, 1]}))
    assert np.array_equal(both[:3], images(draw(PLAIN)))
    assert not np.array_equal(both[3:], both[:3])


def test_one_noisy_measurement_serves_all_samples_and_samplers(cases):
    prior, group = load_mixture(), [(case, 0) for case in store.read_cases(cases).values()]
    noisy = {"name": "inpainting", "sigma": 0.1}
    problem, y = run.prepare(noisy, "digits", prior, group, "cpu")
    assert y.shape == (3, 1, 1, 8, 8)
    assert torch.equal(run.prepare(noisy, "digits", prior, group[1:], "cpu")[1], y[1:])
    truth = torch.stack([torch.from_numpy(case.image) for case, _ in group])[:, None]
    assert (y - problem.A(truth)).std() == pytest.approx(0.2 * math.sqrt(0.5), rel=0.3)


def test_a_restoration_that_is_not_finite_is_a_row_that_says_so(draw, monkeypatch):
    def broken(prior, problem, y, noise, guide, *, preset: str = "paper", steps: int = 1):
        x = noise()
        x[:, 1] = math.nan
        yield State(-1, x, x, x, None, 1)

    monkeypatch.setitem(SAMPLERS, "broken", sampler({})(broken))
    for one in draw({**PLAIN, "algorithm": {"name": "broken"}}):
        assert one.columns["finite"].tolist() == [True, False, True, True, True]
        assert one.columns["consistency"][1] is None


@pytest.mark.parametrize("settings", [PLAIN, with_guidance()])
def test_the_batch_is_halved_when_memory_runs_out(draw, settings, monkeypatch):
    whole, original, sizes = images(draw(settings)), run.run_batch, []

    def small_machine(settings, prior, group, indices, *rest):
        sizes.append(len(group) * len(indices))
        if sizes[-1] > 5:
            raise torch.OutOfMemoryError("none left")
        return original(settings, prior, group, indices, *rest)

    monkeypatch.setattr(run, "run_batch", small_machine)
    assert np.array_equal(images(draw(settings, "--threads", "1")), whole)
    assert sizes[0] == 15


def test_too_little_memory_for_one_set_is_said_and_nothing_is_written(cases, tmp_path, monkeypatch, capsys):
    def no_memory(*_):
        raise RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried to allocate 1 bytes")

    monkeypatch.setattr(run, "run_batch", no_memory)
    output = tmp_path / "out.parquet"
    command = ["sample", "--settings", json.dumps(with_guidance()), "--cases", str(cases), "--output", str(output)]
    assert main([*command, "--quiet"]) == 2
    assert "out of memory with 5 sample(s) at once" in capsys.readouterr().err
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({key: value for key, value in PLAIN.items() if key != "n"}, "n is missing; a sample job needs dataset, task"),
        ({**PLAIN, "colour": 1}, "colour is not known; a sample job has dataset, task"),
        ({**PLAIN, "n": "5"}, "n is '5'; give a value of type int"),
        ({**PLAIN, "shipped": {"digits_mixture": "0" * 64}}, "the job was planned for 00000000; plan it anew with"),
        ({**PLAIN, "shipped": "digits_mixture"}, "shipped: 'digits_mixture' is no table of names and hashes"),
        ({**PLAIN, "n": 0}, "n: 0 restorations"),
        ({**PLAIN, "seeds": []}, "seeds: []"),
        ({**PLAIN, "guidance": GUIDED}, "with this one it is 'nearest_neighbour'"),
        ({**with_guidance(), "n": 1}, "a set of 1 has no neighbours"),
        (with_guidance(eta=-0.1), "guidance.eta: -0.1 is out of range"),
        (with_guidance(D_unit=None), "has no unit; give one of rms, repaint, ddnm, dps, full"),
        ({**PLAIN, "algorithm": {"name": "ddnn"}}, "use one of ddnm, ddrm, diffpir"),
        (with_algorithm(colour=1), "ddnm has no such option; it has preset, steps, eta_ddim"),
        (with_algorithm(preset="published"), "use paper or reference"),
        (with_algorithm(steps=2.5), "2.5 is not of type int"),
        (with_algorithm(steps=2000), "steps: 2000 is out of range; give a whole number from 1 to 1000"),
        (with_algorithm(travel_length=0), "travel_length: 0 is out of range"),
        (with_algorithm(eta_ddim=2), "eta_ddim: 2 is out of range; give 0 to 1"),
        ({**PLAIN, "algorithm": {"name": "repaint", "steps": "ddim7x"}}, "'ddim7x' is no respacing"),
        ({**PLAIN, "algorithm": {"name": "dps", "steps": 5, "variance": "learned_range"}}, "use fixed_small"),
        ({**PLAIN, "algorithm": {"name": "diffpir", "x_init": 1}}, "diffpir has no such option"),
        ({**PLAIN, "algorithm": {"name": "dps", "steps": 1}}, "steps: 1 is out of range; give a whole number from 2"),
        ({**PLAIN, "problem": {"name": "inpainting", "sigma": -1}}, "problem.sigma: -1"),
        ({**PLAIN, "problem": {"name": "super_resolution_average", "factor": 3}}, "factor 3 does not divide 8x8"),
        ({**PLAIN, "problem": {"name": "deblurring_gaussian", "std": "3"}}, "std '3' is out of range"),
        ({**PLAIN, "problem": {"name": "blurring"}}, "'blurring' is not known; use one of colorization, "),
        ({**PLAIN, "problem": {"name": "denoising"}, "algorithm": {"name": "repaint"}}, "use ddnm, ddrm, dps"),
        ({**PLAIN, "prior": {"name": "faces_unet"}}, "the prior faces_unet works on 3x64x64"),
        ({**PLAIN, "cases": "0123456789abcdef"}, "made with other settings"),
    ],
)  # fmt: skip
def test_bad_settings_are_refused_in_one_line_and_nothing_is_written(settings, message, cases, tmp_path, capsys):
    output = tmp_path / "out.parquet"
    command = ["sample", "--settings", json.dumps(settings), "--cases", str(cases), "--output", str(output), "--quiet"]
    assert main(command) == 2
    said = capsys.readouterr().err
    assert message in said
    assert said.count("\n") == 1
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(("hide", "message"), [(False, "hides nothing"), (True, "hides everything")])
def test_masks_that_hide_nothing_or_everything_are_refused(hide, message, tmp_path, capsys):
    path = write_cases(tmp_path / "cases.parquet", np.full((8, 8), hide))
    command = ["sample", "--settings", json.dumps(PLAIN), "--cases", str(path), "--output", str(tmp_path / "o.parquet")]
    assert main([*command, "--quiet"]) == 2
    assert message in capsys.readouterr().err


@pytest.mark.parametrize(
    ("hole", "message"),
    [
        (np.eye(4, dtype=bool), "case digit0: mask of 4x4 for an image of 8x8; give a mask of the image's size"),
        (None, "case digit0 has no mask, which problem inpainting needs"),
    ],
)
def test_masks_of_another_size_or_none_are_refused(hole, message, cases, tmp_path):
    prior, wrong = load_mixture(), [replace(case, hole=hole) for case in store.read_cases(cases).values()]
    with pytest.raises(BenchmarkError, match=f"cases.parquet: {message}"):
        run.check_cases(wrong, prior, SampleSettings.from_json(PLAIN), tmp_path / "cases.parquet")


# -------------------------------------------------------------------------------------------- distances, speed, streams
def test_a_threshold_at_a_quantile_of_the_plain_distances_opens_the_gate_for_that_share(cases, draw):
    distances = np.concatenate(list(while_sampling(SampleSettings.from_json(PLAIN), cases, "cpu", 80).values()))
    D = float(np.quantile(distances, 0.6))
    shares = [one.columns["gate_open"].mean() for one in draw(with_guidance(eta=1e-9, D=D))]
    assert np.mean(shares) == pytest.approx(0.6, abs=0.02)


def test_the_distances_command_suggests_three_values(cases, tmp_path, capsys):
    assert main(["distances", "--settings", json.dumps(PLAIN), "--cases", str(cases)]) == 0
    while_sampled = capsys.readouterr().out
    output = tmp_path / "plain.parquet"
    command = ["sample", "--settings", json.dumps(PLAIN), "--cases", str(cases), "--output", str(output), "--quiet"]
    assert main(command) == 0
    assert main(["distances", "--sets", str(output), "--cases", str(cases)]) == 0
    for text in (while_sampled, capsys.readouterr().out):
        values = [float(part) for part in text.split("(unit rms): ")[1].split(":")[0].split(", ")]
        assert values == sorted(values)
        assert len(values) == 3
        assert values[0] > 0


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        (with_guidance(), "guidance given"),
        ({**PLAIN, "n": 1}, "a set of 1 has no neighbours"),
        ({**PLAIN, "algorithm": {"name": "drp", "steps": 2}}, "drp takes no guidance"),
    ],
)
def test_distances_of_what_has_none_are_refused(settings, message, cases, capsys):
    for words in (["--threads", "0"], ["--batch-size", "0"]):
        assert main(["distances", "--settings", json.dumps(PLAIN), "--cases", str(cases), *words]) == 2
        assert f"{' '.join(words)}: give 1 or more" in capsys.readouterr().err
    assert main(["distances", "--settings", json.dumps(settings), "--cases", str(cases)]) == 2
    assert message in capsys.readouterr().err


def test_the_speed_command_prints_the_share_of_every_sampler_and_preset(capsys):
    threads = torch.get_num_threads()
    try:
        assert main(["speed", "--prior", "digits_mixture", "--batch", "5", "--steps", "3", "--repeats", "1"]) == 0
    finally:
        torch.set_num_threads(threads)
    title, heads, *rows = capsys.readouterr().out.splitlines()
    assert "digits_mixture, 5 images in sets of 5, float64" in title
    assert heads.split() == ["sampler", "preset", "network", "s", "own", "s", "own", "share"]
    assert [tuple(row.split()[:2]) for row in rows] == [(n, p) for n in SAMPLERS for p in ("paper", "reference")]
    assert all(float(row.split()[2]) >= 0 and row.endswith("%") for row in rows)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--batch", "7"], "--batch 7: sets of 5 are timed"),
        (["--steps", "1"], "--steps 1: give 2 to 1000"),
        (["--repeats", "0"], "--repeats 0: give 1 or more"),
        (["--threads", "0"], "--threads 0: give 1 or more"),
        (["--prior", "dogs"], "prior 'dogs': unknown"),
    ],
)
def test_what_cannot_be_timed_is_refused_in_one_line(words, message, capsys):
    assert main(["speed", *words]) == 2
    said = capsys.readouterr().err
    assert message in said
    assert said.count("\n") == 1


def test_noise_drawn_ahead_is_the_same_noise():
    keys = [[(0, "digits", str(case), index) for index in range(3)] for case in range(2)]
    now, ahead = Streams(keys, (1, 8, 8)), Streams(keys, (1, 8, 8), ahead=True)
    draws = [now() for _ in range(5)]
    assert all(torch.equal(draw, ahead()) for draw in draws)
    assert not torch.equal(draws[0], draws[1])
    one = Streams([keys[1][2:]], (1, 8, 8), dtype=torch.float64)
    assert torch.equal(one()[0, 0], draws[0][1, 2].double())


def test_the_networks_time_holds_its_backward_pass_and_nothing_else():
    class Slow(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            time.sleep(0.02)
            return 2 * x

        @staticmethod
        def backward(ctx, gradient):
            time.sleep(0.05)
            return 2 * gradient

    class Network:
        device, alphas_cumprod = "cpu", linear_alphas_cumprod()

        def __call__(self, x, t):
            return Prediction(Slow.apply(x))

    timed = TimedPrior(Network())
    x, started = torch.ones(3, requires_grad=True), time.perf_counter()
    (Slow.apply(timed(Slow.apply(x), 0).eps).sum() + x.sum()).backward()
    assert timed.seconds > 0.069
    assert time.perf_counter() - started - timed.seconds > 0.139
    assert x.grad.tolist() == [9.0] * 3
