"""`Workload`: what is to be mapped where, and the one function that says whether it is legal."""

from dataclasses import dataclass, field
from functools import cached_property
from typing import NamedTuple

import numpy as np

from ..arrays import Int32Array, Int64Array
from ..chip import ChipSpec, Topology, topology_of
from ..chip.spec import Capacity
from ..errors import IllegalMappingError
from ..network import Activity, SparseMLP
from .loads import Loads
from .mapping import Mapping
from .pieces import Pieces
from .recent import Recent
from .traffic import Traffic, traffic
from .work import Work


class Violation(NamedTuple):
    """One constraint that a mapping breaks."""

    constraint: str
    where: str
    value: int
    limit: int

    def __str__(self) -> str:
        return f"{self.constraint}: {self.where} has {self.value}, the limit is {self.limit}"


@dataclass(frozen=True, eq=False)
class Workload:
    """A network and its recorded activity on a chip: all that heuristics and legality follow from.

    Attributes:
        name: The benchmark's name, or whatever the user calls it.
        network: What is to be mapped.
        activity: The messages that set the load, recorded on real input.
        chip: Where it is mapped to.
        alternatives: Other chips with the same mesh; a mapping is legal if they hold it as well.
    """

    name: str
    network: SparseMLP
    activity: Activity
    chip: ChipSpec
    alternatives: tuple[ChipSpec, ...] = field(default=(), kw_only=True, repr=False)
    _traffic: Recent[bytes, Traffic] = field(
        default_factory=lambda: Recent(64), init=False, repr=False
    )
    _excess: Recent[bytes, list[Violation]] = field(
        default_factory=lambda: Recent(4096), init=False, repr=False
    )

    @cached_property
    def topology(self) -> Topology:
        """The chip's mesh."""
        return topology_of(self.chip)

    @property
    def n_layers(self) -> int:
        """Number of layers, the input population included."""
        return len(self.network.widths)

    @cached_property
    def pieces(self) -> Pieces:
        """What the network's pieces take of a core, cached."""
        return Pieces(self.network, self.chip)

    @cached_property
    def loads(self) -> Loads:
        """What the network's pieces do under the recorded activity, cached."""
        return Loads(self.network, self.activity, self.chip)

    @cached_property
    def work(self) -> Work:
        """How long the layers' busiest cores work, for many counts in a short time."""
        return Work(self.loads)

    def traffic(self, cores_per_layer: Int32Array) -> Traffic:
        """What each logical core does and sends under a partitioning; the last ones are kept."""
        return self._traffic.get(
            cores_per_layer.tobytes(),
            lambda: traffic(self.loads, cores_per_layer),
        )

    def check(self, mapping: Mapping) -> list[Violation]:
        """Every constraint the mapping violates; an empty list means it is legal."""
        counts = self._check_counts(mapping.cores_per_layer)
        if counts:
            return counts
        cores = mapping.cores_per_layer
        excess = self._excess.get(cores.tobytes(), lambda: self._check_capacity(cores))
        return self._check_places(mapping) + excess

    def require(self, mapping: Mapping) -> None:
        """Raise unless the mapping is legal.

        Raises:
            IllegalMappingError: names the first violations.
        """
        violations = self.check(mapping)
        if violations:
            more = f" (and {len(violations) - 1} more)" if len(violations) > 1 else ""
            raise IllegalMappingError(f"illegal mapping for {self.name}: {violations[0]}{more}")

    def _check_counts(self, counts: Int32Array) -> list[Violation]:
        widths = self.network.widths
        if len(counts) != len(widths):
            return [Violation("layers", "cores_per_layer", len(counts), len(widths))]
        return [
            Violation("pieces per layer", f"layer {layer}", int(count), width)
            for layer, (count, width) in enumerate(zip(counts, widths, strict=True))
            if not 1 <= count <= width
        ]

    def _check_places(self, mapping: Mapping) -> list[Violation]:
        placement, n_cores = mapping.placement, self.topology.n_cores
        wanted = int(mapping.cores_per_layer.sum())
        if len(placement) != wanted:
            return [Violation("placement length", "placement", len(placement), wanted)]
        exists = (placement >= 0) & (placement < n_cores)
        uses = np.bincount(placement[exists], minlength=n_cores)
        absent = [
            Violation("absent core", f"logical core {i}", int(placement[i]), n_cores - 1)
            for i in np.flatnonzero(~exists)
        ]
        shared = [
            Violation("logical cores per core", f"core {core}", int(uses[core]), 1)
            for core in np.flatnonzero(uses > 1)
        ]
        return absent + shared

    def _check_capacity(self, counts: Int32Array) -> list[Violation]:
        first = np.concatenate(([0], np.cumsum(counts)))
        return [
            Violation(name, f"logical core {first[layer] + piece} (layer {layer})", value, limit)
            for layer in range(self.n_layers)
            if not self.fits(layer, counts)
            for name, limit, values in self.usage(layer, *self._cut(layer, counts))
            for piece in np.flatnonzero(values > limit)
            for value in [int(values[piece])]
        ]

    @cached_property
    def _holders(self) -> list[tuple[str, Capacity, Pieces]]:
        """Chips that differ in what they hold: (what an error adds, limits, what pieces take)."""
        found = {(self.chip.capacity, self.chip.structure.rows): ("", self.pieces)}
        for chip in self.alternatives:
            key = (chip.capacity, chip.structure.rows)
            if key not in found:
                found[key] = (f" of {chip.name}", Pieces(self.network, chip))
        return [(suffix, capacity, pieces) for (capacity, _), (suffix, pieces) in found.items()]

    def usage(self, layer: int, k: int, fan_out: int) -> list[tuple[str, int, Int64Array]]:
        """What each of `k` pieces of a layer takes of a core: (resource, limit, (k,)) rows.

        `fan_out` pieces of the next layer decide the output axons; 0 leaves these out.
        """
        return [
            row
            for of, capacity, pieces in self._holders
            for row in (
                (f"neurons{of}", capacity.neurons, pieces.neurons(layer, k)),
                (
                    f"synaptic memory words{of}",
                    capacity.synmem_words,
                    pieces.synmem_words(layer, k),
                ),
                (f"input axons{of}", capacity.input_axons, pieces.input_axons(layer, k)),
                (
                    f"output axons{of}",
                    capacity.output_axons,
                    pieces.output_axons(layer, k, fan_out),
                ),
            )
        ]

    def fits(self, layer: int, counts: Int32Array) -> bool:
        """Whether a layer, cut into its count of pieces, respects every capacity."""
        return self.holds(layer, *self._cut(layer, counts))

    def holds(self, layer: int, k: int, fan_out: int) -> bool:
        """Whether `k` pieces of a layer respect every capacity; `fan_out` is as in `usage`."""
        return all(pieces.fits(layer, k, fan_out) for _, _, pieces in self._holders)

    def _cut(self, layer: int, counts: Int32Array) -> tuple[int, int]:
        """Pieces of a layer, and of the layer after it, 0 if there is none."""
        return int(counts[layer]), int(counts[layer + 1]) if layer + 1 < self.n_layers else 0
