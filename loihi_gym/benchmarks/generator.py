"""Generated problems, named by a URI, so that a big problem needs no big file.

    generator://mlp?layers=26&width=2048&density=0.25&chip=kapoho-point&seed=7

is a feed-forward network of `layers` hidden layers with random masks of fixed fan-in, as the
trained ones have, and an activity that is *drawn, not run*: weights are all 1 and mean nothing,
messages carry a placeholder. What sets the load is drawn from what was measured on the two bundled
flagships over 1,000 held-out digits (``tools/rates.py``, docs/bounds-and-scale.md):

- how much more or less often than the average a neuron of a hidden layer sends: `RATE`;
- how much the active part of a layer differs from step to step: `STEP_SCATTER`.

Neurons send independently of each other, given these two; a trained network's neurons do not.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass, fields
from fractions import Fraction
from functools import cached_property
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import numpy as np
from scipy.sparse import csr_array

from ..arrays import BoolArray
from ..chip import ChipSpec, chip_names, load_chip
from ..errors import BenchmarkError, IllegalMappingError, unknown
from ..mapping import Problem, heuristic_names
from ..network import Activity, SparseMLP
from .generator_kernel import draw_mask, hash_many

SCHEME = "generator"
PREFIX = f"{SCHEME}://"
NETWORK = "mlp"

RATE = (
    *(0, 0, 12, 28, 51, 72, 96, 130, 164, 200, 241, 285, 339, 384, 437, 496, 553),
    *(610, 672, 741, 809, 887, 963, 1055, 1156, 1279, 1413, 1583, 1802, 2058, 2422, 3143, 15836),
)
"""Quantiles 0/32 … 32/32 of a neuron's rate, in thousandths of its layer's mean rate."""
STEP_SCATTER = 318
"""Half the span, in thousandths, of a layer's active part about its mean: uniform, sd 18 %."""

MAX_NEURONS = 1 << 24
MAX_SYNAPSES = 1 << 30
MAX_MESSAGES = 1 << 28
"""Most messages that are drawn: one for each neuron and step, of 4 bytes."""


@dataclass(frozen=True)
class Generated:
    """The parameters of a generated problem, in the order of the canonical URI.

    Attributes:
        layers: Hidden layers.
        width: Neurons of each hidden layer.
        inputs: Neurons of the input population.
        outputs: Neurons of the last layer.
        density: Part of all possible synapses; a neuron has the nearest whole number, at least 1.
        active: Part of neurons that send in a step, on average, if the busiest could send more than
            once: with 0.12 it is 0.111.
        steps: Recorded time steps.
        bits: Size of a message, 32 or 64.
        chip: Name of a bundled chip.
        reference: Standard heuristic of the reference mapping. It is not searched for, since that
            takes longer than anything else with a big problem.
        seed: 0 to 2^63 - 1.
    """

    layers: int
    width: int
    inputs: int = 784
    outputs: int = 10
    density: Fraction = Fraction(1, 4)
    active: Fraction = Fraction(12, 100)
    steps: int = 2
    bits: int = 64
    chip: str = "loihi2"
    reference: str = "balanced/strided"
    seed: int = 0

    @cached_property
    def widths(self) -> tuple[int, ...]:
        """Neurons of each layer, the input population first."""
        return (self.inputs, *[self.width] * self.layers, self.outputs)

    @cached_property
    def uri(self) -> str:
        """The canonical form: every parameter, in the order of the fields."""
        pairs = [f"{each.name}={_text(getattr(self, each.name))}" for each in fields(self)]
        return f"{PREFIX}{NETWORK}?{'&'.join(pairs)}"


def parse(uri: str) -> Generated:
    """The parameters that a URI states, and the defaults of the others.

    Raises:
        BenchmarkError: if the URI is malformed or a value is out of range; names the parameter.
        UnknownNameError: if there is no such parameter, chip or heuristic.
    """
    try:
        parts = urlsplit(uri)
    except ValueError as error:
        raise BenchmarkError(f"{uri!r}: {error}") from error
    if parts.scheme != SCHEME or parts.netloc != NETWORK or parts.path or parts.fragment:
        raise BenchmarkError(f"{uri!r} is not of the form {PREFIX}{NETWORK}?layers=…&width=…")
    try:
        pairs = parse_qsl(parts.query, strict_parsing=True, keep_blank_values=True)
    except ValueError as error:
        raise BenchmarkError(f"{uri!r}: {error}") from error
    names = [name for name, _ in pairs]
    for name in names:
        if name not in _READERS:
            raise unknown("parameter", name, list(_READERS))
        if names.count(name) > 1:
            raise BenchmarkError(f"{uri!r} states {name} twice")
    for name in ("layers", "width"):
        if name not in names:
            raise BenchmarkError(f"{uri!r} lacks {name}=")
    generated = Generated(**{name: _READERS[name](name, text) for name, text in pairs})
    _require_size(uri, generated)
    return generated


