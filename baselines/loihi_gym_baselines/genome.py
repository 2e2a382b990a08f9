"""Mappings as integer vectors for evolution: ``[cores per layer | all physical cores]``.

The second part lists every physical core once: first those of layer 0, then of layer 1, …, then the
unused ones. So every vector of that form whose counts fit is a legal mapping, and no operator has
to repair a placement.
"""

from collections.abc import Callable
from typing import Any

import numpy as np

from loihi_gym.arrays import Int32Array, IntArray
from loihi_gym.chip.near import near
from loihi_gym.mapping import Mapping, Problem, full_order, heuristic, reorder
from loihi_gym.mapping.per_layer import PerLayer

Genes = Int32Array

GUIDED = 0.5
"""Part of the changes of core counts that favour the layer whose cores work longest."""
SHIFT = 0.5
"""Part of the changes of core counts that keep the order of cores instead of each layer's cores."""
NEAR = 0.75
"""Part of the swaps that are with a close core, if that is not of the same layer."""
RECUT = 0.25
"""Part of a local search's moves that change core counts."""
AGAIN = 0.5
"""Chance that one change of core counts is followed by another."""
ATTEMPTS = 20
"""Draws after which a change is taken even if it changes nothing: a toy may have no other."""


class Genome:
    """Encoding and operators for the mappings of one problem.

    Attributes:
        problem: What is solved.
        rng: The chance that operators take.
        n_layers: Genes of the first part.
        n_cores: Genes of the second part.
        fewest: Least cores of each layer, (n_layers,).
    """

    def __init__(self, problem: Problem, rng: np.random.Generator) -> None:
        self.problem = problem
        self.rng = rng
        self.n_layers = problem.n_layers
        self.n_cores = problem.topology.n_cores
        self.fewest = heuristic(problem, "packed/row-major").cores_per_layer
        self._widths = np.array(problem.network.widths)
        self._near = near(problem.topology)
        self._looks = PerLayer(self._look)

    def encode(self, mapping: Mapping) -> Genes:
        """The genes of a mapping, (n_layers + n_cores,)."""
        return self.join(mapping.cores_per_layer, full_order(mapping, self.n_cores))

    def decode(self, genes: Genes) -> Mapping:
        """The mapping of genes."""
        counts, order = self.split(genes)
        return Mapping(counts, order[: int(counts.sum())])

    def split(self, genes: Genes) -> tuple[Genes, Genes]:
        """Views of the cores per layer, (n_layers,), and of the order of all cores, (n_cores,)."""
        return genes[: self.n_layers], genes[self.n_layers :]

    def join(self, counts: IntArray, order: IntArray) -> Genes:
        """The genes of cores per layer and of an order of all cores."""
        return np.concatenate([counts, order]).astype(np.int32)

    def placed(self, genes: Genes, placement: Genes) -> Genes:
        """The genes with the used cores replaced; the others follow in their old order."""
        counts, order = self.split(genes)
        return self.join(counts, np.append(placement, order[~np.isin(order, placement)]))

    def mutate(self, genes: Genes, swaps: float, recut: float, gathered: float) -> Genes:
        """A copy with about `swaps` swaps; with probability `recut` its core counts change, too."""
        if self.rng.random() < recut:
            genes = self.recut(genes)
            if self.rng.random() < 0.5:
                return genes
        return self.swapped(genes, int(self.rng.geometric(1.0 / swaps)), gathered)

    def changed(self, genes: Genes, operator: Callable[[Genes], Genes]) -> Genes:
        """Apply an operator; draw again where it only exchanged pieces of one layer."""
        held = self.held(genes)
        for _ in range(ATTEMPTS):
            found = operator(genes)
            if (self.held(found) != held).any():
                break
        return found

    def held(self, genes: Genes) -> Genes:
        """Layer that each core holds a piece of, the number of layers if none; (n_cores,)."""
        counts, order = self.split(genes)
        layers = np.full(self.n_cores, self.n_layers, np.int32)
        layers[order[: counts.sum()]] = np.repeat(np.arange(self.n_layers), counts)
        return layers

    def neighbour(self, genes: Genes) -> Genes:
        """The genes `changed` by one move: now and then other core counts, else one swap."""
        return self.changed(
            genes,
            lambda one: self.recut(one) if self.rng.random() < RECUT else self.swapped(one, 1),
        )

    def recuts(self, genes: Genes) -> Genes:
        """The genes after `recut`, and after more of them with chance `AGAIN` each."""
        for _ in range(self.rng.geometric(1.0 - AGAIN)):
            genes = self.recut(genes)
        return genes

    def recut(self, genes: Genes) -> Genes:
        """A copy with other core counts.

        Places change by the reordering operator, which leaves most pieces where they are, or by
        moving the borders between layers along the order, which leaves the order as it is.
        """
        counts, order = self.split(genes)
        counts = self.step(counts)
        if self.rng.random() < SHIFT:
            return self.join(counts, order)
        return self.with_counts(genes, counts)

    def swapped(self, genes: Genes, swaps: int, gathered: float = 0.0) -> Genes:
        """A copy with cores swapped, each of a layer with one that is free or of another layer.

        Two pieces of one layer are nearly equal: to swap them would change next to nothing. The
        part `gathered` of the swaps takes a piece to a free core close to one of its layer's.
        """
        genes = genes.copy()
        counts, order = self.split(genes)
        ends = np.cumsum(counts)
        for _ in range(swaps):
            a = int(self.rng.integers(ends[-1]))
            layer = np.searchsorted(ends, a, side="right")
            stop, size = int(ends[layer]), int(counts[layer])
            if size == self.n_cores:
                break
            b = None
            if gathered and self.rng.random() < gathered:  # of 0 no draw: searches stay the same
                base = int(self.rng.integers(stop - size, stop))
                b = self._free_near(order, base, int(ends[-1]))
            if b is None:
                b = self._partner(order, a, range(stop - size, stop))
            order[a], order[b] = order[b], order[a]
        return genes

    def _free_near(self, order: Genes, base: int, used: int) -> int | None:
        """The position of a free core close to that at position `base`, if there is one."""
        free = used + np.flatnonzero(np.isin(order[used:], self._near.to(order[base])))
        return int(self.rng.choice(free)) if len(free) else None

    def _partner(self, order: Genes, a: int, layer: range) -> int:
        """A position outside of a layer's to swap position `a`, one of the layer's, with."""
        if self.rng.random() < NEAR:
            core = self.rng.choice(self._near.to(order[a]))
            b = int(np.flatnonzero(order == core)[0])
            if b not in layer:
                return b
        b = int(self.rng.integers(self.n_cores - len(layer)))
        return b + len(layer) if b >= layer.start else b

    def crossover(self, a: Genes, b: Genes) -> Genes:
        """A child: each layer's count from either parent, a range of places from `b`, others `a`.

        Both parents are first brought to the child's counts by the reordering operator; the places
        are then joined by partially mapped crossover (PMX), which keeps most pieces where one of
        the parents has them.
        """
        (of_a, _), (of_b, _) = self.split(a), self.split(b)
        counts = np.where(self.rng.random(self.n_layers) < 0.5, of_a, of_b)
        counts = self.repair(counts, fallback=of_a)
        child, other = self.with_counts(a, counts), self.with_counts(b, counts)
        start, stop = np.sort(self.rng.integers(0, int(counts.sum()) + 1, 2))
        _take_range(self.split(child)[1], self.split(other)[1], int(start), int(stop))
        return child

    def with_counts(self, genes: Genes, counts: Genes) -> Genes:
        """The genes after the reordering operator."""
        return self.join(counts, reorder(*self.split(genes), counts))

    def repair(
        self, counts: Genes, fallback: Genes, take: Callable[[Genes], Any] | None = None
    ) -> Genes:
        """Counts within each layer's limits and the chip's cores, or `fallback` if they do not fit.

        Cores too many are taken from layers that `take` chooses by what each can spare, by default
        at random.
        """
        take = take or (lambda spare: self.rng.choice(np.flatnonzero(spare)))
        counts = np.clip(counts, self.fewest, self._widths).astype(np.int32)
        while counts.sum() > self.n_cores:
            counts[take(counts - self.fewest)] -= 1
        return counts if self.fits(counts) else fallback

    def fits(self, counts: Genes) -> bool:
        """Whether these core counts are within all limits."""
        if counts.sum() > self.n_cores or (counts < 1).any() or (counts > self._widths).any():
            return False
        return all(fits for fits, _ in self._looks.of(counts))

    def work(self, counts: Genes) -> list[int]:
        """Longest time one of each layer's cores works, in ps; 0 of a layer that does not fit."""
        return [work_ps for _, work_ps in self._looks.of(counts)]

    def _look(self, layer: int, counts: Genes) -> tuple[bool, int]:
        """Whether a layer fits, and its work, which is costly to count where it does not."""
        fits = self.problem.fits(layer, counts)
        return fits, int(self.problem.loads.work_ps(layer, counts).max()) if fits else 0

    def step(self, counts: Genes) -> Genes:
        """One or more cores given to a layer, taken from one, or moved between two."""
        changed = counts.copy()
        give, take = self.rng.integers(self.n_layers, size=2)
        if self.rng.random() < GUIDED:
            give = np.argmax(self.work(counts))
        kind, size = self.rng.integers(3), self.rng.geometric(0.6)
        if kind != 0:
            changed[give] += size
        if kind != 1:
            changed[take] -= size
        return self.repair(changed, fallback=counts)


def _take_range(order: Genes, other: Genes, start: int, stop: int) -> None:
    """Give `order` the cores that `other` has from `start` to `stop`, by swaps within `order`."""
    where = np.empty_like(order)
    where[order] = np.arange(len(order), dtype=order.dtype)
    for position in range(start, stop):
        wanted, current = other[position], order[position]
        at = where[wanted]
        order[position], order[at] = wanted, current
        where[wanted], where[current] = position, at
