"""What evaluations cost, from one chip to Hala Point: ``python perf/scaling.py [--json]``.

Three tables: the speed of `bound` on the flagships (in full, in batches, after a swap), the cost of
a new partitioning, and the growth of both backends with the system. Every system is measured in a
process of its own, since peak memory never falls. Times are the best of several runs; ratios are
of times within one run.
"""

import argparse
import json
import os
import resource
import sys
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from multiprocessing import get_context
from typing import Any

import numpy as np

import loihi_gym
from loihi_gym.backends import Bound, make_backend
from loihi_gym.backends.bound.bound_kernel import new_state, place, place_all, swap
from loihi_gym.backends.bound.max_affine import latencies
from loihi_gym.benchmarks.generator import generate
from loihi_gym.compiled import kernel
from loihi_gym.mapping import Mapping, Problem, heuristic
from loihi_gym.mapping.heuristics import core_positions
from loihi_gym.mapping.orders import strided

Row = dict[str, Any]

FLAGSHIPS = ("mlp-deep", "mlp-wide")
GRIDS = ((1, 1), (4, 2), (12, 12), (36, 32))
"""Chips of the systems, cut from Hala Point's grid; the last is all of it."""
CORES_PER_LAYER = 100
MESH_CHIPS = 144
"""Largest system that `mesh` is measured on."""


def speeds(name: str) -> Row:
    """Evaluations per second of `bound` on a flagship under ``balanced/strided``."""
    problem = loihi_gym.load(name)
    backend, mapping = Bound(problem), heuristic(problem, "balanced/strided")
    tables = backend.tables(mapping.cores_per_layer)
    rng, n_cores = np.random.default_rng(0), problem.topology.n_cores
    orders = [rng.permutation(n_cores)[: mapping.n_logical_cores] for _ in range(2000)]
    placements = np.stack(orders).astype(np.int32)
    cores = rng.integers(n_cores, size=(20_000, 2))
    state, result = new_state(tables), np.empty(len(placements), np.int64)
    place(tables, state, mapping.placement)
    placed = backend.place(mapping)
    pairs = cores[:2000].tolist()
    full = _best(lambda: place_all(tables, state, placements, result)) / len(placements)
    swaps = _best(lambda: _swap_all(tables, state, cores)) / len(cores)
    return {
        "benchmark": name,
        "logical_cores": mapping.n_logical_cores,
        "flows": len(problem.traffic(mapping.cores_per_layer).flows[0]),
        "full_per_s": 1 / full,
        "batch_per_s": len(placements) / _best(lambda: latencies(tables, placements)),
        "swap_per_s": 1 / swaps,
        "swap_from_python_per_s": 2000 / _best(lambda: [placed.swap(a, b) for a, b in pairs]),
        "measurement_per_s": 200 / _best(lambda: [backend.evaluate(mapping) for _ in range(200)]),
        "swap_speedup": full / swaps,
    }


def partitionings(name: str) -> Row:
    """Milliseconds until a partitioning that was not met before can be evaluated."""
    counts = heuristic(loihi_gym.load(name), "balanced/strided").cores_per_layer
    fresh, changed = [], []
    for layer in range(1, len(counts) - 1):
        problem = loihi_gym.load(name)
        problem.traffic(np.ones(len(counts), np.int32))  # reads the whole network once
        fresh.append(_once(lambda: problem.traffic(counts)))  # noqa: B023
        other = counts.copy()
        other[layer] -= 1
        changed.append(_once(lambda: problem.traffic(other)))  # noqa: B023
    return {
        "benchmark": name,
        "new_ms": 1e3 * float(np.median(fresh)),
        "one_count_changed_ms": 1e3 * float(np.median(changed)),
    }


