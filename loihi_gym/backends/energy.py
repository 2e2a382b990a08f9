"""Energy of a measured mapping, from counts of what happened and how long it took."""

import numpy as np
import numpy.typing as npt

from ..chip import EAST, NORTH, SOUTH, WEST, ChipSpec, Topology
from ..mapping import Traffic
from .measurement import EnergyBreakdown


def energy(
    chip: ChipSpec,
    mesh: Topology,
    traffic: Traffic,
    link_messages: npt.NDArray[np.int64],
    latency_ps: int,
) -> EnergyBreakdown:
    """Energy by cause over all steps; `link_messages` is (T, n_links)."""
    costs = chip.energy
    hops = link_messages[:, : 4 * mesh.n_routers].reshape(-1, 4).sum(axis=0)
    return EnergyBreakdown(
        synops_fj=int(traffic.synops.sum()) * costs.synop_fj,
        neurons_fj=int(traffic.active.sum()) * costs.neuron_active_fj
        + int(traffic.inactive.sum()) * costs.neuron_inactive_fj,
        messages_fj=int(hops[EAST] + hops[WEST]) * costs.hop_x_fj
        + int(hops[NORTH] + hops[SOUTH]) * costs.hop_y_fj
        + int(traffic.messages_out.sum()) * costs.tile_fj,
        static_fj=latency_ps * costs.static_mw * chip.n_chips,  # 1 ps at 1 mW is 1 fJ
    )
