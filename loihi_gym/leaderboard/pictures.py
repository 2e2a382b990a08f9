"""What the page draws of a problem and of a replayed mapping, as small JSON.

Lists of small integers are written in base 64, a fixed number of digits each: a board of many rows
on eight chips is then a file that a phone can open.
"""

from collections.abc import Iterable
from typing import Any

from ..arrays import Int64Array
from ..backends import Measurement
from ..drawing.heat import core_busy_ps, link_busy_ps
from ..mapping import Mapping, Problem

DIGITS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"


def encode(values: Iterable[int], width: int) -> str:
    """Each value as `width` digits in base 64, most significant first; `width` is at least 1.

    Raises:
        ValueError: if a value is negative or needs more digits.
    """
    parts = []
    for value in values:
        if not 0 <= value < 64**width:
            raise ValueError(f"{value} does not fit {width} digits in base 64")
        parts += [DIGITS[value >> 6 * place & 63] for place in reversed(range(width))]
    return "".join(parts)


def mesh_picture(problem: Problem) -> dict[str, Any]:
    """The mesh and the layers of a problem."""
    mesh = problem.topology
    width = digits(mesh.n_cores)
    return {
        "width": mesh.width,
        "height": mesh.height,
        "chip_width": mesh.chip_width,
        "chip_height": mesh.chip_height,
        "cores_per_router": problem.chip.cores_per_router,
        "digits": width,
        "core_router": encode(mesh.core_router.tolist(), digits(mesh.n_routers)),
        "router_digits": digits(mesh.n_routers),
        "widths": list(problem.network.widths),
    }


def mapping_picture(problem: Problem, mapping: Mapping, measurement: Measurement) -> dict[str, Any]:
    """A replayed mapping: where its cores are, what its links do, and what it waits for."""
    assert measurement.bottleneck is not None  # suites are measured by our own simulation
    assert measurement.energy is not None
    term, index, step, where, share = measurement.bottleneck
    latency = measurement.latency_ps
    links = link_busy_ps(problem, mapping, measurement)
    cores = core_busy_ps(problem, mapping)[mapping.placement]

    def per_mille(busy_ps: Int64Array) -> str:
        return encode(((1000 * busy_ps + latency // 2) // latency).tolist(), 2)

    return {
        "cores_per_layer": mapping.cores_per_layer.tolist(),
        "placement": encode(mapping.placement.tolist(), digits(problem.topology.n_cores)),
        "latency_ps": latency,
        # Per mille of the latency, rounded: two digits each. Cores in the order of the placement.
        "heat": per_mille(links),
        "core_heat": per_mille(cores),
        "bottleneck": [term, index, step, where, round(1000 * share)],
        "step_times_ps": list(measurement.step_times_ps),
        "energy_fj": measurement.energy._asdict(),
    }


def digits(count: int) -> int:
    """Digits in base 64 that the numbers below `count` need."""
    width = 1
    while 64**width < count:
        width += 1
    return width
