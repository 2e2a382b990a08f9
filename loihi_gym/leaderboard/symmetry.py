"""Which mappings are the same work: those that a symmetry of the mesh turns into each other.

The symmetries are those that carry routers with cores to routers with as many cores and neighbours
to neighbours: reflections along x, along y, and both, as far as the chip's routers without cores
allow; and any exchange of the cores of one router. X and Y cannot be exchanged: messages go X
first. A symmetric mapping is legal and takes no search to find, but is not as fast: messages still
go X first, and ties are broken by port numbers. `perf/symmetries.py` measures by how much.

Near-copies are found by a distance that knows more: it forgets which pieces of a layer sit where,
so that exchanging two of them is no difference either.
"""

import hashlib

import numpy as np
import numpy.typing as npt

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


Picture = npt.NDArray[np.int16]
"""Pieces of each layer on each router of the grid, (layers, height, width)."""


def picture(mesh: Topology, mapping: Mapping) -> Picture:
    """What of a mapping two near-copies share, whichever cores and pieces were exchanged."""
    layers = len(mapping.cores_per_layer)
    counts = np.zeros((layers, mesh.height, mesh.width), np.int16)
    y, x = np.divmod(mesh.core_router[mapping.placement], mesh.width)
    np.add.at(counts, (np.repeat(np.arange(layers), mapping.cores_per_layer), y, x), 1)
    return counts


def elsewhere(one: Picture, other: Picture) -> tuple[int, int]:
    """How many pieces sit on another router in two mappings, and of how many; a distance.

    Takes the reflection of `other` that is nearest, whether or not the chip allows it.
    """
    pieces = max(int(one.sum()), int(other.sum()))
    images = (other, other[:, :, ::-1], other[:, ::-1, :], other[:, ::-1, ::-1])
    return pieces - max(int(np.minimum(one, image).sum()) for image in images), pieces
