"""What notebooks show of a problem, a mapping, a measurement and a picture."""

import re

import pytest

from loihi_gym import drawing, make_backend
from loihi_gym.backends import Bottleneck, Measurement
from loihi_gym.drawing import cell_picture
from loihi_gym.mapping import Mapping, swap
from tests.toys import bundled_problem, toy_problem

PNG = b"\x89PNG\r\n\x1a\n"
PROBLEM = toy_problem()


def cells(html):
    return re.findall(r"<td>(.*?)</td>", html)


def test_a_problem_is_a_row_for_each_layer_and_a_picture():
    html = PROBLEM._repr_html_()
    assert html.count("<tr>") == 1 + PROBLEM.n_layers
    assert [int(cell) for cell in cells(html)[1::5]] == list(PROBLEM.network.widths)
    assert 'src="data:image/png;base64,iVBORw0KGgo' in html
    assert PROBLEM._repr_png_().startswith(PNG)


@pytest.mark.parametrize("hidden", ["matplotlib", "a large mesh"])
def test_without_a_picture_there_is_the_table(monkeypatch, hidden):
    if hidden == "matplotlib":
        monkeypatch.setattr(cell_picture, "find_spec", lambda name: None)
    else:
        monkeypatch.setattr(cell_picture, "MOST_CORES", PROBLEM.topology.n_cores - 1)
    assert PROBLEM._repr_png_() is None
    assert "<img" not in PROBLEM._repr_html_()


def test_a_mapping_is_a_row_for_each_layer():
    html = Mapping([1, 2, 1], [5, 0, 9, 2])._repr_html_()
    assert cells(html) == ["0", "1", "5", "1", "2", "0, 9", "2", "1", "2"]


def test_a_measurement_is_what_was_measured_and_no_more():
    whole = make_backend("mesh", PROBLEM).evaluate(PROBLEM.reference_mapping)
    html = whole._repr_html_()
    assert f"{whole.latency_ps * 1e-6:.3f} us in 2 steps" in html
    assert str(whole.bottleneck) in html
    bare = Measurement(1_500_000)
    assert cells(bare._repr_html_()) == [
        "latency",
        "1.500 us in 1 step",
        "step times (us)",
        "1.500",
    ]


def test_texts_stay_texts():
    hostile = Bottleneck("link", 0, 0, "<script>x</script>", 0.5)
    html = Measurement(1, bottleneck=hostile)._repr_html_()
    assert "<script>" not in html
    assert "&lt;script&gt;" in html


def test_reprs_are_short():
    problem = bundled_problem("mlp-deep", "loihi2")
    mapping = problem.reference_mapping
    measured = make_backend("bound", problem).evaluate(mapping)
    for one in (problem, mapping, measured):
        assert len(repr(one)) < 250
        assert "\n" not in repr(one)
    assert repr(Mapping([1, 1], [3, 2])) == "Mapping(cores_per_layer=[1, 1], placement=[3, 2])"
    assert repr(Measurement(2_000_000, (500_000, 1_500_000))) == "Measurement(2.000 us in 2 steps)"


def test_pictures_of_any_mapping(tmp_path):
    mapping = swap(PROBLEM.reference_mapping, 0, 7)
    one = drawing.show(PROBLEM, mapping)
    both = drawing.show(PROBLEM, compare=mapping)
    assert one._repr_png_().startswith(PNG)
    assert one.png != both.png
    assert repr(one) == "Picture()"
    one.save(tmp_path / "a.png")
    assert (tmp_path / "a.png").read_bytes() == one.png
