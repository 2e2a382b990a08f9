"""The flat Dict observation: its space, and how it is filled from a measured mapping."""

import numpy as np
import numpy.typing as npt
from gymnasium import spaces

from ..backends import Measurement
from ..backends.bound import link_service_ps
from ..mapping import Mapping, Problem

Observation = dict[str, npt.NDArray[np.float32]]

SCALARS = ("progress", "objective", "best", "cores used")
"""What the entries of ``scalars`` are."""


def observation_space(problem: Problem) -> spaces.Dict:
    """Space of `observe`: the shapes follow from the chip alone."""
    mesh = problem.topology
    sizes = {
        "layer": mesh.n_cores,
        "free": mesh.n_cores,
        "own": mesh.n_cores,
        "cursor": mesh.n_cores,
        "send": mesh.n_cores,
        "receive": mesh.n_cores,
        "messages_out": mesh.n_cores,
        "messages_in": mesh.n_cores,
        "links": 4 * mesh.n_routers,
        "scalars": len(SCALARS),
    }
    return spaces.Dict(
        {name: spaces.Box(0.0, 1.0, (size,), np.float32) for name, size in sizes.items()}
    )


def observe(
    problem: Problem,
    mapping: Mapping,
    measurement: Measurement,
    cursor: int | None,
    progress: float,
    relative: tuple[float, float],
) -> Observation:
    """The observation of a measured mapping.

    Args:
        problem: What is solved.
        mapping: The mapping.
        measurement: Its measurement.
        cursor: Logical core to be placed next; None after the last.
        progress: Part of the episode that is over.
        relative: Objective now, and the best so far, as multiples of the reference's.
    """
    traffic = problem.traffic(mapping.cores_per_layer)
    mesh, placement = problem.topology, mapping.placement

    def on_mesh(values: npt.NDArray[np.generic] | float) -> npt.NDArray[np.float32]:
        cores = np.zeros(mesh.n_cores, np.float32)
        cores[placement] = values
        return cores

    used = on_mesh(1.0)
    at_cursor = np.zeros(mesh.n_cores, np.float32)
    own = np.zeros(mesh.n_cores, np.float32)
    if cursor is not None:
        at_cursor[placement[cursor]] = 1.0
        own[placement[traffic.layer == traffic.layer[cursor]]] = 1.0
    service = link_service_ps(problem.chip, traffic.link_words)[: 4 * mesh.n_routers]
    link_ps = measurement.link_messages[:, : 4 * mesh.n_routers].sum(axis=0) * service
    return {
        "layer": on_mesh((traffic.layer + 1) / problem.n_layers),
        "free": 1.0 - used,
        "own": own,
        "cursor": at_cursor,
        "send": on_mesh(traffic.send_ps.sum(axis=0) / measurement.latency_ps),
        "receive": on_mesh(traffic.receive_ps.sum(axis=0) / measurement.latency_ps),
        "messages_out": on_mesh(_of_largest(measurement.messages_out)),
        "messages_in": on_mesh(_of_largest(measurement.messages_in)),
        "links": (link_ps / measurement.latency_ps).astype(np.float32),
        "scalars": np.array(
            [progress, *(_squash(x) for x in relative), used.mean()],
            np.float32,
        ),
    }


def _of_largest(messages: npt.NDArray[np.int64]) -> npt.NDArray[np.float64]:
    total = messages.sum(axis=0)
    return total / max(int(total.max()), 1)


def _squash(ratio: float) -> float:
    """A ratio from 0 to infinity into 0 to 1: half for 1."""
    return ratio / (1.0 + ratio)
