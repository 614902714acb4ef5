"""The workflow: what is planned, what runs again, and what is refused."""

import os
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pyarrow.parquet as pq
import pytest
import yaml
from test_plan import ten_thousand_points

ROOT = Path(__file__).resolve().parent.parent
USUAL_SECONDS = 0.6  # of `slowness` on a machine that plans ten thousand points in under 20 seconds
TINY = yaml.safe_load("""
run: tiny
device: cpu
toy: false
masks: {left: {recipe: left}}
samplers: {ddnm: {algorithm: ddnm, steps: 4}}
datasets:
  digits:
    source: {name: digits}
    prior: {name: digits_mixture}
    cases: 3
    metrics: [diversity, cost]
    tasks: {left: {mask: left}}
    sweeps:
      eta: {samplers: [ddnm], values: [0, 0.1], D: 0.3, D_unit: rms}
    candidates: {samplers: [ddnm], count: 12, shard_size: 6}
    selection: {strategies: [farthest], guided: {eta: 0.1, D: 0.3, D_unit: rms}}
""")


# Run by a small process in between, whose only child is the command: the peak memory of a test's own children is that
# of the largest so far, and a child starts with the peak of the process that it is copied from.
MEASURE = """
import pathlib, resource, subprocess, sys
status = subprocess.call(sys.argv[2:])
used = resource.getrusage(resource.RUSAGE_CHILDREN)
pathlib.Path(sys.argv[1]).write_text(f"{used.ru_utime + used.ru_stime} {used.ru_maxrss}")
sys.exit(status)
"""


def measured(command, folder, record):
    """A command run in a folder: its result, its seconds of processor time and its peak memory in bytes."""
    command = [sys.executable, "-c", MEASURE, str(record), *command]
    result = subprocess.run(command, capture_output=True, text=True, cwd=folder)
    seconds, peak = record.read_text().split()
    return result, float(seconds), int(peak) * (1024 if sys.platform == "linux" else 1)


def command_of(folder, *arguments, cores=2):
    """The command line of the project's workflow in a folder of its own."""
    command = [sys.executable, "-m", "snakemake", "--snakefile", str(ROOT / "Snakefile"), "--directory", str(folder)]
    return [*command, "--configfile", str(folder / "config.yaml"), "--cores", str(cores), *arguments]


def snakemake(folder, *arguments, config=None, cores=2):
    """Run the project's workflow in a folder of its own; ``-n`` among the arguments makes it a dry run."""
    if config is not None:
        (folder / "config.yaml").write_text(yaml.safe_dump(config))
    return subprocess.run(command_of(folder, *arguments, cores=cores), capture_output=True, text=True, cwd=folder)


def jobs(result):
    """Rule -> number of jobs, from the statistics that a dry run prints."""
    assert result.returncode == 0, result.stdout + result.stderr
    table = re.search(r"^job +count\n[- ]+\n(.*?)^total", result.stdout, re.MULTILINE | re.DOTALL)
    return {} if table is None else {name: int(count) for name, count in re.findall(r"(\w+) +(\d+)", table[1])}


# ------------------------------------------------------------------------------------------------------------- dry runs
def test_the_demo_plans_in_under_three_seconds(tmp_path):
    command = [sys.executable, "-m", "snakemake", "--dry-run", "--forceall"]
    runs = [measured(command, ROOT, tmp_path / "used") for _ in range(2)]
    assert jobs(runs[0][0])["sample"] > 50
    assert min(seconds for _, seconds, _ in runs) < 3 * slowness()


def test_the_default_target_is_everything_up_to_the_report():
    result = subprocess.run(
        [sys.executable, "-m", "snakemake", "--dry-run", "--forceall"], capture_output=True, text=True, cwd=ROOT
    )
    assert {"cases", "sample", "candidates", "select", "measure", "collect", "tables", "report"} <= set(jobs(result))


def test_the_slurm_profile_gives_sampling_a_gpu_memory_time_and_a_partition():
    command = [sys.executable, "-m", "snakemake", "--workflow-profile", "workflow/profiles/slurm"]
    command += ["--dry-run", "--forceall", "--quiet", "host", "--config", "device=auto"]
    result = subprocess.run(command, capture_output=True, text=True, cwd=ROOT)
    assert result.returncode == 0, result.stderr
    for rule, partition, gpu in [("sample", "gpu", True), ("candidates", "gpu", True), ("measure", "cpu", False)]:
        block = re.search(rf"^rule {rule}:\n(?:    .*\n)+", result.stdout, re.MULTILINE)[0]
        resources = re.search(r"resources: (.*)", block)[1]
        assert f"slurm_partition={partition}" in resources
        assert re.search(r"mem_mb=\d+", resources)
        assert re.search(r"runtime=\d+", resources)
        assert ("gpu=1" in resources) is gpu


