"""The network of a job as Lava processes, for Lava's own simulation on the CPU."""

import functools
import itertools
from typing import Any

import numpy as np
from lava.magma.core.process.ports.ports import AbstractVirtualPort, OutPort
from lava.magma.core.process.process import AbstractProcess
from lava.magma.core.run_conditions import RunSteps
from lava.magma.core.run_configs import Loihi2SimCfg
from lava.proc.graded.process import GradedReluVec
from lava.proc.io.source import RingBuffer
from lava.proc.lif.process import LIF
from lava.proc.sdn.process import ActivationMode, Delta, SigmaDelta
from lava.proc.sparse.process import Sparse
from lava.utils.weightutils import SignMode
from processes.bus import Bus
from scipy.sparse import csr_matrix


def pieces_of(width: int, count: int) -> list[tuple[int, int]]:
    """(first, end) of each of `count` balanced contiguous pieces, as loihi_gym cuts layers."""
    edges = [i * width // count for i in range(count + 1)]
    return list(itertools.pairwise(edges))


class PadPort(AbstractVirtualPort):
    """A piece's port seen as one of its whole layer, zero outside the piece.

    Lava's own ConcatPort cannot be compiled (0.10.0), but a port that several others are connected
    to adds up what arrives.
    """

    def __init__(self, first: int, width: int) -> None:
        super().__init__((width,))
        self.first = first

    def get_transform_func_fwd(self) -> functools.partial:
        """What the receiving port does to the data."""
        return functools.partial(_pad, first=self.first, width=self.shape[0])

    def get_transform_func_bwd(self) -> functools.partial:
        """Not a direction that this port is used in."""
        raise NotImplementedError


def _pad(data: np.ndarray, first: int, width: int) -> np.ndarray:
    padded = np.zeros(width, data.dtype)
    padded[first : first + len(data)] = data
    return padded


def padded(port: OutPort, first: int, width: int) -> PadPort:
    """`port` as a `PadPort`."""
    virtual = PadPort(first, width)
    virtual._connect_backward([port], type(port), [None], assert_same_shape=False)
    return virtual


def sparse(weights: csr_matrix, exponent: int) -> Sparse:
    """Synapses whose weights are int8: Lava's mixed-sign weights are twice ours.

    The sign mode is given, since Lava would choose one by the block's weights, and clip -128.
    """
    return Sparse(
        weights=csr_matrix(weights.astype(np.int32) * 2),
        weight_exp=exponent - 1,
        num_weight_bits=8,
        num_message_bits=24,
        sign_mode=SignMode.MIXED,
    )


def neurons(job: dict[str, Any], layer: int, first: int, end: int) -> AbstractProcess:
    """A piece's neurons, with their biases."""
    shape, threshold = (end - first,), job["thresholds"][layer - 1]
    biases = job["biases"][layer - 1] or (np.zeros(end, np.int32), np.zeros(end, np.int32))
    bias, exponent = (part[first:end] for part in biases)
    if job["neuron"] == "lif":
        current, voltage = job["decays"][layer - 1]
        return LIF(
            shape=shape,
            du=current - 1,  # Lava adds 1
            dv=voltage,
            vth=threshold,
            bias_mant=bias,
            bias_exp=exponent,
        )
    if job["neuron"] == "sigma-delta":
        return SigmaDelta(shape=shape, vth=threshold, bias=bias, act_mode=ActivationMode.RELU)
    piece = GradedReluVec(shape=shape, vth=threshold)
    if bias.any():  # it has none of its own: something sends it in every step
        RingBuffer(data=bias[:, np.newaxis]).s_out.connect(piece.a_in)
    return piece


def _inputs(job: dict[str, Any], first: int, end: int) -> OutPort:
    """Out port of a piece of the input population."""
    source = RingBuffer(data=np.ascontiguousarray(job["inputs"][:, first:end].T))
    if job["neuron"] != "sigma-delta":
        return source.s_out
    delta = Delta(shape=(end - first,), vth=1)
    source.s_out.connect(delta.a_in)
    return delta.s_out


def _gather(job: dict[str, Any], layer: int, ports: list[OutPort], folder: str) -> Bus:
    """One bus for a layer's pieces."""
    width = job["widths"][layer]
    bus = Bus(width, len(job["inputs"]), f"{folder}/layer_{layer}.npy")
    for (first, _), port in zip(pieces_of(width, len(ports)), ports, strict=True):
        (port if len(ports) == 1 else padded(port, first, width)).connect(bus.s_in)
    return bus


def build(job: dict[str, Any], folder: str) -> AbstractProcess:
    """All processes of a job; returns one of them, from which Lava finds the others.

    job["split"] says how the synapses between two layers are cut. ``rows``: one Sparse per
    post-synaptic piece, which sees the whole layer before it. ``pairs``: one Sparse per pair of
    pieces, as a chip without a bus would have it; each shifts before the neuron adds them up.
    """
    counts, widths = job["pieces"], job["widths"]
    ports = [_inputs(job, *piece) for piece in pieces_of(widths[0], counts[0])]
    bus = _gather(job, 0, ports, folder)
    for layer in range(1, len(widths)):
        if job["split"] == "pairs":
            sources = list(zip(pieces_of(widths[layer - 1], len(ports)), ports, strict=True))
        else:
            whole = ports[0] if len(ports) == 1 else bus.s_out
            sources = [((0, widths[layer - 1]), whole)]
        ports = [piece.s_out for piece in layer_of(job, layer, sources)]
        bus = _gather(job, layer, ports, folder)
    return bus


def layer_of(
    job: dict[str, Any], layer: int, sources: list[tuple[tuple[int, int], OutPort]]
) -> list[AbstractProcess]:
    """The neurons of a layer, a process for each piece.

    It has one Sparse from each source: ((first, end), port) sends for these neurons of the layer
    before.
    """
    weights, exponent = job["weights"][layer - 1], job["exponents"][layer - 1]
    pieces = []
    for first, end in pieces_of(job["widths"][layer], job["pieces"][layer]):
        piece = neurons(job, layer, first, end)
        for (low, high), port in sources:
            connect(port, weights[first:end, low:high], exponent, piece)
        pieces.append(piece)
    return pieces


def connect(source: OutPort, weights: csr_matrix, exponent: int, piece: AbstractProcess) -> None:
    """Synapses between what sends and a piece's neurons; see `sparse`."""
    connection = sparse(weights, exponent)
    source.connect(connection.s_in)
    connection.a_out.connect(piece.a_in)


def simulate(job: dict[str, Any], folder: str) -> None:
    """Run a job in Lava's fixed-point simulation; each layer's messages go to ``layer_<l>.npy``."""
    process = build(job, folder)
    process.run(
        condition=RunSteps(num_steps=len(job["inputs"])),
        run_cfg=Loihi2SimCfg(select_tag="fixed_pt"),
    )
    process.stop()
