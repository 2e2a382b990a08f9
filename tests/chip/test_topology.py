import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from loihi_gym.chip import EAST, NORTH, SOUTH, WEST, Topology, chip_names, load_chip, topology_of
from tests.toys import examples, toy_chip

MESHES = [
    *(topology_of(load_chip(name)) for name in chip_names()),
    topology_of(toy_chip(chips=(2, 2))),
]
STEP = {EAST: (1, 0), WEST: (-1, 0), NORTH: (0, 1), SOUTH: (0, -1)}

mesh_of_any_chip = pytest.mark.parametrize("mesh", MESHES, ids=[*chip_names(), "2x2 chips"])


def place(mesh: Topology, core: int) -> tuple[int, int]:
    return int(mesh.core_x[core]), int(mesh.core_y[core])


def ends(mesh: Topology, link: int) -> tuple[tuple[int, int], tuple[int, int]]:
    """Routers that a router-to-router link leaves and enters."""
    router, direction = divmod(link, 4)
    y, x = divmod(router, mesh.width)
    dx, dy = STEP[direction]
    return (x, y), (x + dx, y + dy)


def inside(mesh: Topology, router: tuple[int, int]) -> bool:
    return 0 <= router[0] < mesh.width and 0 <= router[1] < mesh.height


@mesh_of_any_chip
def test_every_core_has_its_own_place(mesh):
    places = set(zip(mesh.core_x, mesh.core_y, mesh.core_port, strict=True))
    assert len(places) == mesh.n_cores
    assert mesh.core_x.max() < mesh.width
    assert mesh.core_y.max() < mesh.height
    assert (mesh.core_router == mesh.core_y * mesh.width + mesh.core_x).all()


@mesh_of_any_chip
def test_cores_are_numbered_chip_by_chip_along_rows(mesh):
    keys = list(zip(mesh.core_chip, mesh.core_y, mesh.core_x, mesh.core_port, strict=True))
    assert keys == sorted(keys)
    columns = mesh.width // mesh.chip_width
    chip = mesh.core_y // mesh.chip_height * columns + mesh.core_x // mesh.chip_width
    assert (chip == mesh.core_chip).all()


@pytest.mark.parametrize("name", ["loihi2", "kapoho-point"])
def test_coreless_routers_have_no_cores(name):
    mesh = topology_of(load_chip(name))
    local = set(zip(mesh.core_x % mesh.chip_width, mesh.core_y % mesh.chip_height, strict=True))
    assert len(local) == 38
    assert not local & {(0, 0), (7, 4)}


@mesh_of_any_chip
def test_send_rank_orders_by_column_row_and_port(mesh):
    order = np.argsort(mesh.send_rank)
    assert sorted(mesh.send_rank) == list(range(mesh.n_cores))
    keys = [(mesh.core_x[c], mesh.core_y[c], mesh.core_port[c]) for c in order]
    assert keys == sorted(keys)


@examples(200)
@given(st.sampled_from(MESHES), st.data())
def test_a_route_is_connected_and_goes_x_first(mesh, data):
    core = st.integers(0, mesh.n_cores - 1)
    source, target = data.draw(core), data.draw(core)
    first, *between, last = mesh.route(source, target)
    assert first == mesh.injection_link(source)
    assert last == mesh.ejection_link(target)
    here, (target_x, target_y) = place(mesh, source), place(mesh, target)
    assert len(between) == abs(here[0] - target_x) + abs(here[1] - target_y)
    axes = [link % 4 in (NORTH, SOUTH) for link in between]
    assert axes == sorted(axes)
    for link in between:
        left, here_next = ends(mesh, link)
        assert left == here
        here = here_next
    assert here == (target_x, target_y)


@mesh_of_any_chip
def test_link_ids_and_names_are_unique(mesh):
    routers = [link for link in range(4 * mesh.n_routers) if inside(mesh, ends(mesh, link)[1])]
    ports = [
        link(core)
        for link in (mesh.injection_link, mesh.ejection_link)
        for core in range(mesh.n_cores)
    ]
    links = routers + ports
    assert len(routers) == 2 * ((mesh.width - 1) * mesh.height + mesh.width * (mesh.height - 1))
    assert len(set(links)) == len(links)
    assert max(links) == mesh.n_links - 1
    assert len({mesh.link_name(link) for link in links}) == len(links)


def test_link_names():
    mesh = topology_of(load_chip("loihi2-16"))
    east, *_, into = mesh.route(0, 15)[1:]
    assert mesh.link_name(east) == "(0,0)->(1,0)"
    assert mesh.link_name(into) == "core 15 in"
    assert mesh.link_name(mesh.injection_link(3)) == "core 3 out"


@mesh_of_any_chip
def test_only_links_over_a_chip_border_cross_chips(mesh):
    def crosses(link: int) -> bool:
        (x, y), (to_x, to_y) = ends(mesh, link)
        border = (x // mesh.chip_width, y // mesh.chip_height) != (
            to_x // mesh.chip_width,
            to_y // mesh.chip_height,
        )
        return inside(mesh, (to_x, to_y)) and border

    expected = [crosses(link) for link in range(4 * mesh.n_routers)]
    assert mesh.crosses_chips.tolist() == expected
    assert any(expected) == (mesh.core_chip.max() > 0)


def test_equal_grids_share_one_mesh():
    chip = load_chip("loihi2")
    assert topology_of(chip) is topology_of(chip.with_constant("costs.link_ps", 1))
    with pytest.raises(ValueError, match="read-only"):
        topology_of(chip).core_x[0] = 1


def test_a_mesh_that_was_forgotten_equals_the_one_made_anew():
    chip = load_chip("loihi2")
    before = topology_of(chip)
    for width in range(2, 40):
        assert topology_of(toy_chip(routers=(width, 3))) != before
    after = topology_of(chip)
    assert after is not before
    assert after == before
    assert hash(after) == hash(before)
    assert topology_of(toy_chip(routers=(2, 3))) != topology_of(toy_chip(routers=(3, 2)))