def test_a_run_on_the_cpu_asks_for_no_gpu(tmp_path):
    result = snakemake(tmp_path, "-n", "--quiet", "host", config=TINY)
    assert "gpu=0" in result.stdout
    assert "gpu=1" not in result.stdout


def test_another_configuration_stands_for_itself(tmp_path):
    result = snakemake(tmp_path, "-n", "--quiet", "host", config=TINY)
    assert "faces" not in result.stdout


@pytest.mark.slow
def slowness():
    """How much slower than usual this machine computes now, at least 1, by a second of Python's strings and tables."""
    began, table = time.process_time(), {}
    for number in range(2_000_000):
        table[f"{number % 5000}/{number}"[:6]] = (number, str(number))
    return max(1.0, (time.process_time() - began) / USUAL_SECONDS)


@pytest.mark.slow
def test_ten_thousand_points_plan_in_twenty_seconds_and_a_gigabyte(tmp_path):
    (tmp_path / "config.yaml").write_text(ten_thousand_points())
    result, seconds, peak = measured(command_of(tmp_path, "-n"), tmp_path, tmp_path / "used")
    assert jobs(result)["sample"] == 10_000
    assert seconds < 20 * slowness()
    assert peak < 1e9


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"sede": 1}, "sede: unknown key; did you mean 'seeds'?"),
        ({"n": 1}, "n: a set of 1 has no neighbours"),
        ({"run": "a b"}, "run: 'a b' is not a name"),
    ],
)
def test_a_faulty_configuration_is_one_line_before_anything_runs(tmp_path, change, words):
    result = snakemake(tmp_path, config=TINY | change)
    errors = [line for line in result.stderr.splitlines() if not line.startswith("Using workflow specific profile")]
    assert result.returncode != 0
    assert len(errors) == 1
    assert errors[0].startswith("error: ")
    assert words in errors[0]
    assert not (tmp_path / "results").exists()


# ----------------------------------------------------------------------------------------------------------- real runs
@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """A folder in which the tiny experiment has run to its end."""
    folder = tmp_path_factory.mktemp("finished")
    result = snakemake(folder, config=TINY)
    assert result.returncode == 0, result.stdout + result.stderr
    return folder


@pytest.fixture
def copy_of(finished, tmp_path):
    """A copy of the finished folder, with Snakemake's records, that a test may change."""
    shutil.copytree(finished, tmp_path / "copy", copy_function=shutil.copy2)
    return tmp_path / "copy"


def metrics(folder):
    """The metrics of a run without what is measured by the clock."""
    table = pq.read_table(folder / "results" / "tiny" / "metrics.parquet").to_pylist()
    timed = ("seconds", "memory")
    return [
        {key: repr(value) for key, value in row.items()} for row in table if not any(t in row["metric"] for t in timed)
    ]


@pytest.mark.slow
def test_a_run_makes_every_file_and_a_second_one_does_nothing_and_says_so(finished):
    run = finished / "results" / "tiny"
    for name in ("metrics.parquet", "tables/eta_sweep.csv", "tables/eta_sweep.html", "gallery/digits/left_ddnm.png"):
        assert (run / name).stat().st_size > 0
    report = (run / "report.html").read_text()
    assert len(report) > 1_000_000
    assert not re.search(r"<(script|link|img)[^>]+(src|href)=[\"']?https?:", report)
    assert (run / "logs" / "samples" / "digits" / "left" / "ddnm" / "plain.log").is_file()
    assert (run / "benchmarks" / "samples" / "digits" / "left" / "ddnm" / "plain.tsv").is_file()
    assert "Nothing to be done" in snakemake(finished).stderr + snakemake(finished).stdout


TIMERS = """
import sys, threading
started, start = [], threading.Timer.start
threading.Timer.start = lambda timer: (started.append(timer.function.__qualname__), start(timer))
from snakemake.cli import main
try:
    main(sys.argv[1:])
finally:
    print("timers of the scheduler:", sum("Scheduler" in name for name in started))
"""


def test_the_scheduler_sleeps_while_jobs_run(tmp_path):
    (tmp_path / "config.yaml").write_text(yaml.safe_dump(TINY))
    target, *arguments = command_of(tmp_path, "results/tiny/cases/digits/left.parquet")[3:]
    command = [sys.executable, "-c", TIMERS, target, *arguments]
    result = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path)
    assert result.returncode == 0, result.stdout + result.stderr
    assert "timers of the scheduler: 0" in result.stdout


@pytest.mark.slow
def test_one_more_eta_runs_one_point_and_the_aggregates(finished):
    sweep = {"sweeps": {"eta": TINY["datasets"]["digits"]["sweeps"]["eta"] | {"values": [0, 0.1, 0.2]}}}
    config = TINY | {"datasets": {"digits": TINY["datasets"]["digits"] | sweep}}
    try:
        planned = jobs(snakemake(finished, "-n", config=config))
    finally:
        (finished / "config.yaml").write_text(yaml.safe_dump(TINY))
    assert planned["sample"] == 1
    assert not {"cases", "candidates", "select"} & set(planned)


