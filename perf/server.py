"""What measuring through a server costs: evaluations per second, there and here.

python perf/server.py --benchmark mlp-xs --mappings 500
"""

import argparse
import socket
import subprocess
import sys
import time

import numpy as np

from loihi_gym import load, make_backend
from loihi_gym.backends import Backend
from loihi_gym.mapping import Mapping, random_mapping


def rates(backend: Backend, mappings: list[Mapping]) -> tuple[float, float]:
    """Evaluations per second: one by one, and as one batch; half of the mappings for each."""
    half = len(mappings) // 2
    began = time.perf_counter()
    for mapping in mappings[:half]:
        backend.evaluate(mapping)
    between = time.perf_counter()
    backend.evaluate_batch(mappings[half:])
    return half / (between - began), half / (time.perf_counter() - between)


def main() -> None:
    """Start a server on loopback, measure, print, stop it."""
    parser = argparse.ArgumentParser(description="Evaluations per second through a server.")
    parser.add_argument("--benchmark", default="mlp-xs")
    parser.add_argument("--mappings", type=int, default=500)
    arguments = parser.parse_args()
    problem, rng = load(arguments.benchmark), np.random.default_rng(0)
    mappings = [random_mapping(problem, rng) for _ in range(arguments.mappings)]
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = str(free.getsockname()[1])
    command = [sys.executable, "-c", "from loihi_gym.cli import main; main()", "serve"]
    server = subprocess.Popen([*command, "--port", port], stderr=subprocess.DEVNULL)
    try:
        print("backend  one by one  as a batch  (evaluations/s)")
        for name in ("mesh", f"http://127.0.0.1:{port}"):
            problem = load(arguments.benchmark)  # with caches of its own
            backend = make_backend(name, problem)
            backend.evaluate(problem.reference_mapping)
            alone, together = rates(backend, mappings)
            print(f"{name[:4]:7}  {alone:10.0f}  {together:10.0f}", flush=True)
    finally:
        server.terminate()
        server.wait(20)


if __name__ == "__main__":
    main()
