"""The game in a real browser, played by pointer and by keys, on a real port."""

import json
import subprocess
import sys
from urllib.parse import urlsplit

import pytest
from selenium.webdriver import Keys
from selenium.webdriver.common.action_chains import ActionChains

from loihi_gym.cli.options import read_mapping
from loihi_gym.mapping.moves import swap
from tests.leaderboard.page.viewer import Viewer
from tests.play.games import game, running


class Player(Viewer):
    def core(self, core):
        return self.key(f"core {core}")

    def layers(self):
        """Layer of each core that is not free, as the mesh shows them."""
        code = (
            "return [...document.querySelectorAll('[data-core]')].map((e) => "
            "[Number(e.dataset.core), Number(e.dataset.layer)])"
        )
        return {core: layer for core, layer in self.script(code) if layer >= 0}

    def wait_for(self, core, layer):
        self.wait(f"document.querySelector('[data-core=\"{core}\"]')?.dataset.layer == '{layer}'")

    def score(self):
        return self.find("#score").text


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    """A game that runs, and its address."""
    made = game(tmp_path_factory.mktemp("play") / "played.json")
    with running(made) as address:
        yield made, address


def on_mesh(mapping):
    """Layer of each core that is not free."""
    counts = mapping.cores_per_layer.tolist()
    layers = [layer for layer, count in enumerate(counts) for _ in range(count)]
    return dict(zip(mapping.placement.tolist(), layers, strict=True))


@pytest.fixture
def player(browser, server):
    """A new game; it must have asked nobody but its server, and complained of nothing."""
    _, address = server
    player = Player(browser, address)
    player.open()
    player.wait("document.querySelector('[data-core]')")
    yield player
    assert browser.get_log("browser") == []
    origin = "{0.scheme}://{0.netloc}/".format(urlsplit(address))
    asked = player.requests()
    assert asked
    assert all(url.startswith(origin) or url == "data:," for url in asked)
    assert player.script("return window.hacked") is None


def test_a_press_and_a_drag_swap_and_undo_takes_back(player, server):
    made, _ = server
    before, score = player.layers(), player.score()
    assert before == on_mesh(made.start)
    a = next(core for core, layer in before.items() if layer == 0)
    b = next(core for core in range(24) if core not in before)
    player.core(a).click()
    assert player.core(a).get_attribute("aria-pressed") == "true"
    player.core(b).click()
    player.wait_for(b, 0)
    assert a not in player.layers()
    assert "1 move" in player.score()
    ActionChains(player.browser).drag_and_drop(player.core(b), player.core(a)).perform()
    player.wait_for(a, 0)
    assert player.layers() == before
    for _ in range(2):
        player.key("undo").click()
    assert player.score() == score
    assert not player.key("undo").is_enabled()


def test_it_is_played_by_keys_alone(player):
    before = player.layers()
    player.script("document.querySelector('[data-core][tabindex=\"0\"]').focus()")
    assert player.focused() == "core 0"
    player.press(Keys.ENTER, Keys.ARROW_RIGHT, Keys.ARROW_RIGHT)
    assert player.focused() == "core 2"
    player.press(Keys.ARROW_UP, Keys.ARROW_LEFT)
    there = int(player.focused().removeprefix("core "))
    player.press(Keys.ENTER)
    player.wait_for(there, before[0])
    assert player.focused() == f"core {there}"
    player.press("u")
    assert player.layers() == before
    player.press("r")
    player.wait_for(there, before[0])
    free = next(core for core in range(24) if core not in player.layers())
    player.script(f"document.querySelector('[data-core=\"{free}\"]').focus()")
    player.press("1")
    player.wait_for(free, 1)
    player.press(Keys.DELETE)
    player.wait_for(free, -1)


def test_a_layer_gets_and_loses_a_core(player, server):
    made, _ = server
    count = int(made.start.cores_per_layer[2])
    player.key("more 2").click()
    player.wait(f"document.getElementById('layers').textContent.includes('layer 2: {count + 1}')")
    player.key("fewer 2").click()
    player.wait(f"document.getElementById('layers').textContent.includes('layer 2: {count}')")
    assert not player.key("fewer 4").is_enabled()  # a layer keeps one


def test_the_ghost_is_shown_where_it_differs(player, server):
    made, _ = server
    assert not player.all(".ghost")
    player.press("g")
    ghost, mine = on_mesh(made.ghost), player.layers()
    differing = [core for core in range(24) if ghost.get(core) != mine.get(core)]
    assert len(player.all(".ghost")) == len(differing) > 0
    assert "somebody <b>" in player.score()


def test_what_is_saved_is_taken_by_evaluate(player, server):
    made, _ = server
    a, b = int(made.start.placement[0]), int(made.start.placement[-1])
    player.core(a).click()
    player.core(b).click()
    player.wait("document.getElementById('score').textContent.includes('1 move')")
    player.key("save").click()
    player.wait("document.getElementById('said').textContent.startsWith('Saved')")
    assert read_mapping(made.problem, str(made.path)) == swap(made.start, a, b)
    command = [sys.executable, "-m", "loihi_gym", "evaluate", "mlp-xs", str(made.path), "--json"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    shown = player.find("#score b").text.removesuffix(" µs")
    assert f"{json.loads(done.stdout)['latency_ps'] * 1e-6:.3f}" == shown


def test_without_the_token_the_page_says_what_to_do(player):
    player.browser.get("about:blank")
    player.browser.get(player.url.split("#")[0])
    player.wait("document.getElementById('said').textContent.includes('Open the address')")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_phone_needs_no_sideways_scrolling(player, scheme):
    player.set_media(scheme)
    player.set_size(390, 844)
    player.open()
    player.wait("document.querySelector('[data-core]')")
    assert player.script("return document.documentElement.scrollWidth <= innerWidth")
    dark = player.colour() == "rgb(20, 23, 27)"
    assert dark == (scheme == "dark")
