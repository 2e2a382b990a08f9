"""The distribution behind the family ``sparse-mlp``: which shapes, loads and systems it has.

Every range is what people have run or what trained networks show, and nothing was chosen by what a
search finds (docs/benchmarks.md, with sources). A member is drawn in this order, each value with
the same chance:

1. the system (`SYSTEMS`), the number of hidden layers, how their widths go (`PROFILES`), inputs and
   outputs;
2. a density, and for each connection a factor; a part of active neurons, and for each population a
   factor; that of the inputs by itself; message bits; recorded steps;
3. the greatest width (`WIDTHS`), and how much of the system the network may need (`FILLS`). The
   width is reduced, in steps of 16, until the network, cut into as few cores as the limits allow,
   takes no more than that part of the cores that are left when each population has one; and until
   one simulation stays affordable (`MAX_SYNAPSES`, `MAX_SYNOPS`).

So every member fits its chip by construction. All arithmetic is in whole numbers.
"""

from collections.abc import Sequence
from fractions import Fraction
from typing import NamedTuple, TypeVar

import numpy as np

from ..chip import ChipSpec
from .generator_kernel import hash_many
from .generator_uri import Generated

SYSTEMS = (
    *("loihi2-24", "loihi2-24", "loihi2", "loihi2", "loihi2"),
    *("loihi2-2-chips", "loihi2-4-chips", "kapoho-point", "loihi2-16-chips"),
)
"""Chips, those with one chip more often, since most people have one."""
HIDDEN_LAYERS = (1, 2, 3, 4, 5, 6, 8, 10, 12)
PROFILES = ("constant", "constant", "taper", "bottleneck")
"""How widths go: all alike; falling evenly to a quarter; to an eighth and back."""
INPUTS = (64, 128, 196, 257, 512, 784, 1024, 2312)
OUTPUTS = (4, 10, 10, 20, 100, 257)
DENSITIES = (5, 7, 10, 14, 20, 30, 50, 100)
DENSITY_FACTORS = (70, 100, 100, 140)
"""In percent, as all parts here; a product is held to 100."""
ACTIVE = (3, 5, 7, 10, 14, 20, 30, 45)
ACTIVE_FACTORS = (50, 70, 100, 140, 200)
ACTIVE_INPUTS = (5, 10, 20, 40)
MOST_ACTIVE = 50
BITS = ("32", "32", "64", "mixed")
"""Binary and short payloads take 32 bits, graded ones 64; some networks have both."""
STEPS = (1, 2, 2, 4)
STEPS_OF_MANY_CHIPS = (1, 1, 2)
WIDTHS = (64, 128, 256, 512, 1024, 2048, 4096)
WIDTH_STEP = 16
FILLS = (6, 12, 25, 50, 75)
MAX_SYNAPSES = 16_000_000
MAX_SYNOPS = 1_000_000
"""Synaptic operations of a step, on average: a few times those of the flagships."""

_DRAWS = 80
T = TypeVar("T")


class Dice:
    """Numbers that follow from a seed, handed out in turn.

    Args:
        seed: 64 bits.
    """

    def __init__(self, seed: int) -> None:
        numbers = np.empty(_DRAWS, np.uint64)
        hash_many(np.uint64(seed), numbers)
        self._left = iter(numbers.tolist())

    def pick(self, values: Sequence[T]) -> T:
        """One of the values, each with the same chance."""
        return values[(next(self._left) >> 32) * len(values) >> 32]


