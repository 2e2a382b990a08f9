"""Steps of many LoihiPlace environments on `bound`, compiled: one loop over environments.

The environments of one call have the same partitioning, hence one set of tables. The single
environment, `place.LoihiPlace`, is the slow, obvious twin that the tests compare with.
"""

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from numba import njit

from ..backends.bound_kernel import State, energy_fj, swap
from .observation_kernel import fill

Int32Array = npt.NDArray[np.int32]
Int64Array = npt.NDArray[np.int64]
Float64Array = npt.NDArray[np.float64]


class Batch(NamedTuple):
    """Where B environments stand; a `bound_kernel.State` each, in rows long enough for any problem.

    Attributes:
        placement: Physical core of each logical core, (B, C).
        occupant: Logical core on each physical core, -1 for none, (B, C).
        busy_ps: How long each link is busy in each step, (B, 4 R T).
        busiest_ps: The busiest link of each step, (B, T).
        row_busiest_ps: The busiest link that leaves each row of routers, (B, rows T).
        changed: First and last row whose links have changed, (B, 2).
        hops: Messages times hops along x and along y, (B, 2).
        latency_ps: Latency, (B,).
        energy_fj: Energy, (B,).
        cursor: Logical core to be placed next, -1 for none, (B,).
        progress: Part of the episode that is over, (B,).
        relative: Objective as a multiple of the reference's, (B,).
        best: The best objective so far likewise, (B,).
    """

    placement: Int32Array
    occupant: Int32Array
    busy_ps: Int64Array
    busiest_ps: Int64Array
    row_busiest_ps: Int64Array
    changed: Int64Array
    hops: Int64Array
    latency_ps: Int64Array
    energy_fj: Int64Array
    cursor: Int64Array
    progress: Float64Array
    relative: Float64Array
    best: Float64Array


def new_batch(num_envs: int, n_cores: int, n_routers: int, rows: int, steps: int) -> Batch:
    """A batch with room for problems of up to `steps` recorded time steps."""
    integers = {
        "busy_ps": 4 * n_routers * steps,
        "busiest_ps": steps,
        "row_busiest_ps": rows * steps,
        "changed": 2,
        "hops": 2,
    }
    return Batch(
        placement=np.zeros((num_envs, n_cores), np.int32),
        occupant=np.full((num_envs, n_cores), -1, np.int32),
        **{name: np.zeros((num_envs, size), np.int64) for name, size in integers.items()},
        latency_ps=np.zeros(num_envs, np.int64),
        energy_fj=np.zeros(num_envs, np.int64),
        cursor=np.zeros(num_envs, np.int64),
        progress=np.zeros(num_envs),
        relative=np.zeros(num_envs),
        best=np.zeros(num_envs),
    )


@njit(nogil=True, inline="always")
def state_of(tables: Any, batch: Any, env: Any) -> Any:
    """Views of an environment's rows, as `bound_kernel` takes them."""
    links, steps = len(tables.link_ps), len(tables.floor_ps)
    rows = links // (4 * tables.width)
    return State(
        batch.placement[env, : len(tables.fan_out)],
        batch.occupant[env],
        batch.busy_ps[env, : links * steps].reshape(links, steps),
        batch.busiest_ps[env, :steps],
        batch.row_busiest_ps[env, : rows * steps].reshape(rows, steps),
        batch.changed[env],
        batch.hops[env],
    )


@njit(cache=True, nogil=True)
def move(tables: Any, batch: Any, envs: Any, actions: Any, moved: Any) -> None:
    """Put the piece under each cursor on the core its environment's action names.

    Args:
        tables: What the environments' partitioning fixes.
        batch: A `Batch`; placements, links, latencies and energies are changed.
        envs: Which environments, (E,).
        actions: Physical core for every environment, (B,).
        moved: Set to whether the piece was elsewhere, (B,).
    """
    for env in envs:
        place = batch.placement[env, batch.cursor[env]]
        moved[env] = place != actions[env]
        if moved[env]:
            state = state_of(tables, batch, env)
            batch.latency_ps[env] = swap(tables, state, place, np.int32(actions[env]))
            batch.energy_fj[env] = energy_fj(tables, state)


@njit(cache=True, nogil=True)
def look(tables: Any, table: Any, first: Any, batch: Any, envs: Any, out: Any, masks: Any) -> None:
    """Write observations and masks.

    Args:
        tables: What the environments' partitioning fixes.
        table: The same for observations, a `CoreTable`.
        first: First logical core of each layer, and their number, (layers + 1,).
        batch: A `Batch`.
        envs: Which environments, (E,).
        out: Flat observation of every environment, (B, size).
        masks: Mask of every environment, (B, C).
    """
    for env in envs:
        state, cursor = state_of(tables, batch, env), batch.cursor[env]
        fill(
            table,
            state.occupant,
            state.busy_ps,
            batch.latency_ps[env],
            cursor,
            batch.progress[env],
            batch.relative[env],
            batch.best[env],
            out[env],
        )
        masks[env] = True
        if cursor >= 0:
            layer = table.layer[cursor]
            for logical in range(first[layer], first[layer + 1]):
                masks[env, state.placement[logical]] = logical == cursor
