"""Problems of one's own: any network, any chip."""

from ..arrays import IntArray
from ..chip import ChipSpec, load_chip
from ..mapping import Problem
from ..network import SparseMLP, record
from .references import fastest_heuristic


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
    return problem.with_reference(fastest_heuristic(problem))
