"""Step times of `mesh` and of `bound` for any constants."""

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace

import numpy as np

from ..arrays import Float64Array, Int64Array
from ..backends.assembly import busy_times
from ..backends.mesh.mesh_kernel import simulate
from ..backends.mesh.packing import Timed, delays, kernel_load, make_workspace, tick_ps
from ..backends.mesh.simulation import compile_kernel
from ..chip import ChipSpec
from ..mapping import Mapping, Problem
from ..threads import pool, processors

COLUMNS = (
    "costs.neuron_active_ps",
    "costs.neuron_inactive_ps",
    "costs.spike_ps",
    "costs.axon_ps",
    "costs.synmem_word_ps",
    "costs.synop_ps",
    "costs.link_ps",
    "costs.chip_link_ps",
)
BARRIER = "costs.barrier_ps"
WORD = 1 << 32
"""What a word read counts, where a synapse counts 1: no message reads as many synapses."""
UNITS = {"synop_ps": 1, "synmem_word_ps": WORD, "neuron_active_ps": 0, "neuron_inactive_ps": 1}
"""Costs under which the times of a `Traffic` are counts."""


@dataclass(frozen=True, eq=False)
class Counts:
    """What a mapping makes cores do, whatever the constants.

    Attributes:
        load: All that `kernel_load` needs, with counts of silent neurons in the place of times.
        synapses: Synapses of each message, as long as the rows.
        words: Words that its receiver reads, 0 for no message.
    """

    load: Timed
    synapses: Int64Array
    words: Int64Array

    @classmethod
    def of(cls, problem: Problem, mapping: Mapping) -> "Counts":
        """The counts of a mapping on a problem's chip, of which only the structure matters."""
        chip = replace(problem.chip, costs=replace(problem.chip.costs, **UNITS))
        traffic = replace(problem, chip=chip).traffic(mapping.cores_per_layer)
        load = Timed(**{one.name: getattr(traffic, one.name) for one in fields(Timed)})
        words, synapses = np.divmod(load.row_receive_ps, WORD)
        return cls(load, synapses, words)

    def timed(self, chip: ChipSpec) -> Timed:
        """The times of these counts on a chip."""
        costs = chip.costs
        return replace(
            self.load,
            row_receive_ps=self.words * costs.synmem_word_ps + self.synapses * costs.synop_ps,
            work_ps=costs.neuron_active_ps + self.load.work_ps * costs.neuron_inactive_ps,
            tail_ps=self.load.tail_ps * costs.neuron_inactive_ps,
        )


class MeshTimes:
    """Step times of mappings on `mesh`, for any constants of a chip of one structure.

    Args:
        problems: Problem of each mapping; all on one mesh.
        mappings: The mappings.
        chip: Says how the chip is built.
    """

    def __init__(
        self, problems: Sequence[Problem], mappings: Sequence[Mapping], chip: ChipSpec
    ) -> None:
        compile_kernel()
        on_chip = {id(problem): replace(problem, chip=chip) for problem in problems}
        self._work = [
            (Counts.of(on_chip[id(problem)], mapping), mapping.placement)
            for problem, mapping in zip(problems, mappings, strict=True)
        ]

    def step_ps(self, chip: ChipSpec) -> Float64Array:
        """Time of each step of each mapping, in the order of mappings, in ps, (M,)."""
        parts = np.array_split(np.arange(len(self._work)), min(processors(), len(self._work)))
        run = map if len(parts) == 1 else pool().map
        return np.concatenate(list(run(lambda part: self._simulated(chip, part), parts)))

    def _simulated(self, chip: ChipSpec, part: Int64Array) -> Float64Array:
        """Those of some of the mappings, with one workspace."""
        mesh, tree = make_workspace(chip)
        found = []
        for index in part:
            counts, placement = self._work[index]
            load = kernel_load(counts.timed(chip), chip)
            found.append(simulate(delays(chip), mesh, load, placement, tree))
        ticks = np.concatenate(found)
        return np.asarray(ticks * tick_ps(chip) + chip.costs.barrier_ps, np.float64)


def mesh_step_ps(
    problems: Sequence[Problem], mappings: Sequence[Mapping], chip: ChipSpec
) -> Float64Array:
    """Time of each step of each mapping on a chip, in the order of mappings, in ps, (M,)."""
    return MeshTimes(problems, mappings, chip).step_ps(chip)


class Affine:
    """Step times of `bound`: the largest of many sums of counts times constants.

    The counts, by `COLUMNS`, are those of each place (core or link) in each step of each mapping,
    whatever the constants. So a fit needs them once, and its derivatives are the counts of the
    place that is busiest.
    """

    def __init__(self, problems: Sequence[Problem], mappings: Sequence[Mapping]) -> None:
        blocks = [
            _thin(places)
            for problem, mapping in zip(problems, mappings, strict=True)
            for places in _places(problem, mapping)
        ]
        self._places = np.concatenate(blocks)
        self._first = np.cumsum([0, *map(len, blocks[:-1])])

    def step_ps(self, costs: dict[str, float]) -> Float64Array:
        """Time of each step, in the order of mappings, in ps, (M,)."""
        values = np.array([costs[name] for name in COLUMNS])
        longest = np.maximum.reduceat(self._places @ values, self._first)
        return np.asarray(longest + costs[BARRIER], np.float64)


def _places(problem: Problem, mapping: Mapping) -> list[Float64Array]:
    """Counts of all places in each step: cores that send, cores that receive, links; (T, P, 8)."""
    busy = busy_times(problem, mapping)
    traffic, mesh = busy.traffic, problem.topology
    steps, cores = traffic.active.shape
    words = busy.links.words
    links = words.shape[1]
    places = np.zeros((steps, 2 * cores + links, len(COLUMNS)))
    sent = (traffic.active, traffic.inactive, traffic.messages_out, traffic.entries_out)
    places[:, :cores, :4] = np.stack(sent, axis=2)
    places[:, cores : 2 * cores, 4:6] = np.stack((traffic.synmem_words, traffic.synops), axis=2)
    among_chips = np.pad(mesh.crosses_chips, (0, links - 4 * mesh.n_routers))
    places[:, 2 * cores :, 6:] = np.stack((words * ~among_chips, words * among_chips), axis=2)
    return list(places)


def _thin(places: Float64Array) -> Float64Array:
    """The places that can be the busiest: none is below another one in all counts."""
    places = np.unique(places[places.any(axis=1)], axis=0)
    if not len(places):
        return np.zeros((1, len(COLUMNS)))
    kept: list[Float64Array] = []
    for place in places[np.argsort(-places.sum(axis=1))]:
        if not any((place <= other).all() for other in kept):
            kept.append(place)
    return np.array(kept)
