"""Filling the flat observation, compiled: one pass over cores and links.

The slow, obvious twin is in the tests, `observe_reference`.
"""

from typing import Any, NamedTuple

import numpy as np

from ..arrays import Float32Array, Float64Array, Int32Array
from ..compiled import kernel

CORE_FEATURES = (
    "layer",
    "free",
    "own",
    "cursor",
    "send",
    "receive",
    "messages_out",
    "messages_in",
)
"""Per physical core, in their order in the flat observation."""
LAYER_FEATURES = ("layer_cores", "layer_send", "layer_receive")
"""Per layer, after the links."""
SCALARS = ("progress", "objective", "best", "cores used")
"""What the entries of ``scalars``, the last ones, are."""


class CoreTable(NamedTuple):
    """What a partitioning fixes of an observation; N logical cores, L layers at most.

    Attributes:
        layer: Layer of each logical core, (N,).
        send_ps: Time each updates neurons and sends over all steps, (N,).
        receive_ps: Time each takes messages, (N,).
        messages_out: Messages sent, relative to the core that sends most, (N,).
        messages_in: Messages received, relative to the core that receives most, (N,).
        layers: Cores of each layer as part of all, and times of its busiest core in sending and in
            receiving, in ps, (3, L); 0 for layers the network does not have.
        n_layers: Layers of the network.
    """

    layer: Int32Array
    send_ps: Float64Array
    receive_ps: Float64Array
    messages_out: Float32Array
    messages_in: Float32Array
    layers: Float64Array
    n_layers: int


@kernel
def fill(
    table: Any,
    occupant: Any,
    busy_ps: Any,
    latency_ps: Any,
    cursor: Any,
    progress: Any,
    relative: Any,
    best: Any,
    out: Any,
) -> None:
    """Write the flat observation.

    Args:
        table: A `CoreTable`.
        occupant: Logical core on each physical core, -1 for none, (C,).
        busy_ps: Time each link between routers is busy in each step, (4 R, T).
        latency_ps: Latency of the mapping.
        cursor: Logical core to be placed next, -1 for none.
        progress: Part of the episode that is over.
        relative: Objective as a multiple of the reference's.
        best: The best objective so far as a multiple of the reference's.
        out: Where to write, float32, all of it.
    """
    cores, links, latency = len(occupant), len(busy_ps), float(latency_ps)
    own_layer = table.layer[cursor] if cursor >= 0 else -1
    for core in range(cores):
        logical = occupant[core]
        if logical < 0:
            for feature in range(8):
                out[feature * cores + core] = 0.0
            out[cores + core] = 1.0
            continue
        out[core] = (table.layer[logical] + 1) / table.n_layers
        out[cores + core] = 0.0
        out[2 * cores + core] = 1.0 if table.layer[logical] == own_layer else 0.0
        out[3 * cores + core] = 1.0 if logical == cursor else 0.0
        out[4 * cores + core] = min(table.send_ps[logical] / latency, 1.0)
        out[5 * cores + core] = min(table.receive_ps[logical] / latency, 1.0)
        out[6 * cores + core] = table.messages_out[logical]
        out[7 * cores + core] = table.messages_in[logical]
    at = 8 * cores
    for link in range(links):
        busy = np.int64(0)
        for step in range(busy_ps.shape[1]):
            busy += busy_ps[link, step]
        out[at + link] = min(busy / latency, 1.0)
    at += links
    layers = table.layers.shape[1]
    for layer in range(layers):
        out[at + layer] = table.layers[0, layer]
        out[at + layers + layer] = min(table.layers[1, layer] / latency, 1.0)
        out[at + 2 * layers + layer] = min(table.layers[2, layer] / latency, 1.0)
    at += 3 * layers
    out[at] = progress
    out[at + 1] = relative / (1.0 + relative)
    out[at + 2] = best / (1.0 + best)
    out[at + 3] = len(table.layer) / cores
