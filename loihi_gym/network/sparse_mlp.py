"""`SparseMLP`: the networks that are mapped."""

from dataclasses import dataclass
from functools import cached_property
from typing import Literal, get_args

import numpy as np
from scipy.sparse import csr_array

from ..arrays import Int32Array

Neuron = Literal["relu", "sigma-delta", "lif"]
DECAY_UNITY = 4096
"""A decay of 4096 forgets everything within a step; one of 0 forgets nothing."""


MAX_WEIGHT_BITS = 8
"""Bits of a weight on Loihi."""


@dataclass(frozen=True, eq=False)
class SparseMLP:
    """A feed-forward network of sparse layers in Loihi's fixed-point arithmetic.

    Layer 0 is the input population; layer ``l`` > 0 has ``weights[l - 1]`` on its inputs. A layer's
    input is ``weights @ messages`` shifted left by its exponent, or right if that is negative.

    Attributes:
        weights: int8 matrices (post-synaptic, presynaptic) in CSR form, indices of a row ascending.
        exponents: One power of two for each layer, which scales its input.
        thresholds: One threshold for each layer. A ``relu`` neuron sends its value if it exceeds
            the threshold; a ``sigma-delta`` neuron sends its change if that is at least the
            threshold; a ``lif`` neuron sends 1 if its voltage exceeds 64 times the threshold, and
            starts again from 0.
        neuron: Kind of all neurons but the input population.
        biases: Constants, int32 (width,) for each layer, that are added to the state in every step
            (``lif``: to the voltage); empty if no layer has any.
        decays: Pairs, one for each layer of ``lif`` neurons, of the parts in 4096 of its current
            and of its voltage that a neuron forgets in a step; empty for other neurons.
        weight_bits: Bits that each layer's weights are stored in, 1 to 8; empty for 8 everywhere.
    """

    weights: tuple[csr_array, ...]
    exponents: tuple[int, ...]
    thresholds: tuple[int, ...]
    neuron: Neuron = "relu"
    biases: tuple[Int32Array, ...] = ()
    decays: tuple[tuple[int, int], ...] = ()
    weight_bits: tuple[int, ...] = ()

    def __post_init__(self) -> None:
        if self.neuron not in get_args(Neuron):
            raise ValueError(f"neuron kind {self.neuron!r} is none of {get_args(Neuron)}")
        if not self.weights:
            raise ValueError("a network needs at least one weight matrix")
        if not len(self.weights) == len(self.exponents) == len(self.thresholds):
            raise ValueError("weights, exponents and thresholds differ in number of layers")
        if 0 in self.widths:
            raise ValueError(f"layer {self.widths.index(0)} has no neurons")
        for layer, weights in enumerate(self.weights, 1):
            if weights.dtype != np.int8:
                raise ValueError(f"layer {layer}: weights are {weights.dtype}, not int8")
            if layer > 1 and weights.shape[1] != self.weights[layer - 2].shape[0]:
                raise ValueError(
                    f"layer {layer}: {weights.shape[1]} inputs, but layer {layer - 1} has "
                    f"{self.weights[layer - 2].shape[0]} neurons"
                )
            if self.thresholds[layer - 1] < 0:
                raise ValueError(f"layer {layer}: threshold {self.thresholds[layer - 1]} < 0")
        self._check_biases()
        self._check_decays()
        self._check_weight_bits()

    def _check_biases(self) -> None:
        if self.biases and len(self.biases) != len(self.weights):
            raise ValueError(f"biases of {len(self.biases)} layers for {len(self.weights)}")
        for layer, bias in enumerate(self.biases, 1):
            if bias.dtype != np.int32 or bias.shape != (self.widths[layer],):
                raise ValueError(
                    f"layer {layer}: biases are {bias.dtype} {bias.shape}, "
                    f"not int32 ({self.widths[layer]},)"
                )

    def _check_decays(self) -> None:
        if len(self.decays) != (len(self.weights) if self.neuron == "lif" else 0):
            raise ValueError(f"decays of {len(self.decays)} layers for {self.neuron} neurons")
        for layer, decays in enumerate(self.decays, 1):
            if len(decays) != 2 or not all(0 <= decay <= DECAY_UNITY for decay in decays):
                raise ValueError(
                    f"layer {layer}: decays {decays} are not two of 0 to {DECAY_UNITY}"
                )

    def _check_weight_bits(self) -> None:
        if self.weight_bits and len(self.weight_bits) != len(self.weights):
            raise ValueError(f"weight bits of {len(self.weight_bits)} layers, not of all")
        for layer, bits in enumerate(self.weight_bits, 1):
            if not 1 <= bits <= MAX_WEIGHT_BITS:
                raise ValueError(f"layer {layer}: {bits} bits a weight; 1 to {MAX_WEIGHT_BITS} are")

    @cached_property
    def widths(self) -> tuple[int, ...]:
        """Neurons of each layer, the input population first."""
        return (self.weights[0].shape[1], *(weights.shape[0] for weights in self.weights))

    @property
    def synapses(self) -> int:
        """Number of synapses."""
        return sum(weights.nnz for weights in self.weights)

    @property
    def densities(self) -> tuple[float, ...]:
        """Part of all possible synapses that each weight matrix has."""
        return tuple(w.nnz / (w.shape[0] * w.shape[1]) for w in self.weights)
