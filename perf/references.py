"""What references cost and are worth: ``python perf/references.py [--networks N] [--huge]``.

First the processor time of each part of making a problem with its quick reference: the best of
several seeds, compiled code at hand. Then, of N validation problems of the family `sparse-mlp`, how
much slower than the fastest standard heuristic are the quick reference, the fastest of the first
release's heuristics, and what Intel's toolchain would do.
"""

import argparse
import time
from collections.abc import Callable
from typing import Any

import numpy as np

from loihi_gym import family, load
from loihi_gym.backends import MeshBackend
from loihi_gym.benchmarks.generator import generate
from loihi_gym.benchmarks.references import fastest_heuristic, quick_reference
from loihi_gym.mapping import Problem, heuristic
from loihi_gym.mapping.heuristics import FIRST_RELEASE, partition, toolchain_default

SIZES = {
    "small": "layers=3&width=256&inputs=196&density=0.5&active=0.1&chip=loihi2",
    "flagship": "layers=9&width=1024&density=0.2&active=0.12&chip=loihi2",
    "eight chips": "layers=30&width=1536&density=0.2&active=0.04&steps=1&chip=kapoho-point",
    "hala point": "layers=1036&width=2000&inputs=200&density=0.06&chip=hala-point",
}
PARTS: dict[str, Callable[[Problem], Any]] = {
    "packed": lambda problem: partition(problem, "packed"),
    "target lists": lambda problem: problem.loads.lists,
    "balanced": lambda problem: partition(problem, "balanced"),
    "rest of quick": quick_reference,
}
"""In this order: each part keeps what the next ones need."""


def timed(call: Callable[[], Any]) -> tuple[Any, float]:
    """Result and processor time in milliseconds."""
    start = time.process_time()
    result = call()
    return result, 1e3 * (time.process_time() - start)


def times(parameters: str, seeds: int) -> dict[str, float]:
    """Least time of each part over several networks, in ms."""
    rows = []
    for seed in range(seeds):
        problem, drawn = timed(lambda: generate(f"generator://mlp?{parameters}&seed={seed}"))  # noqa: B023
        row = {"drawing": drawn}
        row |= {name: timed(lambda: part(problem))[1] for name, part in PARTS.items()}  # noqa: B023
        again = generate(problem.name)
        row["quick reference alone"] = timed(lambda: quick_reference(again))[1]  # noqa: B023
        chosen = again.with_reference(quick_reference(again))
        row["mapping, legal"] = timed(lambda: chosen.require(chosen.reference_mapping))[1]  # noqa: B023
        rows.append(row)
    return {name: min(row[name] for row in rows) for name in rows[0]}


def worth(problem: Problem) -> list[float]:
    """Latencies over the fastest heuristic's: quick, first release's, toolchain's (nan: none)."""
    names = [
        fastest_heuristic(problem),
        problem.reference,
        fastest_heuristic(problem, FIRST_RELEASE),
    ]
    mesh, default = MeshBackend(problem), toolchain_default(problem)
    found = [float(mesh.evaluate(heuristic(problem, name)).latency_ps) for name in names]
    found.append(mesh.evaluate(default).latency_ps if default else np.nan)
    print(f"{problem.name:40}" + "".join(f"{name:>26}" for name in names))
    return [latency / found[0] for latency in found[1:]]


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--networks", type=int, default=20)
    parser.add_argument("--huge", action="store_true", help="Hala Point as well: 3 GB of memory")
    arguments = parser.parse_args()
    for name, parameters in SIZES.items():
        if name == "hala point" and not arguments.huge:
            continue
        row = times(parameters, seeds=1 if name == "hala point" else 5)
        print(f"{name} (ms): " + ", ".join(f"{part} {ms:.1f}" for part, ms in row.items()))
    names = family("sparse-mlp").validation[: arguments.networks]
    ratios = np.array([worth(load(name)) for name in names])
    for name, column in zip(("quick", "first release", "toolchain"), ratios.T, strict=True):
        above = 100 * (column[~np.isnan(column)] - 1)
        print(f"{name}: {np.median(above):.1f} % slower (median), {above.max():.0f} % (most)")


if __name__ == "__main__":
    main()
