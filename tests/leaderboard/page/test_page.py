"""The page as a file: what is in it, and that it is the same every time."""

import json
import re
from copy import deepcopy

import pytest

from loihi_gym.backends import make_backend
from loihi_gym.benchmarks import load
from loihi_gym.drawing.heat import heat
from loihi_gym.errors import BoardError
from loihi_gym.leaderboard.page import embed, page
from loihi_gym.leaderboard.pictures import DIGITS, digits, encode, mapping_picture
from tests.leaderboard.page.boards import SEARCH


def decode(text: str, width: int) -> list[int]:
    parts = [text[at : at + width] for at in range(0, len(text), width)]
    return [sum(64**i * DIGITS.index(c) for i, c in enumerate(reversed(part))) for part in parts]


def data_of(text: str) -> list:
    found = re.search(r'<script id="data" type="application/json">(.*?)</script>', text, re.DOTALL)
    assert found
    return json.loads(found[1])


def test_the_same_results_give_the_same_bytes(results):
    assert page([results]) == page([deepcopy(results)])


def test_it_names_no_other_host(results):
    text = page([results])
    markup = text.replace(re.search(r'json">(.*?)</script>', text, re.DOTALL)[1], "")
    assert set(re.findall(r"https?://[^\s\"'`)]+", markup)) == {"http://www.w3.org/2000/svg"}
    assert not re.search(r"<(link|script|img|iframe)[^>]+(src|href)=\"(?!data:,)", markup)


def test_no_string_of_the_data_is_parsed_as_html(results):
    script = "\n".join(re.findall(r"<script>(.*?)</script>", page([results]), re.DOTALL))
    assert not re.search(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|eval\(", script)


def test_embedded_data_cannot_end_its_element():
    hostile = "</script><!--<script>&\u2028\u2029\ud800\x00é"
    text = embed({hostile: [hostile]})
    assert not set("<>&\u2028\u2029") & set(text)
    assert text.isascii()
    assert json.loads(text) == {hostile: [hostile]}


def test_data_is_not_taken_for_a_place_of_the_template(results):
    marked = deepcopy(results)
    marked["tracks"][SEARCH]["rows"][0]["name"] = "{{SCRIPT}}{{STYLE}}"
    (suite,) = data_of(page([marked]))
    assert suite["tracks"][SEARCH]["rows"][0]["name"] == "{{SCRIPT}}{{STYLE}}"


def test_equal_mappings_are_embedded_once(results):
    (suite,) = data_of(page([results]))
    for at, problem in enumerate(suite["problems"]):
        runs = [
            (run["mapping_sha256"], run["picture"])
            for track in suite["tracks"].values()
            for row in track["rows"]
            for run in row["problems"][at]["runs"]
        ]
        assert len(problem["pictures"]) == len({sha for sha, _ in runs}) == len(set(runs))
        assert len(runs) > len(set(runs))


def test_pictures_are_those_of_the_replayed_mapping():
    problem = load("mlp-xs")
    mapping = problem.reference_mapping
    measured = make_backend("mesh", problem).evaluate(mapping)
    picture = mapping_picture(problem, mapping, measured)
    assert decode(picture["placement"], 1) == mapping.placement.tolist()
    found, us = heat(problem, mapping, measured), measured.latency_ps * 1e-6
    links, cores = ([v / 1000 for v in decode(picture[k], 2)] for k in ("heat", "core_heat"))
    steps = problem.activity.steps
    assert links == pytest.approx((found.link_us * steps / us).tolist(), abs=0.0005001)
    placed = found.core_us[mapping.placement]
    assert cores == pytest.approx((placed * steps / us).tolist(), abs=0.0005001)
    assert picture["latency_ps"] == measured.latency_ps
    assert sum(picture["step_times_ps"]) == measured.latency_ps
    assert sum(picture["energy_fj"].values()) == measured.energy_fj


def test_a_latency_that_is_not_replayed_is_refused(results):
    wrong = deepcopy(results)
    run = wrong["tracks"]["mapping"]["rows"][0]["problems"][0]["runs"][0]
    run["latency_ps"] -= 1
    with pytest.raises(BoardError, match="mlp-xs replays to") as caught:
        page([wrong])
    assert wrong["tracks"]["mapping"]["rows"][0]["submission"] in str(caught.value)


@pytest.mark.parametrize(("count", "width"), [(1, 1), (64, 1), (65, 2), (4096, 2), (140544, 3)])
def test_numbers_in_base_64(count, width):
    assert digits(count) == width
    values = sorted({0, count // 2, count - 1})
    assert decode(encode(values, width), width) == values


@pytest.mark.parametrize("value", [-1, 64])
def test_numbers_that_do_not_fit_are_refused(value):
    with pytest.raises(ValueError, match="does not fit"):
        encode([value], 1)


def test_an_empty_board_has_a_page():
    assert data_of(page([])) == []
