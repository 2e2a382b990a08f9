"""Hold `mesh` >= `bound` >= the proven bound on random small problems, on every hypothesis.

python perf/bound_order.py --problems 500 --seed 0

Each problem is a drawn network on one chip of 16 cores, or on two, with the constants of the next
hypothesis; each is measured with its reference and with random mappings. It ends with 1 and names
the first problem on which the order does not hold.
"""

import argparse
import sys
from dataclasses import replace

import numpy as np

import loihi_gym
from loihi_gym.backends.robust import hypotheses_of
from loihi_gym.bounds import lower_bound
from loihi_gym.mapping import Problem, random_mapping

CHIPS = ("loihi2-16", "loihi2-24", "loihi2-2-chips")
MAPPINGS = 4


def drawn(rng: np.random.Generator, number: int) -> Problem:
    """A small network on the chip of hypothesis number `number`, counted round and round."""
    layers, width, inputs = rng.integers(2, 5), rng.integers(17, 300), rng.integers(9, 200)
    density = round(float(rng.uniform(0.05, 0.9)), 2)
    problem = loihi_gym.load(
        f"generator://mlp?layers={layers}&width={width}&inputs={inputs}&density={density}"
        f"&chip={CHIPS[number % len(CHIPS)]}&seed={rng.integers(1 << 30)}"
    )
    chips = hypotheses_of(problem, None).chips
    return replace(problem, chip=chips[number // len(CHIPS) % len(chips)])


def broken(problem: Problem, rng: np.random.Generator) -> str:
    """What does not hold of a problem; empty if all does."""
    proven = lower_bound(problem)
    mesh, bound = (loihi_gym.make_backend(name, problem) for name in ("mesh", "bound"))
    mappings = [problem.reference_mapping]
    mappings += [random_mapping(problem, rng) for _ in range(MAPPINGS)]
    for mapping in mappings:
        slow, fast = mesh.evaluate(mapping).latency_ps, bound.evaluate(mapping).latency_ps
        if not (slow >= fast >= proven.of("bound") and slow >= proven.of("mesh")):
            return f"mesh {slow}, bound {fast}, proven {proven.of('mesh')}, {proven.of('bound')}"
    return ""


def main(words: list[str]) -> int:
    """Check so many problems; 0 if the order holds on all."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--problems", type=int, default=500)
    parser.add_argument("--seed", type=int, default=0)
    asked = parser.parse_args(words)
    chips = set()
    for number in range(asked.problems):
        rng = np.random.default_rng([asked.seed, number])
        problem = drawn(rng, number)
        chips.add(problem.chip.name)
        if found := broken(problem, rng):
            print(f"problem {number} on {problem.chip.name}: {found}")
            return 1
    print(f"{asked.problems} problems on {len(chips)} chips: mesh >= bound >= proven on all")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
