"""Processes and threads that share a problem: all measure the same integers, and none waits."""

import multiprocessing
import os
import threading
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor

import numpy as np
import pytest

from loihi_gym.backends import Bound, MeshBackend
from loihi_gym.bounds import lower_bound
from loihi_gym.mapping import Problem, random_mapping
from loihi_gym.threads import filling, pool
from tests.toys import toy_problem

SAFETY_S = 120
"""When a process that hangs is given up; none should."""
METHODS = multiprocessing.get_all_start_methods()
fork_only = pytest.mark.skipif("fork" not in METHODS, reason="this system has no fork")

shared: Problem = toy_problem((40, 60, 50), steps=3)


def latencies(seed: int) -> list[int]:
    """Of some mappings on `mesh` and `bound`, and the proven bound, through all thread pools."""
    rng = np.random.default_rng(seed)
    mappings = [random_mapping(shared, rng) for _ in range(6)]
    found = [result.latency_ps for result in MeshBackend(shared).evaluate_batch(mappings)]
    found += Bound(shared).latencies(mappings).tolist()
    return [*found, lower_bound(shared).latency_ps]


@pytest.mark.filterwarnings("ignore:.*multi-threaded, use of fork:DeprecationWarning")
@pytest.mark.parametrize("method", METHODS)
def test_processes_measure_what_their_parent_did(method):
    """The parent has measured in its threads, of which a forked child has none."""
    expected = [latencies(seed) for seed in range(4)]
    context = multiprocessing.get_context(method)
    with ProcessPoolExecutor(2, mp_context=context) as processes:
        found = [processes.submit(latencies, seed) for seed in range(4)]
        assert [one.result(SAFETY_S) for one in found] == expected


def test_threads_share_a_backend():
    mappings = [random_mapping(shared, np.random.default_rng(seed)) for seed in range(24)]
    expected = [MeshBackend(shared).evaluate(mapping).latency_ps for mapping in mappings]
    fresh = toy_problem((40, 60, 50), steps=3)
    backend, bound = MeshBackend(fresh), Bound(fresh)
    with ThreadPoolExecutor(8) as threads:
        found = list(threads.map(lambda m: (backend.evaluate(m), bound.evaluate(m)), mappings))
    assert [mesh.latency_ps for mesh, _ in found] == expected
    assert [low.latency_ps for _, low in found] == Bound(shared).latencies(mappings).tolist()


@fork_only
@pytest.mark.filterwarnings("ignore:.*multi-threaded, use of fork:DeprecationWarning")
def test_a_fork_waits_for_a_thread_that_fills_a_cache():
    """The child would find the lock taken for ever by a thread that it does not have."""
    filled, taken = threading.Event(), threading.Event()

    def fill() -> None:
        with filling:
            taken.set()
            filled.wait(0.2)
            filled.set()

    thread = threading.Thread(target=fill)
    thread.start()
    taken.wait()
    child = os.fork()
    if child == 0:
        os._exit(0 if filled.is_set() and filling.acquire(timeout=SAFETY_S) else 1)
    assert os.waitpid(child, 0)[1] == 0
    thread.join()
    assert filling.acquire(timeout=1)  # the parent's is free again
    filling.release()


@fork_only
@pytest.mark.filterwarnings("ignore:.*multi-threaded, use of fork:DeprecationWarning")
def test_each_process_has_its_own_pool():
    parent = pool()
    assert pool() is parent
    child = os.fork()
    if child == 0:
        os._exit(0 if pool() is not parent and pool().submit(int, "7").result(SAFETY_S) == 7 else 1)
    assert os.waitpid(child, 0)[1] == 0
    assert pool() is parent
