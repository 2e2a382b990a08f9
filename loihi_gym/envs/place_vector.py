"""`BoundPlaceVectorEnv`: LoihiPlace on `bound`, many environments in compiled loops."""

import os
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt
from gymnasium.vector import AutoresetMode

from ..backends.bound_kernel import State
from ..errors import InvalidActionError
from .base import EpisodeState
from .measured import BoundMeasured
from .objective import OBJECTIVES, is_named
from .place import LoihiPlace
from .place_kernel import Batch, look, move, new_batch, state_of
from .vector import LoihiVectorEnv, Step, _seeds

WORTH_A_THREAD = 16
"""Environments below which a further thread costs more than it saves."""

Indices = npt.NDArray[np.int64]


def can_be_compiled(arguments: dict[str, Any]) -> bool:
    """Whether environments with these arguments can be stepped by compiled loops."""
    objective = arguments.get("objective", "latency")
    return (
        arguments.get("backend") == "bound"
        and arguments.get("observation", "flat") == "flat"
        and (isinstance(objective, str) or is_named(objective))
    )


class BoundPlaceVectorEnv(LoihiVectorEnv):
    """LoihiPlace environments on the `bound` backend; see `LoihiVectorEnv`.

    Where the environments stand is kept in arrays. The single environments in `envs` draw the
    episodes' starts, and are brought up to date when somebody looks at them by `call`.
    """

    envs: list[LoihiPlace]

    def __init__(self, num_envs: int = 1, **arguments: Any) -> None:
        super().__init__(LoihiPlace, num_envs, **arguments)
        first = self.envs[0]
        self.layout = first.layout
        self._of = first.state.task.objective
        self._batch: Batch | None = None
        self._groups: list[Indices] = []
        self._masks = np.zeros((num_envs, self.layout.mesh.n_cores), np.bool_)
        self._moved = np.zeros(num_envs, np.bool_)
        self._steps = np.zeros(num_envs, np.int64)
        self._evaluations = np.zeros(num_envs, np.int64)
        self._pieces = np.ones(num_envs, np.int64)
        self._horizon = np.ones(num_envs, np.int64)
        self._value, self._best, self._scale = np.ones((3, num_envs))
        self._started: list[EpisodeState] = [env.state for env in self.envs]

    def reset(
        self, *, seed: Any = None, options: dict[str, Any] | None = None
    ) -> tuple[Any, dict[str, Any]]:
        """See `LoihiVectorEnv.reset`."""
        options = dict(options or {})
        which = self._which(options.pop("reset_mask", None))
        self._begin(which, _seeds(seed, self.num_envs), options)
        self._over[which] = False
        reset = np.zeros(self.num_envs, np.bool_)
        reset[which] = True
        observations = self._look()
        return observations, self._infos(reset)

    def step(self, actions: Any) -> Step:
        """See `LoihiVectorEnv.step`."""
        active = self._active()
        actions = self._checked(actions)
        resetting = np.flatnonzero(self._over) if len(active) < self.num_envs else active[:0]
        rewards = np.zeros(self.num_envs)
        self._move(active, actions, rewards)
        over = self._steps >= self._horizon
        if len(resetting):
            self._begin(resetting)
            over[resetting] = False
        infos: dict[str, Any] = {}
        terminated = over
        if self.autoreset_mode == AutoresetMode.SAME_STEP and over.any():
            infos = self._finish(over)
            self._begin(np.flatnonzero(over))
        self._over = terminated.copy()
        observations = self._look()
        infos |= self._infos(np.ones(self.num_envs, np.bool_))
        return observations, rewards, terminated, np.zeros(self.num_envs, np.bool_), infos

    def action_masks(self) -> npt.NDArray[np.bool_]:
        """Actions worth choosing, (num_envs, C)."""
        return self._masks

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
        chosen = np.asarray(actions)
        if chosen.shape != (self.num_envs,) or not np.issubdtype(chosen.dtype, np.integer):
            raise InvalidActionError(
                f"actions must be {self.num_envs} whole numbers, one per environment"
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
        self,
        which: Indices,
        seeds: Any = None,
        options: dict[str, Any] | None = None,
    ) -> None:
        """Begin episodes in some environments."""
        for index in which.tolist():
            seed = None if seeds is None else seeds[index]
            self.envs[index].begin(seed, options)
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
        self._steps[index], self._evaluations[index] = state.steps, state.evaluations
        self._value[index], self._best[index] = state.value, state.best
        self._scale[index] = state.task.scale
        self._pieces[index] = measured.partition.first[-1]
        self._horizon[index] = self.envs[index].passes * measured.partition.first[-1]

    def _put_back(self, index: int) -> None:
        """Bring a single environment up to date."""
        batch, begun = self._batch, self._started[index]
        assert batch is not None
        assert isinstance(begun.measured, BoundMeasured)
        measured = begun.measured.with_state(
            State(*[part.copy() for part in state_of.py_func(begun.measured.tables, batch, index)]),
            int(batch.latency_ps[index]),
        )
        over = bool(self._steps[index] >= self._horizon[index])
        self.envs[index].go_to(
            begun._replace(
                measured=measured,
                value=float(self._value[index]),
                best=float(self._best[index]),
                evaluations=int(self._evaluations[index]),
                steps=int(self._steps[index]),
                cursor=-1 if over else int(self._steps[index] % self._pieces[index]),
                over=over,
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
        threads = len(os.sched_getaffinity(0))
        self._groups = []
        for indices in alike.values():
            parts = max(min(threads, len(indices) // WORTH_A_THREAD), 1)
            self._groups += np.array_split(np.array(indices), parts)

    # Stepping.

    def _move(self, active: Indices, actions: Indices, rewards: npt.NDArray[np.float64]) -> None:
        """Take the actions of the active environments."""
        batch = self._batch
        if batch is None:
            raise InvalidActionError("call reset() first")
        np.remainder(self._steps, self._pieces, out=batch.cursor)
        groups = self._groups
        if len(active) < self.num_envs:
            groups = [group[np.isin(group, active)] for group in groups]
        self._moved[:] = False
        self._each(
            groups, lambda envs, begun: move(begun.tables, batch, envs, actions, self._moved)
        )
        value = self._objective(batch)
        rewards[active] = ((self._value - value) / self._scale)[active]
        self._value[active] = value[active]
        np.minimum(self._best, self._value, out=self._best)
        self._evaluations += self._moved
        self._steps[active] += 1

    def _objective(self, batch: Batch) -> npt.NDArray[np.float64]:
        """The objective of every environment, as `objective` has it."""
        latency = batch.latency_ps.astype(np.float64)
        if self._of == OBJECTIVES["latency"]:
            return latency
        energy = batch.energy_fj.astype(np.float64)
        return energy if self._of == OBJECTIVES["energy"] else energy * latency

    def _look(self) -> dict[str, npt.NDArray[np.float32]]:
        """Observations of all environments; the masks are made with them."""
        batch = self._batch
        assert batch is not None
        over = self._steps >= self._horizon
        np.copyto(batch.cursor, np.where(over, -1, self._steps % self._pieces))
        np.divide(self._steps, self._horizon, out=batch.progress)
        np.divide(self._value, self._scale, out=batch.relative)
        np.divide(self._best, self._scale, out=batch.best)
        out = np.empty((self.num_envs, self.layout.size), np.float32)
        masks = np.empty_like(self._masks)
        self._each(
            self._groups,
            lambda envs, begun: look(
                begun.tables,
                begun.partition.table,
                begun.partition.first_array,
                batch,
                envs,
                out,
                masks,
            ),
        )
        self._masks = masks
        return self.layout.flat(out)

    def _each(self, groups: list[Indices], run: Any) -> None:
        """Run a kernel for every group, in threads if there are several."""
        work: list[tuple[Any, ...]] = [
            (group, self._started[int(group[0])].measured) for group in groups if len(group)
        ]
        jobs = [_pool(os.getpid()).submit(run, *one) for one in work[1:]]
        for one in work[:1]:
            run(*one)
        for job in jobs:
            job.result()

    def _finish(self, over: npt.NDArray[np.bool_]) -> dict[str, Any]:
        """What ended episodes led to, for `SameStep`."""
        observations = self._look()
        final = np.full(self.num_envs, None, object)
        for index in np.flatnonzero(over).tolist():
            final[index] = {name: part[index].copy() for name, part in observations.items()}
        infos = self._infos(over)
        for key in [key for key in infos if not key.startswith("_")]:
            infos[key][~over] = 0
        return {
            "final_obs": final,
            "_final_obs": over.copy(),
            "final_info": infos,
            "_final_info": over.copy(),
        }

    def _infos(self, which: npt.NDArray[np.bool_]) -> dict[str, Any]:
        batch = self._batch
        assert batch is not None
        infos = {
            "latency_s": batch.latency_ps * 1e-12,
            "reduction": 1.0 - self._value / self._scale,
            "best_reduction": 1.0 - self._best / self._scale,
            "evaluations": self._evaluations.copy(),
            "action_mask": self._masks.astype(np.int8),
        }
        return infos | {f"_{key}": which.copy() for key in infos}


@lru_cache(maxsize=1)
def _pool(process: int) -> ThreadPoolExecutor:
    """Threads of this process; the kernels release the GIL. A forked process gets its own."""
    return ThreadPoolExecutor(len(os.sched_getaffinity(0)), thread_name_prefix="loihi-gym-envs")
