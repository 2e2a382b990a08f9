"""A mapping as text: needs nothing but a terminal."""

import numpy as np

from ..backends import Measurement
from ..mapping import Mapping, Problem
from . import captions
from .heat import core_layers

SYMBOLS = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"


def text(
    problem: Problem, mapping: Mapping, measurement: Measurement, reference: Measurement
) -> str:
    """The mesh as text: a cell per router with the layers on its cores, ``.`` for a free one.

    Rows and columns carry the routers' coordinates, and the largest y is at the top.
    """
    mesh = problem.topology
    per_router = problem.chip.cores_per_router
    grid = np.full((mesh.height, mesh.width, per_router), " ")
    for core, layer in enumerate(core_layers(problem, mapping).tolist()):
        symbol = "." if layer < 0 else SYMBOLS[layer % len(SYMBOLS)]
        grid[mesh.core_y[core], mesh.core_x[core], mesh.core_port[core]] = symbol
    margin = len(f"y={mesh.height - 1}")
    rows = [
        f"{f'y={y}':>{margin}} " + " ".join("[" + "".join(cell) + "]" for cell in grid[y])
        for y in reversed(range(mesh.height))
    ]
    numbers = " ".join(f"{x:^{per_router + 2}}" for x in range(mesh.width))
    said = (
        captions.result(problem, measurement, reference),
        captions.bottleneck(problem, measurement),
    )
    return "\n".join([*rows, f"{'x=':>{margin}} {numbers}".rstrip(), *said]) + "\n"
