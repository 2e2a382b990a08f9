"""`Work`: how long each layer's busiest core works under any counts, quick to ask for many.

A core's work is the longer of its sending side (updates and messages) and its receiving side,
summed over the recorded steps.
"""

from typing import NamedTuple

import numpy as np

from ..arrays import Int32Array, Int64Array
from .loads import Loads
from .work_kernel import WorkTables, fewest_within, give, survey


class Survey(NamedTuple):
    """The work of all L layers of a partitioning in T steps."""

    work_ps: Int64Array  # of each layer's busiest core over all steps, (L,)
    step_ps: Int64Array  # of each layer's busiest core in each step, (L, T)
    messages: Int64Array  # that each layer sends in each step, (L, T)


class Work:
    """Work of a problem's layers, totals only; see `Loads` for what each message costs."""

    def __init__(self, loads: Loads) -> None:
        costs, multicast = loads.chip.costs, loads.chip.structure.multicast
        layers = range(len(loads.widths))
        sending = ("neuron_active_ps", "neuron_inactive_ps", "spike_ps", "axon_ps")
        self.tables = WorkTables(
            widths=np.array(loads.widths, np.int64),
            lists=loads.lists,
            receive_cost=np.array([loads.cost(layer) for layer in layers], np.int64),
            send_cost=np.array([getattr(costs, name) for name in sending], np.int64),
            copied=multicast != "none",
        )
        self._given: dict[bytes, tuple[int, Int64Array]] = {}

    def survey(self, counts: Int32Array) -> Survey:
        """Work and messages of a partitioning, given by its cores per layer, (L,)."""
        sends = self.tables.lists.sends
        work_ps = np.empty(len(counts), np.int64)
        step_ps = np.empty((len(counts), sends.shape[1]), np.int64)
        entries = survey(self.tables, counts.astype(np.int64), work_ps, step_ps)
        sent = np.minimum(entries, 1) if self.tables.copied else entries
        until = np.zeros((len(sends) + 1, sends.shape[1]), np.int64)
        np.cumsum(sent[:, None] * sends, axis=0, out=until[1:])
        return Survey(work_ps, step_ps, np.diff(until[self.tables.lists.layer_first], axis=0))

    def given(self, counts: Int32Array, cores: int, ahead: int = 0) -> Int64Array:
        """Layers that further cores go to, one by one, each to the one whose cores work longest.

        Args:
            counts: Cores per layer to begin with, (L,).
            cores: How many to give; fewer are where no layer can be cut further.
            ahead: How many will be asked for at most: a few are the beginning of many.
        """
        asked, known = self._given.get(counts.tobytes(), (0, np.empty(0, np.int64)))
        if asked < cores:
            asked = max(cores, ahead)
            known = np.empty(asked, np.int64)
            known = known[: give(self.tables, counts.astype(np.int64), known)]
            self._given[counts.tobytes()] = asked, known
        return known[:cores]

    def within(self, fewest: Int32Array, most: Int32Array, limit_ps: int) -> Int32Array | None:
        """The fewest cores per layer, (L,), of which none works longer than a limit; None if none.

        Args:
            fewest: Least cores of each layer, (L,).
            most: Most cores of each layer, (L,).
            limit_ps: The limit over all steps, in ps.
        """
        counts = np.empty(len(fewest), np.int64)
        least, limit = fewest.astype(np.int64), most.astype(np.int64)
        found = fewest_within(self.tables, least, limit, limit_ps, counts)
        return counts.astype(np.int32) if found else None
