"""Whether 64 bits hold all times of a problem, so that no kernel has to look."""

import numpy as np

from ..chip import ChipSpec, topology_of
from ..errors import BackendError
from ..network import Activity, SparseMLP

LONGEST_PS = 1 << 58
"""What all operations may take one after another, in ps: three days."""


def longest_ps(network: SparseMLP, activity: Activity, chip: ChipSpec) -> int:
    """A time in ps that no mapping takes: all operations of all steps one after another.

    Counted are messages for every synapse, each over the longest route.

    Raises:
        BackendError: if it is more than `LONGEST_PS`; names the constant that adds most.
    """
    grid, capacity = topology_of(chip), chip.capacity
    updates = activity.steps * sum(network.widths)
    stored = [
        int(np.prod(weights.shape)) if chip.structure.rows == "dense" else int(weights.nnz)
        for weights in network.weights
    ]
    synapses = activity.steps * sum(stored) + 1
    hops, words = synapses * (grid.width + grid.height + 1), activity.message_bits // 32
    counts = {
        "neuron_active_ps": updates,
        "neuron_inactive_ps": updates,
        "synop_ps": synapses,
        "synmem_word_ps": synapses * (capacity.axon_words + capacity.synapse_bits + 1),
        "spike_ps": synapses,
        "axon_ps": synapses,
        "link_ps": hops * (words + 4),  # a router's cycles included
        "hop_x_ps": hops,
        "hop_y_ps": hops,
        "chip_link_ps": hops * words,
        "chip_hop_ps": hops,
        "barrier_ps": activity.steps,
    }
    # A constant of 0 counts as 1, so that what is only counted stays within 64 bits as well.
    costs = {name: max(getattr(chip.costs, name), 1) for name in counts}
    times = {name: count * costs[name] for name, count in counts.items()}
    total: int = sum(times.values())
    if total > LONGEST_PS:
        most = max(times, key=lambda name: times[name])
        raise BackendError(
            f"chip {chip.name}: costs.{most} = {getattr(chip.costs, most)} may count "
            f"{counts[most]:.3g} times, more than the {LONGEST_PS * 1e-12:.3g} s that are counted: "
            "lower it, or give the chip a smaller topology or the problem fewer steps"
        )
    return total
