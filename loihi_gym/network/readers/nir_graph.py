"""NIR graphs (neuroir.org): a chain of linear maps, each with spiking neurons behind it.

Linear maps are Linear, Affine, Scale, Conv1d, Conv2d, SumPool2d and AvgPool2d; those that follow
each other are multiplied into one layer of synapses. Neurons are those of `nir_neurons`. LI, CubaLI
or no neuron at all is supported in the last layer: a readout that sends nothing.
"""

import math
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np

from ...arrays import NumberArray
from ...errors import NetworkImportError
from .float_layers import SpikingLayer
from .hdf5 import opened
from .imported import Imported, integer_samples, needed, sample_shape, unsupported
from .linear_chain import LinearChain
from .lowering import Shape, Sliding
from .nir_neurons import NEURONS, SILENT, neurons, readout
from .nir_time import ADDS_WHOLE, time_step
from .spiking_rounding import spiking_network
from .steps import each_dimension, padding_of

Node = tuple[str, Any]
MAPS = ("Linear", "Affine", "Scale", "Conv1d", "Conv2d", "SumPool2d", "AvgPool2d")
CLOCK = "docs/own-networks.md lists --dt by exporter, such as 1 for sinabs and 1e-6 for Norse"


def read(path: Path, inputs: NumberArray | None, dt_s: float | None = None) -> Imported:
    """Read a NIR file; see `read_network`. Needs the extra ``import``."""
    nodes = _chain(_graph(path))
    source = "given"
    if dt_s is None:
        dt_s, source = time_step(node for _, node in nodes)
    cuba = any(_kind(node) in ("CubaLIF", "CubaLI") for _, node in nodes)
    adds_whole = cuba and source in ADDS_WHOLE
    shape = _input_shape(nodes, sample_shape(inputs))
    layers, notes = _layers(nodes, shape, dt_s, adds_whole)
    if adds_whole:
        notes.append("inputs are added whole to currents, as there; with --dt, as w_in states")
    if not layers:
        raise NetworkImportError("it has no Linear or Affine node")
    width = layers[0].weights.shape[1]
    clock = f"the time step of {dt_s:g} may not be the file's; {CLOCK}"
    imported = spiking_network(layers, integer_samples(inputs, width), clock)
    return imported.noted(f"time step {dt_s:g} ({source}; --dt sets it)", *notes)


def _graph(path: Path) -> Any:
    with opened(path, "NIR"):
        pass
    nir = needed("nir", "NIR", "import")
    try:
        return nir.read(path, type_check=False)  # `_chain` and `_layers` say more
    except Exception as error:  # h5py's, and whatever a malformed node provokes in nir
        raise ValueError(f"not a NIR graph: {error}") from error


def _chain(graph: Any) -> list[Node]:
    """The nodes from input to output, the latter left out.

    Raises:
        NetworkImportError: names the first node at which the graph is no chain.
    """
    sources = Counter(source for source, _ in graph.edges)
    targets = Counter(target for _, target in graph.edges)
    for name, node in graph.nodes.items():
        kind = _kind(node)
        if kind not in (*MAPS, *NEURONS, "Input", "Output", "Flatten"):
            known = ", ".join((*MAPS, *NEURONS))
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
    return [one for one in chain if _kind(one[1]) != "Output"]


def _kind(node: Any) -> str:
    return type(node).__name__


def _input_shape(nodes: list[Node], given: Shape) -> Shape:
    """Shape of a sample: a first convolution's, or the activity's if it has dimensions, or the
    input node's, without the batch that some exporters leave in it.
    """  # noqa: D205
    for _, node in nodes:
        if _kind(node) in MAPS:
            if getattr(node, "input_shape", None) is not None:
                channels = node.weight.shape[1] * int(node.groups)
                return (channels, *each_dimension(node.input_shape, node.weight.ndim - 2))
            break
    stated = getattr(nodes[0][1], "input_type", {}).get("input") if nodes else None
    if len(given) > 1 or stated is None or _kind(nodes[0][1]) != "Input":
        return given
    shape = tuple(map(int, np.atleast_1d(stated)))
    while len(shape) > 1 and shape[0] == 1 and len(shape) > 3:
        shape = shape[1:]
    return shape if math.prod(shape) == math.prod(given) else given


def _layers(
    nodes: list[Node], shape: Shape, dt_s: float, adds_whole: bool
) -> tuple[list[SpikingLayer], list[str]]:
    chain, layers, notes = LinearChain(shape), list[SpikingLayer](), list[str]()
    for number, (name, node) in enumerate(nodes):
        kind = _kind(node)
        if kind in MAPS or kind == "Flatten":
            _append(chain, name, node)
        elif kind in NEURONS:
            if kind in SILENT and number < len(nodes) - 1:
                unsupported(name, kind, "it never spikes, and is not the last layer")
            if not chain.names:
                unsupported(name, kind, "neurons must follow a Linear, Affine or convolution")
            if kind in SILENT:
                notes.append(f"layer {name} is taken as a readout: it sends nothing")
            notes += chain.product_note(len(layers) + 1)
            layer, behind = chain.take(), neurons(name, node, chain.shape, dt_s, adds_whole)
            layers.append(behind.behind(layer))
    if chain.names:
        notes.append(f"layer {chain.names[-1]} is taken as a readout: it sends nothing")
        layers.append(readout(chain.width).behind(chain.take()))
    return layers, notes


def _append(chain: LinearChain, name: str, node: Any) -> None:
    kind = _kind(node)
    if kind in ("Linear", "Affine"):
        chain.linear(name, kind, np.asarray(node.weight), _array(node, "bias"))
    elif kind == "Scale":
        factor = np.asarray(node.scale, np.float64).reshape(-1)
        chain.scale(name, kind, factor, np.zeros(len(factor)))
    elif kind == "Flatten":
        chain.flatten(int(node.start_dim), int(node.end_dim))
    elif kind in ("SumPool2d", "AvgPool2d"):
        kernel = each_dimension(node.kernel_size, 2)
        divisor = 1.0 if kind == "SumPool2d" else None
        chain.pool(name, kind, _window(node, kernel), divisor)
    else:
        weight = np.asarray(node.weight)
        window = _window(node, weight.shape[2:])
        if len(chain.shape) == 1 and node.input_shape is not None:
            spatial = each_dimension(node.input_shape, weight.ndim - 2)
            chain.reshape(name, kind, (weight.shape[1] * int(node.groups), *spatial))
        chain.convolve(name, kind, weight, _array(node, "bias"), window, int(node.groups))


def _window(node: Any, kernel: Shape) -> Sliding:
    dilation = each_dimension(getattr(node, "dilation", 1), len(kernel))
    padding = node.padding.decode() if isinstance(node.padding, bytes) else node.padding
    stride = each_dimension(node.stride, len(kernel))
    return Sliding(kernel, stride, padding_of(padding, kernel, dilation), dilation)


def _array(node: Any, key: str) -> NumberArray | None:
    value = getattr(node, key, None)
    return None if value is None else np.atleast_1d(value)
