"""The least ways that messages have to go."""

import numpy as np

from ..arrays import Int64Array
from ..backends.assembly import link_service_ps
from ..chip import Topology
from ..mapping import Problem


def layer_hops(problem: Problem, layer: int, k: int, step: int, least: Int64Array) -> int:
    """Hops that the messages to `k` pieces of a layer need at least; `least` as of `least_hops`."""
    if layer == 0:
        return 0
    reached = np.count_nonzero(problem.loads.receivers(layer, k).synapses[step], axis=1)
    return int(least[reached].sum()) * length(problem, layer - 1)


def length(problem: Problem, layer: int) -> int:
    """How many times as long as the network's shortest messages those of a layer are."""
    return problem.loads.words[layer] // min(problem.loads.words)


def least_link_ps(problem: Problem) -> int:
    """Least time that the shortest message takes a link between routers."""
    links = 4 * problem.topology.n_routers
    return int(link_service_ps(problem.chip)[:links].min()) * min(problem.loads.words)


def n_router_links(mesh: Topology) -> int:
    """Directed links between routers."""
    return 2 * ((mesh.width - 1) * mesh.height + mesh.width * (mesh.height - 1))


def least_hops(problem: Problem) -> Int64Array:
    """Least hops of the messages of a neuron with r = 0, 1, … destination cores, (C + 1,)."""
    mesh, within = problem.topology, cores_within(problem.topology)
    reached = np.arange(mesh.n_cores + 1)
    if problem.chip.structure.multicast == "tree":  # each hop gets to one more router
        return np.asarray(-(-np.maximum(reached - within[0], 0) // (within[0] + 1)), np.int64)
    return np.asarray(sum(np.maximum(reached - near, 0) for near in within), np.int64)


def cores_within(mesh: Topology) -> Int64Array:
    """Other cores within d = 0, 1, … hops of a core, at most, until they are all, (D,)."""
    ports = int(mesh.core_port.max()) + 1
    within: list[int] = []
    for distance in range(mesh.width + mesh.height):
        if within and within[-1] >= mesh.n_cores - 1:
            break
        # In rows 0, 1, -1, 2, … from the core's own: no place in a rectangle sees more.
        rows = sorted(range(-distance, distance + 1), key=abs)[: mesh.height]
        routers = sum(min(mesh.width, 2 * (distance - abs(row)) + 1) for row in rows)
        within.append(min(ports * routers, mesh.n_cores) - 1)
    return np.array(within, np.int64)
