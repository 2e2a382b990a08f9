import numpy as np
import pytest

from loihi_gym.chip import Topology, chip_names, load_chip, topology_of
from loihi_gym.mapping.orders import ORDERS
from tests.toys import toy_chip

SQUARE = topology_of(toy_chip(routers=(8, 8)))
MESHES = {
    **{name: topology_of(load_chip(name)) for name in chip_names()},
    "2x2 chips": topology_of(toy_chip(chips=(2, 2), routers=(3, 3))),
    "8x8": SQUARE,
}

any_mesh = pytest.mark.parametrize("mesh", MESHES.values(), ids=MESHES.keys())
any_order = pytest.mark.parametrize("order", ORDERS)


def steps(mesh: Topology, order: np.ndarray) -> np.ndarray:
    """Manhattan distance between the routers of consecutive cores."""
    return np.abs(np.diff(mesh.core_x[order])) + np.abs(np.diff(mesh.core_y[order]))


@any_mesh
@any_order
def test_an_order_is_a_permutation(mesh, order):
    assert sorted(ORDERS[order](mesh)) == list(range(mesh.n_cores))


@any_mesh
@any_order
def test_an_order_goes_chip_by_chip(mesh, order):
    chip = mesh.core_chip[ORDERS[order](mesh)]
    assert (np.diff(chip) != 0).sum() == mesh.n_chips - 1


@any_mesh
@pytest.mark.parametrize("order", sorted(set(ORDERS) - {"row-major"}))
def test_consecutive_chips_are_neighbours(mesh, order):
    chip = mesh.core_chip[ORDERS[order](mesh)]
    y, x = np.divmod(chip, mesh.width // mesh.chip_width)
    assert (np.abs(np.diff(x)) + np.abs(np.diff(y))).max(initial=0) <= 1


@any_mesh
@pytest.mark.parametrize("order", sorted(set(ORDERS) - {"strided"}))
def test_an_order_takes_all_cores_of_a_router_in_turn(mesh, order):
    routers = mesh.core_router[ORDERS[order](mesh)]
    ports = np.bincount(mesh.core_router).max()
    assert (routers.reshape(-1, ports) == routers[::ports, None]).all()


@any_mesh
def test_row_major_is_the_numbering(mesh):
    assert ORDERS["row-major"](mesh).tolist() == list(range(mesh.n_cores))


def test_column_major_is_row_major_on_its_side():
    order = ORDERS["column-major"](SQUARE)
    assert list(zip(SQUARE.core_x[order], SQUARE.core_y[order], strict=True)) == [
        (x, y) for x in range(8) for y in range(8) for _ in range(2)
    ]


@any_mesh
def test_serpentine_neighbours_are_adjacent(mesh):
    order = ORDERS["serpentine"](mesh)
    within = np.diff(mesh.core_chip[order]) == 0
    assert steps(mesh, order)[within].max() == 1


def test_hilbert_neighbours_are_adjacent_on_a_square():
    order = ORDERS["hilbert"](SQUARE)
    assert steps(SQUARE, order).tolist() == ([0, 1] * 64)[:-1]
    # What a Hilbert curve is for: a run of 16 routers lies within a square of 4 x 4.
    for first in range(0, 128, 32):
        run = order[first : first + 32]
        assert np.ptp(SQUARE.core_x[run]) == np.ptp(SQUARE.core_y[run]) == 3


@any_mesh
def test_strided_puts_consecutive_cores_on_different_routers(mesh):
    order = ORDERS["strided"](mesh)
    routers = mesh.core_router[order]
    assert (routers[1:] != routers[:-1]).all()
    per_chip = mesh.n_cores // (mesh.core_chip.max() + 1)
    ports = int(np.bincount(mesh.core_router).max())
    first = routers[: per_chip // ports]
    assert len(set(first)) == len(first)
