"""The rehearsal of an experiment: the same rules on random weights, two cases and a few steps.

It shows that an experiment runs from its cases to its report before weights are fetched, pictures are gathered and days
of a GPU are spent. Its tables mean nothing.
"""

from __future__ import annotations

import copy
import os
from collections.abc import Callable, Iterator
from pathlib import Path

from benchmark.sampling import SAMPLERS

SUFFIX = "_rehearsal"
CASES = 2
# Parts of CelebAMask-HQ that rendered faces call otherwise or do not have.
_PARTS = {"lips": "mouth", "ears": "face", "neck": "face", "clothes": "background"}
_MASK_FILES = {"mask_image": ("file", "folder"), "mask_folder": ("folder",)}


def rehearse(
    config: dict, sizes: dict[str, int], exists: Callable[[str], bool] = lambda path: Path(path).expanduser().exists()
) -> dict:
    """The rehearsal of a checked configuration; a new configuration whose ``rehearsal`` is false.

    The run's name ends in ``_rehearsal``; every dataset has two cases, one seed, random weights of its prior's
    architecture and 2 N candidates in two shards; every sampler takes two to four steps. Where a source's folder is not
    there, its pictures are rendered faces of the prior's size, and a mask from files that are not there is a box.

    Args:
        sizes: height and width of the images of each public prior, by its name; other priors stay as they are.
        exists: whether a file or folder is there.
    """
    config = copy.deepcopy(config)
    config["run"] += SUFFIX
    config["rehearsal"] = False
    config["seeds"] = config["seeds"][:1]
    for sampler in config["samplers"].values():
        kind = SAMPLERS[sampler["algorithm"]]
        sampler |= kind.rehearsal | {key: value for key, value in kind.only_where_given.items() if key in sampler}
        sampler.pop("by_steps", None)
    for dataset in config["datasets"].values():
        dataset["cases"] = min(dataset["cases"], CASES)
        size = sizes.get(dataset["prior"]["name"])
        if size is not None:
            dataset["prior"] |= {"random_weights": 0}
            if _missing(dataset["source"], exists):
                dataset["source"] = {"name": "faces", "size": size}
        if candidates := dataset.get("candidates"):
            candidates["count"] = config["n"] + 20  # enough for a bank
            candidates["shard_size"] = min(candidates.get("shard_size", config["n"]), config["n"])
    if truth := config["truth"]:
        truth |= {"measurements": CASES, "sets": 2}
        truth["samplers"] = {name: [config["samplers"][name].get("steps", 4)] for name in truth["samplers"]}
        for problem in truth["problems"].values():
            problem.pop("sets", None)
            problem.pop("measurements", None)
    rendered = any(dataset["source"]["name"] == "faces" for dataset in config["datasets"].values())
    config["masks"] = {name: _stand_in(mask, rendered, exists) for name, mask in config["masks"].items()}
    return config


def _missing(source: dict, exists: Callable[[str], bool]) -> bool:
    return "path" in source and not exists(os.fspath(source["path"]))


def _stand_in(mask: dict, rendered: bool, exists: Callable[[str], bool]) -> dict:
    if mask["recipe"] == "parts" and rendered:
        return {**mask, "parts": list(dict.fromkeys(_PARTS.get(part, part) for part in mask.get("parts", [])))}
    files = [mask[key] for key in _MASK_FILES.get(mask["recipe"], ()) if key in mask]
    return {"recipe": "box"} if not all(exists(os.fspath(path)) for path in files) else mask


def notes(config: dict, rehearsed: dict) -> Iterator[str]:
    """One line for everything that stands in for what is not there."""
    for name, dataset in config["datasets"].items():
        if dataset["source"] != rehearsed["datasets"][name]["source"]:
            yield (
                f"rehearsal: datasets.{name}: {dataset['source']['path']} is not there; "
                f"rendered faces of {rehearsed['datasets'][name]['source']['size']} pixels stand in"
            )
    for name, mask in config["masks"].items():
        if rehearsed["masks"][name]["recipe"] != mask["recipe"]:
            yield f"rehearsal: masks.{name}: its files are not there; a box stands in"
