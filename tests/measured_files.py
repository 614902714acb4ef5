"""Small cases and set files for the tests of measuring: pictures of noise, every column filled."""

import numpy as np

from benchmark import store
from benchmark.jobs.measure import MeasureSettings
from benchmark.metrics import measure

PIXELS = {"name": "hole_pixels"}


def measure_sets(settings: dict, *sets, **how) -> tuple[list[dict], dict]:
    """What the stage measures, by settings as JSON has them; features are pixels where they do not matter."""
    return measure.measure_sets(MeasureSettings.from_json({"features": PIXELS, **settings}), *sets, **how)


def make_case(case: str, size: int = 16, channels: int = 3, seed: int = 0) -> store.Case:
    """A case of smooth noise with a box for a hole."""
    rng = np.random.default_rng([seed, *case.encode()])
    coarse = rng.uniform(-0.8, 0.8, (channels, size // 4, size // 4))
    image = np.repeat(np.repeat(coarse, 4, 1), 4, 2) + rng.normal(0, 0.05, (channels, size, size))
    hole = np.zeros((size, size), bool)
    hole[size // 4 : -size // 4, size // 4 : -size // 4] = True
    image = store.decode_image(store.encode_image(image))
    return store.Case("world", "box", case, image, hole, {})


def make_set(case: store.Case, n: int = 5, spread: float = 0.3, seed: int = 0, **keys) -> store.RestorationSet:
    """n restorations of a case: the truth, and noise of standard deviation ``spread`` in the hole."""
    rng = np.random.default_rng([seed, 1, *case.case.encode()])
    noise = rng.normal(0, spread, (n, *case.image.shape)) * case.hole
    images = np.stack([store.decode_image(store.encode_image(image)) for image in case.image + noise])
    columns = {
        "nfe": np.full(n, 10),
        "seconds": np.full(n, 0.5),
        "gate_open": np.full(n, 0.25),
        "finite": np.full(n, True),
        "consistency": np.full(n, 0.01),
    }
    row = {"dataset": case.dataset, "task": "box", "case": case.case, "sampler": "ddnm", "method": "plain", "seed": 0}
    row |= {"eta": 0.0, "D": 0.0, "D_unit": "rms", "D_rms": 0.0, **keys}
    ordered = {key: row[key] for key in store.SET_KEYS}
    return store.RestorationSet(ordered, np.arange(n), images, columns)


def case_row(case: store.Case) -> dict:
    """The row of a cases file."""
    return {
        "dataset": case.dataset,
        "mask": case.mask,
        "case": case.case,
        "image": store.encode_image(case.image),
        "hole": store.encode_hole(case.hole),
        "hole_fraction": float(case.hole.mean()),
        "attributes": list(case.attributes.items()),
    }


def set_rows(restorations: store.RestorationSet) -> list[dict]:
    """The rows of a set file."""
    return [
        {
            **restorations.keys,
            "index": int(index),
            "image": store.encode_image(restorations.images[row]),
            **{name: column[row].item() for name, column in restorations.columns.items()},
        }
        for row, index in enumerate(restorations.index)
    ]


def write_files(folder, cases, sets, cases_settings=None, sets_settings=None):
    """Write cases.parquet and sets.parquet; give back their paths."""
    store.write_table(folder / "cases.parquet", "cases", [case_row(case) for case in cases], cases_settings or {})
    rows = [row for restorations in sets for row in set_rows(restorations)]
    store.write_table(folder / "sets.parquet", "sets", rows, sets_settings or {})
    return folder / "cases.parquet", folder / "sets.parquet"


def with_images(restorations, images):
    """A set with other pictures."""
    return store.RestorationSet(
        restorations.keys, restorations.index, np.asarray(images, np.float32), restorations.columns
    )


def values_of(case, restorations, settings=None, candidates=()):
    """The values of a set by metric, and the record of the measurement."""
    names = {"metrics": ["diversity", "fidelity", "cost", *(["bank"] if candidates else [])], "features": PIXELS}
    rows, record = measure_sets({**names, **(settings or {})}, [restorations], {case.case: case}, candidates)
    values = {row["metric"]: row["value"] for row in rows if row["index"] is None}
    return values, record
