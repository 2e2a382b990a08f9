"""How busy a mapping keeps each link and core: one unit, microseconds a step, in every picture."""

from dataclasses import dataclass

import numpy as np

from ..arrays import Float64Array, Int64Array
from ..backends import Measurement
from ..backends.assembly import link_service_ps, link_words
from ..mapping import Mapping, Problem


@dataclass(frozen=True, eq=False)
class Heat:
    """Busy time of each place, the mean over the recorded steps, in microseconds.

    Attributes:
        link_us: Of each link between routers, (4 * n_routers,).
        core_us: Of each physical core, 0 where it is free, (n_cores,).
    """

    link_us: Float64Array
    core_us: Float64Array

    @property
    def hottest_us(self) -> float:
        """Of the busiest place."""
        return float(max(self.link_us.max(initial=0.0), self.core_us.max(initial=0.0)))


def heat(problem: Problem, mapping: Mapping, measurement: Measurement) -> Heat:
    """The heat of a legal mapping; it follows from the recorded activity, whatever measured it."""
    unit = problem.activity.steps * 1_000_000  # of picoseconds over all steps
    links = link_busy_ps(problem, mapping, measurement)
    return Heat(links / unit, core_busy_ps(problem, mapping) / unit)


def step_us(problem: Problem, measurement: Measurement) -> float:
    """Mean time of a step.

    That of the reference is where a problem's heat scale ends, so that pictures of two mappings
    made at different times can be compared: what is at the end of the scale is alone as slow as
    the whole reference.
    """
    return measurement.latency_ps * 1e-6 / problem.activity.steps


def link_busy_ps(problem: Problem, mapping: Mapping, measurement: Measurement) -> Int64Array:
    """Time that each link between routers is busy, over all steps, (4 * n_routers,)."""
    links = 4 * problem.topology.n_routers
    words = link_words(problem, mapping, measurement)
    busy: Int64Array = (words.sum(axis=0) * link_service_ps(problem.chip))[:links]
    return busy


def core_busy_ps(problem: Problem, mapping: Mapping) -> Int64Array:
    """Time that each physical core is busy, over all steps, (n_cores,).

    A core sends and receives side by side, so a step keeps it busy for the longer of the two.
    """
    traffic = problem.traffic(mapping.cores_per_layer)
    busy = np.zeros(problem.topology.n_cores, np.int64)
    busy[mapping.placement] = np.maximum(traffic.send_ps, traffic.receive_ps).sum(axis=0)
    return busy


def core_layers(problem: Problem, mapping: Mapping) -> Int64Array:
    """Layer on each physical core, -1 where it is free, (n_cores,)."""
    layers = np.full(problem.topology.n_cores, -1)
    layers[mapping.placement] = np.repeat(np.arange(problem.n_layers), mapping.cores_per_layer)
    return layers
