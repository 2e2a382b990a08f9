"""NIR graphs (neuroir.org): a chain of Linear or Affine, each with spiking neurons behind it.

NIR's neurons are differential equations. A step of `dt` makes them the difference equations that
NIR's own simulators use (forward Euler, a spike is an input of 1 for one step):

    LIF        v += dt / tau (v_leak - v + r I)
    CubaLIF    i += dt / tau_syn (w_in I - i);  v += dt / tau_mem (v_leak - v + r i)
    IF         v += dt r I
    Threshold  v = I

A spike when v > v_threshold, then v = v_reset, which must be 0. LI, CubaLI or no neuron at all is
supported in the last layer: a readout that sends nothing. Loihi's neurons have one time constant
per layer here; thresholds and resistances may differ, since they fold into the weights.
"""

from collections import Counter
from dataclasses import replace
from itertools import dropwhile
from pathlib import Path
from typing import Any

import numpy as np

from ...arrays import Float64Array, NumberArray
from ...errors import NetworkImportError
from .float_layers import SpikingLayer, synapses
from .hdf5 import opened
from .imported import Imported, integer_samples, needed, unsupported
from .nir_time import time_step
from .spiking_rounding import spiking_network

Node = tuple[str, Any]
SYNAPSES = ("Linear", "Affine")
NEURONS = ("LIF", "CubaLIF", "IF", "Threshold", "LI", "CubaLI")
SILENT = ("LI", "CubaLI")
CLOCK = "docs/own-networks.md lists --dt by exporter, such as 1 for sinabs and 1e-6 for Norse"


def read(path: Path, inputs: NumberArray | None, dt_s: float | None = None) -> Imported:
    """Read a NIR file; see `read_network`. Needs the extra ``import``."""
    chain = _chain(_graph(path))
    source = "given"
    if dt_s is None:
        dt_s, source = time_step(node for _, node in chain)
    layers, notes = [], [f"time step {dt_s:g} ({source}; --dt sets it)"]
    while chain:
        name, node = chain.pop(0)
        if _kind(node) not in SYNAPSES:
            unsupported(name, _kind(node), "neurons must follow a Linear or Affine")
        neuron = chain.pop(0) if chain and _kind(chain[0][1]) in NEURONS else None
        if chain and neuron is None:
            unsupported(name, _kind(node), "no neurons follow it, and it is not the last layer")
        if neuron is not None and _kind(neuron[1]) in SILENT and chain:
            unsupported(neuron[0], _kind(neuron[1]), "it never spikes, and is not the last layer")
        if neuron is None or _kind(neuron[1]) in SILENT:
            notes.append(f"layer {name} is taken as a readout: it sends nothing")
        layers.append(_layer(name, node, neuron, dt_s))
    if not layers:
        raise NetworkImportError("it has no Linear or Affine node")
    imported = spiking_network(layers, integer_samples(inputs, layers[0].weights.shape[1]))
    clock = f"the time step of {dt_s:g} may not be the file's; {CLOCK}"
    return replace(imported, notes=(*notes, *imported.notes), clock=clock)


def _graph(path: Path) -> Any:
    with opened(path, "NIR"):
        pass
    nir = needed("nir", "NIR", "import")
    try:
        return nir.read(path, type_check=False)  # `_chain` and `_layer` say more
    except Exception as error:  # h5py's, and whatever a malformed node provokes in nir
        raise ValueError(f"not a NIR graph: {error}") from error


