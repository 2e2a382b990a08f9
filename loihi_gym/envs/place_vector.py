"""`BoundPlaceVectorEnv`: LoihiPlace on `bound`, many environments in compiled loops."""

from typing import Any, TypeGuard

import numpy as np
from gymnasium.vector import AutoresetMode

from ..arrays import BoolArray, Float64Array, Int64Array
from ..errors import InvalidActionError, LoihiGymError
from ..threads import pool, processors
from .arguments import KEPT_STARTS
from .base import LoihiEnv
from .checks import shown
from .episode_state import EpisodeState
from .measured_mapping import BoundMeasured, copied
from .objective import OBJECTIVES, Objective, energy, energy_delay_product, latency
from .place import LoihiPlace
from .place_kernel import EDP, ENERGY, LATENCY, LOOK, PASS, Batch, new_batch, state_of, step
from .vector import LoihiVectorEnv, Step

WORTH_A_THREAD = 16
"""Environments below which a further thread costs more than it saves."""

NUMBERS: dict[Objective, int] = {latency: LATENCY, energy: ENERGY, energy_delay_product: EDP}
"""What the kernels call the objectives."""

Indices = Int64Array


def can_be_compiled(env: LoihiEnv) -> TypeGuard[LoihiPlace]:
    """Whether environments such as this one can be stepped by compiled loops."""
    arguments, task = env.arguments, env.state.task
    return (
        type(env) is LoihiPlace
        and not env.arguments.hold
        and env.arguments.commit_every == 1
        and env.arguments.start not in KEPT_STARTS
        and arguments.chips is None
        and isinstance(arguments.backend, str)
        and isinstance(task.reference, BoundMeasured)
        and arguments.observation == "flat"
        and task.objective in OBJECTIVES.values()
    )


def _compiled(state: EpisodeState) -> BoundMeasured:
    """An episode's mapping, as compiled loops need it.

    Raises:
        LoihiGymError: if the episode is on a chip whose links cannot be counted by pairs of cores,
            other than those before it.
    """
    if not isinstance(state.measured, BoundMeasured):
        problem = state.task.problem
        raise LoihiGymError(
            f"{problem.name} on chip {problem.chip.name} cannot be stepped by compiled loops, as "
            "the benchmarks before it are: pass vectorization_mode='sync'"
        )
    return state.measured


