"""The samplers: one registry. Each is ``f(prior, problem, y, noise, guide, *, preset, ...) -> Iterator[State]``."""

from benchmark.sampling.ddnm import ddnm
from benchmark.sampling.ddrm import ddrm
from benchmark.sampling.diffpir import diffpir
from benchmark.sampling.dps import dps
from benchmark.sampling.drp import drp
from benchmark.sampling.repaint import repaint

SAMPLERS = {"repaint": repaint, "ddrm": ddrm, "ddnm": ddnm, "dps": dps, "diffpir": diffpir, "drp": drp}
