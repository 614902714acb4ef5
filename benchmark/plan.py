"""The plan: a checked configuration, expanded once into every job of the run.

A job is a kind, the file that it writes, the files that it reads and its settings; settings name their inputs by
fingerprint, so that a change anywhere upstream changes everything that depends on it and nothing else.
"""

from __future__ import annotations

import gc
import math
from collections.abc import Iterator

from benchmark.config import guided_points, public_models
from benchmark.errors import BenchmarkError
from benchmark.exact_jobs import EXACT, exact_jobs, group_of
from benchmark.jobs import PLAIN, Job, Point, algorithm_at, named, point
from benchmark.jobs.cases import NO_MASK, CasesSettings
from benchmark.jobs.gallery import GallerySettings, Shown
from benchmark.jobs.measure import MeasureSettings
from benchmark.jobs.publish import BLOCKS, Block, Compared, ExactReportSettings, PublishSettings, Row
from benchmark.jobs.sample import SampleSettings
from benchmark.jobs.select import SelectSettings
from benchmark.jobs.weights import WeightsSettings
from benchmark.metrics.registry import LEAST_BANK, expand, find, skipped
from benchmark.priors.load import PRIORS
from benchmark.publish.contents import FIGURE_FORMATS, TABLE_FORMATS, figure_names, table_names
from benchmark.weights import public, shipped

ATTRIBUTE_SHARE = "attribute_share/{attribute}/{value}"
# A plan makes millions of objects that live to the end of its process, and so does Snakemake's graph of them; Python's
# own thresholds would look at them again and again.
GARBAGE_COLLECTION = 200_000, 20, 100


class Plan:
    """Every job of a checked configuration, in the order in which they can run."""

    def __init__(self, config: dict):
        gc.set_threshold(*GARBAGE_COLLECTION)
        _check_margins(config["publish"]["margin"])
        self.config = config
        self.root = f"results/{config['run']}"
        self.jobs: dict[str, Job] = {}
        self.notes: dict[str, None] = {}  # lines that a person should see before the run
        self.blocks: dict[str, list[Block]] = {table: [] for table in BLOCKS}
        self.knees: dict[str, None] = {}  # datasets that the table of the knee is about
        self.shares: dict[str, str] = {}  # those that the table of attribute shares is about: the world read in them
        for dataset in config["datasets"]:
            for task in config["datasets"][dataset]["tasks"]:
                _TaskPlan(self, dataset, task).expand()
        for job in exact_jobs(config, self.root):
            self.add(job)

    def add(self, job: Job) -> Job:
        """Add a job, or give back the one that writes the same file."""
        return self.jobs.setdefault(job.path, job)

    def job(self, path: str) -> Job:
        """The job that writes a file.

        Raises:
            BenchmarkError: the configuration does not ask for this file.
        """
        if path not in self.jobs:
            raise BenchmarkError(f"{path}: the configuration asks for no such file")
        return self.jobs[path]

    def of_kind(self, *kinds: str) -> Iterator[Job]:
        """The jobs of some kinds."""
        return (job for job in self.jobs.values() if job.kind in kinds)

    def paths(self, *kinds: str) -> list[str]:
        """The files that the jobs of some kinds write."""
        return [job.path for job in self.of_kind(*kinds)]

    def manifest(self, kind: str = "measure") -> str:
        """What metrics.parquet gathers, or truth.parquet: one line ``FINGERPRINT PATH`` for each file of that kind."""
        return "\n".join(f"{job.fingerprint} {job.path}" for job in self.of_kind(kind))

    def publish_settings(self) -> PublishSettings:
        """What the tables and figures need to know: which points stand in which table."""
        publish, knee = self.config["publish"], list(self.knees)
        return PublishSettings(run=self.config["run"], **publish, tables=self.blocks, knee=knee, shares=self.shares)

    def exact_report_settings(self) -> ExactReportSettings:
        """What table and figures of the truth need to know beside truth.parquet."""
        truth = self.config["truth"]
        return ExactReportSettings(
            run=self.config["run"],
            problems=list(truth["problems"]),
            samplers=[EXACT, *truth["samplers"]],
            compare=[Compared(**pair) for pair in truth["compare"]],
            n=self.config["n"],
            confidence=self.config["publish"]["confidence"],
            groups={name: group_of(problem) for name, problem in truth["problems"].items()},
            tuned=[name for name in truth["samplers"] if "by_steps" in self.config["samplers"][name]],
            held_out=truth["tune"]["held_out"] if truth["tune"] else [],
        )

    def tables(self) -> list[str]:
        """The files of the tables."""
        names, formats = table_names(self.publish_settings()), TABLE_FORMATS
        return [f"{self.root}/tables/{name}.{suffix}" for name in names for suffix in formats]

    def figures(self) -> list[str]:
        """The files of the figures."""
        names, formats = figure_names(self.publish_settings()), FIGURE_FORMATS
        return [f"{self.root}/figures/{name}.{suffix}" for name in names for suffix in formats]