def _chain(graph: Any) -> list[Node]:
    """The nodes from input to output, those two left out.

    Raises:
        NetworkImportError: names the first node at which the graph is no chain.
    """
    sources = Counter(source for source, _ in graph.edges)
    targets = Counter(target for _, target in graph.edges)
    for name, node in graph.nodes.items():
        kind = _kind(node)
        if kind not in (*SYNAPSES, *NEURONS, "Input", "Output", "Flatten"):
            known = ", ".join((*SYNAPSES, *NEURONS))
            unsupported(name, kind, f"supported are {known}")
        if sources[name] > 1 or targets[name] > 1:
            unsupported(name, kind, "recurrent, skipping and parallel connections are not")
    following, chain = dict(graph.edges), list[Node]()
    name = next((name for name in graph.nodes if not targets[name]), None)
    while name is not None:
        chain.append((name, graph.nodes[name]))
        name = following.get(name)
    if len(chain) != len(graph.nodes):
        raise NetworkImportError("the graph's nodes are not one chain from input to output")
    inner = (one for one in chain if _kind(one[1]) not in ("Input", "Output"))
    flat = list(dropwhile(lambda one: _kind(one[1]) == "Flatten", inner))  # inputs are given flat
    for name, node in flat:
        if _kind(node) == "Flatten":
            unsupported(name, "Flatten", "only ahead of the first layer")
    return flat


def _kind(node: Any) -> str:
    return type(node).__name__


def _layer(name: str, node: Any, neuron: Node | None, dt_s: float) -> SpikingLayer:
    weight = np.asarray(node.weight, np.float64)
    bias = np.asarray(getattr(node, "bias", 0.0), np.float64)
    if weight.ndim != 2 or bias.shape not in ((), (len(weight),)):
        unsupported(name, _kind(node), f"weights {weight.shape} and bias {bias.shape}")
    width = len(weight)
    bias = np.broadcast_to(bias, width)
    gain, leak, threshold, current_decay, voltage_decay = _dynamics(neuron, width, dt_s)
    if not all(np.isfinite(part).all() for part in (weight, bias, gain, leak)):
        unsupported(name, _kind(node), "weights, biases and time constants are not all finite")
    weight = weight * gain[:, None]
    # A constant input reaches the voltage through the current's own gain of 1 / decay.
    bias = leak + bias * gain / current_decay
    return SpikingLayer(
        synapses(weight, None),
        bias,
        threshold=threshold,
        current_decay=current_decay,
        voltage_decay=voltage_decay,
    )


def _dynamics(
    neuron: Node | None, width: int, dt_s: float
) -> tuple[Float64Array, Float64Array, Float64Array | None, float, float]:
    """Voltage per input, leak per step, threshold (None: never), decay of current and voltage."""
    if neuron is None:
        return np.ones(width), np.zeros(width), None, 1.0, 1.0
    name, node = neuron
    kind = _kind(node)

    def each(key: str) -> Float64Array:
        value = np.asarray(getattr(node, key), np.float64).reshape(-1)
        if len(value) not in (1, width):
            unsupported(name, kind, f"{key} of {len(value)} neurons for {width}")
        return np.broadcast_to(value, width)

    def decay(key: str) -> float:
        parts = dt_s / each(key)
        if not np.allclose(parts, parts[0], rtol=1e-3, atol=0):
            unsupported(name, kind, f"{key} differs from neuron to neuron")
        if not 0 < parts[0] <= 1:
            unsupported(name, kind, f"{key} is shorter than the time step of {dt_s:g} s (--dt)")
        return float(parts[0])

    threshold = None
    if kind not in SILENT:
        threshold = each("threshold" if kind == "Threshold" else "v_threshold")
        if (threshold <= 0).any():
            unsupported(name, kind, "a threshold is not positive")
    if getattr(node, "v_reset", None) is not None and np.any(each("v_reset")):
        unsupported(name, kind, "neurons can be reset to 0 only")
    if kind == "Threshold":
        return np.ones(width), np.zeros(width), threshold, 1.0, 1.0
    if kind == "IF":
        return dt_s * each("r"), np.zeros(width), threshold, 1.0, 0.0
    if kind in ("LIF", "LI"):
        voltage = decay("tau")
        return each("r") * voltage, each("v_leak") * voltage, threshold, 1.0, voltage
    current, voltage = decay("tau_syn"), decay("tau_mem")
    gain = each("w_in") * current * each("r") * voltage
    return gain, each("v_leak") * voltage, threshold, current, voltage