class _Shape(NamedTuple):
    """What is drawn but for the width; parts in 1 of 10,000."""

    inputs: int
    outputs: int
    profile: str
    densities: list[int]
    active: list[int]

    def widths(self, width: int) -> list[int]:
        """Widths of all populations; those of hidden layers are multiples of 8."""
        hidden = len(self.densities) - 1
        last = max(hidden - 1, 1)
        if self.profile == "taper":  # from 1 to 1/4
            eighths = [8 * last - 6 * layer for layer in range(hidden)]
        elif self.profile == "bottleneck" and hidden > 1:  # from 1 to 1/8 and back
            eighths = [last + 7 * abs(2 * layer - last) for layer in range(hidden)]
        else:
            eighths = [8 * last] * hidden
        return [
            self.inputs,
            *(max(8, width * part // (64 * last) * 8) for part in eighths),
            self.outputs,
        ]

    def fan_in(self, before: int, connection: int) -> int:
        """Synapses of each neuron: as `generator.fan_in`."""
        return max(1, (before * self.densities[connection] + 5_000) // 10_000)


def draw_shape(dice: Dice, seed: int, chip: ChipSpec, system: str) -> Generated:
    """A member of the family.

    Args:
        dice: Where all choices come from.
        seed: What masks and messages are drawn with.
        chip: The chip that it is to fit, of the system's mesh.
        system: Name of the bundled chip that is stated.
    """
    hidden, profile = dice.pick(HIDDEN_LAYERS), dice.pick(PROFILES)
    inputs, outputs = dice.pick(INPUTS), dice.pick(OUTPUTS)
    density, active = dice.pick(DENSITIES), dice.pick(ACTIVE)
    inputs_active, bits = dice.pick(ACTIVE_INPUTS), dice.pick(BITS)
    steps = dice.pick(STEPS if chip.n_chips == 1 else STEPS_OF_MANY_CHIPS)
    width, fill = dice.pick(WIDTHS), dice.pick(FILLS)
    densities = [min(density * dice.pick(DENSITY_FACTORS), 10_000) for _ in range(hidden + 1)]
    parts = [min(active * dice.pick(ACTIVE_FACTORS), 100 * MOST_ACTIVE) for _ in range(hidden + 1)]
    mixed = [dice.pick((32, 64)) for _ in range(hidden + 2)]
    shape = _Shape(inputs, outputs, profile, densities, [100 * inputs_active, *parts])
    return Generated(
        widths=tuple(shape.widths(_fitting_width(shape, width, chip, fill))),
        densities=tuple(Fraction(part, 10_000) for part in shape.densities),
        active=tuple(Fraction(part, 10_000) for part in shape.active),
        bits=tuple(mixed) if bits == "mixed" else (int(bits),) * (hidden + 2),
        steps=steps,
        chip=system,
        seed=seed,
    )


def _fitting_width(shape: _Shape, width: int, chip: ChipSpec, fill: int) -> int:
    """The greatest width up to that one that keeps within the limits, or the least of all."""
    populations = len(shape.active)
    cores = populations + max(chip.n_cores - populations, 0) * fill // 100
    low, high = 1, width // WIDTH_STEP + 1  # low is taken, high is not
    while high - low > 1:
        middle = (low + high) // 2
        if _within(shape, shape.widths(middle * WIDTH_STEP), chip, cores):
            low = middle
        else:
            high = middle
    return low * WIDTH_STEP


def _within(shape: _Shape, widths: list[int], chip: ChipSpec, cores: int) -> bool:
    """Whether a network is small enough, and `cores` cores certainly hold it."""
    fan_in = [shape.fan_in(before, index) for index, before in enumerate(widths[:-1])]
    synapses = [n * width for n, width in zip(fan_in, widths[1:], strict=True)]
    synops = sum(n * part for n, part in zip(synapses, shape.active, strict=False))
    if sum(synapses) > MAX_SYNAPSES or synops > MAX_SYNOPS * 10_000:
        return False
    taken, following = 0, 0
    for layer in reversed(range(len(widths))):
        before = widths[layer - 1] if layer else 0
        most = _largest_piece(chip, before, fan_in[layer - 1], following)
        following = -(-widths[layer] // max(most, 1))
        taken += following
    return taken <= cores


def _largest_piece(chip: ChipSpec, before: int, fan_in: int, following: int) -> int:
    """Neurons of a layer that a core certainly holds.

    Args:
        chip: Whose core.
        before: Neurons of the layer before it, 0 if it is the first.
        fan_in: Synapses of each neuron.
        following: Pieces of the next layer: each neuron may have an output axon to all of them.
    """
    capacity = chip.capacity
    most = capacity.neurons
    if following:
        most = min(most, capacity.output_axons // following)
    if not before:
        return most
    words, axon = capacity.synmem_words, capacity.axon_words
    # Every neuron before it has an axon to the piece, or each synapse has one of its own.
    shared = apart = 0
    if chip.structure.rows == "dense":
        if before <= capacity.input_axons:
            shared = max(words // before - axon, 0) * 64 // capacity.weight_bits
    else:
        bits = fan_in * capacity.synapse_bits
        if before <= capacity.input_axons:
            shared = max(words - before * axon, 0) * 64 // bits
        apart = min(64 * words // (64 * axon * fan_in + bits), capacity.input_axons // fan_in)
    return min(most, max(shared, apart))
