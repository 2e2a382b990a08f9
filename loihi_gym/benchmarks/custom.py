"""Problems of one's own: any network, any chip."""

from dataclasses import replace

from ..arrays import IntArray
from ..backends import make_backend
from ..chip import ChipSpec, load_chip
from ..mapping import Problem, fitting
from ..network import SparseMLP, record


def make_problem(
    network: SparseMLP,
    inputs: IntArray,
    chip: str | ChipSpec = "loihi2",
    steps: int = 2,
    name: str = "custom",
) -> Problem:
    """A problem from a network and real input; its reference is the fastest heuristic on `mesh`.

    Args:
        network: The network to be mapped.
        inputs: One sample per time step, (at least depth + steps, widths[0]), integers.
        chip: The chip, its name, or a chip file's path.
        steps: Time steps to record once every layer is busy.
        name: Name of the problem in reports.

    Raises:
        ValueError: if `inputs` is too short or of the wrong shape.
        IllegalMappingError: if the network does not fit on the chip.
    """
    spec = load_chip(chip) if isinstance(chip, str) else chip
    recorded = inputs[: len(network.weights) + steps]
    problem = Problem(name, network, record(network, inputs, steps), spec, inputs=recorded)
    return replace(problem, reference=fastest_heuristic(problem))


def fastest_heuristic(problem: Problem) -> str:
    """Name of the standard heuristic with the lowest latency on `mesh`, the first among equals.

    Raises:
        IllegalMappingError: if the network does not fit on the chip.
    """
    mappings = fitting(problem)
    measured = make_backend("mesh", problem).evaluate_batch(list(mappings.values()))
    latencies = {name: m.latency_ps for name, m in zip(mappings, measured, strict=True)}
    return min(latencies, key=lambda name: latencies[name])