def growth(grid: tuple[int, int]) -> Row:
    """What a problem that fills nine tenths of a grid of chips costs, one layer on each chip."""
    n_chips = grid[0] * grid[1]
    problem, construct_s = _timed(lambda: _filled(grid, layers=max(1, n_chips * 9 // 10)))
    layers = problem.n_layers - 2
    counts = np.array([20, *[CORES_PER_LAYER] * layers, 1], np.int32)
    positions = core_positions(counts, problem.topology)
    mapping = Mapping(counts, strided(problem.topology)[positions])
    backend = Bound(problem)
    traffic, traffic_s = _timed(lambda: problem.traffic(counts))
    tables, state = backend.tables(counts), new_state(backend.tables(counts))
    latency = place(tables, state, mapping.placement)
    place_s = _best(lambda: place(tables, state, mapping.placement), runs=3)
    measured, evaluate_s = _timed(lambda: backend.evaluate(mapping))
    measured, again_s = _timed(lambda: backend.evaluate(mapping))
    assert measured.latency_ps == latency
    hops = int(state.hops.sum())
    row: Row = {
        "chips": n_chips,
        "cores": problem.topology.n_cores,
        "logical_cores": len(mapping.placement),
        "synapses": problem.network.synapses,
        "pairs": int(traffic.pair_messages.any(axis=1).sum()),
        "messages": traffic.totals["messages_out"],
        "message_hops": hops,
        "construct_s": construct_s,
        "traffic_s": traffic_s,
        "first_evaluate_s": evaluate_s,
        "evaluate_s": again_s,
        "latency_only_s": place_s,
        "ns_per_pair": 1e9 * place_s / len(traffic.pair_messages),
        "swap_us": 1e6 * _swap_s(tables, state),
        "peak_gb": _peak_gb(),
    }
    if n_chips <= MESH_CHIPS:
        mesh = make_backend("mesh", problem)
        mesh.evaluate(mapping)
        row["mesh_s"] = _best(lambda: mesh.evaluate(mapping), runs=2)
        row["mesh_ns_per_hop"] = 1e9 * row["mesh_s"] / (hops + 2 * row["messages"])
    return row


def eight_chips() -> Row:
    """Both backends on the bundled benchmark of 8 chips."""
    problem = loihi_gym.load("mlp-deep-8chip")
    row: Row = {"benchmark": problem.name}
    for name in ("packed/column-major", "balanced/strided"):
        mapping = heuristic(problem, name)
        for kind in ("bound", "mesh"):
            backend = make_backend(kind, problem)
            backend.evaluate(mapping)
            seconds = _best(lambda: backend.evaluate(mapping), runs=3)  # noqa: B023
            row[f"{kind}_{name}_ms"] = 1e3 * seconds
    return row


def _filled(grid: tuple[int, int], layers: int) -> Problem:
    uri = f"generator://mlp?layers={layers}&width=2000&inputs=200&density=0.06&steps=2&chip=hala-point"
    problem = generate(uri)
    return replace(problem, name=uri, chip=replace(problem.chip, chips=grid))


@kernel
def _swap_all(tables: Any, state: Any, cores: Any) -> Any:
    total = 0
    for index in range(len(cores)):
        total += swap(tables, state, cores[index, 0], cores[index, 1])
    return total


def _swap_s(tables: Any, state: Any) -> float:
    n = len(state.placement)
    cores = state.placement[np.random.default_rng(0).integers(n, size=(200, 2))].astype(np.int64)
    return _best(lambda: _swap_all(tables, state, cores), runs=3) / len(cores)


def _once(call: Callable[[], object]) -> float:
    start = time.perf_counter()
    call()
    return time.perf_counter() - start


def _best(call: Callable[[], object], runs: int = 15) -> float:
    """Seconds of the fastest of several calls, after one to compile."""
    call()
    return min(_once(call) for _ in range(runs))


def _timed(call: Callable[[], Any]) -> tuple[Any, float]:
    start = time.perf_counter()
    result = call()
    return result, time.perf_counter() - start


def _peak_gb() -> float:
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / (1e9 if sys.platform == "darwin" else 1e6)  # bytes there, KB elsewhere


def _alone(function: Callable[..., Row], *arguments: object) -> Row:
    """Run in a process of its own."""
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        return pool.submit(function, *arguments).result()


def measure(grids: Sequence[tuple[int, int]] = GRIDS) -> dict[str, list[Row]]:
    """All tables."""
    return {
        "bound": [_alone(speeds, name) for name in FLAGSHIPS],
        "partitioning": [_alone(partitionings, name) for name in FLAGSHIPS],
        "eight_chips": [_alone(eight_chips)],
        "growth": [_alone(growth, grid) for grid in grids],
    }


def _show(title: str, rows: list[Row]) -> None:
    print(f"\n{title}")
    for name in rows[0]:
        cells = [_cell(row.get(name)) for row in rows]
        print(f"{name:26}" + "".join(f"{cell:>18}" for cell in cells))


def _cell(value: object) -> str:
    if value is None:
        return "-"
    if isinstance(value, float):
        return f"{value:,.0f}" if value >= 1000 else f"{value:.3g}"
    return f"{value:,}" if isinstance(value, int) else str(value)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--json", action="store_true", help="print one JSON object instead")
    parser.add_argument("--chips", type=int, default=1152, help="leave out larger systems")
    arguments = parser.parse_args()
    tables = measure([grid for grid in GRIDS if grid[0] * grid[1] <= arguments.chips])
    if arguments.json:
        print(json.dumps(tables))
        return
    print(f"{len(os.sched_getaffinity(0))} CPU cores")
    for title, rows in tables.items():
        _show(title, rows)


if __name__ == "__main__":
    main()
