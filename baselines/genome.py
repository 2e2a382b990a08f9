"""Mappings as integer vectors for evolution: ``[cores per layer | all physical cores]``.

The second part lists every physical core once: first those of layer 0, then of layer 1, …, then the
unused ones. So every vector of that form whose counts fit is a legal mapping, and no operator has
to repair a placement.
"""

import numpy as np
import numpy.typing as npt

from loihi_gym.mapping import Mapping, Problem, full_order, heuristic, reorder

Genes = npt.NDArray[np.int32]

GUIDED = 0.5
"""Part of the changes of core counts that favour the layer whose cores work longest."""


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

    def encode(self, mapping: Mapping) -> Genes:
        """The genes of a mapping, (n_layers + n_cores,)."""
        order = full_order(mapping, self.n_cores)
        return np.concatenate([mapping.cores_per_layer, order]).astype(np.int32)

    def decode(self, genes: npt.NDArray[np.integer]) -> Mapping:
        """The mapping of genes."""
        counts = genes[: self.n_layers]
        return Mapping(counts, genes[self.n_layers :][: int(counts.sum())])

    def mutate(self, genes: Genes, swaps: float, recut: float, rng: np.random.Generator) -> Genes:
        """A copy with about `swaps` swaps; with probability `recut` its core counts change, too."""
        genes = genes.copy()
        if rng.random() < recut:
            genes = self.with_counts(genes, self._step(genes[: self.n_layers], rng))
            if rng.random() < 0.5:
                return genes
        order, used = genes[self.n_layers :], int(genes[: self.n_layers].sum())
        for _ in range(rng.geometric(1.0 / swaps)):
            a, b = rng.integers(used), rng.integers(self.n_cores)
            order[a], order[b] = order[b], order[a]
        return genes

    def crossover(self, a: Genes, b: Genes, rng: np.random.Generator) -> Genes:
        """A child: each layer's count from either parent, a range of places from `b`, others `a`.

        Both parents are first brought to the child's counts by the reordering operator; the places
        are then joined by partially mapped crossover (PMX), which keeps most pieces where one of
        the parents has them.
        """
        counts = np.where(rng.random(self.n_layers) < 0.5, a[: self.n_layers], b[: self.n_layers])
        counts = self.repair(counts, fallback=a[: self.n_layers], rng=rng)
        child = self.with_counts(a, counts)
        other = self.with_counts(b, counts)[self.n_layers :]
        start, stop = np.sort(rng.integers(0, int(counts.sum()) + 1, 2))
        _take_range(child[self.n_layers :], other, int(start), int(stop))
        return child

    def with_counts(self, genes: Genes, counts: Genes) -> Genes:
        """The genes after the reordering operator."""
        order = reorder(genes[: self.n_layers], genes[self.n_layers :], counts)
        return np.concatenate([counts, order]).astype(np.int32)

    def repair(self, counts: Genes, fallback: Genes, rng: np.random.Generator) -> Genes:
        """Counts within each layer's limits and the chip's cores, or `fallback` if they do not fit.

        Cores too many are taken from random layers.
        """
        counts = np.clip(counts, self.fewest, self._widths).astype(np.int32)
        while counts.sum() > self.n_cores:
            counts[rng.choice(np.flatnonzero(counts > self.fewest))] -= 1
        fits = all(self.problem.fits(layer, counts) for layer in range(self.n_layers))
        return counts if fits else fallback

    def _work(self, counts: Genes) -> list[int]:
        """Longest time one of each layer's cores works, in ps."""
        loads = self.problem.loads
        return [int(loads.work_ps(layer, counts).max()) for layer in range(self.n_layers)]

    def _step(self, counts: Genes, rng: np.random.Generator) -> Genes:
        """One or more cores given to a layer, taken from one, or moved between two."""
        changed = counts.copy()
        give, take = rng.integers(self.n_layers, size=2)
        if rng.random() < GUIDED:
            give = np.argmax(self._work(counts))
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