def _require_size(uri: str, spec: Generated) -> None:
    """Raise if a problem is too large to be drawn."""
    neurons = sum(spec.widths)
    for what, size, most in (
        ("neurons", neurons, MAX_NEURONS),
        ("synapses", _synapses(spec), MAX_SYNAPSES),
        ("messages", neurons * spec.steps, MAX_MESSAGES),
    ):
        if size > most:
            raise BenchmarkError(f"{uri!r} has {size:,} {what}; at most {most:,} are generated")


def _require_room(spec: Generated, chip: ChipSpec) -> None:
    """Raise if a network is too large for its chip however it is cut, before memory is taken."""
    capacity, bits = chip.capacity, _synapses(spec) * chip.capacity.synapse_bits
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


def generate(uri: str) -> Problem:
    """The problem that a URI names; its name is the canonical form.

    Raises:
        BenchmarkError, UnknownNameError: as `parse`.
        IllegalMappingError: if all cores of the chip together cannot hold the network.
    """
    spec = parse(uri)
    chip = load_chip(spec.chip)
    _require_room(spec, chip)
    return Problem(spec.uri, network(spec), activity(spec), chip, spec.reference)


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
    """The messages of all layers in all steps; payload 1, or 1000 if they take 64 bits."""
    payload = 1 if spec.bits == 32 else 1000
    sends = [_sends(spec, layer) for layer in range(len(spec.widths))]
    return Activity(tuple(layer.astype(np.int32) * np.int32(payload) for layer in sends))


def fan_in(spec: Generated, layer: int) -> int:
    """Synapses of each neuron of a layer: the density times its inputs, halves rounded up."""
    inputs = spec.widths[layer - 1]
    return max(1, int(inputs * spec.density + Fraction(1, 2)))


def stream(seed: int, index: int) -> np.uint64:
    """Seed of the `index`-th independent sequence of a problem."""
    numbers = np.empty(index + 1, np.uint64)
    hash_many(np.uint64(seed), numbers)
    return np.uint64(numbers[index])


def _sends(spec: Generated, layer: int) -> BoolArray:
    """Which neurons of a layer send, (T, width); in whole numbers, so the same everywhere.

    The first numbers of the layer's sequence are the neurons' ranks in `RATE`, then come one for
    each step and one for each (step, neuron).
    """
    width, steps = spec.widths[layer], spec.steps
    numbers = np.empty(width + steps + steps * width, np.uint64)
    hash_many(stream(spec.seed, 2 * layer + 1), numbers)
    small = (numbers >> np.uint64(44)).astype(np.int64)  # 20 bits
    rank, within = np.divmod(small[:width], 1 << 15)  # 32 intervals, position in each
    table = np.array(RATE, np.int64)
    rate = table[rank] + ((table[rank + 1] - table[rank]) * within >> 15)
    scale = 1000 - STEP_SCATTER + (2 * STEP_SCATTER * small[width : width + steps] >> 20)
    millionths = int(spec.active * 1_000_000) * rate * scale[:, None] // 1_000_000
    drawn = small[width + steps :].reshape(steps, width) * 1_000_000 >> 20
    sends: BoolArray = drawn < millionths
    return sends


def _text(value: object) -> str:
    """A parameter as it stands in a canonical URI; fractions have at most six decimals."""
    if isinstance(value, Fraction):
        return f"{value.numerator * 1_000_000 // value.denominator / 1_000_000:f}".rstrip("0")
    return str(value)


def _count(least: int, most: int) -> Any:
    def read(name: str, text: str) -> int:
        if not re.fullmatch("[0-9]{1,19}", text) or not least <= int(text) <= most:
            raise BenchmarkError(f"{name}={text!r} is not a whole number from {least} to {most}")
        return int(text)

    return read


def _part(name: str, text: str) -> Fraction:
    """A decimal fraction above 0, up to 1."""
    legal = re.fullmatch(r"[0-9](\.[0-9]{0,6})?|\.[0-9]{1,6}", text)
    if not legal or not 0 < Fraction(text) <= 1:
        raise BenchmarkError(
            f"{name}={text!r} is not a decimal fraction above 0, up to 1, of at most 6 decimals"
        )
    return Fraction(text)


def _bits(name: str, text: str) -> int:
    if text not in ("32", "64"):
        raise BenchmarkError(f"{name}={text!r} is neither 32 nor 64")
    return int(text)


def _one_of(kind: str, names: Callable[[], list[str]]) -> Any:
    def read(name: str, text: str) -> str:
        if text not in names():
            raise unknown(kind, text, names())
        return text

    return read


_READERS: dict[str, Any] = {
    "layers": _count(1, 10_000),
    "width": _count(1, 65_535),
    "inputs": _count(1, 65_535),
    "outputs": _count(1, 65_535),
    "density": _part,
    "active": _part,
    "steps": _count(1, 64),
    "bits": _bits,
    "chip": _one_of("chip", chip_names),
    "reference": _one_of("heuristic", heuristic_names),
    "seed": _count(0, (1 << 63) - 1),
}
