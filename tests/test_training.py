"""Training: seeded, resumable without a trace, from given weights, exported with a card that fits; the bar's table."""

import json

import pytest
import torch

from benchmark.cli import main
from benchmark.data.worlds import faces
from benchmark.errors import BenchmarkError
from benchmark.networks.classifier import load_classifier
from benchmark.priors.protocol import linear_alphas_cumprod
from benchmark.training import loop
from benchmark.training.check import as_text, compare
from benchmark.training.loop import Training, train
from benchmark.training.velocity import PriorTraining, VelocityTask
from benchmark.weights.checkpoints import load_state, load_strictly, shipped

TINY = {
    "image_size": 8, "in_channels": 12, "out_channels": 12, "num_channels": 32, "num_res_blocks": 1,
    "channel_mult": [1, 2], "attention_resolutions": [4], "num_head_channels": 16, "use_scale_shift_norm": True,
    "use_new_attention_order": True,
}  # fmt: skip


def task(steps=8, **changes):
    def images(count, generator):
        return faces.render(faces.sample_attributes(count, generator), size=16)

    settings = PriorTraining("faces", steps=steps, batch=4, warmup=2, precision="fp32", unet=TINY, **changes)
    return VelocityTask(settings, images, linear_alphas_cumprod())


@pytest.fixture(autouse=True)
def one_thread_and_a_record_at_every_second_step(monkeypatch):
    monkeypatch.setattr(loop, "RECORD_EVERY", 2)
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


def weights_of(state):
    return torch.cat([value.flatten() for value in state.average.values()])


def test_an_interrupted_run_ends_as_the_undisturbed_one(tmp_path):
    whole = train(task(), tmp_path / "whole")
    first = train(task(), tmp_path / "parts", minutes=1e-9, save_every=0.0)
    assert first.step == 0
    stopped = []

    def stop(state):
        if state.step == 5:
            stopped.append(state.step)
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        train(task(), tmp_path / "parts", save_every=0.0, report=stop)
    assert stopped == [5]
    assert loop.read_checkpoint(tmp_path / "parts" / "checkpoint.pt")["step"] == 4
    resumed = train(task(), tmp_path / "parts")
    assert torch.equal(weights_of(whole), weights_of(resumed))
    losses = [
        [json.loads(line)["loss"] for line in (tmp_path / name / "loss.jsonl").open()] for name in ("whole", "parts")
    ]
    assert losses[0] == losses[1]
    assert len(losses[0]) == 4


def test_another_seed_gives_another_run_and_shards_give_the_same(tmp_path):
    one, two = (train(task(steps=2), tmp_path / str(shards), shards=shards).records[-1] for shards in (1, 2))
    other = train(task(steps=2, seed=1), tmp_path / "other").records[-1]
    for key in ("loss", "gradient_norm"):
        assert one[key] == pytest.approx(two[key], rel=1e-4)
        assert one[key] != pytest.approx(other[key], rel=1e-3)


def test_the_loss_falls(tmp_path):
    records = train(task(steps=40, lr=2e-3), tmp_path).records
    assert records[-1]["loss"] < 0.9 * records[0]["loss"]


def test_a_checkpoint_of_other_settings_is_refused(tmp_path):
    train(task(steps=2), tmp_path)
    with pytest.raises(BenchmarkError, match=r"checkpoint.pt: made with lr = 0.001, the command says 0.002"):
        train(task(steps=4, lr=2e-3), tmp_path)
    (tmp_path / "checkpoint.pt").write_bytes(b"no checkpoint")
    with pytest.raises(BenchmarkError, match="not a readable training checkpoint"):
        train(task(steps=4), tmp_path)


def test_a_run_starts_from_given_weights(tmp_path):
    state = {name: torch.full_like(value, 0.01) for name, value in task().build().state_dict().items()}
    begun = train(task(steps=0), tmp_path, start=lambda network: load_strictly(network, state, "start"))
    assert torch.equal(weights_of(begun), torch.full_like(weights_of(begun), 0.01))


def test_warm_up_plateau_and_decay():
    settings = Training("faces", steps=100, lr=1.0, warmup=10, decay=0.5)
    rates = [settings.learning_rate(step) for step in range(101)]
    assert rates[0] == 0.1
    assert rates[9] == rates[50] == 1.0
    assert abs(rates[75] - 0.5) < 1e-9
    assert rates[100] < 1e-9


def test_the_commands_train_resume_and_export(tmp_path, capsys):
    flags = {"num_channels": 32, "channel_mult": [1], "attention_resolutions": []}
    common = ["train", "prior", "--out", str(tmp_path), "--batch", "2", "--unet", json.dumps(flags), "--threads", "1"]
    assert main([*common, "--steps", "1"]) == 0
    assert main([*common, "--steps", "2"]) == 0
    assert "step 2 of 2" in capsys.readouterr().out
    assert main([*common, "--export", str(tmp_path / "w.safetensors")]) == 0
    card, state, _ = shipped("w", tmp_path / "w.safetensors")
    assert card["training"]["step"] == 2
    assert card["training"]["images_seen"] == 4
    assert card["unet"]["num_channels"] == 32
    assert set(state) == set(load_state(tmp_path / "w.safetensors"))
    assert main([*common, "--steps", "3", "--start", str(tmp_path / "absent.safetensors")]) != 0
    assert "absent.safetensors: no such weights file" in capsys.readouterr().err


@pytest.mark.parametrize("world", ["faces"])
def test_the_shipped_classifier_reads_fresh_renders(world):
    module = {"faces": faces}[world]
    attributes = module.sample_attributes(300, torch.Generator().manual_seed(77))
    reading = load_classifier(world)(module.render(attributes)).probabilities
    for name, probabilities in reading.items():
        assert (probabilities.argmax(1) == attributes.values[name]).float().mean() >= 0.97, name


def test_the_bars_table_passes_and_misses_where_it_should():
    attributes = {"mouth": {"smile": 0.6, "frown": 0.4}}
    sure = torch.eye(2)[torch.tensor([0] * 60 + [1] * 40)]
    table = {"samples": 100, "sampler": "none", **compare({"mouth": sure}, attributes)}
    assert table["passed"]
    assert "bar met" in as_text(table)
    shifted = torch.eye(2)[torch.tensor([0] * 66 + [1] * 34)]
    table = {"samples": 100, "sampler": "none", **compare({"mouth": shifted}, attributes)}
    assert not table["passed"]
    assert table["attributes"]["mouth"]["values"]["smile"]["points"] == 6.0
    unsure = sure * 0.6 + 0.2
    table = {"samples": 100, "sampler": "none", **compare({"mouth": unsure}, attributes)}
    assert not table["passed"]
    assert table["attributes"]["mouth"]["confident"] == 0.0
    assert "NOT met" in as_text(table)
