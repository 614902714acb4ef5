"""What a reader sees instead of the names in the files: measures with unit and direction, points of the grid."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from functools import cache

from benchmark.errors import BenchmarkError
from benchmark.metrics.registry import DIRECTIONS, NOISE_WINS, Metric, find


@dataclass(frozen=True)
class Measure:
    """A metric as tables and figures show it. ``better``: 1 higher, -1 lower, 0 neither; ``unit`` may be empty."""

    name: str
    label: str
    better: int = 0
    unit: str = ""
    group: str = "other"

    @property
    def arrow(self) -> str:
        """↑ where higher is better, ↓ where lower is."""
        return {1: "↑", -1: "↓", 0: ""}[self.better]

    @property
    def bounds(self) -> tuple[float, float]:
        """What no value, and hence no mean, can leave: the declared range; infinite for an unknown name."""
        found = declared(self.name)
        return (-math.inf, math.inf) if found is None else (float(found.range[0]), float(found.range[1]))

    def bounds_of(self, n: int | None) -> tuple[float, float]:
        """:attr:`bounds` for sets of ``n``: counts of a set's samples end at n."""
        low, high = self.bounds
        found = declared(self.name)
        return (low, min(high, float(n))) if n and found is not None and found.up_to_n else (low, high)

    @property
    def tested(self) -> bool:
        """Whether a change of it is tested: it has a direction and is no cost."""
        return bool(self.better) and self.group != "cost"

    @property
    def noise_wins(self) -> bool:
        """Whether its definition says that noise wins it, as distances between samples are that no support bounds."""
        found = declared(self.name)
        return found is not None and found.definition.endswith(NOISE_WINS)

    @property
    def header(self) -> str:
        """Label, unit and arrow: ``PSNR, best of N (dB) ↑``."""
        return " ".join(filter(None, [self.label, f"({self.unit})" if self.unit else "", self.arrow]))


