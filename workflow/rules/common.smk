import os
import sys
from pathlib import Path

from snakemake.exceptions import WorkflowError
from snakemake.settings.types import DeploymentMethod

ROOT = Path(str(workflow.current_basedir)).parents[1]
if str(ROOT) not in sys.path:
    sys.path.append(str(ROOT))

from benchmark.errors import BenchmarkError

try:
    from benchmark.config import check, refuse_twice, rehearsal_notes
    from benchmark.weights.public import REGISTRY
    from benchmark.plan import Plan
    from benchmark.publish.contents import (
        FIGURE_FORMATS,
        TABLE_FORMATS,
        captions,
        figure_names,
        table_names,
    )
    from benchmark.store import canonical, fingerprint

    for path in workflow.configfiles:
        refuse_twice(path)
    PLAN = Plan(check(config, " + ".join(map(str, workflow.configfiles)) or "--config"))
except BenchmarkError as error:
    print(f"error: {error}", file=sys.stderr)
    sys.exit(2)

for note in [*rehearsal_notes(config), *PLAN.notes]:
    print(note, file=sys.stderr)

RUN = PLAN.root
RUNNING = Path(".snakemake/run.pid")
WEIGHTS = f"{RUN}/weights/{{entry}}.txt"
CASES = f"{RUN}/cases/{{dataset}}/{{mask}}.parquet"
SAMPLES = f"{RUN}/samples/{{dataset}}/{{task}}/{{sampler}}/{{point}}.parquet"
CANDIDATES = f"{RUN}/candidates/{{dataset}}/{{task}}/{{sampler}}/{{shard}}.parquet"
SELECTED = f"{RUN}/selected/{{dataset}}/{{task}}/{{sampler}}/{{strategy}}.parquet"
METRICS = f"{RUN}/metrics/{{kind}}/{{dataset}}/{{task}}/{{sampler}}/{{part}}.parquet"
GALLERY = f"{RUN}/gallery/{{dataset}}/{{sheet}}.png"
GPU = int(PLAN.config["device"] != "cpu")
CPU_ENV = "../../envs/cpu.yaml"
SAMPLE_ENV = "../../envs/gpu.yaml" if GPU else CPU_ENV


wildcard_constraints:
    dataset="[A-Za-z][A-Za-z0-9_-]*",
    task="[A-Za-z][A-Za-z0-9_-]*",
    sampler="[A-Za-z][A-Za-z0-9_-]*",
    mask="[A-Za-z][A-Za-z0-9_-]*",
    shard=r"from\d+",
    point="[^/]+",
    strategy="[^/]+",
    sheet="[^/]+",
    entry="[^/]+",
    kind="samples|selected",
    part=r"part\d+",


def job_of(template, wildcards):
    try:
        return PLAN.job(template.format(**wildcards))
    except BenchmarkError as error:
        raise WorkflowError(str(error))


def settings(template):
    return lambda wildcards: job_of(template, wildcards).json


def needs(template):
    return lambda wildcards: job_of(template, wildcards).inputs


def plan_file(name, text):
    """A file that holds a part of the plan. Its name changes with its content, so that results copied from elsewhere,
    without Snakemake's records, are held against this configuration."""
    path = Path(RUN, "plan", name)
    path = str(path.with_stem(f"{path.stem}_{fingerprint(text)}"))
    PLAN_FILES[path] = text
    return path


def caption(name):
    """The file of what the report says of a table or figure, which its own module declares; Snakemake reads files."""
    path = Path(".snakemake", "captions", f"{name}.rst").absolute()
    path.parent.mkdir(parents=True, exist_ok=True)
    if not path.is_file() or path.read_text() != CAPTIONS[name]:
        path.write_text(CAPTIONS[name])
    return str(path)


def calm(scheduler):
    """Take Snakemake's default limit of 100 jobs a second off: under it each wake-up of the scheduler starts a timer
    that wakes it again, and so does each job that ends: after n jobs it wakes n times a second, a tenth of two cores
    at n = 300. No value of a profile helps: a longer timespan would hold up the exit by as much.
    """
    limiter = getattr(scheduler, "job_rate_limiter", None)
    if limiter and (limiter.max_jobs, limiter.timespan) == (100, 1):
        scheduler.job_rate_limiter = None


# logged LOG COMMAND ...: run it, write to LOG all that it prints, and show that where it fails.
LOGGED = 'logged() { local log="$1"; shift; "$@" > "$log" 2>&1 || { cat "$log" >&2; exit 1; }; }'


def shell_prefix():
    """What every job's shell needs: the package, ``logged`` and, without conda, the Python that runs Snakemake. Where
    and in what batches sampling runs does not change its result, so it is no parameter of the rule: another device
    re-runs nothing.
    """
    exports = {
        "PYTHONPATH": f"{ROOT}${{PYTHONPATH:+:$PYTHONPATH}}",
        "SAMPLE_DEVICE": PLAN.config["device"],
        "SAMPLE_BATCH_SIZE": PLAN.config["batch_size"],
        "WEIGHTS_DIR": PLAN.config["weights_dir"],
        "WEIGHTS_REGISTRY": PLAN.config["weights_registry"] or REGISTRY,
    }
    if DeploymentMethod.CONDA not in workflow.deployment_settings.deployment_method:
        exports["PATH"] = f"{Path(sys.executable).parent}:$PATH"
    lines = "; ".join(f'export {name}="{value}"' for name, value in exports.items())
    return f"set -euo pipefail; {lines}; {LOGGED}; ".replace("{", "{{").replace(
        "}", "}}"
    )


PLAN_FILES = {}
MANIFEST = plan_file("metrics.txt", PLAN.manifest())
PUBLISH_SETTINGS = plan_file("publish.json", canonical(PLAN.publish_settings().json))
CONFIGURATION = plan_file("config.json", canonical(PLAN.config))
CAPTIONS = captions(PLAN.publish_settings(), "tables", "figures")
shell.prefix(shell_prefix())
