"""What pictures say in words."""

import numpy as np

from ..backends import Measurement
from ..errors import one_line
from ..mapping import Mapping, Problem
from ..wording import against_reference
from .heat import core_layers

LONGEST_NAME = 60
"""Characters of a problem's, a chip's or a mapping's name that are shown."""


def title(problem: Problem) -> str:
    """The problem and its chip."""
    return " on ".join(one_line(name, LONGEST_NAME) for name in (problem.name, problem.chip.name))


def result(problem: Problem, measurement: Measurement, reference: Measurement) -> str:
    """Latency, and how it compares with the reference."""
    compared = against_reference(measurement.latency_ps, reference.latency_ps)
    latency = f"{measurement.latency_ps * 1e-6:.2f} us, simulated"
    return f"{title(problem)}: {latency}, {compared}"


def bottleneck(problem: Problem, measurement: Measurement) -> str:
    """What the slowest step waits for, a core with its router's place."""
    found = measurement.bottleneck
    if found is None:
        return "bottleneck: not measured"
    core = bottleneck_core(problem, measurement)
    if core is None:
        return f"bottleneck: {found}"
    mesh = problem.topology
    router = f"router ({mesh.core_x[core]},{mesh.core_y[core]})"
    return f"bottleneck: {found.term} at {found.where}, {router}, {found.share:.0%} of " + (
        f"step {found.step}"
    )


def bottleneck_core(problem: Problem, measurement: Measurement) -> int | None:
    """The physical core that is the bottleneck, or whose port is; None if a link is, or nothing."""
    if measurement.bottleneck is None:
        return None
    (term, index, *_), mesh = measurement.bottleneck, problem.topology
    if term != "link":
        return index
    return None if index < 4 * mesh.n_routers else (index - 4 * mesh.n_routers) % mesh.n_cores


def moved(problem: Problem, before: Mapping, after: Mapping) -> list[int]:
    """Cores of each layer in `after` that hold another layer, or none, in `before`."""
    old, new = core_layers(problem, before), core_layers(problem, after)
    counts = np.bincount(new[(new != old) & (new >= 0)], minlength=problem.n_layers)
    return list(map(int, counts))