class BoundPlaceVectorEnv(LoihiVectorEnv):
    """LoihiPlace environments on the `bound` backend; see `LoihiVectorEnv`.

    Where the environments stand is kept in arrays. The single environments in `envs` draw the
    episodes' starts, and are brought up to date when somebody looks at them by `call`.
    """

    envs: list[LoihiPlace]

    def __init__(
        self,
        first: LoihiPlace,
        num_envs: int = 1,
        autoreset_mode: str | AutoresetMode = AutoresetMode.NEXT_STEP,
    ) -> None:
        super().__init__(first, num_envs, autoreset_mode)
        self.layout = first.layout
        self._objective = NUMBERS[first.state.task.objective]
        self._batch = new_batch(num_envs, self.layout.mesh, 1)
        self._groups: list[Indices] = []
        self._flat = np.zeros((num_envs, self.layout.size), np.float32)
        self._masks = np.zeros((num_envs, self.layout.mesh.n_cores), np.bool_)

    def step(self, actions: Any) -> Step:
        """Step every environment; arguments and results as in `LoihiVectorEnv.step`."""
        active, actions = self._active(), self._checked(actions)
        if len(active) < self.num_envs:
            actions[self._over] = LOOK
            self._begin(np.flatnonzero(self._over))
        self._new_results()
        rewards = self._run(actions)
        terminated = self._batch.steps >= self._batch.horizon
        infos: dict[str, Any] = {}
        if self.autoreset_mode == AutoresetMode.SAME_STEP and terminated.any():
            infos = self._finish(terminated)
            self._begin(np.flatnonzero(terminated))
            self._run(np.where(terminated, LOOK, PASS))
        self._over = terminated.copy()
        infos |= self._infos(np.ones(self.num_envs, np.bool_))
        truncated = np.zeros(self.num_envs, np.bool_)
        return self.layout.flat(self._flat), rewards, terminated, truncated, infos

    def action_masks(self) -> BoolArray:
        """Actions worth choosing, (num_envs, C)."""
        return self._masks.copy()

    def call(self, name: str, *arguments: Any, **named: Any) -> tuple[Any, ...]:
        """Each environment's attribute of that name, or what it returns if it is a method."""
        if not self._begun:
            return super().call(name, *arguments, **named)
        for index in range(self.num_envs):
            self._put_back(index)
        result = super().call(name, *arguments, **named)
        for index in range(self.num_envs):
            self._take(index)
        self._regroup()
        return result

    def _reset(
        self, which: Indices, seeds: list[int | None], options: dict[str, Any]
    ) -> tuple[Any, dict[str, Any]]:
        self._begin(which, seeds, options)
        self._new_results()
        self._run(np.full(self.num_envs, LOOK))
        reset = np.isin(np.arange(self.num_envs), which)
        return self.layout.flat(self._flat), self._infos(reset)

    def _checked(self, actions: Any) -> Indices:
        try:
            chosen = np.asarray(actions)
        except ValueError:  # a ragged list
            chosen = np.zeros(0)
        if chosen.shape != (self.num_envs,) or not np.issubdtype(chosen.dtype, np.integer):
            raise InvalidActionError(
                f"actions {shown(actions)}: give {self.num_envs} whole numbers, one per environment"
            )
        cores = self.layout.mesh.n_cores
        wrong = (chosen < 0) | (chosen >= cores)
        if wrong.any():
            raise InvalidActionError(
                f"action {chosen[wrong][0]} is not a physical core from 0 to {cores - 1}"
            )
        return chosen.astype(np.int64)

    # Between arrays and single environments.

    def _begin(
        self, which: Indices, seeds: Any = None, options: dict[str, Any] | None = None
    ) -> None:
        """Begin episodes in some environments.

        Raises:
            LoihiGymError: if they are to begin where others ended, which arrays do not keep.
        """
        start = (options or {}).get("mapping")
        if isinstance(start, str) and start in KEPT_STARTS:
            raise LoihiGymError(
                f"compiled environments keep no mapping to start from as {start!r}: make them with "
                f"start={start!r}"
            )
        for index in which.tolist():
            self.envs[index].begin(None if seeds is None else seeds[index], options)
            self._take(index)
        self._regroup()

    def _take(self, index: int) -> None:
        """Copy an environment's state into the arrays."""
        state = self.envs[index].state
        measured = _compiled(state)
        batch = self._batch = self._room_for(len(measured.tables.floor_ps))
        for row, part in zip(
            state_of.py_func(measured.tables, batch, index), measured.state, strict=True
        ):
            row[...] = part
        batch.latency_ps[index] = measured.latency_ps
        batch.energy_fj[index] = measured.energy_fj
        batch.steps[index], batch.evaluations[index] = state.steps, state.evaluations
        batch.value[index], batch.best[index] = state.value, state.best
        batch.scale[index] = state.task.scale
        batch.horizon[index] = self.envs[index]._horizon(measured)

    def _put_back(self, index: int) -> None:
        """Bring a single environment up to date."""
        batch, begun = self._batch, self.envs[index].state
        before = _compiled(begun)
        tables, latency_ps = before.tables, int(batch.latency_ps[index])
        state = copied(state_of.py_func(tables, batch, index))
        measured = BoundMeasured(before.partition, before.backend, tables, state, latency_ps)
        steps = int(batch.steps[index])
        over = steps >= batch.horizon[index]
        self.envs[index].go_to(
            begun._replace(
                measured=measured,
                committed=measured,
                value=float(batch.value[index]),
                best=float(batch.best[index]),
                evaluations=int(batch.evaluations[index]),
                steps=steps,
                cursor=-1 if over else steps % measured.partition.first[-1],
                over=bool(over),
            )
        )

    def _room_for(self, steps: int) -> Batch:
        """The arrays, or longer ones, for problems of that many time steps."""
        old = self._batch
        if old.placed.busiest_ps.shape[1] >= steps:
            return old
        made: Any = new_batch(self.num_envs, self.layout.mesh, steps)
        for name, before in old.placed._asdict().items():
            getattr(made.placed, name)[:, : before.shape[1]] = before
        return old._replace(placed=made.placed)

    def _regroup(self) -> None:
        """Environments with the same partitioning are stepped by one call, or one per thread."""
        alike: dict[int, list[int]] = {}
        for index, env in enumerate(self.envs):
            alike.setdefault(id(env.state.measured.partition), []).append(index)
        threads = processors()
        self._groups = []
        for indices in alike.values():
            parts = max(min(threads, len(indices) // WORTH_A_THREAD), 1)
            self._groups += np.array_split(np.array(indices), parts)

    # Running the kernels.

    def _new_results(self) -> None:
        """Fresh arrays: what was returned before is not written to."""
        self._flat = np.empty_like(self._flat)
        self._masks = np.empty_like(self._masks)

    def _run(self, actions: Indices) -> Float64Array:
        """Step or look as `actions` says, in threads if there are several groups; the rewards."""
        rewards, work = np.zeros(self.num_envs), []
        for group in self._groups:
            measured: Any = self.envs[group[0]].state.measured
            partition = measured.partition
            fixed = (measured.tables, partition.table, np.array(partition.first), self._objective)
            results = (rewards, self._flat, self._masks)
            work.append((*fixed, self._batch, group, actions, *results))
        jobs = [pool().submit(step, *one) for one in work[1:]]
        step(*work[0])
        for job in jobs:
            job.result()
        return rewards

    def _finish(self, over: BoolArray) -> dict[str, Any]:
        """What ended episodes led to, for `SameStep`."""
        final = np.full(self.num_envs, None, object)
        for index in np.flatnonzero(over).tolist():
            final[index] = self.layout.flat(self._flat[index].copy())
        infos = self._infos(over)
        for key in [key for key in infos if not key.startswith("_")]:
            infos[key][~over] = None if infos[key].dtype == object else 0
        return {
            "final_obs": final,
            "_final_obs": over.copy(),
            "final_info": infos,
            "_final_info": over.copy(),
        }

    def _infos(self, which: BoolArray) -> dict[str, Any]:
        batch = self._batch
        names = np.array([env.state.task.problem.name for env in self.envs], object)
        names[~which] = None
        infos: dict[str, Any] = {
            "benchmark": names,
            "latency_s": batch.latency_ps * 1e-12,
            "reduction": 1.0 - batch.value / batch.scale,
            "best_reduction": 1.0 - batch.best / batch.scale,
            "evaluations": batch.evaluations.copy(),
            "action_mask": self._masks.astype(np.int8),
        }
        return infos | {f"_{key}": which.copy() for key in infos}
