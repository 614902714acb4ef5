"""The check that a GPU is to pass, in its small form; on a GPU, where there is one, in full by `make gpu-check`."""

import json

import pytest
import torch

from benchmark import cli
from benchmark.sampling import SAMPLERS
from benchmark.sampling.gpu_check import _verdicts, agreement


def test_every_sampler_and_preset_is_held_against_the_cpu():
    rows = list(agreement(torch.device("cpu")))
    assert {(row["sampler"], row["preset"]) for row in rows} == {
        (s, p) for s in SAMPLERS for p in ("paper", "reference")
    }
    assert all(row["largest"] == 0 for row in rows)  # the CPU against itself


def test_the_verdict_is_restorations_per_second_against_one_at_a_time():
    times = {("float32", "eager", 1): 1.0, ("float32", "eager", 8): 4.0, ("bfloat16", "graph", 8): 2.0}
    (row,) = _verdicts(times, [1, 8])
    assert row["best"] == "bfloat16 graph 8"
    assert row["faster_than_one_at_a_time_in_float32"] == pytest.approx(4.0)


@pytest.mark.slow
def test_the_small_form_runs_without_a_gpu_and_writes_its_rows(tmp_path, capsys):
    path = tmp_path / "gpu.json"
    assert cli.main(["gpu-check", "--device", "cpu", "--batches", "1", "--output", str(path)]) == 0
    rows = json.loads(path.read_text())
    sections = ["machine", "agreement", "peak", "network", "noise", "overhead", "verdict"]
    assert list(dict.fromkeys(row["section"] for row in rows)) == sections
    assert {row["sampler"] for row in rows if row["section"] == "overhead"} == set(SAMPLERS)
    assert len(capsys.readouterr().out.splitlines()) == len(rows)


def test_a_gpu_that_is_not_there_and_batches_of_nothing_are_one_line(capsys):
    assert cli.main(["gpu-check", "--device", "cpu", "--batches", "0"]) == 2
    assert "--batches 0: give 1 or more" in capsys.readouterr().err
    if not torch.cuda.is_available():
        assert cli.main(["gpu-check", "--device", "cuda"]) == 2
        assert "no usable GPU" in capsys.readouterr().err
