import numpy as np
import pytest

from loihi_gym import drawing, make_backend
from loihi_gym.backends import Bound, Measurement
from loihi_gym.drawing.mesh_drawing import MeshDrawing, Window, core_layers, link_shares
from loihi_gym.errors import LoihiGymError
from loihi_gym.mapping import Mapping, Problem, random_mapping
from tests.toys import bundled_problem, toy_chip, toy_problem


@pytest.fixture
def toy() -> Problem:
    return toy_problem()


def measured(problem: Problem, seed: int = 0) -> tuple[Mapping, Measurement, Measurement]:
    backend = make_backend("mesh", problem)
    mapping = random_mapping(problem, np.random.default_rng(seed))
    return mapping, backend.evaluate(mapping), backend.evaluate(problem.reference_mapping)


def test_text_shows_each_layer_where_it_is():
    problem = toy_problem(chip=toy_chip(routers=(3, 2), cores_per_router=2))
    mapping = Mapping([1, 2, 1], [0, 3, 4, 11])
    backend = Bound(problem)
    result = backend.evaluate(mapping)
    lines = drawing.text(problem, mapping, result, result).splitlines()
    assert lines[:2] == ["[..] [..] [.2]", "[0.] [.1] [1.]"]  # the top row has the largest y
    assert "equal to the reference" in lines[2]
    assert str(result.bottleneck) in lines[3]


def test_core_layers(toy):
    mapping = Mapping([1, 2, 1], [5, 0, 9, 2])
    layers = core_layers(toy, mapping)
    assert layers[[5, 0, 9, 2]].tolist() == [0, 1, 1, 2]
    assert (np.delete(layers, [5, 0, 9, 2]) == -1).all()


def test_link_shares_are_the_part_of_the_latency_links_are_busy(toy):
    mapping, result, _ = measured(toy)
    shares = link_shares(toy, mapping, result)
    words = toy.activity.message_bits // 32
    link = int(shares.argmax())
    messages = int(result.link_messages[:, link].sum())
    assert shares[link] == messages * toy.chip.costs.link_ps * words / result.latency_ps
    assert ((shares >= 0) & (shares <= 1)).all()


@pytest.mark.parametrize(
    "problem",
    [
        toy_problem(),
        toy_problem(chip=toy_chip(chips=(2, 2), routers=(2, 2), coreless=((0, 0),))),
        toy_problem(chip=toy_chip(routers=(1, 1), cores_per_router=5)),
        toy_problem(chip="loihi2-8x19"),
        toy_problem(chip="kapoho-point"),
        bundled_problem("mlp-deep", "loihi2"),
    ],
    ids=["toy", "chips", "one-router", "flat", "kapoho-point", "deep"],
)
def test_every_mesh_can_be_drawn(problem):
    pixels = drawing.picture(problem, *measured(problem))
    assert pixels.dtype == np.uint8
    assert pixels.ndim == 3
    assert pixels.shape[2] == 3
    assert len(np.unique(pixels.reshape(-1, 3), axis=0)) > 20


def test_heat_and_colours_follow_the_mapping(toy):
    drawn = MeshDrawing(toy, measured(toy)[2])
    for seed in range(3):
        mapping, result, _ = measured(toy, seed)
        drawn.draw(mapping, result)
        shares = drawn._links.get_array()
        np.testing.assert_array_equal(shares, link_shares(toy, mapping, result)[drawn._ids])
        faces = drawn._cores.get_facecolor()
        layers = core_layers(toy, mapping)
        for a in range(16):
            for b in range(16):
                assert (layers[a] == layers[b]) == np.array_equal(faces[a], faces[b])
        texts = [text.get_text() for text in drawn._numbers]
        assert texts == ["" if layer < 0 else str(layer) for layer in layers]


def test_the_bottleneck_is_marked_where_it_is():
    seen = set()
    for link_ps, cores_per_router in [(1_160, 2), (40_000, 2), (200_000, 4)]:
        constants = {"costs.link_ps": link_ps}
        problem = toy_problem(chip=toy_chip(cores_per_router=cores_per_router, constants=constants))
        drawn = MeshDrawing(problem, measured(problem)[2])
        for seed in range(6):
            mapping, result, _ = measured(problem, seed)
            drawn.draw(mapping, result)
            assert len(drawn._marks) == 1
            box = drawn._marks[0].get_window_extent()
            x, y = drawn._axes.transData.inverted().transform(
                ((box.x0 + box.x1) / 2, (box.y0 + box.y1) / 2)
            )
            term, index, *_ = result.bottleneck
            mesh = problem.topology
            routers = 4 * mesh.n_routers
            if term == "link" and index < routers:
                (ax, ay), (bx, by) = drawn._outlines[drawn._ids.index(index)]
                expected = ((ax + bx) / 2, (ay + by) / 2)
                seen.add("link")
            else:
                core = (index - routers) % mesh.n_cores if term == "link" else index
                (left, low), width, height = drawn._cells[core]
                expected = (left + width / 2, low + height / 2)
                seen.add("core")
            assert (x, y) == pytest.approx(expected, abs=1e-6)
    assert seen == {"link", "core"}


def test_pictures_are_saved_or_the_error_names_the_file(toy, tmp_path):
    for name in ("mesh.png", "mesh.svg", "mesh.pdf"):
        drawing.save(tmp_path / name, toy, *measured(toy))
        assert (tmp_path / name).stat().st_size > 1000
    with pytest.raises(LoihiGymError, match=r"mesh\.xyz"):
        drawing.save(tmp_path / "mesh.xyz", toy, *measured(toy))
    with pytest.raises(LoihiGymError, match="nowhere"):
        drawing.save(tmp_path / "nowhere" / "mesh.png", toy, *measured(toy))


def test_a_window_without_a_display_draws_into_memory(toy, monkeypatch):
    monkeypatch.setenv("MPLBACKEND", "Agg")
    window = Window()
    window.show(toy, *measured(toy))
    window.show(toy, *measured(toy, 1))
    window.close()
    window.close()
