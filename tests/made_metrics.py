"""Made-up metrics and set files for the tests of publishing, in the shape of a small run."""

import math

import numpy as np

from benchmark import store
from benchmark.jobs.publish import PublishSettings

PLAIN = {"method": "plain", "eta": 0.0, "D": 0.0, "D_unit": "rms"}
STRATEGIES = ("kmeans", "uniformization", "farthest", "random")
EFFECT = {"kmeans": 0.5, "uniformization": 0.45, "farthest": 0.9, "random": 0.0}
TASKS = {"digits": ("left", "right", "top", "bottom", "box"), "faces": ("mouth", "eyes", "left")}
SAMPLERS = {"digits": ("ddnm",), "faces": ("ddnm_short", "repaint_short")}


def typed(made_settings):
    """Settings as a stage takes them, from those that JSON has."""
    return PublishSettings.from_json(made_settings)


def row(sampler, label, kind="samples", **keys):
    """A row of a block."""
    return {"label": label, "sampler": sampler, **PLAIN, **keys, "point": label, "kind": kind}


def guided(sampler, eta, D, label=None):
    """The row of a guided point, or of the plain one where eta or D is 0."""
    if eta == 0 or D == 0:
        return row(sampler, label or "plain")
    return row(sampler, label or f"eta{eta:g}_D{D:g}rms", method="nearest_neighbour", eta=eta, D=D)


def block(dataset, task, sampler, rows, **fixed):
    """A block of a table."""
    return {"dataset": dataset, "task": task, "sampler": sampler, "n": 5, "fixed": fixed, "rows": rows}


def settings(datasets=("digits", "faces"), **more):
    """Publish settings of a run with every table."""
    tables = {"eta_sweep": [], "D_sweep": [], "selection": [], "samplers": []}
    for dataset in datasets:
        for task in TASKS[dataset]:
            for sampler in SAMPLERS[dataset]:
                etas = [guided(sampler, eta, 0.3, f"{eta:g}") for eta in (0, 0.07, 0.1, 0.3)]
                tables["eta_sweep"].append(block(dataset, task, sampler, etas, D=0.3, D_unit="rms"))
                reaches = [guided(sampler, 0.09, D, f"{D:g}") for D in (0, 0.15, 0.3, 0.45, math.inf)]
                tables["D_sweep"].append(block(dataset, task, sampler, reaches, eta=0.09))
            first = SAMPLERS[dataset][0]
            picks = [row(first, name, "selected", method=name) for name in STRATEGIES]
            rows = [row(first, "plain"), guided(first, 0.1, 0.3), *picks]
            tables["selection"].append(block(dataset, task, first, rows))
            rows = [make for name in SAMPLERS[dataset] for make in (row(name, "plain"), guided(name, 0.1, 0.3))]
            tables["samplers"].append(block(dataset, task, None, rows))
    return {"run": "demo", "margin": {"psnr_best": 0.5, "niqe_refit": 0.3}, "tables": tables, **more}


def measured(made_settings, cases=8, seeds=(0,), skip=(), rng_seed=0):
    """Rows of metrics for every point of the settings: diversity rises with eta and D, quality falls a little."""
    rng = np.random.default_rng(rng_seed)
    case_effect = rng.normal(0, 1, cases)
    rows, done = [], set()
    for blocks in made_settings["tables"].values():
        for here in blocks:
            for point in here["rows"]:
                keys = {name: point[name] for name in ("sampler", "method", "eta", "D", "D_unit")}
                key = (here["dataset"], here["task"], *keys.values())
                if key in done:
                    continue
                done.add(key)
                for case in range(cases):
                    for seed in seeds:
                        where = {"dataset": here["dataset"], "task": here["task"], "case": f"test{case:04d}"}
                        where |= keys | {"D_rms": point["D"], "seed": seed, "index": None}
                        values = _values(here["dataset"], point, case_effect[case], rng)
                        rows += [where | {"metric": name, "value": v} for name, v in values.items() if name not in skip]
    return rows


def _values(dataset, point, case_effect, rng):
    reach = min(point["D"], 0.6) / 0.3
    effect = EFFECT.get(point["method"], (1 - math.exp(-point["eta"] / 0.1)) * reach)
    slow = 0.05 * (point["sampler"] == "repaint_short")
    noise = rng.normal(0, 0.03, 12)
    values = {
        "feature_distance_mean": 4.1 * (1 + 0.25 * effect + slow) + 0.4 * case_effect + noise[0],
        "feature_distance_min": 2.6 * (1 + 0.4 * effect) + 0.3 * case_effect + noise[1],
        "pixel_distance_hole_mean": 0.41 * (1 + 0.2 * effect) + 0.03 * case_effect + 0.1 * noise[2],
        "pixel_distance_hole_min": 0.22 * (1 + 0.3 * effect) + 0.02 * case_effect + 0.1 * noise[3],
        "consistency": 3.2e-7 * (1 + abs(noise[4])),
        "psnr_mean": 17.2 - 0.6 * effect + case_effect + 3 * noise[5],
        "psnr_best": 19.4 - 0.1 * effect + case_effect + 3 * noise[6],
        "off_support": max(0.0, 0.05 + 0.04 * effect + noise[7]),
        "bank_coverage": 0.55 + 0.1 * effect + noise[8],
        "kcentre_radius": 5.1 - 0.6 * effect + noise[9],
        "finite_share": 1.0,
        "gate_open": 0.0 if point["method"] in ("plain", *STRATEGIES) else min(1.0, 0.35 * reach),
        "nfe": 250.0 if "repaint" not in point["sampler"] else 1130.0,
        "seconds": 3.1 + abs(noise[10]),
    }
    if dataset == "digits":
        values["class_entropy"] = 0.8 + 0.3 * effect + 0.2 * case_effect + noise[11]
    else:
        values["attribute_entropy"] = 0.6 + 0.3 * effect + 0.1 * case_effect + noise[11]
        values["attribute_entropy/mouth"] = values["attribute_entropy"] + 0.1
        values["niqe_refit"] = 5.5 + 0.1 * effect + 0.2 * case_effect + 2 * noise[11]
    return values


def write_metrics(path, rows):
    """Write a metrics file."""
    store.write_table(path, "metrics", rows, {"run": "demo"})
    return path
