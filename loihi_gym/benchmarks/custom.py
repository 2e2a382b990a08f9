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

    Example:
        >>> import numpy as np
        >>> from scipy.sparse import csr_array
        >>> weights = csr_array(np.full((4, 8), 3, np.int8))
        >>> network = SparseMLP(weights=(weights,), exponents=(0,), thresholds=(10,))
        >>> make_problem(network, np.ones((3, 8), np.int64), "loihi2-24", name="tiny").n_layers
        2
    """
    spec = load_chip(chip) if isinstance(chip, str) else chip
    recorded = inputs[: len(network.weights) + steps]
    problem = Problem(name, network, record(network, inputs, steps), spec, inputs=recorded)
    return problem.with_reference(fastest_heuristic(problem))
