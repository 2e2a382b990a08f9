"""Which mappings are the same work: those that a symmetry of the mesh turns into each other.

The symmetries are those that carry routers with cores to routers with as many cores and neighbours
to neighbours: reflections along x, along y, and both, as far as the chip's routers without cores
allow; and any exchange of the cores of one router. X and Y cannot be exchanged: messages go X
first. A symmetric mapping's latency may differ in the last digits, since the simulator, like a
chip, breaks ties between messages by the numbers of ports and the order of places; as work it is
the same, and to find it takes no search.
"""

import hashlib

import numpy as np

from ..arrays import IntArray
from ..chip import Topology
from ..mapping import Mapping


def canonical_digest(mesh: Topology, mapping: Mapping) -> str:
    """sha256, in hex, that a mapping shares with all mappings symmetric to it and with no other.

    Args:
        mesh: Topology of the problem's chip.
        mapping: A legal mapping of the problem.
    """
    routers = mesh.core_router[mapping.placement]  # which core of a router does not count
    images = [image[routers].tolist() for image in symmetries(mesh)]
    text = f"{mapping.cores_per_layer.tolist()} {min(images)}"
    return hashlib.sha256(text.encode()).hexdigest()


def symmetries(mesh: Topology) -> list[IntArray]:
    """Images of all routers under each symmetry, the identity first, (n_routers,) each."""
    numbers = np.arange(mesh.n_routers).reshape(mesh.height, mesh.width)
    cores = np.bincount(mesh.core_router, minlength=mesh.n_routers)
    images = [numbers, numbers[:, ::-1], numbers[::-1, :], numbers[::-1, ::-1]]
    return [image.reshape(-1) for image in images if (cores[image.reshape(-1)] == cores).all()]
