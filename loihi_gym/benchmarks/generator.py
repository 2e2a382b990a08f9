"""Drawing generated problems, so that a big problem needs no big file.

A feed-forward network with random masks of fixed fan-in, as the trained ones have, and an activity
that is *drawn, not run*: weights are all 1 and mean nothing, messages carry a placeholder. What
sets the load is drawn from what was measured on trained networks (`rates`). Neurons send
independently of each other, given these; a trained network's neurons do not.

All numbers are hashes, so a problem is the same on every machine and with every version of numpy.
"""

from fractions import Fraction
from itertools import pairwise

import numpy as np
from scipy.sparse import csr_array

from ..arrays import BoolArray
from ..chip import ChipSpec, load_chip
from ..errors import BenchmarkError, IllegalMappingError
from ..mapping import Problem
from ..network import Activity, SparseMLP
from .generator_kernel import draw_mask, hash_many
from .generator_uri import Generated, parse
from .rates import STEP_SCATTER, first_rates, rates
from .references import quick_reference

MAX_NEURONS = 1 << 24
MAX_SYNAPSES = 1 << 30
MAX_MESSAGES = 1 << 28
"""Most messages that are drawn: one for each neuron and step, of 4 bytes."""
PAYLOADS = {32: 1, 64: 1000}
"""A value that takes messages of so many bits."""


def generate(uri: str) -> Problem:
    """The problem that a URI names; its name is the canonical form.

    Raises:
        BenchmarkError, UnknownNameError: as `parse`.
        IllegalMappingError: if all cores of the chip together cannot hold the network.
    """
    return drawn(parse(uri))


def drawn(spec: Generated, chip: ChipSpec | None = None) -> Problem:
    """A generated problem, on another chip than its bundled one if that is given.

    Raises:
        BenchmarkError: if it is too large to be drawn.
        IllegalMappingError: if all cores of the chip together cannot hold the network.
    """
    _require_size(spec)
    chip = chip or load_chip(spec.chip)
    _require_room(spec, chip)
    problem = Problem(spec.uri, network(spec), activity(spec), chip, spec.reference)
    return problem if spec.reference else problem.with_reference(quick_reference(problem))


def network(spec: Generated) -> SparseMLP:
    """The network: random masks, all weights 1."""
    layers = range(1, len(spec.widths))
    most = max(fan_in(spec, layer) * spec.widths[layer] for layer in layers)
    ones = np.ones(most, np.int8)  # shared by all layers: the weights mean nothing
    ones.flags.writeable = False
    weights = []
    for layer in layers:
        n_post, n_pre, n = spec.widths[layer], spec.widths[layer - 1], fan_in(spec, layer)
        indices = np.empty((n_post, n), np.int32)
        draw_mask(stream(spec.seed, 2 * layer), n_pre, n, indices)
        indptr = np.arange(n_post + 1, dtype=np.int32) * np.int32(n)
        parts = (ones[: n_post * n], indices.reshape(-1), indptr)
        weights.append(csr_array(parts, shape=(n_post, n_pre)))
    return SparseMLP(tuple(weights), (0,) * len(weights), (0,) * len(weights))


def activity(spec: Generated) -> Activity:
    """The messages of all layers in all steps."""
    sends = (_sends(spec, layer) for layer in range(len(spec.widths)))
    payloads = (np.int32(PAYLOADS[bits]) for bits in spec.bits)
    return Activity(tuple(layer * payload for layer, payload in zip(sends, payloads, strict=True)))


def fan_in(spec: Generated, layer: int) -> int:
    """Synapses of each neuron of a layer: the density times its inputs, halves rounded up."""
    return max(1, int(spec.widths[layer - 1] * spec.densities[layer - 1] + Fraction(1, 2)))


def stream(seed: int, index: int) -> np.uint64:
    """Seed of the `index`-th independent sequence of a problem."""
    numbers = np.empty(index + 1, np.uint64)
    hash_many(np.uint64(seed), numbers)
    return np.uint64(numbers[index])


def _sends(spec: Generated, layer: int) -> BoolArray:
    """Which neurons of a layer send, (T, width); in whole numbers, so the same everywhere.

    The first numbers of the layer's sequence are the neurons' ranks among rates, then come one for
    each step and one for each (step, neuron). Of a layer that would send nothing at all and is
    not the last, the busiest neuron sends in the first step: no mapping can be told from another by
    a layer that is silent.
    """
    width, steps = spec.widths[layer], spec.steps
    numbers = np.empty(width + steps + steps * width, np.uint64)
    hash_many(stream(spec.seed, 2 * layer + 1), numbers)
    small = (numbers >> np.uint64(44)).astype(np.int64)  # 20 bits
    rate = (first_rates if spec.kind == "mlp" else rates)(small[:width])
    scale = 1000 - STEP_SCATTER + (2 * STEP_SCATTER * small[width : width + steps] >> 20)
    millionths = int(spec.active[layer] * 1_000_000) * rate * scale[:, None] // 1_000_000
    chances = small[width + steps :].reshape(steps, width) * 1_000_000 >> 20
    sends: BoolArray = chances < millionths
    last = layer + 1 == len(spec.widths)  # it is only read, and may be silent
    if spec.kind != "mlp" and not last and not sends.any():
        sends[0, rate.argmax()] = True
    return sends


def _require_size(spec: Generated) -> None:
    """Raise if a problem is too large to be drawn."""
    neurons = sum(spec.widths)
    for what, size, most in (
        ("neurons", neurons, MAX_NEURONS),
        ("synapses", _synapses(spec), MAX_SYNAPSES),
        ("messages", neurons * spec.steps, MAX_MESSAGES),
    ):
        if size > most:
            raise BenchmarkError(f"{spec.uri!r} has {size:,} {what}; at most {most:,} are drawn")


def _require_room(spec: Generated, chip: ChipSpec) -> None:
    """Raise if a network is too large for its chip however it is cut, before memory is taken."""
    capacity, bits = chip.capacity, _synapses(spec) * chip.capacity.synapse_bits
    if chip.structure.rows == "dense":  # zeros are stored as well, and no indices
        bits = sum(a * b for a, b in pairwise(spec.widths)) * capacity.weight_bits
    for what, need, room in (
        ("neurons", sum(spec.widths), chip.n_cores * capacity.neurons),
        ("bits of synapses", bits, chip.n_cores * capacity.synmem_words * 64),
    ):
        if need > room:
            raise IllegalMappingError(
                f"{spec.uri} does not fit on {chip.name}: it has {need:,} {what}, and all cores "
                f"together hold {room:,}; use a larger chip or a smaller network"
            )


def _synapses(spec: Generated) -> int:
    return sum(fan_in(spec, layer) * w for layer, w in enumerate(spec.widths) if layer)
