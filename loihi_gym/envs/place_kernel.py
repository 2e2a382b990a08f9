"""Steps of many LoihiPlace environments on `bound`, compiled: one loop over environments.

The environments of one call have the same partitioning, hence one set of tables. The single
environment, `place.LoihiPlace`, is the slow, obvious twin that the tests compare with.
"""

from typing import Any, NamedTuple

import numpy as np

from ..arrays import Float64Array, Int64Array
from ..backends.bound.bound_kernel import State, energy_fj, swap
from ..chip import Topology
from ..compiled import inlined, kernel
from .observation_kernel import fill

LATENCY, ENERGY, EDP = range(3)
"""Objectives by number."""
LOOK, PASS = -1, -2
"""In an action's place: no step but an observation of where the environment is; and neither."""


class Batch(NamedTuple):
    """Where B environments stand.

    Attributes:
        placed: A `bound_kernel.State` each, as a row of (B, ...) that is long enough for any
            problem: placement and occupant (B, C), busy_ps (B, 4 R T), busiest_ps (B, T),
            row_busiest_ps (B, rows T), changed and hops (B, 2).
        latency_ps: Latency, (B,).
        energy_fj: Energy, (B,).
        steps: Steps of the episode so far, (B,).
        horizon: Steps of the episode in all, (B,).
        evaluations: Mappings measured in the episode, (B,).
        value: Objective, (B,).
        best: The best objective of the episode, (B,).
        scale: The reference's objective, (B,).
    """

    placed: State
    latency_ps: Int64Array
    energy_fj: Int64Array
    steps: Int64Array
    horizon: Int64Array
    evaluations: Int64Array
    value: Float64Array
    best: Float64Array
    scale: Float64Array


def new_batch(num_envs: int, mesh: Topology, steps: int) -> Batch:
    """A batch with room for problems of up to `steps` recorded time steps."""
    placement, occupant = np.full((2, num_envs, mesh.n_cores), -1, np.int32)
    sizes = (4 * mesh.n_routers * steps, steps, mesh.height * steps, 2, 2)
    times = [np.zeros((num_envs, size), np.int64) for size in sizes]
    counts, objectives = np.zeros((5, num_envs), np.int64), np.ones((3, num_envs))
    return Batch(State(placement, occupant, *times), *counts, *objectives)


@inlined
def state_of(tables: Any, batch: Any, env: Any) -> Any:
    """Views of an environment's rows, as `bound_kernel` takes them."""
    links, steps = len(tables.link_ps), len(tables.floor_ps)
    rows = links // (4 * tables.width)
    return State(
        batch.placed.placement[env, : len(tables.fan_out)],
        batch.placed.occupant[env],
        batch.placed.busy_ps[env, : links * steps].reshape(links, steps),
        batch.placed.busiest_ps[env, :steps],
        batch.placed.row_busiest_ps[env, : rows * steps].reshape(rows, steps),
        batch.placed.changed[env],
        batch.placed.hops[env],
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
        first: Offsets, (layers + 1,): layer l owns logical cores first[l] to first[l + 1] - 1.
        objective: `LATENCY`, `ENERGY` or `EDP`.
        batch: A `Batch`, changed in place.
        envs: Which environments, (E,).
        actions: Physical core for every environment, or `LOOK` or `PASS`, (B,).
        rewards: Set to the reward of each environment that steps, (B,).
        out: Set to each environment's flat observation, (B, size).
        masks: Set to each environment's mask, (B, C).
    """
    for env in envs:
        action = actions[env]
        if action == PASS:
            continue
        state = state_of(tables, batch, env)
        if action != LOOK:
            place = state.placement[batch.steps[env] % len(table.layer)]
            batch.steps[env] += 1
            rewards[env] = 0.0
            if place != action:
                latency = swap(tables, state, place, np.int32(action))
                energy = energy_fj(tables, state)
                value = float(energy if objective == ENERGY else latency)
                if objective == EDP:
                    value *= float(energy)
                batch.latency_ps[env], batch.energy_fj[env] = latency, energy
                batch.evaluations[env] += 1
                rewards[env] = (batch.value[env] - value) / batch.scale[env]
                batch.value[env] = value
                batch.best[env] = min(batch.best[env], value)
        _look(table, first, batch, env, state, out, masks)


@kernel
def _look(table, first, batch, env, state, out, masks):  # type: ignore[no-untyped-def]
    done = batch.steps[env]
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
