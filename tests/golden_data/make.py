"""Makes the committed selection of recorded runs from the whole set: ``python tests/golden_data/make.py FOLDER``.

Of each sampler's run it keeps the inputs, the noise, neighbours, distances and gates of every step, and the first and
the last state; of schedules, operator checks, selection and trees everything. Left out: intermediate images and the one
array of third-party content (``kernel``). Networks: the smaller of the two.
"""

import shutil
import sys
from pathlib import Path

import numpy as np

SAMPLERS = (
    "ddnm_inpaint_travel", "ddnm_sravg4", "ddnmplus_inpaint_noisy", "ddrm_inpaint", "ddrm_sravg4", "ddrm_srbicubic4",
    "diffpir_inpaint", "dps_inpaint_learnedrange", "repaint_inpaint",
)  # fmt: skip
ENTIRE = ("schedules.npz", "net_ddpm_simple.npz", "selection_baselines.npz", "hierarchical_trees.json")
DROPPED = (
    "x0_hat",
    "x0_guided",
    "x0_projected",
    "x0_data",
    "x_0_saved",
    "x_pasted",
    "norm_grad",
    "sample_before_condition",
)


def compact(run) -> dict:
    """The arrays of a run that are kept."""
    kept = {}
    for name in run.files:
        variant, _, array = name.partition("/")
        if name == "kernel":
            continue
        if array == "xs":
            kept[name] = run[name][[0, -1]]
            kept[f"{variant}/xs_at"] = np.array([0, len(run[name]) - 1])
        elif array not in DROPPED:
            kept[name] = run[name]
    return kept


def main(source: Path, target: Path) -> None:
    for name in SAMPLERS:
        np.savez_compressed(target / f"{name}.npz", **compact(np.load(source / f"{name}.npz")))
    for name in ENTIRE:
        shutil.copyfile(source / name, target / name)


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(__file__).parent)
