"""Steps of many LoihiPlace environments on `bound`, compiled: one loop over environments.

The environments of one call have the same partitioning, hence one set of tables. The single
environment, `place.LoihiPlace`, is the slow, obvious twin that the tests compare with.
"""

from typing import Any, NamedTuple

import numpy as np

from ..arrays import Float64Array, Int32Array, Int64Array
from ..backends.bound.bound_kernel import State, energy_fj, swap
from ..compiled import inlined, kernel
from .observation_kernel import fill

LATENCY, ENERGY, EDP = range(3)
"""Objectives by number."""


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
        steps: Steps of the episode so far, (B,).
        horizon: Steps of the episode in all, (B,).
        evaluations: Mappings measured in the episode, (B,).
        value: Objective, (B,).
        best: The best objective of the episode, (B,).
        scale: The reference's objective, (B,).
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
    steps: Int64Array
    horizon: Int64Array
    evaluations: Int64Array
    value: Float64Array
    best: Float64Array
    scale: Float64Array


def new_batch(num_envs: int, n_cores: int, n_routers: int, rows: int, steps: int) -> Batch:
    """A batch with room for problems of up to `steps` recorded time steps."""
    sizes: dict[str, tuple[int, ...]] = {
        "busy_ps": (4 * n_routers * steps,),
        "busiest_ps": (steps,),
        "row_busiest_ps": (rows * steps,),
        "changed": (2,),
        "hops": (2,),
    }
    parts: dict[str, Any] = {
        name: np.zeros((num_envs, *sizes.get(name, ())), np.int64) for name in Batch._fields
    }
    parts |= {name: np.ones(num_envs) for name in ("value", "best", "scale")}
    parts["placement"] = np.zeros((num_envs, n_cores), np.int32)
    parts["occupant"] = np.full((num_envs, n_cores), -1, np.int32)
    return Batch(**parts)


@inlined
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


@kernel
def step(
    tables: Any,
    table: Any,
    first: Any,
    objective: Any,
    batch: Any,
    envs: Any,
    actions: Any,
    rewards: Any,
    out: Any,
    masks: Any,
) -> None:
    """Put the piece under each cursor on the core its environment's action names.

    Args:
        tables: What the environments' partitioning fixes.
        table: What the partitioning fixes of an observation, a `CoreTable`.
        first: First logical core of each layer, and their number, (layers + 1,).
        objective: `LATENCY`, `ENERGY` or `EDP`.
        batch: A `Batch`, changed in place.
        envs: Which environments, (E,).
        actions: Physical core for every environment, (B,).
        rewards: Set to each environment's reward, (B,).
        out: Set to each environment's flat observation, (B, size).
        masks: Set to each environment's mask, (B, C).
    """
    for env in envs:
        place = batch.placement[env, batch.steps[env] % len(table.layer)]
        batch.steps[env] += 1
        rewards[env] = 0.0
        if place != actions[env]:
            state = state_of(tables, batch, env)
            latency = swap(tables, state, place, np.int32(actions[env]))
            energy = energy_fj(tables, state)
            value = float(energy if objective == ENERGY else latency)
            if objective == EDP:
                value *= float(energy)
            batch.latency_ps[env], batch.energy_fj[env] = latency, energy
            batch.evaluations[env] += 1
            rewards[env] = (batch.value[env] - value) / batch.scale[env]
            batch.value[env] = value
            batch.best[env] = min(batch.best[env], value)
        _look(tables, table, first, batch, env, out, masks)


@kernel
def look(tables: Any, table: Any, first: Any, batch: Any, envs: Any, out: Any, masks: Any) -> None:
    """Write observations and masks of environments that do not step; arguments as in `step`."""
    for env in envs:
        _look(tables, table, first, batch, env, out, masks)


@kernel
def _look(tables, table, first, batch, env, out, masks):  # type: ignore[no-untyped-def]
    state, done = state_of(tables, batch, env), batch.steps[env]
    cursor = -1 if done >= batch.horizon[env] else done % len(table.layer)
    scale = batch.scale[env]
    fill(
        table,
        state.occupant,
        state.busy_ps,
        batch.latency_ps[env],
        cursor,
        done / batch.horizon[env],
        batch.value[env] / scale,
        batch.best[env] / scale,
        out[env],
    )
    masks[env] = True
    if cursor >= 0:
        layer = table.layer[cursor]
        for logical in range(first[layer], first[layer + 1]):
            masks[env, state.placement[logical]] = logical == cursor
