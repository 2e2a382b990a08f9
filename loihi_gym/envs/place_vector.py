"""`BoundPlaceVectorEnv`: LoihiPlace on `bound`, many environments in compiled loops."""

from typing import Any, TypeGuard

import numpy as np
from gymnasium.vector import AutoresetMode

from ..arrays import BoolArray, Int64Array
from ..backends.bound.bound_kernel import State
from ..errors import InvalidActionError
from ..threads import pool, processors
from .base import LoihiEnv
from .checks import shown
from .episode_state import EpisodeState
from .measured_mapping import BoundMeasured
from .objective import OBJECTIVES, Objective, is_named
from .place import LoihiPlace
from .place_kernel import EDP, ENERGY, LATENCY, Batch, look, new_batch, state_of, step
from .vector import LoihiVectorEnv, Step

WORTH_A_THREAD = 16
"""Environments below which a further thread costs more than it saves."""

NUMBERS: dict[Objective, int] = {
    OBJECTIVES["latency"]: LATENCY,
    OBJECTIVES["energy"]: ENERGY,
    OBJECTIVES["edp"]: EDP,
}
"""What the kernels call the objectives."""

Indices = Int64Array


def can_be_compiled(env: LoihiEnv) -> TypeGuard[LoihiPlace]:
    """Whether environments such as this one can be stepped by compiled loops."""
    arguments, task = env.arguments, env.state.task
    return (
        type(env) is LoihiPlace
        and isinstance(arguments.backend, str)
        and isinstance(task.reference, BoundMeasured)
        and arguments.observation == "flat"
        and is_named(task.objective)
    )


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
        self._batch: Batch | None = None
        self._groups: list[Indices] = []
        self._started: list[EpisodeState] = [env.state for env in self.envs]
        self._flat = np.zeros((num_envs, self.layout.size), np.float32)
        self._masks = np.zeros((num_envs, self.layout.mesh.n_cores), np.bool_)

    def reset(
        self, *, seed: Any = None, options: dict[str, Any] | None = None
    ) -> tuple[Any, dict[str, Any]]:
        """Begin episodes; arguments as in `LoihiVectorEnv.reset`."""
        which, options = self._which(options)
        seeds = self._each_seed(seed)
        self._begin(which, seeds, options)
        self._new_results()
        self._look(np.arange(self.num_envs))
        self._begun, self._over[which] = True, False
        reset = np.zeros(self.num_envs, np.bool_)
        reset[which] = True
        return self.layout.flat(self._flat), self._infos(reset)

    def step(self, actions: Any) -> Step:
        """Step every environment; arguments and results as in `LoihiVectorEnv.step`."""
        active = self._active()
        actions = self._checked(actions)
        batch = self._batch
        assert batch is not None
        resetting = np.flatnonzero(self._over) if len(active) < self.num_envs else None
        rewards = np.zeros(self.num_envs)
        self._new_results()
        self._each(active, step, self._objective, batch, actions, rewards)
        if resetting is not None:
            self._begin(resetting)
            self._look(resetting)
        terminated = self._batch.steps >= self._batch.horizon  # type: ignore[union-attr]
        infos: dict[str, Any] = {}
        if self.autoreset_mode == AutoresetMode.SAME_STEP and terminated.any():
            ended = np.flatnonzero(terminated)
            infos = self._finish(ended)
            self._begin(ended)
            self._look(ended)
        self._over = terminated.copy()
        infos |= self._infos(np.ones(self.num_envs, np.bool_))
        truncated = np.zeros(self.num_envs, np.bool_)
        return self.layout.flat(self._flat), rewards, terminated, truncated, infos

    def action_masks(self) -> BoolArray:
        """Actions worth choosing, (num_envs, C)."""
        return self._masks.copy()

    def call(self, name: str, *arguments: Any, **named: Any) -> tuple[Any, ...]:
        """Each environment's attribute of that name, or what it returns if it is a method."""
        if self._batch is None:
            return super().call(name, *arguments, **named)
        for index in range(self.num_envs):
            self._put_back(index)
        result = super().call(name, *arguments, **named)
        for index in range(self.num_envs):
            self._take(index)
        self._regroup()
        return result

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
        """Begin episodes in some environments."""
        for index in which.tolist():
            self.envs[index].begin(None if seeds is None else seeds[index], options)
            self._take(index)
        self._regroup()

    def _take(self, index: int) -> None:
        """Copy an environment's state into the arrays."""
        state = self.envs[index].state
        measured = state.measured
        assert isinstance(measured, BoundMeasured)
        batch = self._room_for(len(measured.tables.floor_ps))
        self._started[index] = state
        rows = state_of.py_func(measured.tables, batch, index)
        for name, part in zip(State._fields, measured.state, strict=True):
            getattr(rows, name)[...] = part
        batch.latency_ps[index] = measured.latency_ps
        batch.energy_fj[index] = measured.energy_fj
        batch.steps[index], batch.evaluations[index] = state.steps, state.evaluations
        batch.value[index], batch.best[index] = state.value, state.best
        batch.scale[index] = state.task.scale
        batch.horizon[index] = self.envs[index].arguments.passes * measured.partition.first[-1]

    def _put_back(self, index: int) -> None:
        """Bring a single environment up to date."""
        batch, begun = self._batch, self._started[index]
        assert batch is not None
        assert isinstance(begun.measured, BoundMeasured)
        measured = begun.measured.with_state(
            State(*[part.copy() for part in state_of.py_func(begun.measured.tables, batch, index)]),
            int(batch.latency_ps[index]),
        )
        steps = int(batch.steps[index])
        over = steps >= batch.horizon[index]
        self.envs[index].go_to(
            begun._replace(
                measured=measured,
                value=float(batch.value[index]),
                best=float(batch.best[index]),
                evaluations=int(batch.evaluations[index]),
                steps=steps,
                cursor=-1 if over else steps % measured.partition.first[-1],
                over=bool(over),
            )
        )

    def _room_for(self, steps: int) -> Batch:
        """The arrays, made (or made anew, longer) for problems of that many time steps."""
        mesh, old = self.layout.mesh, self._batch
        if old is not None and old.busiest_ps.shape[1] >= steps:
            return old
        made = new_batch(self.num_envs, mesh.n_cores, mesh.n_routers, mesh.height, steps)
        if old is not None:
            for name in Batch._fields:
                before = getattr(old, name)
                getattr(made, name)[tuple(map(slice, before.shape))] = before
        self._batch = made
        return made

    def _regroup(self) -> None:
        """Environments with the same partitioning are stepped by one call, or one per thread."""
        alike: dict[int, list[int]] = {}
        for index, state in enumerate(self._started):
            alike.setdefault(id(state.measured.partition), []).append(index)
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

    def _look(self, which: Indices) -> None:
        """Observations and masks of some environments as they are."""
        self._each(which, look, None, self._batch)

    def _each(self, which: Indices, kernel: Any, objective: Any, batch: Any, *arrays: Any) -> None:
        """Run a kernel for every group of environments, in threads if there are several."""
        groups = self._groups
        if len(which) < self.num_envs:
            groups = [group[np.isin(group, which)] for group in groups]
        work = []
        for group in groups:
            if len(group):
                measured: Any = self._started[int(group[0])].measured
                partition = measured.partition
                fixed = (measured.tables, partition.table, partition.first_array)
                counted = () if objective is None else (objective,)
                work.append((*fixed, *counted, batch, group, *arrays, self._flat, self._masks))
        jobs = [pool().submit(kernel, *one) for one in work[1:]]
        for one in work[:1]:
            kernel(*one)
        for job in jobs:
            job.result()

    def _finish(self, ended: Indices) -> dict[str, Any]:
        """What ended episodes led to, for `SameStep`."""
        over = np.zeros(self.num_envs, np.bool_)
        over[ended] = True
        final = np.full(self.num_envs, None, object)
        for index in ended.tolist():
            final[index] = self.layout.flat(self._flat[index].copy())
        infos = self._infos(over)
        for key in [key for key in infos if not key.startswith("_")]:
            infos[key][~over] = 0
        return {
            "final_obs": final,
            "_final_obs": over.copy(),
            "final_info": infos,
            "_final_info": over.copy(),
        }

    def _infos(self, which: BoolArray) -> dict[str, Any]:
        batch = self._batch
        assert batch is not None
        infos = {
            "latency_s": batch.latency_ps * 1e-12,
            "reduction": 1.0 - batch.value / batch.scale,
            "best_reduction": 1.0 - batch.best / batch.scale,
            "evaluations": batch.evaluations.copy(),
            "action_mask": self._masks.astype(np.int8),
        }
        return infos | {f"_{key}": which.copy() for key in infos}