def _check_margins(margins: dict) -> None:
    """Refuse a margin that no number of cases could ever be held against.

    Raises:
        BenchmarkError: an unknown metric, one without a direction, one whose values have no bound on the side that
            counts: an unseen case could lose anything.
    """
    for name in margins:
        try:
            _, metric = find(name)
        except BenchmarkError as error:
            raise BenchmarkError(f"publish.margin.{name}: {error}") from None
        if metric.direction not in ("higher", "lower"):
            raise BenchmarkError(f"publish.margin.{name}: neither more nor less of it is better; leave it out")
        if not all(map(math.isfinite, metric.range)):
            raise BenchmarkError(
                f"publish.margin.{name}: its values have no bound, so that no number of cases shows that it is not "
                "worse by a margin; leave it out, or give a measure with a range, such as plausibility"
            )


class _TaskPlan:
    """The jobs of one dataset and task."""

    def __init__(self, plan: Plan, dataset: str, task: str):
        self.plan, self.dataset, self.task = plan, dataset, task
        self.config, self.spec = plan.config, plan.config["datasets"][dataset]
        task_spec = self.spec["tasks"][task]
        self.problem = {"name": "inpainting", "sigma": 0.0, **task_spec.get("problem", {})}
        self.mask = task_spec.get("mask")
        self.cases = self._cases(self.mask)
        self.cases_fingerprint = self.cases.fingerprint
        self.prior_weights = self._prior_weights()
        self.sampled: dict[str, list[Job]] = {}  # sampler -> its set files
        self.shown: dict[str, dict[str, Job]] = {}  # sampler -> label -> the set files that its gallery shows
        try:
            metrics = [find(name)[1] for name in expand(self.spec["metrics"])]
            self.needs_bank = any("bank" in metric.needs for metric in metrics)
        except BenchmarkError as error:
            raise BenchmarkError(f"datasets.{dataset}.{error}") from None
        self._check_bank({metric.name for metric in metrics if {"bank", "features"} <= set(metric.needs)})
        wanted = {metric.name for metric in metrics}
        self.plausible, self.shares = self._reads("plausibility", wanted), self._reads(ATTRIBUTE_SHARE, wanted)
        self.metric_weights = self._metric_weights({name for metric in metrics for name in metric.weights})
        for line in skipped(self.spec["metrics"], self.spec["classifier"], fetched=bool(self.metric_weights)):
            plan.notes[f"datasets.{dataset}.metrics: {line}"] = None

    def expand(self) -> None:
        """Add the task's jobs and its blocks of the tables."""
        for table in ("eta_sweep", "D_sweep"):
            self._sweep(table)
        candidates = self.spec.get("candidates")
        if candidates and self._applies(candidates):
            for sampler in candidates["samplers"]:
                self._selection(sampler, candidates)
        self._comparison()
        for sampler, sets in self.sampled.items():
            self._measure("samples", sampler, sets)
        for sampler, rows in self.shown.items():
            self._gallery(sampler, rows)

    # ------------------------------------------------------------------------------------------------- tables' blocks
    def _sweep(self, table: str) -> None:
        axis = table.removesuffix("_sweep")
        sweep = self.spec["sweeps"].get(axis)
        if not sweep or not self._applies(sweep):
            return
        fixed = {key: sweep[key] for key in ("eta", "D", "D_unit") if key in sweep and key != axis}
        if axis == "D":
            fixed.pop("D_unit", None)
        for sampler in sweep["samplers"]:
            rows = []
            for value in sweep["values"]:
                at = {"D_unit": "rms", **{key: sweep[key] for key in ("eta", "D", "D_unit") if key in sweep}}
                at[axis] = value
                here = point(at["eta"], at["D"], at["D_unit"], sweep.get("guidance"), f"{value:g}")
                rows.append(self._sample_row(sampler, here))
            self._block(table, sampler, fixed, rows)
            if table == "eta_sweep":
                self._show(sampler, rows, [self._job_of(row) for row in rows])
                if self.plausible and len({row.method for row in rows}) > 1:
                    self.plan.knees[self.dataset] = None
                if self.shares:
                    self.plan.shares[self.dataset] = self.spec["classifier"]["name"]

    def _selection(self, sampler: str, candidates: dict) -> None:
        shards = list(self._shards(sampler, candidates))
        selection = self.spec.get("selection")
        if not selection:
            return
        points = [Point(None), *map(_guided, guided_points(selection))]
        rows = [self._sample_row(sampler, here) for here in points]
        sources = [self._job_of(row) for row in rows]
        selected: list[Job] = []
        for strategy in map(named, selection["strategies"]):
            features = selection.get("features", self.spec["features"])
            job = self._select(sampler, strategy, shards, features, self._count(sampler, candidates))
            selected.append(job)
            rows.append(self._row(sampler, {**PLAIN, "method": strategy["name"]}, strategy["name"], "selected"))
        self._block("selection", sampler, {}, rows)
        self._measure("selected", sampler, selected)
        self._show(sampler, rows, sources + selected)

    def _comparison(self) -> None:
        comparison = self.spec.get("comparison")
        if not comparison or not self._applies(comparison):
            return
        rows = []
        for sampler in comparison["samplers"]:
            for here in [Point(None), *map(_guided, guided_points(comparison))]:
                rows.append(self._sample_row(sampler, here))
        rows += [self._sample_row(sampler, Point(None)) for sampler in comparison.get("unguided", [])]
        self._block("samplers", None, {}, rows)

    def _block(self, table: str, sampler: str | None, fixed: dict, rows: list[Row]) -> None:
        n = self.config["n"]
        block = Block(dataset=self.dataset, task=self.task, sampler=sampler, n=n, fixed=fixed, rows=rows)
        self.plan.blocks[table].append(block)

    def _row(self, sampler: str, keys: dict, name: str, kind: str, label: str | None = None) -> Row:
        return Row(label=label or name, sampler=sampler, **keys, point=name, kind=kind)

    def _sample_row(self, sampler: str, here: Point) -> Row:
        self._sample(sampler, here)
        return self._row(sampler, here.keys, here.name, "samples", here.label)

    def _job_of(self, row: Row) -> Job:
        return self.plan.jobs[self._set_path(row.kind, row.sampler, row.point)]

    def _show(self, sampler: str, rows: list[Row], jobs: list[Job]) -> None:
        """Put set files into the sampler's gallery, each once, labelled by its point or strategy."""
        shown = self.shown.setdefault(sampler, {})
        for row, job in zip(rows, jobs, strict=True):
            shown.setdefault(row.point, job)

    def _applies(self, section: dict) -> bool:
        return self.task in section.get("tasks", [self.task])

    # -------------------------------------------------------------------------------------------------------- the jobs
    def _cases(self, mask: str | None) -> Job:
        settings = CasesSettings(
            dataset=self.dataset,
            source=self.spec["source"],
            mask=self.config["masks"][mask] if mask is not None else None,
            mask_name=mask or NO_MASK,
            count=self.spec["cases"],
            seed=self.spec["case_seed"],
        )
        return self.plan.add(Job("cases", f"{self.plan.root}/cases/{self.dataset}/{mask or NO_MASK}.parquet", settings))

    def _weights(self, name: str) -> Job:
        """The job that fetches an entry of the registry of weights and writes down what it is."""
        return self.plan.add(Job("weights", f"{self.plan.root}/weights/{name}.txt", WeightsSettings(name=name)))

    def _prior_weights(self) -> list[str]:
        prior = self.spec["prior"]
        if prior["name"] in PRIORS or "random_weights" in prior:
            return []
        return [self._weights(public_models(self.config)[prior["name"]].name).path]

    def _metric_weights(self, names: set[str]) -> list[str]:
        """What metrics need in an experiment with a public model; elsewhere a metric without its weights is skipped."""
        known = public.load(self.config["weights_registry"] or public.REGISTRY) if self.prior_weights else ()
        return [self._weights(name).path for name in sorted(names) if name in known]

    def _reads(self, metric: str, wanted: set[str]) -> bool:
        """Whether the task has a measure against a drawn world: a hole, and a classifier of one (not the digits')."""
        classifier = (self.spec["classifier"] or {}).get("name", "digits")
        return metric in wanted and classifier != "digits" and self.mask is not None

    def _classifiers(self, features: dict, classifier: dict | None = None) -> tuple[str, ...]:
        """The shipped weights of the classifiers that read pictures for features, and of the dataset's own."""
        names = [classifier["name"]] if classifier else []
        names += [features.get("classifier", self.dataset)] if features["name"] == "classifier" else []
        return tuple(weights for name in names for weights in shipped.of_classifier(name))

    def _sampling_inputs(self) -> dict:
        return {"cases": self.cases.path, **({"weights": self.prior_weights} if self.prior_weights else {})}

    def _set_path(self, kind: str, sampler: str, name: str) -> str:
        return f"{self.plan.root}/{kind}/{self.dataset}/{self.task}/{sampler}/{name}.parquet"

    def _sampling(self, sampler: str, here: Point, n: int, first_index: int) -> SampleSettings:
        spec = self.config["samplers"][sampler]
        algorithm = algorithm_at(spec, spec.get("steps"))
        algorithm |= {"steps": spec["steps"]} if "steps" in spec else {}
        return SampleSettings(
            dataset=self.dataset,
            task=self.task,
            sampler=sampler,
            prior=self.spec["prior"],
            shipped=_hashes(shipped.of_prior(self.spec["prior"]["name"])),
            problem=self.problem,
            algorithm=algorithm,
            guidance=here.guidance,
            n=n,
            first_index=first_index,
            seeds=self.config["seeds"],
            cases=self.cases_fingerprint,
        )

    def _sample(self, sampler: str, here: Point) -> Job:
        path = self._set_path("samples", sampler, here.name)
        if path in self.plan.jobs:
            return self.plan.jobs[path]
        settings = self._sampling(sampler, here, self.config["n"], 0)
        job = self.plan.add(Job("sample", path, settings, self._sampling_inputs()))
        self.sampled.setdefault(sampler, []).append(job)
        return job

    def _count(self, sampler: str, candidates: dict) -> int:
        """Candidates of a case, all shards together."""
        count = candidates["count"]
        return count[sampler] if isinstance(count, dict) else count

    def _shards(self, sampler: str, candidates: dict) -> Iterator[Job]:
        count = self._count(sampler, candidates)
        size = candidates.get("shard_size", count)
        for first in range(0, count, size):
            settings = self._sampling(sampler, Point(None), min(size, count - first), first)
            path = self._set_path("candidates", sampler, f"from{first:05d}")
            yield self.plan.add(Job("candidates", path, settings, self._sampling_inputs()))

    def _select(self, sampler: str, strategy: dict, shards: list[Job], features: dict, candidates: int) -> Job:
        settings = SelectSettings(
            dataset=self.dataset,
            task=self.task,
            sampler=sampler,
            strategy=strategy,
            features=features,
            shipped=_hashes(self._classifiers(features)),
            n=self.config["n"],
            candidates=candidates,
            seed=self.config["seeds"][0],
            cases=self.cases_fingerprint,
            candidate_files=[shard.fingerprint for shard in shards],
        )
        inputs = {"cases": self.cases.path, "candidates": [shard.path for shard in shards]}
        return self.plan.add(Job("select", self._set_path("selected", sampler, strategy["name"]), settings, inputs))

    def _measure(self, kind: str, sampler: str, sets: list[Job]) -> None:
        """Jobs that measure a sampler's sets, several files at a time: a process takes seconds to start."""
        bank = self._bank(sampler)
        together = self.config["measure_together"]
        for first in range(0, len(sets), together):
            part = sets[first : first + together]
            settings = MeasureSettings(
                dataset=self.dataset,
                task=self.task,
                sampler=sampler,
                metrics=self.spec["metrics"],
                features=self.spec["features"],
                classifier=self.spec["classifier"],
                shipped=_hashes(self._classifiers(self.spec["features"], self.spec["classifier"])),
                problem=self.problem,
                n=self.config["n"],
                seed=self.config["seeds"][0],
                cases=self.cases_fingerprint,
                sets=[job.fingerprint for job in part],
                candidates=[shard.fingerprint for shard in bank],
            )
            inputs = {
                "cases": self.cases.path,
                "sets": [job.path for job in part],
                "candidates": [shard.path for shard in bank],
            }
            if self.metric_weights:
                inputs["weights"] = self.metric_weights
            path = self._set_path(f"metrics/{kind}", sampler, f"part{first // together:04d}")
            self.plan.add(Job("measure", path, settings, inputs))

    def _check_bank(self, asked: set[str]) -> None:
        """Refuse metrics of the bank where no sampler has candidates enough for them: nothing but nulls."""
        candidates, n = self.spec.get("candidates"), self.config["n"]
        if asked and candidates:
            counts = candidates["count"]
            most = max(counts.values()) if isinstance(counts, dict) else counts
            if most < n + LEAST_BANK:
                raise BenchmarkError(
                    f"datasets.{self.dataset}.candidates.count: {most} candidates are too few for {min(asked)}, which "
                    f"needs {LEAST_BANK} besides a set of n = {n}; give {n + LEAST_BANK}, or metrics without bank"
                )

    def _bank(self, sampler: str) -> list[Job]:
        """The candidates against which coverage is measured, where a metric asks for them."""
        candidates = self.spec.get("candidates")
        if not (self.needs_bank and candidates and self._applies(candidates) and sampler in candidates["samplers"]):
            return []
        return list(self._shards(sampler, candidates))

    def _gallery(self, sampler: str, shown: dict[str, Job]) -> None:
        settings = GallerySettings(
            dataset=self.dataset,
            task=self.task,
            sampler=sampler,
            n=self.config["n"],
            seed=self.config["seeds"][0],
            cases=self.cases_fingerprint,
            rows=[Shown(label=label, fingerprint=job.fingerprint) for label, job in shown.items()],
        )
        inputs = {"cases": self.cases.path, "sets": [job.path for job in shown.values()]}
        path = f"{self.plan.root}/gallery/{self.dataset}/{self.task}_{sampler}.png"
        self.plan.add(Job("gallery", path, settings, inputs))


def _hashes(names: tuple[str, ...]) -> dict[str, str]:
    """What a job's settings say of shipped weights, so that better ones make its results anew; {} without any."""
    return {name: shipped.sha256(name) for name in sorted(names)}


def _guided(spec: dict) -> Point:
    here = point(spec["eta"], spec["D"], spec.get("D_unit", "rms"), spec.get("guidance"))
    return Point(here.guidance, here.name)