# Pattern of the metric's name -> label (\1 the pattern's first group), better, unit, group. Inside a group, the order
# is that of preference: a table with room for three diversity columns takes the first three that were measured.
_CATALOGUE = [
    (r"rare_value_recall", "Rare value shown", 1, "share of sets", "truth"),
    (r"rare_value_recall_exact", "Rare value shown, exact sampling", 0, "share of sets", "truth"),
    (r"attribute_coverage", "Attribute coverage", 1, "share", "truth"),
    (r"plausibility", "Plausible", 1, "share", "truth"),
    (r"mirror", "Mirrored", 0, "share", "truth"),
    (r"mirror_exact", "Mirrored, truth", 0, "share", "truth"),
    (r"attribute_tv", "Attribute TV to truth", -1, "", "truth"),
    (r"attribute_tv_exact", "Attribute TV, exact sampling", 0, "", "truth"),
    (r"attribute_coverage_exact", "Attribute coverage, exact sampling", 0, "share", "truth"),
    (r"plausibility_exact", "Plausible, exact sampling", 0, "share", "truth"),
    (r"confident_share", "Read with confidence", 1, "share", "truth"),
    (r"nearest_distance", "Distance from the nearest rendering", -1, "", "truth"),
    (r"attribute_coverage_nearest", "Attribute coverage, nearest rendering", 1, "share", "truth"),
    (r"attribute_tv_nearest", "Attribute TV, nearest rendering", -1, "", "truth"),
    (r"reader_agreement", "Agreement of the readers", 0, "share", "truth"),
    (r"candidates_counted", "Candidates counted", 0, "samples", "truth"),
    (r"world_distance", "Distance from the world", -1, "", "truth"),
    (r"world_distance_hole", "Distance from the world, in hole", -1, "", "truth"),
    (r"world_distance_truth", "Distance from the world, restored picture", 0, "", "truth"),
    (r"supported_distance_mean", "Distance inside the support", 1, "", "diversity"),
    (r"supported_distance_min", "Distance inside the support, smallest", 1, "", "diversity"),
    (r"supported_(\w+)", r"Supported \1", 1, "", "diversity"),
    (r"lpips_([a-z]+)_mean", r"LPIPS \1", 1, "", "diversity"),
    (r"feature_distance_mean", "Feature distance", 1, "", "diversity"),
    (r"pixel_distance_hole_mean", "Pixel distance in hole", 1, "", "diversity"),
    (r"attribute_entropy", "Attribute entropy", 1, "bits", "diversity"),
    (r"class_entropy", "Class entropy", 1, "bits", "diversity"),
    (r"vendi_q1", "Vendi score, q=1", 1, "", "diversity"),
    (r"vendi_q2", "Vendi score, q=2", 1, "", "diversity"),
    (r"attribute_distinct", "Distinct attribute vectors", 1, "", "diversity"),
    (r"class_distinct", "Distinct classes", 1, "", "diversity"),
    (r"cluster_distinct", "Distinct clusters", 1, "", "diversity"),
    (r"attribute_entropy/(\w+)", r"Entropy of \1", 1, "bits", "diversity"),
    (r"lpips_([a-z]+)_min", r"LPIPS \1, smallest", 1, "", "diversity"),
    (r"lpips_([a-z]+)_hole(?:_mean)?", r"LPIPS \1 in hole", 1, "", "diversity"),
    (r"lpips_([a-z]+)_hole_min", r"LPIPS \1 in hole, smallest", 1, "", "diversity"),
    (r"feature_distance_min", "Feature distance, smallest", 1, "", "diversity"),
    (r"pixel_distance_hole_min", "Pixel distance in hole, smallest", 1, "", "diversity"),
    (r"(\w+)_feature_mean", r"Distance of \1 features", 1, "1 − cos", "diversity"),
    (r"(\w+)_feature_min", r"Distance of \1 features, smallest", 1, "1 − cos", "diversity"),
    (r"bank_coverage", "Coverage of candidates", 1, "", "coverage"),
    (r"kcentre_radius", "K-centre radius", 0, "", "coverage"),
    (r"bank_distance", "Distance to candidates", 0, "", "coverage"),
    (r"niqe", "NIQE", -1, "", "quality"),
    (r"niqe_refit", "NIQE, refitted", -1, "", "quality"),
    (r"niqe_cov\w*|niqe_corners", "NIQE, corner crops", -1, "", "quality"),
    (r"off_support", "Off support", -1, "share", "quality"),
    (r"psnr_best", "PSNR, best of N", 1, "dB", "quality"),
    (r"psnr_mean", "PSNR, mean", 1, "dB", "quality"),
    (r"ssim_best", "SSIM, best of N", 1, "", "quality"),
    (r"ssim_mean", "SSIM, mean", 1, "", "quality"),
    (r"psnr_of_mean", "PSNR of the mean", 1, "dB", "quality"),
    (r"ssim_of_mean", "SSIM of the mean", 1, "", "quality"),
    (r"lpips_([a-z]+)_to_truth_?(\w*)", r"LPIPS \1 to truth \2", -1, "", "quality"),
    (r"niqe_undefined", "Samples without NIQE", -1, "", "quality"),
    (r"pyiqa:(.+)", r"\1", 0, "", "quality"),
    (r"kid_(\w+)_exact", r"KID \1, exact completions", 0, "", "other"),
    (r"kid_?(\w*)", r"KID \1", -1, "", "quality"),
    (r"consistency_error", "Consistency error", -1, "", "fidelity"),
    (r"consistency", "Residual of the measurement", 0, "", "fidelity"),
    (r"consistency_composited", "Consistency error, composited", -1, "", "fidelity"),
    (r"finite_share", "Finite samples", 1, "share", "fidelity"),
    (r"gate_open", "Guidance active", 0, "share", "guidance"),
    (r"attribute_confidence", "Attribute confidence", 1, "", "quality"),
    (r"class_confidence", "Class confidence", 1, "", "quality"),
    (r"attribute_share/(.+)", r"Share of \1", 0, "share", "shares"),
    (r"attribute_share_nearest/(.+)", r"Share of \1, nearest rendering", 0, "share", "shares"),
    (r"attribute_share_exact/(.+)", r"Share of \1, exact", 0, "share", "shares"),
    (r"attribute_share_candidates/(.+)", r"Share of \1, candidates", 0, "share", "shares"),
    (r"attribute_share_world/(.+)", r"Share of \1 in the world", 0, "share", "shares"),
    (r"nfe", "Network evaluations", -1, "", "cost"),
    (r"seconds", "Time", -1, "s", "cost"),
    (r"peak_memory", "Peak memory", -1, "bytes", "cost"),
]
STRATEGIES = {
    "kmeans": "Cluster representatives",
    "uniformization": "Uniformization",
    "farthest": "Farthest points",
    "random": "Random draw",
}
AXES = {"eta": "η", "D": "D"}
UNITS = {"rms": "RMS", "repaint": "RePaint's unit", "ddnm": "DDNM's unit", "dps": "DPS's unit", "full": "whole image"}