@pytest.mark.slow
def test_another_device_runs_no_sampling_again(finished):
    assert not {"sample", "candidates", "measure"} & set(
        jobs(snakemake(finished, "-n", config=TINY | {"device": "auto"}))
    )
    (finished / "config.yaml").write_text(yaml.safe_dump(TINY))


@pytest.mark.slow
def test_the_same_seed_gives_the_same_metrics_and_another_seed_gives_others(finished, tmp_path):
    for name, seeds in [("again", [0]), ("other", [1])]:
        (tmp_path / name).mkdir()
        result = snakemake(tmp_path / name, "results/tiny/metrics.parquet", config=TINY | {"seeds": seeds})
        assert result.returncode == 0, result.stderr
    assert metrics(tmp_path / "again") == metrics(finished)
    assert metrics(tmp_path / "other") != metrics(finished)


@pytest.mark.slow
def test_copied_results_of_other_settings_are_refused_and_the_message_says_what_to_delete(copy_of):
    shutil.rmtree(copy_of / ".snakemake")
    config = TINY | {"samplers": {"ddnm": {"algorithm": "ddnm", "steps": 5}}}
    result = snakemake(copy_of, config=config)
    assert result.returncode != 0
    line = next(line for line in result.stderr.splitlines() if line.startswith("error: "))
    found = re.match(r"error: (results/tiny/\S+\.parquet): made with other settings .* delete it and run again", line)
    assert found
    assert (copy_of / found[1]).is_file()


@pytest.mark.slow
def test_a_failed_job_shows_its_error_and_leaves_no_output(copy_of):
    cases = copy_of / "results" / "tiny" / "cases" / "digits" / "left.parquet"
    cases.write_bytes(cases.read_bytes()[:-100])
    result = snakemake(copy_of, config=TINY | {"n": 4})
    assert result.returncode != 0
    assert "error: results/tiny/cases/digits/left.parquet: not a readable Parquet file" in result.stderr
    assert not (copy_of / "results" / "tiny" / "samples" / "digits" / "left" / "ddnm" / "plain.parquet").exists()


@pytest.mark.slow
def test_a_killed_run_goes_on_where_it_stopped_with_the_same_numbers(finished, tmp_path):
    (tmp_path / "config.yaml").write_text(yaml.safe_dump(TINY))
    command = [sys.executable, "-m", "snakemake", "--snakefile", str(ROOT / "Snakefile"), "--directory", str(tmp_path)]
    run = subprocess.Popen(
        [*command, "--configfile", str(tmp_path / "config.yaml"), "--cores", "1"],
        cwd=tmp_path,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    samples = tmp_path / "results" / "tiny" / "samples" / "digits" / "left" / "ddnm"
    deadline = time.monotonic() + 240
    while not list(samples.glob("*.parquet")) and run.poll() is None and time.monotonic() < deadline:
        time.sleep(0.2)
    time.sleep(0.5)
    os.kill(run.pid, signal.SIGKILL)
    run.wait()
    assert (tmp_path / ".snakemake" / "run.pid").read_text() == str(run.pid)
    done = {path: path.stat().st_mtime_ns for path in tmp_path.glob("results/tiny/cases/digits/*.parquet")}
    assert done
    assert snakemake(tmp_path, "--unlock").returncode == 0
    result = snakemake(tmp_path)
    assert result.returncode == 0, result.stderr
    assert {path: path.stat().st_mtime_ns for path in done} == done
    assert metrics(tmp_path) == metrics(finished)


@pytest.mark.skipif(not Path("/proc").is_dir() or shutil.which("make") is None, reason="needs Linux and make")
def test_a_killed_run_that_its_parent_has_not_yet_buried_counts_as_ended(tmp_path):
    """A process that was killed stays in the table until its parent asks for its status: `make demo` goes on."""
    shutil.copy(ROOT / "Makefile", tmp_path / "Makefile")
    shutil.copy(shutil.which("sleep"), tmp_path / "snakemake")
    for name in ("requirements.lock", ".venv/.installed", ".snakemake/run.pid"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    run = subprocess.Popen([tmp_path / "snakemake", "60"])
    (tmp_path / ".snakemake" / "run.pid").write_text(str(run.pid))

    def unlocked():
        return subprocess.run(["make", "unlocked"], cwd=tmp_path, capture_output=True, text=True)

    try:
        running = unlocked()
        assert running.returncode != 0
        assert f"error: a run is in progress (process {run.pid})" in running.stderr
        os.kill(run.pid, signal.SIGKILL)
        while Path(f"/proc/{run.pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z":
            time.sleep(0.05)
        ended = unlocked()
        assert ended.returncode == 0, ended.stderr
    finally:
        run.kill()
        run.wait()
