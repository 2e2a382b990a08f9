"""Many environments stepped at once, whose mappings are all measured by one `evaluate_batch`."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from gymnasium.vector import AutoresetMode, VectorEnv
from gymnasium.vector.utils import batch_space, concatenate, create_empty_array, iterate

from ..arrays import BoolArray, Float64Array, Int64Array
from ..errors import InvalidActionError, LoihiGymError, MeasurementError
from .base import LoihiEnv
from .checks import check_options, check_seed, count, shown, strict
from .measured_mapping import MeasuredMapping
from .task import EpisodeTask

Step = tuple[Any, Float64Array, BoolArray, BoolArray, dict[str, Any]]


@strict
class LoihiVectorEnv(VectorEnv[Any, Any, Any]):
    """Environments of one kind, alike but for their seeds: environment i is seeded with seed + i.

    Step for step equal to as many single environments in a `SyncVectorEnv`, infos included.

    Args:
        first: One of them; the others are forks of it.
        num_envs: How many.
        autoreset_mode: ``NextStep``: the step after an episode's last one resets, whatever the
            action. ``SameStep``: the last step resets, `info["final_obs"]` is what it led to.
            ``Disabled``: reset by hand, `reset(options={"reset_mask": (num_envs,) bool})`.

    Raises:
        LoihiGymError: if the number or the mode is wrong.
    """

    def __init__(
        self,
        first: LoihiEnv,
        num_envs: int = 1,
        autoreset_mode: str | AutoresetMode = AutoresetMode.NEXT_STEP,
    ) -> None:
        count()("num_envs", num_envs)
        try:
            self.autoreset_mode = AutoresetMode(autoreset_mode)
        except ValueError as error:
            modes = ", ".join(mode.value for mode in AutoresetMode)
            raise LoihiGymError(
                f"autoreset_mode {shown(autoreset_mode)} is none of {modes}"
            ) from error
        self.envs: Sequence[LoihiEnv] = [first, *(first.fork() for _ in range(num_envs - 1))]
        self.num_envs = num_envs
        self.metadata = {**first.metadata, "autoreset_mode": self.autoreset_mode}
        self.render_mode = first.render_mode
        self.single_observation_space = first.observation_space
        self.single_action_space = first.action_space
        self.observation_space = batch_space(first.observation_space, num_envs)
        self.action_space = batch_space(first.action_space, num_envs)
        self._begun = False
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
            seed: Seed of the first environment, which the others count on from; or one for each.
            options: What a single environment takes, and `reset_mask`, bools of (num_envs,).

        Raises:
            LoihiGymError: if a seed or an option is unknown or wrong.
        """
        which, options = self._which(options)
        result = self._reset(which, self._each_seed(seed), options)
        self._begun, self._over[which] = True, False
        return result

    def step(self, actions: Any) -> Step:
        """One step in every environment.

        Raises:
            InvalidActionError: if a rule forbids one of the actions; no environment has moved.
        """
        active = self._active()
        try:
            chosen = list(iterate(self.action_space, actions))
        except (TypeError, ValueError):
            chosen = []
        if len(chosen) != self.num_envs:
            raise InvalidActionError(
                f"actions {shown(actions)}: give {self.num_envs}, one per environment"
            )
        measured = self._measure(active.tolist(), chosen)
        rewards = np.zeros(self.num_envs)
        terminated, truncated = np.zeros((2, self.num_envs), np.bool_)
        infos: dict[str, Any] = {}
        for index, env in enumerate(self.envs):
            reset = index not in measured
            if not reset:
                result = env.settle(chosen[index], measured[index])
                seen, rewards[index], terminated[index], truncated[index], info = result
                over = terminated[index] or truncated[index]
                reset = over and self.autoreset_mode == AutoresetMode.SAME_STEP
                if reset:
                    infos = self._add_info(infos, {"final_obs": seen, "final_info": info}, index)
            if reset:
                seen, info = env.reset()
            self._seen[index] = seen
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

    def _reset(
        self, which: Int64Array, seeds: list[int | None], options: dict[str, Any]
    ) -> tuple[Any, dict[str, Any]]:
        """Begin episodes in some environments; observations and infos of all."""
        infos: dict[str, Any] = {}
        for index in which.tolist():
            self._seen[index], info = self.envs[index].reset(seed=seeds[index], options=options)
            infos = self._add_info(infos, info, index)
        for index in np.setdiff1d(np.arange(self.num_envs), which).tolist():
            # What was returned before may be the user's to write to.
            self._seen[index] = self.envs[index]._observe()
        return self._observations(), infos

    def _which(self, options: Any) -> tuple[Int64Array, dict[str, Any]]:
        """Indices of the environments to be reset, and the options of each."""
        first = self.envs[0]
        known = [*first.reset_options, "reset_mask"]
        options = check_options(f"a vector of {type(first).__name__}", options, known)
        mask = np.asarray(options.pop("reset_mask", np.ones(self.num_envs, np.bool_)))
        if mask.dtype != np.bool_ or mask.shape != (self.num_envs,) or not mask.any():
            raise LoihiGymError(
                f"reset_mask must be {self.num_envs} bools, one of them True at least"
            )
        if not (self._begun or mask.all()):
            raise InvalidActionError("call reset() for all environments first")
        return np.flatnonzero(mask), options

    def _each_seed(self, seed: Any) -> list[int | None]:
        """A seed for each environment."""
        if not isinstance(seed, Sequence | np.ndarray):
            first = check_seed(seed)
            return [None if first is None else first + index for index in range(self.num_envs)]
        if len(seed) != self.num_envs:
            raise LoihiGymError(f"{len(seed)} seeds for {self.num_envs} environments")
        return [check_seed(one) for one in seed]

    def _active(self) -> Int64Array:
        """Indices of the environments that take an action; the others are reset instead."""
        if not self._begun:
            raise InvalidActionError("call reset() first")
        if self.autoreset_mode == AutoresetMode.DISABLED and self._over.any():
            first = int(self._over.argmax())
            raise InvalidActionError(f"environment {first} is over: reset it first (reset_mask)")
        if self.autoreset_mode == AutoresetMode.NEXT_STEP:
            return np.flatnonzero(~self._over)
        return np.arange(self.num_envs)

    def _measure(
        self, active: list[int], chosen: list[Any]
    ) -> dict[int, MeasuredMapping | MeasurementError]:
        """What the actions of the active environments lead to, by environment."""
        changes = {
            index: (self.envs[index].state.measured, self.envs[index].propose(chosen[index]))
            for index in active
        }
        batches: dict[EpisodeTask, list[int]] = {}
        for index in active:
            batches.setdefault(self.envs[index].state.task, []).append(index)
        found: dict[int, MeasuredMapping | MeasurementError] = {}
        for task, indices in batches.items():
            measured = task.change_all([changes[index] for index in indices])
            found |= zip(indices, measured, strict=True)
        return found

    def _observations(self) -> Any:
        space = self.single_observation_space
        empty: Any = create_empty_array(space, n=self.num_envs, fn=np.empty)
        return concatenate(space, self._seen, empty)
