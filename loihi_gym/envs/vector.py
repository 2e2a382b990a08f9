"""Many environments stepped at once: what `gymnasium.make_vec` makes by ``vector_entry_point``.

`LoihiVectorEnv` steps environments of any kind and measures all their mappings by one
`evaluate_batch`. `loihi_gym.envs.place_vector` does LoihiPlace on `bound` in compiled loops.
"""

from collections.abc import Sequence
from functools import partial
from typing import Any

import numpy as np
from gymnasium.vector import AutoresetMode, VectorEnv
from gymnasium.vector.utils import batch_space, concatenate, create_empty_array, iterate

from ..arrays import BoolArray, Float64Array, Int64Array
from ..errors import InvalidActionError, LoihiGymError, MeasurementError
from .base import LoihiEnv
from .map import LoihiMap
from .measured_mapping import BoundMeasured, MeasuredMapping, Swap, after
from .one_shot import LoihiOneShot
from .partition import LoihiPartition
from .place import LoihiPlace
from .swap import LoihiSwap

Step = tuple[Any, Float64Array, BoolArray, BoolArray, dict[str, Any]]


class LoihiVectorEnv(VectorEnv[Any, Any, Any]):
    """Environments of one kind, alike but for their seeds: environment i is seeded with seed + i.

    Step for step equal to as many single environments in a `SyncVectorEnv`, infos included.

    Args:
        kind: Class of the environments.
        num_envs: How many.
        autoreset_mode: ``NextStep``: the step after an episode's last one resets, whatever the
            action. ``SameStep``: the last step resets, `info["final_obs"]` is what it led to.
            ``Disabled``: reset by hand, `reset(options={"reset_mask": (num_envs,) bool})`.
        arguments: Of each environment.
    """

    def __init__(
        self,
        kind: type[LoihiEnv],
        num_envs: int = 1,
        autoreset_mode: str | AutoresetMode = AutoresetMode.NEXT_STEP,
        **arguments: Any,
    ) -> None:
        if num_envs < 1:
            raise LoihiGymError(f"num_envs = {num_envs!r}: at least one is needed")
        first = kind(**arguments)
        self.envs: Sequence[LoihiEnv] = [first, *(first.fork() for _ in range(num_envs - 1))]
        self.num_envs = num_envs
        self.autoreset_mode = AutoresetMode(autoreset_mode)
        self.metadata = {**first.metadata, "autoreset_mode": self.autoreset_mode}
        self.render_mode = first.render_mode
        self.single_observation_space = first.observation_space
        self.single_action_space = first.action_space
        self.observation_space = batch_space(first.observation_space, num_envs)
        self.action_space = batch_space(first.action_space, num_envs)
        self._over: BoolArray = np.zeros(num_envs, np.bool_)
        self._seen: list[Any] = [None] * num_envs

    def reset(
        self,
        *,
        seed: int | Sequence[int | None] | None = None,
        options: dict[str, Any] | None = None,
    ) -> tuple[Any, dict[str, Any]]:
        """Begin an episode in every environment, or where `options["reset_mask"]` says so.

        Args:
            seed: Of the first environment, the others follow; or one for each.
            options: Those of a single environment, and `reset_mask`.
        """
        options = dict(options or {})
        which = self._which(options.pop("reset_mask", None))
        seeds = _seeds(seed, self.num_envs)
        infos: dict[str, Any] = {}
        for index in which.tolist():
            infos = self._reset_one(index, infos, seeds[index], options)
        self._over[which] = False
        return self._observations(), infos

    def step(self, actions: Any) -> Step:
        """One step in every environment.

        Raises:
            InvalidActionError: if a rule forbids one of the actions; no environment has moved.
        """
        if any(seen is None for seen in self._seen):
            raise InvalidActionError("call reset() first")
        active = self._active()
        chosen = list(iterate(self.action_space, actions))
        if len(chosen) != self.num_envs:
            raise InvalidActionError(f"{len(chosen)} actions for {self.num_envs} environments")
        measured = self._measure(active.tolist(), chosen)
        rewards = np.zeros(self.num_envs)
        terminated, truncated = np.zeros((2, self.num_envs), np.bool_)
        infos: dict[str, Any] = {}
        for index in range(self.num_envs):
            if index not in measured:
                infos = self._reset_one(index, infos)
                continue
            seen, rewards[index], terminated[index], truncated[index], info = self.envs[
                index
            ].settle(chosen[index], measured[index])
            self._seen[index] = seen
            over = terminated[index] or truncated[index]
            if over and self.autoreset_mode == AutoresetMode.SAME_STEP:
                infos = self._add_info(infos, {"final_obs": seen, "final_info": info}, index)
                infos = self._reset_one(index, infos)
            else:
                infos = self._add_info(infos, info, index)
        self._over = terminated | truncated
        return self._observations(), rewards, terminated, truncated, infos

    def action_masks(self) -> BoolArray:
        """Actions worth choosing, (num_envs, actions)."""
        return np.stack([env.action_masks() for env in self.envs])

    def render(self) -> tuple[Any, ...]:
        """What each environment renders."""
        return self.call("render")

    def call(self, name: str, *arguments: Any, **named: Any) -> tuple[Any, ...]:
        """Each environment's attribute of that name, or what it returns if it is a method."""
        found = [getattr(env, name) for env in self.envs]
        return tuple(one(*arguments, **named) if callable(one) else one for one in found)

    def get_attr(self, name: str) -> tuple[Any, ...]:
        """Each environment's attribute of that name."""
        return self.call(name)

    def close_extras(self, **kwargs: Any) -> None:
        """Close the windows that were opened."""
        for env in self.envs:
            env.close()

    def _which(self, mask: Any) -> Int64Array:
        """Indices of the environments to be reset."""
        if mask is None:
            return np.arange(self.num_envs)
        mask = np.asarray(mask)
        if mask.dtype != np.bool_ or mask.shape != (self.num_envs,) or not mask.any():
            raise LoihiGymError(
                f"reset_mask must be {self.num_envs} bools, one of them True at least"
            )
        return np.flatnonzero(mask)

    def _active(self) -> Int64Array:
        """Indices of the environments that take an action; the others are reset instead."""
        if self.autoreset_mode == AutoresetMode.DISABLED and self._over.any():
            first = int(self._over.argmax())
            raise InvalidActionError(f"environment {first} is over: reset it first (reset_mask)")
        if self.autoreset_mode == AutoresetMode.NEXT_STEP:
            return np.flatnonzero(~self._over)
        return np.arange(self.num_envs)

    def _reset_one(
        self,
        index: int,
        infos: dict[str, Any],
        seed: int | None = None,
        options: dict[str, Any] | None = None,
    ) -> dict[str, Any]:
        self._seen[index], info = self.envs[index].reset(seed=seed, options=options)
        return self._add_info(infos, info, index)

    def _measure(
        self, active: list[int], chosen: list[Any]
    ) -> dict[int, MeasuredMapping | MeasurementError]:
        """What the actions of the active environments lead to, by environment."""
        changes = {index: self.envs[index].propose(chosen[index]) for index in active}
        found: dict[int, MeasuredMapping | MeasurementError] = {}
        batches: dict[int, list[int]] = {}
        for index, change in changes.items():
            state = self.envs[index].state
            if isinstance(change, MeasuredMapping):
                found[index] = change
            elif isinstance(state.measured, BoundMeasured) and isinstance(change, Swap):
                found[index] = state.task.change(state.measured, change)
            else:
                batches.setdefault(id(state.task), []).append(index)
        for indices in batches.values():
            states = [self.envs[index].state for index in indices]
            mappings = [
                after(state.measured, changes[index])  # type: ignore[arg-type]
                for state, index in zip(states, indices, strict=True)
            ]
            found |= zip(indices, states[0].task.evaluate_all(mappings), strict=True)
        return found

    def _observations(self) -> Any:
        space = self.single_observation_space
        empty: Any = create_empty_array(space, n=self.num_envs, fn=np.empty)
        return concatenate(space, self._seen, empty)


def _seeds(seed: int | Sequence[int | None] | None, num_envs: int) -> Sequence[int | None]:
    if seed is None:
        return [None] * num_envs
    if isinstance(seed, int | np.integer):
        return [int(seed) + index for index in range(num_envs)]
    if len(seed) != num_envs:
        raise LoihiGymError(f"{len(seed)} seeds for {num_envs} environments")
    return seed


def LoihiPlaceVector(**arguments: Any) -> LoihiVectorEnv:  # noqa: N802 (stands for a class)
    """LoihiPlace environments; compiled if the backend is `bound` and the observation flat."""
    from .place_vector import BoundPlaceVectorEnv, can_be_compiled

    if can_be_compiled(arguments):
        return BoundPlaceVectorEnv(**arguments)
    return LoihiVectorEnv(LoihiPlace, **arguments)


LoihiSwapVector = partial(LoihiVectorEnv, LoihiSwap)
LoihiPartitionVector = partial(LoihiVectorEnv, LoihiPartition)
LoihiMapVector = partial(LoihiVectorEnv, LoihiMap)
LoihiOneShotVector = partial(LoihiVectorEnv, LoihiOneShot)
