"""Calibration on synthetic silicon: what 40 measured mappings of a hidden chip are worth.

Hidden chips have every fitted constant drawn over its range; measurements scatter by 2 %. Prints
how the calibrated simulator predicts other mappings, and what searching on it and measuring its 20
best costs against searching on the "chip" itself with 2,000 measurements.

    python perf/calibration.py --chips 10 --searches 3
"""

import argparse
import heapq
import time
from collections.abc import Sequence
from dataclasses import replace
from itertools import count

import numpy as np
import numpy.typing as npt
from scipy.stats import pearsonr, spearmanr

from loihi_gym import Problem, load, make_backend
from loihi_gym.backends import Backend, Measurement
from loihi_gym.calibration import DataPoint, calibrate
from loihi_gym.calibration.predict import mesh_step_ps
from loihi_gym.calibration.probe import drawn
from loihi_gym.chip import ChipSpec
from loihi_gym.mapping import Mapping, random_mapping
from loihi_gym.search.registry import run_solver
from loihi_gym.search.session import Session

NOISE = 0.02
MEASURED = 40
HELD_OUT = 200
BEST = 20


class Best:
    """A backend that remembers the mappings it found fastest."""

    def __init__(self, backend: Backend, kept: int) -> None:
        self.name, self.problem = backend.name, backend.problem
        self._backend, self._kept = backend, kept
        self._heap: list[tuple[int, int, Mapping]] = []
        self._seen: set[Mapping] = set()
        self._numbers = count()

    def evaluate(self, mapping: Mapping) -> Measurement:
        """Measure one mapping."""
        return self.evaluate_batch([mapping])[0]

    def evaluate_batch(self, mappings: Sequence[Mapping]) -> list[Measurement]:
        """Measure several mappings."""
        results = self._backend.evaluate_batch(mappings)
        for mapping, result in zip(mappings, results, strict=True):
            if mapping not in self._seen:
                self._seen.add(mapping)
                heapq.heappush(self._heap, (-result.latency_ps, next(self._numbers), mapping))
                if len(self._heap) > self._kept:
                    heapq.heappop(self._heap)
        return results

    @property
    def mappings(self) -> list[Mapping]:
        """The fastest, best first."""
        return [mapping for _, _, mapping in sorted(self._heap, reverse=True)]


def latencies(
    problem: Problem, mappings: Sequence[Mapping], chip: ChipSpec
) -> npt.NDArray[np.float64]:
    """Latency of each mapping on a chip, in ps."""
    steps = mesh_step_ps([problem] * len(mappings), mappings, chip)
    return np.asarray(steps.reshape(len(mappings), -1).sum(axis=1), np.float64)


def search(backend: Backend, solver: str, budget: int, seed: int) -> Session:
    """A finished search."""
    session = Session(backend, budget, seed)
    run_solver(solver, session, {})
    return session


def lost(problem: Problem, hidden: Problem, fitted: ChipSpec, solver: str, seed: int) -> float:
    """What the detour over the simulator costs: latency of its best on the chip / direct - 1."""
    chip = make_backend("mesh", hidden, noise=NOISE, seed=1000 + seed)
    direct = search(chip, solver, 2000, seed).best_mapping
    simulator = Best(make_backend("mesh", replace(problem, chip=fitted)), BEST)
    search(simulator, solver, 2000, seed)
    measured = chip.evaluate_batch(simulator.mappings)
    best = simulator.mappings[int(np.argmin([one.latency_ps for one in measured]))]
    assert direct is not None
    there, here = latencies(problem, [best, direct], hidden.chip)
    return float(there / here - 1)


def main() -> None:
    """Print one line per hidden chip."""
    parser = argparse.ArgumentParser(description="Calibration on synthetic silicon.")
    parser.add_argument("--benchmark", default="mlp-xs")
    parser.add_argument("--chips", type=int, default=10)
    parser.add_argument("--searches", type=int, default=3, help="chips on which to search, too")
    parser.add_argument("--solver", default="ga")
    arguments = parser.parse_args()
    problem = load(arguments.benchmark)
    print(f"{arguments.benchmark}: {MEASURED} measured mappings, noise {NOISE:.0%}")
    print("chip  fit s  noise  error before  after: median  p90  Pearson  Spearman  lost by search")
    for seed in range(arguments.chips):
        rng = np.random.default_rng(seed)
        hidden = replace(problem, chip=drawn(problem.chip, rng))
        mappings = [random_mapping(hidden, rng) for _ in range(MEASURED)]
        board = make_backend("mesh", hidden, noise=NOISE, seed=seed)
        measured = [
            DataPoint(arguments.benchmark, mapping, result.step_times_ps)
            for mapping, result in zip(mappings, board.evaluate_batch(mappings), strict=True)
        ]
        began = time.perf_counter()
        fit = calibrate(measured, problem.chip)
        seconds = time.perf_counter() - began
        others = [random_mapping(hidden, rng) for _ in range(HELD_OUT)]
        true = latencies(problem, others, hidden.chip)
        before = np.median(np.abs(latencies(problem, others, problem.chip) / true - 1))
        predicted = latencies(problem, others, fit.chip)
        errors = np.abs(predicted / true - 1)
        searched = ""
        if seed < arguments.searches:
            searched = f"{lost(problem, hidden, fit.chip, arguments.solver, seed):14.2%}"
        print(
            f"{seed:4}  {seconds:5.1f}  {fit.noise:5.2%}  {before:12.1%}  "
            f"{np.median(errors):13.2%}  {np.quantile(errors, 0.9):4.1%}  "
            f"{pearsonr(predicted, true)[0]:7.4f}  {spearmanr(predicted, true)[0]:8.4f}  "
            f"{searched}",
            flush=True,
        )


if __name__ == "__main__":
    main()
