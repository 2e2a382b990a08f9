import pytest

from loihi_gym.mapping import Problem
from tests.toys import bundled_problem, problem_of, toy_chip, toy_network, toy_problem

BUNDLED = {"mlp-xs": "loihi2-16", "mlp-deep": "loihi2", "mlp-wide": "loihi2"}


@pytest.fixture
def toy() -> Problem:
    """12, 16 and 10 neurons on 16 cores."""
    return toy_problem()


@pytest.fixture(scope="session", params=BUNDLED)
def bundled(request) -> Problem:
    """Each bundled network on a chip that holds it."""
    return bundled_problem(request.param, BUNDLED[request.param])


@pytest.fixture(scope="session", params=["neurons", "synmem_words", "input_axons", "output_axons"])
def tight(request) -> Problem:
    """A toy problem on 40 cores of which one resource is scarce."""
    limits = {"neurons": 5, "synmem_words": 40, "input_axons": 15, "output_axons": 20}
    chip = toy_chip(routers=(5, 4), constants={f"capacity.{request.param}": limits[request.param]})
    return problem_of(toy_network((20, 24, 10), density=0.3), chip)
