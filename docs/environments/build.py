"""Write the pages of this folder from the docstrings of the environments, and their films.

    python docs/environments/build.py             # pages and films
    python docs/environments/build.py --no-films

A test compares the pages with what this makes, so rerun it after a docstring has changed.
"""

import argparse
import inspect
import sys
from pathlib import Path
from typing import Any

import gymnasium
import matplotlib
import numpy as np

from loihi_gym import heuristic, load
from loihi_gym.drawing.animation import animate
from loihi_gym.envs import observation
from loihi_gym.envs.place import LoihiPlace
from loihi_gym.envs.refine import LoihiRefine
from loihi_gym.mapping.visit import Visit
from loihi_gym.registering import ENVIRONMENTS, environment_class

HERE = Path(__file__).parent
NOTE = "<!-- Made by build.py from the docstring: change that, not this page. -->"
OPENING = """Train an agent, or run any search, on mapping a network onto Loihi 2: pick an id, pass
it to `gymnasium.make`, and every step is measured by the backend of your choice."""
BEYOND = """## Beyond Gymnasium's interface
All on `env.unwrapped`:

| what | for |
|---|---|
| `mapping`, `problem`, `state` | current `Mapping`, the episode's `Problem`, all else |
| `action_masks()` | bools for sb3-contrib; `info["action_mask"]` is the same as int8 |
| `get_state()`, `set_state(state)` | going back, exactly, in microseconds: states are immutable |
| `arguments` | what it was made with |
| `fork()` | a copy to search ahead with; it shares problem and backend |

- `loihi_gym.family("sparse-mlp").train.on("loihi2")` is a family of generated problems to train on;
  its `test` is to report on. `reset(options={"benchmark": NAME})` begins an episode on one of them.
- `loihi_gym.envs.SaveEpisodes(env, directory)` writes what `loihi-gym replay FILE -o episode.gif`
  shows.
- `loihi_gym.sb3.make_vec_env(id, n_envs, ...)` is for Stable-Baselines3 and sb3-contrib.
- Any backend measures: a name, an address, or an object, a solver's session included. What a
  session raises when its budget is spent comes through `step`; a measurement that fails truncates
  the episode.
- Rewards, observations and infos are the same on every machine, given the same seeds and actions.
- `python perf/envs.py` says how fast all this is, beside CartPole and Minigrid
  ([figures](../environment-speed.md)).

Tutorials: [training MaskablePPO](../tutorials/train-maskable-ppo.md),
[a hand-written loop](../tutorials/hand-written-loop.md)."""
GALLERY = """Thirty steps of each on `mlp-xs`, on the simulated `mesh`; no agent, each is the best
of six random ones. Numbers and colours are layers, heat says how long a link or a core is busy in a
step, the black frame is what the slowest step waits for ([legend](../pictures.md))."""
CHIPS = """## Chips that nobody knows
How fast the parts of Loihi 2 are is not public. A set of hypotheses holds plausible chips:
`loihi-gym hypotheses loihi2-hypotheses` lists 13 with reasons. Every environment takes such a set.

**Mappings that are good on all chips.** `chips="loihi2-hypotheses"` measures each mapping on all
13. It counts as 13 evaluations, and `info["latencies_s"]` has the latency on each.

**Policies that adapt to a chip.** `randomize_chip=True` besides draws a chip for each episode, and
observations say [which constants](observations.md#the-chip-with-randomize_chiptrue) it has. Train
on some chips, then look at one that was left out:

```python
import gymnasium
from sb3_contrib import MaskablePPO

from loihi_gym.sb3 import make_vec_env

kind, chips = "LoihiSwap-v0", "loihi2-hypotheses,-fast-links"
plausible = {"benchmark": "mlp-xs", "backend": "bound", "randomize_chip": True}
envs = make_vec_env(kind, n_envs=8, seed=0, chips=chips, **plausible)
model = MaskablePPO("MultiInputPolicy", envs, n_steps=256, seed=0).learn(200_000)

held_out = gymnasium.make(kind, chips="loihi2-hypotheses", **plausible)
observation, info = held_out.reset(seed=0, options={"chip": "fast-links"})
over = False
while not over:
    action, _ = model.predict(observation, action_masks=info["action_mask"])
    observation, reward, over, _, info = held_out.step(action)
print(f"{info['chip']}: {info['best_reduction']:.1%} below the reference")
```"""
STEPS, TRIES, DPI = 30, 6, 72
"""Frames of a film, random steps of which each is the best, and pixels to the inch."""
START, KEEPS_COUNTS = "balanced/strided", ("LoihiPlace-v0", "LoihiSwap-v0", "LoihiRefine-v0")
"""Where films begin of those that cannot change how many cores a layer has: all cores are taken."""


