import numpy as np
import pytest

from loihi_gym import drawing, make_backend
from loihi_gym.backends import Bound, Measurement
from loihi_gym.drawing.captions import moved
from loihi_gym.drawing.heat import core_layers, heat, step_us
from loihi_gym.drawing.mesh_drawing import MeshDrawing, Window
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
    assert lines[:3] == [  # the top row has the largest y
        "y=1 [..] [..] [.2]",
        "y=0 [0.] [.1] [1.]",
        " x=  0    1    2",
    ]
    assert "equal to the reference" in lines[3]
    assert result.bottleneck.where in lines[4]


def test_core_layers(toy):
    mapping = Mapping([1, 2, 1], [5, 0, 9, 2])
    layers = core_layers(toy, mapping)
    assert layers[[5, 0, 9, 2]].tolist() == [0, 1, 1, 2]
    assert (np.delete(layers, [5, 0, 9, 2]) == -1).all()


def test_heat_is_the_busy_time_of_a_step(toy):
    mapping, result, _ = measured(toy)
    found, steps = heat(toy, mapping, result), toy.activity.steps
    words = toy.activity.message_bits // 32
    link = int(found.link_us.argmax())
    messages = int(result.link_messages[:, link].sum())
    busy_ps = messages * toy.chip.costs.link_ps * words
    assert found.link_us[link] == pytest.approx(busy_ps * 1e-6 / steps)
    traffic = toy.traffic(mapping.cores_per_layer)
    for logical, core in enumerate(mapping.placement.tolist()):
        pairs = zip(traffic.send_ps[:, logical], traffic.receive_ps[:, logical], strict=True)
        longer = sum(int(max(pair)) for pair in pairs)
        assert found.core_us[core] == pytest.approx(longer * 1e-6 / steps)
    free = np.setdiff1d(np.arange(toy.topology.n_cores), mapping.placement)
    assert not found.core_us[free].any()
    assert found.hottest_us <= step_us(toy, result)


def test_all_pictures_of_a_problem_have_the_reference_s_scale(toy):
    reference = measured(toy)[2]
    drawn = MeshDrawing(toy, reference)
    scales = set()
    for seed in range(3):
        mapping, result, _ = measured(toy, seed)
        drawn.draw(mapping, result)
        scales |= {drawn.panel.links.get_clim(), drawn.panel.bars.get_clim()}
    assert scales == {(0.0, step_us(toy, reference))}


def test_moved_are_the_cores_with_another_layer(toy):
    before, after = Mapping([1, 2, 1], [5, 0, 9, 2]), Mapping([1, 3, 1], [5, 9, 0, 7, 3])
    assert moved(toy, before, after) == [0, 1, 1]
    assert moved(toy, before, before) == [0, 0, 0]


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
        panel, found = drawn.panel, heat(toy, mapping, result)
        np.testing.assert_array_equal(panel.links.get_array(), found.link_us[panel.layout.ids])
        np.testing.assert_array_equal(panel.bars.get_array(), found.core_us)
        faces = panel.cores.get_facecolor()
        layers = core_layers(toy, mapping)
        for a in range(16):
            for b in range(16):
                assert (layers[a] == layers[b]) == np.array_equal(faces[a], faces[b])
        texts = [text.get_text() for text in panel.numbers]
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
            assert len(drawn.panel.marks) == 1
            box = drawn.panel.marks[0].get_window_extent()
            x, y = drawn.panel.axes.transData.inverted().transform(
                ((box.x0 + box.x1) / 2, (box.y0 + box.y1) / 2)
            )
            term, index, *_ = result.bottleneck
            mesh = problem.topology
            routers = 4 * mesh.n_routers
            if term == "link" and index < routers:
                (ax, ay), (bx, by) = drawn.panel.layout.lines[drawn.panel.layout.ids.index(index)]
                expected = ((ax + bx) / 2, (ay + by) / 2)
                seen.add("link")
            else:
                core = (index - routers) % mesh.n_cores if term == "link" else index
                (left, low), width, height = drawn.panel.layout.cells[core]
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