@cache
def declared(name: str) -> Metric | None:
    """What the registry of metrics says of a name; None for one that it does not know."""
    try:
        return find(name)[1]
    except BenchmarkError:
        return None


@cache
def measure(name: str) -> Measure:
    """How a metric is shown; one that the catalogue does not know by its name, and else as it declares itself."""
    for pattern, label, better, unit, group in _CATALOGUE:
        match = re.fullmatch(pattern, name)
        if match:
            return Measure(name, match.expand(label).replace("_", " ").strip(), better, unit, group)
    found = declared(name)
    if found is None:
        return Measure(name, name.replace("_", " "))
    group = found.measures if found.measures in ("diversity", "quality", "fidelity", "cost") else "other"
    return Measure(name, name.replace("_", " "), DIRECTIONS[found.direction], found.unit, group)


def rank(name: str) -> tuple[int, str]:
    """Sorting key: the order of the catalogue, what it does not know at the end."""
    for position, (pattern, *_) in enumerate(_CATALOGUE):
        if re.fullmatch(pattern, name):
            return position, name
    return len(_CATALOGUE), name


def preferred(present: set[str], *groups: str, count: int | None = None) -> list[Measure]:
    """The first ``count`` measures of these groups that are present, in the catalogue's order."""
    chosen = [measure(name) for name in sorted(present, key=rank) if measure(name).group in groups]
    return chosen[:count]


def number(value: float) -> str:
    """A grid value: 0.07, ∞."""
    return "∞" if math.isinf(value) else f"{value:g}"


def distance(row: dict) -> str:
    """A row's D with its unit: ``0.3 RMS``, ``∞``."""
    return number(row["D"]) if math.isinf(row["D"]) else f"{number(row['D'])} {UNITS.get(row['D_unit'], row['D_unit'])}"


def is_plain(row: dict) -> bool:
    """Whether a row of a block is the plain point."""
    return row["method"] == "plain"


def is_selected(row: dict) -> bool:
    """Whether a row's sets were picked from candidates."""
    return row.get("kind") == "selected"


def is_guided(row: dict) -> bool:
    """Whether a row's samples were pushed apart: neither plain nor selected."""
    return not is_selected(row) and not is_plain(row)


def axis_value(row: dict, axis: str) -> str:
    """A row's place in a sweep as the paper prints it: ``0 (posterior)``, ``0.07``, ``∞``."""
    return "0 (posterior)" if is_plain(row) else number(row[axis])


def point(row: dict) -> str:
    """A point of the grid in words: Plain; η 0.1, D 0.3 RMS; Cluster representatives."""
    if is_plain(row):
        return "Plain"
    if is_selected(row):
        return strategy(row["method"])
    guidance = "" if row["method"] == "nearest_neighbour" else f"{row['method']} "
    return f"{guidance}η {number(row['eta'])}, D {distance(row)}"


def strategy(name: str) -> str:
    """A selection strategy in words."""
    return STRATEGIES.get(name, name)


def point_of_name(name: str) -> str:
    """The words for a point's file name: plain, eta0.1_D0.3rms, eta0.09_Dinf, kmeans; another name stays itself."""
    match = re.fullmatch(r"(?:(\w+?)_)?eta([\d.e+-]+)_D(?:(inf)|([\d.]+(?:e[+-]?\d+)?)([a-z]*))", name)
    if match:
        method, eta, infinite, reach, unit = match.groups()
        row = {"method": method or "nearest_neighbour", "eta": float(eta), "D_unit": unit or "rms"}
        return point({**row, "D": math.inf if infinite else float(reach)})
    return "Plain" if name == "plain" else strategy(name)
