import numpy as np
import pytest

from loihi_gym import drawing, make_backend
from loihi_gym.drawing.compare_drawing import Shown, comparison
from loihi_gym.drawing.heat import core_layers, heat
from loihi_gym.drawing.mesh_drawing import pixels
from loihi_gym.errors import LoihiGymError
from loihi_gym.mapping import Mapping
from loihi_gym.mapping.moves import swap
from tests.toys import toy_chip, toy_problem

WIDE = toy_problem(chip=toy_chip(chips=(4, 1), routers=(3, 1), cores_per_router=2))


def pair(problem, a=0, b=2):
    backend = make_backend("mesh", problem)
    first = problem.reference_mapping
    second = swap(first, int(first.placement[a]), int(first.placement[b]))
    return [Shown(n, m, backend.evaluate(m)) for n, m in (("first", first), ("second", second))]


def panels(figure):
    """The axes that meshes are drawn on: frames, routers, links, cores and bars."""
    return [axes for axes in figure.axes if len(axes.collections) >= 5]


@pytest.mark.parametrize("problem", [toy_problem(), WIDE], ids=["abreast", "stacked"])
def test_both_have_one_scale_that_ends_at_the_busiest_place(problem):
    a, b = pair(problem)
    figure = comparison(problem, a, b)
    hottest = max(heat(problem, one.mapping, one.measurement).hottest_us for one in (a, b))
    clims = [
        made.get_clim()
        for axes in panels(figure)
        for made in axes.collections
        if made.get_array() is not None
    ]
    assert clims == [(0.0, hottest)] * 4  # links and bars, twice
    assert pixels(figure).shape[2] == 3


def test_corners_mark_the_cores_that_have_another_layer():
    problem = toy_problem()
    a, b = pair(problem)
    figure = comparison(problem, a, b)
    _, second = panels(figure)
    corners = second.collections[-1].get_paths()
    old, new = (core_layers(problem, one.mapping) for one in (a, b))
    assert len(corners) == (old != new).sum() == 2


def test_the_text_says_what_moved_and_where_the_time_went():
    problem = toy_problem()
    a, b = pair(problem)
    text = drawing.comparison_text(problem, a, b)
    assert "A: first" in text
    assert "B: second" in text
    assert text.count("of them on new places") == problem.n_layers
    step = a.measurement.latency_ps * 1e-6 / problem.activity.steps
    assert f"a whole step: {step:.3f} -> " in text


def test_a_slower_mapping_is_called_slower():
    problem = toy_problem()
    a, b = pair(problem)
    slow, fast = sorted((a, b), key=lambda one: -one.measurement.latency_ps)
    if slow.measurement.latency_ps > fast.measurement.latency_ps:
        assert "above A" in drawing.comparison_text(problem, fast, slow)
        assert "below A" in drawing.comparison_text(problem, slow, fast)
    assert "equal to A" in drawing.comparison_text(problem, a, a)


def test_it_is_saved_or_the_error_names_the_file(tmp_path):
    problem = toy_problem()
    drawing.save_comparison(tmp_path / "both.svg", problem, *pair(problem))
    assert (tmp_path / "both.svg").stat().st_size > 1000
    with pytest.raises(LoihiGymError, match="nowhere"):
        drawing.save_comparison(tmp_path / "nowhere" / "both.png", problem, *pair(problem))


def test_partitionings_may_differ():
    problem = toy_problem()
    backend = make_backend("mesh", problem)
    mappings = [Mapping([1, 1, 1], [0, 1, 2]), Mapping([2, 3, 1], np.arange(6))]
    a, b = (Shown(str(n), m, backend.evaluate(m)) for n, m in enumerate(mappings))
    assert "layer 1: 1 -> 3 cores" in drawing.comparison_text(problem, a, b)
    comparison(problem, a, b)
