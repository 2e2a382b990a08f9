"""`LoihiPlace-v0`: put one logical core after the other on a physical core of one's choice."""

from typing import Any, ClassVar, SupportsFloat

import gymnasium
import numpy as np
import numpy.typing as npt
from gymnasium import spaces

from ..backends import Measurement, make_backend
from ..benchmarks import load
from ..errors import InvalidActionError, LoihiGymError
from ..mapping import Mapping, Problem, random_mapping, swap
from .objective import objective as named_objective
from .observation import Observation, observation_space, observe

RENDER_MODES = ("ansi", "rgb_array")


class LoihiPlace(gymnasium.Env[Observation, np.int64]):
    """Place the pieces of a sparse MLP on the neurocores of a simulated Loihi 2.

    ## Description
    An episode goes over the logical cores in layer order. At each step the agent names the physical
    core for the logical core under the cursor; the two places swap what is on them, and the whole
    mapping is measured. Every mapping measured is legal. C physical cores, R routers below.

    ## Action Space
    `Discrete(C)`: the physical core, numbered by (chip, router y, router x, port). All are legal;
    naming the core the piece is on already leaves the mapping as it is. The mask (`action_masks()`,
    `info["action_mask"]`) leaves out cores with another piece of the same layer: swapping two
    nearly equal pieces spends an evaluation on next to nothing.

    ## Observation Space
    A Dict of float32 Boxes in [0, 1]:

    | key | shape | meaning |
    |---|---|---|
    | `layer` | (C,) | (layer + 1) / layers of what is on each core, 0 if it is free |
    | `free` | (C,) | 1 where a core is free |
    | `own` | (C,) | 1 where a piece of the cursor's layer is |
    | `cursor` | (C,) | 1 where the piece to be placed next is |
    | `send` | (C,) | part of the latency during which a core updates neurons and sends |
    | `receive` | (C,) | part of the latency during which it takes messages |
    | `messages_out` | (C,) | messages sent, relative to the core that sends most |
    | `messages_in` | (C,) | messages received, relative to the core that receives most |
    | `links` | (4R,) | part of the latency during which each link is busy; E, W, N, S per router |
    | `scalars` | (4,) | episode over, objective x/(1+x), best x/(1+x), cores used; x = 1: reference |

    ## Rewards
    (objective before - objective after) / reference objective. Over an episode that starts from the
    reference mapping the rewards add up to the fraction by which the objective fell.

    ## Starting State
    The reference mapping: the fastest standard heuristic. `options={"mapping": Mapping(...)}`
    starts from that one, `options={"mapping": "random"}` from a random one.

    ## Episode End
    Terminates after `passes` passes over the logical cores. Never truncates by itself.

    ## Info
    `latency_s`, `reduction` and `best_reduction` (of the objective, against the reference),
    `evaluations` (of this episode; the reference is free), `bottleneck` (a sentence),
    `action_mask` (int8).

    ## Arguments
    - `benchmark`: name of a bundled benchmark, or a `Problem`.
    - `backend`: ``mesh`` or ``bound``.
    - `objective`: ``latency``, ``energy`` or ``edp`` (their product).
    - `passes`: passes over the logical cores.
    - `render_mode`: ``ansi`` or ``rgb_array``.

    ## Version History
    - v0: first release.
    """

    metadata: ClassVar[dict[str, Any]] = {"render_modes": list(RENDER_MODES), "render_fps": 4}

    def __init__(
        self,
        benchmark: str | Problem = "mlp-deep",
        backend: str = "mesh",
        objective: str = "latency",
        passes: int = 1,
        render_mode: str | None = None,
    ) -> None:
        if passes < 1:
            raise LoihiGymError(f"passes = {passes!r}: at least one is needed")
        if render_mode is not None and render_mode not in RENDER_MODES:
            raise LoihiGymError(f"render_mode {render_mode!r} is none of {RENDER_MODES}")
        self.problem = load(benchmark) if isinstance(benchmark, str) else benchmark
        self.backend = make_backend(backend, self.problem)
        self.objective = named_objective(objective)
        self.passes = passes
        self.render_mode = render_mode
        self.action_space = spaces.Discrete(self.problem.topology.n_cores)  # type: ignore[assignment]
        self.observation_space = observation_space(self.problem)
        self._reference = self.backend.evaluate(self.problem.reference_mapping)
        self._start(self.problem.reference_mapping, self._reference)

    def __repr__(self) -> str:
        return f"LoihiPlace({self.problem.name!r}, backend={self.backend.name!r})"

    @property
    def mapping(self) -> Mapping:
        """The current mapping."""
        return self._mapping

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[Observation, dict[str, Any]]:
        """Begin an episode; `options["mapping"]` is a `Mapping` or ``"random"``.

        Raises:
            IllegalMappingError: if the mapping given is illegal.
        """
        super().reset(seed=seed)
        start = (options or {}).get("mapping", self.problem.reference_mapping)
        if isinstance(start, str):
            if start != "random":
                raise LoihiGymError(f'option mapping = {start!r} is neither a Mapping nor "random"')
            start = random_mapping(self.problem, self.np_random)
        given = start is not self.problem.reference_mapping
        self._start(start, self.backend.evaluate(start) if given else self._reference)
        self._evaluations = int(given)
        return self._observe(), self._info()

    def step(
        self, action: np.int64
    ) -> tuple[Observation, SupportsFloat, bool, bool, dict[str, Any]]:
        """Put the piece under the cursor on the physical core `action`.

        Raises:
            InvalidActionError: if there is no such core, or the episode is over.
        """
        if not self.action_space.contains(action):
            raise InvalidActionError(
                f"action {action!r} is not a physical core from 0 to {self.action_space.n - 1}"  # type: ignore[attr-defined]
            )
        if self._done:
            raise InvalidActionError("the episode is over: call reset() first")
        place = int(self._mapping.placement[self._cursor])
        before = self.objective(self._measurement)
        self._mapping = swap(self._mapping, place, int(action))
        self._measurement = self.backend.evaluate(self._mapping)
        self._evaluations += 1
        self._moves += 1
        after = self.objective(self._measurement)
        self._best = min(self._best, after)
        reward = (before - after) / self.objective(self._reference)
        return self._observe(), reward, self._done, False, self._info()

    def action_masks(self) -> npt.NDArray[np.bool_]:
        """Physical cores worth naming, (C,); all are legal."""
        mask = np.ones(self.problem.topology.n_cores, np.bool_)
        if not self._done:
            layer = np.repeat(np.arange(self.problem.n_layers), self._mapping.cores_per_layer)
            mask[self._mapping.placement[layer == layer[self._cursor]]] = False
            mask[self._mapping.placement[self._cursor]] = True
        return mask

    def render(self) -> Any:
        """A text (``ansi``) or an RGB picture (``rgb_array``, (height, width, 3) uint8)."""
        if self.render_mode is None:
            return None
        from .. import drawing

        draw = drawing.text if self.render_mode == "ansi" else drawing.picture
        return draw(self.problem, self._mapping, self._measurement, self._reference)

    @property
    def _cursor(self) -> int:
        return self._moves % self._mapping.n_logical_cores

    @property
    def _done(self) -> bool:
        return self._moves >= self.passes * self._mapping.n_logical_cores

    def _start(self, mapping: Mapping, measurement: Measurement) -> None:
        self._mapping, self._measurement = mapping, measurement
        self._moves = self._evaluations = 0
        self._best = self.objective(measurement)

    def _relative(self, value: float) -> float:
        return value / self.objective(self._reference)

    def _observe(self) -> Observation:
        return observe(
            self.problem,
            self._mapping,
            self._measurement,
            cursor=None if self._done else self._cursor,
            progress=self._moves / (self.passes * self._mapping.n_logical_cores),
            relative=(
                self._relative(self.objective(self._measurement)),
                self._relative(self._best),
            ),
        )

    def _info(self) -> dict[str, Any]:
        return {
            "latency_s": self._measurement.latency_s,
            "reduction": 1.0 - self._relative(self.objective(self._measurement)),
            "best_reduction": 1.0 - self._relative(self._best),
            "evaluations": self._evaluations,
            "bottleneck": str(self._measurement.bottleneck),
            "action_mask": self.action_masks().astype(np.int8),
        }