def main() -> None:
    """Write everything."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--no-films", action="store_true")
    options = parser.parse_args()
    for name, text in pages().items():
        (HERE / name).write_text(text, encoding="utf-8")
    if not options.no_films:
        for env_id in ENVIRONMENTS:
            film(env_id)


def pages() -> dict[str, str]:
    """Text of every page by file name."""
    found = {f"{_stem(env_id)}.md": page(env_id) for env_id in ENVIRONMENTS}
    return found | {"README.md": index(), "observations.md": observations()}


def page(env_id: str) -> str:
    """An environment's page."""
    made = environment_class(env_id)
    name = made.__name__
    summary, _, rest = inspect.getdoc(made).partition("\n")
    parts = [
        NOTE,
        f"# {name}",
        summary,
        f"![Thirty steps of {name}]({_stem(env_id)}.gif)",
        "```python\nimport gymnasium\nimport loihi_gym\n\n"
        f'env = gymnasium.make("{env_id}", benchmark="mlp-deep", backend="bound")\n'
        "observation, info = env.reset(seed=0)\n```",
        rest.strip().replace(
            "## Rewards", "The tables are in [observations.md](observations.md).\n\n## Rewards"
        ),
    ]
    return "\n\n".join(parts) + "\n"


def index() -> str:
    """The list of environments."""
    rows = ["| id | what the agent does |", "|---|---|"]
    films = ["## Gallery", GALLERY]
    for env_id in ENVIRONMENTS:
        page, summary = _stem(env_id), inspect.getdoc(environment_class(env_id)).partition("\n")[0]
        rows.append(f"| [`{env_id}`]({page}.md) | {summary} |")
        films.append(f"**[`{env_id}`]({page}.md).** {summary}\n\n![Steps of {env_id}]({page}.gif)")
    text = "What agents see is in [observations.md](observations.md)."
    parts = [NOTE, "# Environments", OPENING, "\n".join(rows), text, *films, CHIPS, BEYOND]
    return "\n\n".join(parts) + "\n"


def observations() -> str:
    """The tables of observations."""
    text = inspect.getdoc(observation).replace("### ", "## ")
    return "\n\n".join([NOTE, "# Observations", text]) + "\n"


def film(env_id: str) -> None:
    """A film of an environment: each step is the best of a few random ones, or none of them."""
    problem = load("mlp-xs")
    start = heuristic(problem, START) if env_id in KEEPS_COUNTS else "random"
    env: Any = gymnasium.make(env_id, benchmark=problem, start=start).unwrapped
    env.reset(seed=0)
    visits = [_visit(env, 0)]
    for number in range(1, STEPS + 1):
        before = env.get_state()
        tried = [_tried(env, before, rng) for rng in np.random.default_rng(number).spawn(TRIES)]
        best = min(tried, key=lambda state: state.episode.value)
        env.set_state(best if best.episode.value < before.episode.value else before)
        if isinstance(env, LoihiPlace) and env.mapping == visits[-1].mapping:
            env.step(env.mapping.placement[env.state.cursor])  # on to the next piece
            env.set_state(_going_on(env))
        visits.append(_visit(env, number))
    reference = env.state.task.reference.measurement
    latencies = [visit.latency_ps for visit in visits]
    with matplotlib.rc_context({"figure.dpi": DPI}):
        animate(HERE / f"{_stem(env_id)}.gif", env.problem, reference, visits, latencies)


def _visit(env: Any, number: int) -> Visit:
    measured = env.state.measured
    return Visit(number, measured.mapping, measured.measurement.step_times_ps)


def _tried(env: Any, before: Any, rng: np.random.Generator) -> Any:
    """The state after a random action."""
    env.set_state(before)
    for action in _actions(env, rng):
        env.step(action)
    return _going_on(env)


def _going_on(env: Any) -> Any:
    """The state, in which the episode is not over even if it is."""
    after = env.get_state()
    return after._replace(episode=after.episode._replace(over=False))


def _actions(env: Any, rng: np.random.Generator) -> list[Any]:
    space = env.action_space
    if isinstance(space, gymnasium.spaces.Box):
        keys = env.encode(env.mapping)
        noise = rng.normal(0, 0.1, keys.shape) * (rng.random(keys.shape) < 0.1)
        return [np.clip(keys + noise, -1, 1).astype(np.float32)]
    mask = env.action_masks()
    if isinstance(space, gymnasium.spaces.MultiDiscrete):
        return [np.array([rng.choice(np.flatnonzero(part)) for part in np.split(mask, 2)])]
    if isinstance(env, LoihiRefine):
        move = rng.choice(np.flatnonzero(mask[:-1]))
        return [move, len(mask) - 1]
    return [rng.choice(np.flatnonzero(mask))]


def _stem(env_id: str) -> str:
    name = env_id.removeprefix("Loihi").removesuffix("-v0")
    return "".join(f"-{c.lower()}" if c.isupper() else c for c in name).strip("-")


if __name__ == "__main__":
    sys.exit(main())
