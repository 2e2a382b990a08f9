"""What layers take however they are cut, and so the least that steps and layers can do with."""

import numpy as np

from ..arrays import Int64Array
from ..mapping import Problem
from ..mapping.fewest import fewest_cores
from .boxes import alone


class Averages:
    """The work of each layer in each step, however it is cut; at best its cores share it evenly."""

    def __init__(self, problem: Problem) -> None:
        self._cores = problem.topology.n_cores
        layers, steps = range(problem.n_layers), range(problem.activity.steps)
        self._work = np.array([[_work_ps(problem, layer, t) for t in steps] for layer in layers])
        self._fewest = np.array([fewest_cores(problem, layer) for layer in layers])

    def fewest(self, limits: Int64Array) -> Int64Array:
        """Least count of each layer if steps may take `limits`, (L,)."""
        shares = -(-self._work // np.maximum(limits, 1)).min(axis=1)
        fewest: Int64Array = np.maximum(np.maximum(shares, self._fewest), 1)
        return fewest

    def steps_ps(self) -> Int64Array:
        """Least time of each step alone, (T,)."""
        highest = self._work.sum(axis=0) + 1

        def suffices(limits: Int64Array) -> bool:
            return bool(self.fewest(limits).sum() <= self._cores)

        steps = range(self._work.shape[1])
        return np.array([alone(suffices, 0 * highest, highest, t) for t in steps], np.int64)


def _work_ps(problem: Problem, layer: int, step: int) -> int:
    """Least work of all cores of a layer: the longer of its sending and its receiving side."""
    loads, costs, width = problem.loads, problem.chip.costs, problem.network.widths[layer]
    active = int(np.count_nonzero(problem.activity.messages[layer][step]))
    sending = active * costs.neuron_active_ps + (width - active) * costs.neuron_inactive_ps
    receiving = 0
    if layer + 1 < problem.n_layers:
        synapses = np.diff(loads.targets(layer, step).first)
        sending += int(np.count_nonzero(synapses)) * (costs.spike_ps + costs.axon_ps)
    if layer > 0:
        bits, axon_words, word_ps, synop_ps = loads.cost(layer)
        synapses = np.diff(loads.targets(layer - 1, step).first)
        words = np.where(synapses > 0, axon_words - (-synapses * bits // 64), 0)
        receiving = int(words.sum()) * word_ps + int(synapses.sum()) * synop_ps
    return max(sending, receiving)
