"""How fast `mesh` is: against SANA-FE, per message and link, on threads, from a cold start.

    python perf/evaluate.py [--json] [--seconds S]

The first table measures evaluations of the reference traffic (tests/data/noc/noc_64.json, a
256-512-512-256 network) by the mesh kernel and, in the same run, by SANA-FE's `cycle` and
`detailed` timing models, if SANA-FE is installed; of it only loading the mapped network and
simulating one step counts. The others measure whole evaluations of the bundled benchmarks, batches,
and the first call with and without kernels in numba's cache.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
from noc_cases import read_noc_case
from rich.console import Console
from rich.table import Table

from loihi_gym.backends import MeshBackend
from loihi_gym.backends.assembly import link_words
from loihi_gym.backends.sanafe.peer import run_jobs
from loihi_gym.benchmarks import load
from loihi_gym.mapping import Mapping, Problem, heuristic

CASE = Path(__file__).parent.parent / "tests" / "data" / "noc" / "noc_64.json"
BENCHMARKS = ("mlp-xs", "mlp-deep", "mlp-wide")
# Costs the reference case was made with: a neuron that stays silent, one that sends more.
INACTIVE_NS, ACTIVE_NS, MESSAGE_NS, SYNAPSE_NS = 9.7, 39.7, 16.0, 4.7

FIRST_CALL = """
import time, sys
from loihi_gym.backends.mesh.simulation import compile_kernel
start = time.perf_counter()
compile_kernel()
print(time.perf_counter() - start)
"""


def shortest(calls: list[Callable[[], object]], seconds: float) -> list[float]:
    """The shortest time of each call, taking turns: others use the machine too."""
    best = [float("inf")] * len(calls)
    end = time.perf_counter() + seconds
    while time.perf_counter() < end:
        for index, call in enumerate(calls):
            start = time.perf_counter()
            call()
            best[index] = min(best[index], time.perf_counter() - start)
    return best


def reference_traffic(seconds: float) -> dict[str, float]:
    """Evaluations per second of the reference traffic by each simulator."""
    case = read_noc_case(CASE)
    case.simulate()
    found = {"mesh": len(case.placements) / shortest([case.simulate], seconds)[0]}
    if find_spec("sanafe") is None:
        return found
    for timing, count in (("cycle", 4), ("detailed", 12)):
        runs = [sanafe_run(placement) for placement in case.placements[2 : 2 + count].tolist()]
        answers = run_jobs(case.chip, timing, runs)
        found[f"sanafe {timing}"] = 1 / min(answer.seconds for answer in answers)
    return found


def sanafe_run(placement: list[int]) -> dict[str, Any]:
    """The reference traffic as SANA-FE's worker takes it."""
    tables = json.loads(CASE.read_text(encoding="utf-8"))
    cores = [
        (
            [
                [
                    round((work - ACTIVE_NS) / INACTIVE_NS),
                    [[target, round((ns - MESSAGE_NS) / SYNAPSE_NS)] for target, ns in messages],
                ]
                for work, messages in neurons
            ],
            round(tail / INACTIVE_NS),
        )
        for neurons, tail in zip(tables["cores"], tables["tail_ns"], strict=True)
    ]
    # Physical core = router * 4 + port, router = y * 8 + x.
    places = [[core // 4 % 8, core // 32, core % 4] for core in placement]
    return {"cores": cores, "placement": places}


def shuffled(problem: Problem, count: int) -> list[Mapping]:
    """The balanced partitioning at random places."""
    rng, base = np.random.default_rng(0), heuristic(problem, "balanced/row-major")
    cores = base.n_logical_cores
    return [
        Mapping(base.cores_per_layer, rng.permutation(problem.topology.n_cores)[:cores])
        for _ in range(count)
    ]


def benchmark_row(name: str, seconds: float) -> dict[str, float | str]:
    """Rates of one benchmark."""
    problem = load(name)
    backend, mappings = MeshBackend(problem), shuffled(problem, 8)
    loads = [link_words(problem, mapping) for mapping in mappings]
    links = np.mean([one.sum() for one in loads])
    hops = np.mean([one[:, : 4 * problem.topology.n_routers].sum() for one in loads])
    traffic = problem.traffic(mappings[0].cores_per_layer)
    alone_s, batch_s = shortest(
        [lambda: [backend.evaluate(m) for m in mappings], lambda: backend.evaluate_batch(mappings)],
        seconds,
    )
    alone, batch = len(mappings) / alone_s, len(mappings) / batch_s
    return {
        "benchmark": name,
        "ms": 1000 / alone,
        "evaluations_per_second": alone,
        "batch_evaluations_per_second": batch,
        "batch_speedup": batch / alone,
        "messages": float(traffic.messages_out.sum()),
        "message_hops_per_second": float(hops) * alone,
        "link_traversals_per_second": float(links) * alone,
    }


def first_calls() -> dict[str, float]:
    """Seconds of the first call with an empty and a filled cache of kernels."""
    with tempfile.TemporaryDirectory() as cache:
        environment = {**os.environ, "NUMBA_CACHE_DIR": cache}
        seconds = [
            float(
                subprocess.run(
                    [sys.executable, "-c", FIRST_CALL],
                    env=environment,
                    capture_output=True,
                    text=True,
                    check=True,
                ).stdout
            )
            for _ in range(2)
        ]
    return {"cold_s": seconds[0], "warm_s": seconds[1]}


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--json", action="store_true", help="print JSON instead of tables")
    parser.add_argument("--seconds", type=float, default=8.0, help="per measurement")
    options = parser.parse_args()
    results = {
        "cores": len(os.sched_getaffinity(0)),
        "reference_traffic": reference_traffic(options.seconds),
        "benchmarks": [benchmark_row(name, options.seconds) for name in BENCHMARKS],
        "first_call": first_calls(),
    }
    if options.json:
        print(json.dumps(results, indent=2))
        return
    for table in tables(results):
        Console().print(table)


def tables(results: dict[str, Any]) -> list[Table]:
    """The results as three tables."""
    reference = Table("reference traffic", "evaluations/s", "mesh is faster by")
    mesh = results["reference_traffic"]["mesh"]
    for name, found in results["reference_traffic"].items():
        reference.add_row(name, f"{found:.1f}", f"{mesh / found:.0f}x")
    evaluations = Table("benchmark", "ms", "per s", "in batches", "by", "M hops/s", "M links/s")
    for row in results["benchmarks"]:
        evaluations.add_row(
            row["benchmark"],
            f"{row['ms']:.2f}",
            f"{row['evaluations_per_second']:.0f}",
            f"{row['batch_evaluations_per_second']:.0f}",
            f"{row['batch_speedup']:.2f}x",
            f"{row['message_hops_per_second'] / 1e6:.1f}",
            f"{row['link_traversals_per_second'] / 1e6:.1f}",
        )
    first = Table("first call", "s")
    first.add_row("cold: kernels compiled", f"{results['first_call']['cold_s']:.1f}")
    first.add_row("warm: kernels from numba's cache", f"{results['first_call']['warm_s']:.2f}")
    return [reference, evaluations, first]


if __name__ == "__main__":
    main()
