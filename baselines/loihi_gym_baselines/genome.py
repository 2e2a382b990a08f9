"""Mappings as integer vectors for evolution: ``[cores per layer | all physical cores]``.

The second part lists every physical core once: first those of layer 0, then of layer 1, …, then the
unused ones. So every vector of that form whose counts fit is a legal mapping, and no operator has
to repair a placement.
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from loihi_gym.arrays import Int32Array, IntArray
from loihi_gym.mapping import Mapping, Problem, full_order, heuristic, reorder

from .near import near

Genes = Int32Array

GUIDED = 0.5
"""Part of the changes of core counts that favour the layer whose cores work longest."""
SHIFT = 0.5
"""Part of the changes of core counts that keep the order of cores instead of each layer's cores."""
NEAR = 0.75
"""Part of the swaps that are with a close core, if that is not of the same layer."""
RECUT = 0.25
"""Part of a local search's moves that change core counts."""
ATTEMPTS = 20
"""Draws after which a change is taken even if it changes nothing: a toy may have no other."""


class _LayerLook(NamedTuple):
    fits: bool
    work_ps: int


class Genome:
    """Encoding and operators for the mappings of one problem.

    Attributes:
        problem: What is solved.
        n_layers: Genes of the first part.
        n_cores: Genes of the second part.
        fewest: Least cores of each layer, (n_layers,).
    """

    def __init__(self, problem: Problem) -> None:
        self.problem = problem
        self.n_layers = problem.n_layers
        self.n_cores = problem.topology.n_cores
        self.fewest = heuristic(problem, "packed/row-major").cores_per_layer
        self._widths = np.array(problem.network.widths)
        self._near = near(problem.topology)
        self._layers: dict[tuple[int, int, int], _LayerLook] = {}

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

    def mutate(
        self, genes: Genes, swaps: float, recut: float, gathered: float, rng: np.random.Generator
    ) -> Genes:
        """A copy with about `swaps` swaps; with probability `recut` its core counts change, too."""
        if rng.random() < recut:
            genes = self.recut(genes, rng)
            if rng.random() < 0.5:
                return genes
        return self.swapped(genes, int(rng.geometric(1.0 / swaps)), rng, gathered)

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

    def neighbour(self, genes: Genes, rng: np.random.Generator) -> Genes:
        """The genes after one move: now and then other core counts, else one swap."""
        return self.recut(genes, rng) if rng.random() < RECUT else self.swapped(genes, 1, rng)

    def recut(self, genes: Genes, rng: np.random.Generator) -> Genes:
        """A copy with other core counts.

        Places change by the reordering operator, which leaves most pieces where they are, or by
        moving the borders between layers along the order, which leaves the order as it is.
        """
        counts, order = self.split(genes)
        counts = self.step(counts, rng)
        return self.join(counts, order) if rng.random() < SHIFT else self.with_counts(genes, counts)

    def swapped(
        self, genes: Genes, swaps: int, rng: np.random.Generator, gathered: float = 0.0
    ) -> Genes:
        """A copy with cores swapped, each of a layer with one that is free or of another layer.

        Two pieces of one layer are nearly equal: to swap them would change next to nothing. The
        part `gathered` of the swaps takes a piece to a free core close to one of its layer's.
        """
        genes = genes.copy()
        counts, order = self.split(genes)
        ends = np.cumsum(counts)
        for _ in range(swaps):
            a = int(rng.integers(ends[-1]))
            layer = np.searchsorted(ends, a, side="right")
            stop, size = int(ends[layer]), int(counts[layer])
            if size == self.n_cores:
                break
            b = None
            if gathered and rng.random() < gathered:  # without it no draw: searches stay the same
                base = int(rng.integers(stop - size, stop))
                b = self._free_near(order, base, int(ends[-1]), rng)
            if b is None:
                b = self._partner(order, a, range(stop - size, stop), rng)
            order[a], order[b] = order[b], order[a]
        return genes

    def _free_near(
        self, order: Genes, base: int, used: int, rng: np.random.Generator
    ) -> int | None:
        """The position of a free core close to that at position `base`, if there is one."""
        free = used + np.flatnonzero(np.isin(order[used:], self._near.to(order[base])))
        return int(rng.choice(free)) if len(free) else None

    def _partner(self, order: Genes, a: int, layer: range, rng: np.random.Generator) -> int:
        """A position outside of a layer's to swap position `a`, one of the layer's, with."""
        if rng.random() < NEAR:
            core = rng.choice(self._near.to(order[a]))
            b = int(np.flatnonzero(order == core)[0])
            if b not in layer:
                return b
        b = int(rng.integers(self.n_cores - len(layer)))
        return b + len(layer) if b >= layer.start else b

    def crossover(self, a: Genes, b: Genes, rng: np.random.Generator) -> Genes:
        """A child: each layer's count from either parent, a range of places from `b`, others `a`.

        Both parents are first brought to the child's counts by the reordering operator; the places
        are then joined by partially mapped crossover (PMX), which keeps most pieces where one of
        the parents has them.
        """
        (of_a, _), (of_b, _) = self.split(a), self.split(b)
        counts = np.where(rng.random(self.n_layers) < 0.5, of_a, of_b)
        counts = self.repair(counts, fallback=of_a, rng=rng)
        child, other = self.with_counts(a, counts), self.with_counts(b, counts)
        start, stop = np.sort(rng.integers(0, int(counts.sum()) + 1, 2))
        _take_range(self.split(child)[1], self.split(other)[1], int(start), int(stop))
        return child

    def with_counts(self, genes: Genes, counts: Genes) -> Genes:
        """The genes after the reordering operator."""
        return self.join(counts, reorder(*self.split(genes), counts))

    def repair(self, counts: Genes, fallback: Genes, rng: np.random.Generator) -> Genes:
        """Counts within each layer's limits and the chip's cores, or `fallback` if they do not fit.

        Cores too many are taken from random layers.
        """
        counts = np.clip(counts, self.fewest, self._widths).astype(np.int32)
        while counts.sum() > self.n_cores:
            counts[rng.choice(np.flatnonzero(counts > self.fewest))] -= 1
        return counts if self.fits(counts) else fallback

    def fits(self, counts: Genes) -> bool:
        """Whether these core counts are within all limits."""
        if counts.sum() > self.n_cores or (counts < 1).any() or (counts > self._widths).any():
            return False
        return all(layer.fits for layer in self._look(counts))

    def work(self, counts: Genes) -> list[int]:
        """Longest time one of each layer's cores works, in ps."""
        return [layer.work_ps for layer in self._look(counts)]

    def _look(self, counts: Genes) -> list["_LayerLook"]:
        """Fit and work of each layer, kept by its count and the next one's: asked all the time."""
        numbers = [*counts.tolist(), 0]
        keys = list(zip(range(self.n_layers), numbers[:-1], numbers[1:], strict=True))
        for key in keys:
            if key not in self._layers:
                self._layers[key] = self._count(key[0], counts)
        return [self._layers[key] for key in keys]

    def _count(self, layer: int, counts: Genes) -> "_LayerLook":
        fits = self.problem.fits(layer, counts)
        # The work of pieces that do not fit is nobody's business, and costly to count.
        return _LayerLook(fits, int(self.problem.loads.work_ps(layer, counts).max()) if fits else 0)

    def step(self, counts: Genes, rng: np.random.Generator) -> Genes:
        """One or more cores given to a layer, taken from one, or moved between two."""
        changed = counts.copy()
        give, take = rng.integers(self.n_layers, size=2)
        if rng.random() < GUIDED:
            give = np.argmax(self.work(counts))
        kind, size = rng.integers(3), rng.geometric(0.6)
        if kind != 0:
            changed[give] += size
        if kind != 1:
            changed[take] -= size
        return self.repair(changed, fallback=counts, rng=rng)


def _take_range(order: Genes, other: Genes, start: int, stop: int) -> None:
    """Give `order` the cores that `other` has from `start` to `stop`, by swaps within `order`."""
    where = np.empty_like(order)
    where[order] = np.arange(len(order), dtype=order.dtype)
    for position in range(start, stop):
        wanted, current = other[position], order[position]
        at = where[wanted]
        order[position], order[at] = wanted, current
        where[wanted], where[current] = position, at
