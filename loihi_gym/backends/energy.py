"""Energy of a measured mapping, from counts of what happened and how long it took.

Dynamic energy is per operation: a synaptic operation, a neuron update, a hop of a message, and each
message once within its tile; no mapping changes the first two sums. A hop between chips is taken to
cost as much as one within a chip, for want of a published figure, and a message as much whatever
its size. Static power is per chip times the latency; which chips draw it is the chip file's
`structure.idle_chips`.
"""

import numpy as np

from ..arrays import Int32Array, Int64Array
from ..chip import EAST, NORTH, SOUTH, WEST, ChipSpec, Topology
from ..mapping import Traffic
from .measurement import EnergyBreakdown


def energy(
    chip: ChipSpec,
    mesh: Topology,
    traffic: Traffic,
    placement: Int32Array,
    link_messages: Int64Array,
    latency_ps: int,
) -> EnergyBreakdown:
    """Energy by cause over all steps; `link_messages` is (T, n_links)."""
    costs = chip.energy
    hops = link_messages[:, : 4 * mesh.n_routers].reshape(-1, 4).sum(axis=0)
    fixed = fixed_energy(chip, traffic)
    return fixed._replace(
        messages_fj=fixed.messages_fj
        + int(hops[EAST] + hops[WEST]) * costs.hop_x_fj
        + int(hops[NORTH] + hops[SOUTH]) * costs.hop_y_fj,
        static_fj=latency_ps * costs.static_mw * powered_chips(chip, mesh, placement),  # 1 mW ps
    )


def powered_chips(chip: ChipSpec, mesh: Topology, placement: Int32Array) -> int:
    """Chips that draw static power."""
    if chip.structure.idle_chips == "powered":
        return chip.n_chips
    return len(np.unique(mesh.core_chip[placement]))


def fixed_energy(chip: ChipSpec, traffic: Traffic) -> EnergyBreakdown:
    """The part that no placement changes: operations, and every message within its tile."""
    costs, totals = chip.energy, traffic.totals
    return EnergyBreakdown(
        synops_fj=totals["synops"] * costs.synop_fj,
        neurons_fj=totals["active"] * costs.neuron_active_fj
        + totals["inactive"] * costs.neuron_inactive_fj,
        messages_fj=totals["messages_out"] * costs.tile_fj,
        static_fj=0,
    )
