"""Reading hidden chips off probes: is the way they are built named right, are intervals honest?

Hidden chips are drawn: how they are built, and every constant over its range. The 40 probes of
`loihi-gym probe` are measured on each with 2 % noise, and calibrated. Prints whether the way of
building was named right and how likely it was said to be, how far off the latency of mappings of a
network is that was not measured, and how many hidden constants the 95 % intervals hold.

    python perf/probes.py --chips 40
"""

import argparse
import tempfile
from dataclasses import replace
from pathlib import Path

import numpy as np

from loihi_gym import load, load_chip, make_backend
from loihi_gym.calibration import DataPoint, Fit, choose
from loihi_gym.calibration.assessment import intervals
from loihi_gym.calibration.probe import design, drawn, probe_files, save_probes
from loihi_gym.calibration.structures import TIMED, ways
from loihi_gym.chip import ChipSpec, Structure
from loihi_gym.mapping import Mapping, random_mapping

NOISE = 0.02
HELD_OUT = 30


def measured_on(hidden: ChipSpec, directory: Path, rng: np.random.Generator) -> list[DataPoint]:
    """The probes of a directory, measured on a chip with noise."""
    found = []
    for problem, path in probe_files(directory):
        mapping = Mapping.load(path)
        backend = make_backend("mesh", replace(load(str(problem)), chip=hidden))
        times = np.array(backend.evaluate(mapping).step_times_ps)
        noisy = times * (1 + NOISE * rng.standard_normal())
        found.append(DataPoint(str(problem), mapping, tuple(noisy.astype(int).tolist())))
    return found


def errors(
    benchmark: str, hidden: ChipSpec, told: ChipSpec, rng: np.random.Generator
) -> list[float]:
    """How far off latencies are of random mappings of a network that was not measured."""
    problem = replace(load(benchmark), chip=hidden, alternatives=(told,))
    mappings = [random_mapping(problem, rng) for _ in range(HELD_OUT)]
    true, predicted = (
        np.array([one.latency_ps for one in make_backend("mesh", own).evaluate_batch(mappings)])
        for own in (problem, replace(problem, chip=told, alternatives=(hidden,)))
    )
    return [float(one) for one in np.abs(predicted / true - 1)]


def held(fit: Fit, hidden: ChipSpec) -> list[bool]:
    """Which hidden constants the intervals of a fit hold."""
    return [
        one.low <= hidden.constants[one.parameter.name].value <= one.high for one in intervals(fit)
    ]


def built(structure: Structure) -> str:
    """A way of building a chip in words."""
    return "/".join(getattr(structure, name) for name in TIMED)


def main() -> None:
    """Print one line per hidden chip, and what they come to."""
    parser = argparse.ArgumentParser(description="Reading hidden chips off probes.")
    parser.add_argument("--chip", default="loihi2", help="what is known before measuring")
    parser.add_argument("--chips", type=int, default=40)
    parser.add_argument("--first", type=int, default=0, help="number of the first one")
    parser.add_argument("--seed", type=int, default=1000, help="of the chip with number 0")
    parser.add_argument("--benchmark", default="mlp-deep", help="network that is held out")
    arguments = parser.parse_args()
    chip, right, within, inside = load_chip(arguments.chip), 0, 0, list[bool]()
    with tempfile.TemporaryDirectory() as directory:
        save_probes(directory, design(chip))
        for number in range(arguments.first, arguments.first + arguments.chips):
            rng = np.random.default_rng(arguments.seed + number)
            hidden = drawn(ways(chip)[rng.integers(len(ways(chip)))], rng)
            found = choose(measured_on(hidden, Path(directory), rng), chip)
            best = found[0]
            holds = held(best.fit, hidden)
            off = float(np.median(errors(arguments.benchmark, hidden, best.fit.chip, rng)))
            right += best.structure == hidden.structure
            within += off <= 0.05
            inside += holds
            print(
                f"{number:3} {built(hidden.structure):36} named {built(best.structure):36} "
                f"{best.probability:6.1%}, median error {off:5.2%}, noise {best.fit.noise:5.2%}, "
                f"{sum(holds)} of {len(holds)} constants in their intervals",
                flush=True,
            )
    print(
        f"named right: {right} of {arguments.chips}; median error within 5 %: {within}; "
        f"constants in their 95 % intervals: {np.mean(inside):.1%} of {len(inside)}"
    )


if __name__ == "__main__":
    main()
