"""The page in a real browser: what a person can do with it, and what it must never do."""

import re
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest
from selenium.webdriver import Keys

from tests.leaderboard.page.boards import SEARCH
from tests.leaderboard.page.conftest import HOSTILE
from tests.leaderboard.page.viewer import Viewer

TRACK = f"#track={SEARCH.replace('@', '%40')}"
WHITE, DARK = "rgb(255, 255, 255)", "rgb(20, 23, 27)"
OPEN = "document.getElementById('detail').open"


@pytest.fixture
def search(viewer) -> Viewer:
    viewer.open(TRACK)
    return viewer


def row_of(results, submission, track=SEARCH):
    rows = results["tracks"][track]["rows"]
    return next(row for row in rows if row["submission"] == submission)


def test_it_says_that_nothing_was_measured_on_a_chip(viewer):
    assert "Simulated, not measured on a chip." in viewer.find("#notice").text


def test_tracks_have_tables_of_their_own(viewer, results):
    assert viewer.names() == [row["name"] for row in results["tracks"]["mapping"]["rows"]]
    assert "interval" not in viewer.headers()
    viewer.key(f"track {SEARCH}").click()
    assert viewer.names() == [row["name"] for row in results["tracks"][SEARCH]["rows"]]
    assert "interval" in viewer.headers()


def test_numbers_are_sorted_as_numbers(search, results):
    at = search.headers().index("wins") + 1
    rows = sorted(results["tracks"][SEARCH]["rows"], key=lambda r: -r["wins"])
    assert rows[0]["wins"] == 10  # which as text would come after 2
    search.key("sort wins").click()
    assert search.column(at) == [str(row["wins"]) for row in rows]
    search.key("sort wins").click()
    assert search.column(at) == sorted(search.column(at), key=int)


def test_a_header_sorts_up_and_down_and_says_so(search):
    def direction(key):
        code = "return arguments[0].closest('th').getAttribute('aria-sort')"
        return search.script(code, search.key(f"sort {key}"))

    at = search.headers().index("at mlp-xs") + 1
    assert (direction("rank"), direction("at mlp-xs")) == ("ascending", "none")
    search.key("sort at mlp-xs").click()
    up = [float(text) for text in search.column(at)]
    assert up == sorted(up)
    assert up[0] < up[-1]
    assert (direction("rank"), direction("at mlp-xs")) == ("none", "ascending")
    search.key("sort at mlp-xs").click()
    assert [float(text) for text in search.column(at)] == up[::-1]
    assert direction("at mlp-xs") == "descending"


def test_text_is_sorted_by_letters(search):
    search.key("sort name").click()
    assert search.names() == sorted(search.names(), key=str.lower)


@pytest.mark.parametrize("metric", ["reduction", "energy", "best", "bound"])
def test_columns_show_what_is_chosen(search, results, metric):
    field = {"energy": "energy_fj", "reduction": "reduction_ppm"}.get(metric, f"gap_{metric}_ppm")
    at = search.headers().index("at mlp-xs") + 1
    search.choose("metric", metric)
    values = [r["problems"][0][field] for r in results["tracks"][SEARCH]["rows"]]
    scale = 1e9 if metric == "energy" else 1e4
    shown = [t.replace("\u2212", "-").removesuffix("\u202f%") for t in search.column(at)]
    assert [float(text) for text in shown] == pytest.approx([v / scale for v in values], abs=0.051)


def test_the_filter_takes_words_in_any_order(search):
    search.key("filter").send_keys("DEVELOPERS hill")
    assert search.names() == ["hillclimb"]
    assert search.find("#count").text == "1 of 4 submissions shown."
    assert search.focused() == "filter"
    search.key("filter").send_keys("nobody")
    assert search.names() == []
    assert search.find("#count").text == "0 of 4 submissions shown."


def test_columns_are_explained_where_they_stand(search):
    assert not search.all("thead .help")
    search.key("explain").click()
    helps = search.texts("thead .help")
    assert len(helps) == len(search.headers())
    assert all(len(text) > 8 for text in helps)
    assert search.key("explain").get_attribute("aria-pressed") == "true"
    search.key("explain").click()
    assert not search.all("thead .help")


def test_it_links_to_rules_ranks_and_repository(viewer):
    code = "return [...document.querySelectorAll('nav a')].map((a) => a.getAttribute('href'))"
    links = viewer.script(code)
    site = Path(__file__).parents[3] / "leaderboard/site"
    assert len(links) == 3
    assert all((site / link).resolve().is_file() for link in links)


def test_heat_has_one_scale_for_a_problem(search, results):
    problem = results["problems"][0]
    ends = set()
    for row in ("random", "hillclimb"):
        search.open(f"{TRACK}&row=2026-11-25-{row}&problem=mlp-xs")
        ends.add(search.find("#detail .heat").text)
    (end,) = ends
    step_us = problem["reference_latency_ps"] / 4 / 1e6  # mlp-xs has four recorded steps
    assert f"{step_us:.3f} and more: a step of the reference" in end


def test_a_row_opens_with_its_numbers(search, results):
    row = row_of(results, "2026-11-25-hillclimb")
    run = min(row["problems"][0]["runs"], key=lambda r: r["latency_ps"])
    search.key("row 2026-11-25-hillclimb").click()
    search.wait(OPEN)
    text = search.find("#detail").text
    for part in (
        f"{run['latency_ps'] / 1e6:.3f}",
        f"{results['problems'][0]['lower_bound_ps'] / 1e6:.3f} µs",
        run["mapping_sha256"],
        "not measured on a chip",
        "Bottleneck: ",
        "declared",
        "The loihi_gym developers",
    ):
        assert part in text
    assert search.find("#detail a").get_attribute("href") == row["code_url"]


def test_the_mapping_is_drawn_where_its_cores_are(search, results):
    search.open(f"{TRACK}&row=2026-11-25-random&seed=1&problem=mlp-xs")
    run = row_of(results, "2026-11-25-random")["problems"][0]["runs"][1]
    layers = [layer for layer, count in enumerate(run["cores_per_layer"]) for _ in range(count)]
    wanted = dict(zip(run["placement"], layers, strict=True))
    drawn = [title.split(",")[0] for title in search.texts("#detail .mesh g title")]
    shown = search.texts("#detail .mesh g text")
    cells = [title for title in search.texts("#detail .mesh g title") if "free" not in title]
    read = [re.match(r"core (\d+), .*layer (\d+), busy ([\d.]+) µs a step$", t) for t in cells]
    found = {int(one[1]): int(one[2]) for one in read}
    assert all(float(one[3]) > 0 for one in read)
    assert found == wanted
    assert sorted(map(int, shown)) == sorted(layers)
    assert len(drawn) == 24
    corners = "return [...document.querySelectorAll('#detail .mesh .core')].map((e) => "
    places = search.script(corners + "[e.getAttribute('x'), e.getAttribute('y')].join())")
    assert len(set(places)) == 24  # no core hides another
    assert len(search.all("#detail .mesh .framed")) == 1
    assert len(search.all("#detail .mesh > path")) == 2 * (5 * 2 + 6)


def test_eight_chips_are_drawn_one_by_one(search):
    search.open(f"{TRACK}&row=2026-11-25-hillclimb&problem=mlp-deep-8chip")
    labels = search.texts("#detail .chip span")
    assert labels == [f"chip {n}" for n in (4, 5, 6, 7, 0, 1, 2, 3)]  # north is up
    assert len(search.all("#detail .mesh g")) == 1216
    assert search.all("#detail .mesh .framed")


def test_problem_and_seed_can_be_chosen(search, results):
    search.key("row 2026-11-25-random").click()
    search.wait(OPEN)
    for seed in (0, 1):
        search.choose("seed", str(seed))
        run = row_of(results, "2026-11-25-random")["problems"][0]["runs"][seed]
        assert run["mapping_sha256"] in search.find("#detail").text
    search.choose("detail problem", "mlp-deep-8chip")
    assert len(search.all("#detail .chip")) == 8
    assert search.script(f"return {OPEN}")


def test_a_layer_can_be_picked_out(search):
    search.open(f"{TRACK}&row=2026-11-25-hillclimb")
    search.key("layer 1").click()
    dim = search.script("return [...document.querySelectorAll('#detail .dim')].length")
    layers = search.script(
        "return [...document.querySelectorAll('#detail .mesh [data-layer]')].map((e) => "
        "[e.dataset.layer, e.classList.contains('dim')])"
    )
    assert dim > 0
    assert all(dimmed == (layer != "1") for layer, dimmed in layers)
    search.key("layer 1").click()
    assert not search.all("#detail .dim")


def test_plots_have_axes_with_units_and_a_line_of_each_row(search):
    labels = search.texts("#plots .label")
    assert "evaluations (log scale)" in labels
    assert "latency (µs, simulated)" in labels
    assert len(search.all("#plots .line[data-line]")) == 4
    assert len(search.all("#plots circle.best")) == len(search.all("#plots rect.bound")) == 4
    search.choose("scale", "bound")
    assert "gap to lower bound (%)" in search.texts("#plots .label")
    search.choose("plot problem", "mlp-deep-8chip")
    assert "mlp-deep-8chip" in search.find("#plots figcaption").text
    broken = "return [...document.querySelectorAll('#plots *')].some((e) => [...e.attributes].some("
    assert not search.script(broken + "(a) => /NaN|Infinity|undefined/.test(a.value)))")


def test_a_link_shows_the_same_again(search):
    search.choose("metric", "energy")
    search.key("sort name").click()
    search.key("sort name").click()
    search.key("filter").send_keys("developers")
    search.key("row 2026-11-25-random").click()
    search.wait(OPEN)
    search.choose("detail problem", "mlp-deep-8chip")
    search.choose("seed", "1")
    address = search.script("return location.hash")
    shown = search.texts("#table, #detail")
    search.open(address)
    assert search.texts("#table, #detail") == shown
    assert search.script("return location.hash") == address


@pytest.mark.parametrize(
    "address",
    [
        "#suite=none&track=none&problem=none&metric=__proto__&sort=constructor&row=none&seed=9",
        "#%zz%00&row=<script>&filter=%3Cscript%3Ewindow.hacked%3D9%3C/script%3E",
        f"{TRACK}&row=2026-11-25-random&seed=nothing&scale=toString",
    ],
)
def test_a_nonsense_link_shows_a_table_all_the_same(viewer, address):
    viewer.open(address)
    assert viewer.all("#table thead th")
    assert "submissions shown" in viewer.find("#count").text


def test_back_closes_a_row_and_forward_opens_it(search):
    search.key("row 2026-11-25-random").click()
    search.wait(OPEN)
    search.browser.back()
    search.wait(f"!{OPEN}")
    search.browser.forward()
    search.wait(OPEN)


def test_a_row_opened_again_at_once_stays_open(search):
    """The browser tells of a closed dialog only later, when this one is open again."""
    search.key("row 2026-11-25-random").click()
    search.wait(OPEN)
    code = """
    const done = arguments[0], there = location.hash;
    for (const address of [there.replace(/&row=[^&]*/, ""), there]) {
      history.replaceState(null, "", address);
      dispatchEvent(new PopStateEvent("popstate"));
    }
    setTimeout(() => requestAnimationFrame(() => setTimeout(done, 0)), 50);
    """
    search.browser.execute_async_script(code)
    assert search.script(f"return {OPEN}")
    assert "row=2026-11-25-random" in search.script("return location.hash")


def test_everything_can_be_done_by_keyboard(viewer):
    viewer.tab_to(f"track {SEARCH}")
    viewer.press(Keys.ENTER)
    assert viewer.focused() == f"track {SEARCH}"
    viewer.tab_to("filter")
    viewer.press("d", "e", "v")
    assert len(viewer.names()) == 3
    viewer.tab_to("sort score")
    viewer.press(Keys.SPACE, Keys.SPACE)
    assert viewer.focused() == "sort score"
    at = viewer.headers().index("score") + 1
    assert viewer.column(at) == sorted(viewer.column(at), key=float)
    outline = "return getComputedStyle(document.activeElement).outlineStyle"
    assert viewer.script(outline) == "solid"
    viewer.tab_to("row 2026-11-25-random")
    viewer.press(Keys.ENTER)
    viewer.wait(OPEN)
    assert viewer.focused() == "close"
    viewer.tab_to("seed")
    before = viewer.find("#detail").text
    viewer.press(Keys.ARROW_DOWN if "seed 0" in before else Keys.ARROW_UP)
    viewer.wait("document.activeElement.dataset.key === 'seed'")
    assert viewer.find("#detail").text != before
    viewer.press(Keys.ESCAPE)
    viewer.wait(f"!{OPEN}")
    viewer.wait("document.activeElement.dataset.key === 'row 2026-11-25-random'")
    assert "row=" not in viewer.script("return location.hash")


def test_the_theme_follows_the_system_or_the_button(viewer):
    assert viewer.colour() == WHITE
    viewer.set_media("dark")
    viewer.wait("document.documentElement.classList.contains('dark')")
    assert viewer.colour() == DARK
    viewer.find("#theme").click()
    assert (viewer.find("#theme").text, viewer.colour()) == ("theme: light", WHITE)
    viewer.find("#theme").click()
    assert (viewer.find("#theme").text, viewer.colour()) == ("theme: dark", DARK)
    viewer.set_media("light")
    viewer.browser.refresh()
    assert viewer.colour() == DARK
    viewer.find("#theme").click()
    assert (viewer.find("#theme").text, viewer.colour()) == ("theme: auto", WHITE)


def test_hostile_names_are_text(search):
    assert HOSTILE["name"] in search.names()
    assert HOSTILE["solver"] in search.column(3)
    search.key(f"row {HOSTILE['submission']}").click()
    search.wait(OPEN)
    told = search.texts("#detail bdi")
    for text in (HOSTILE["name"], HOSTILE["solver"], HOSTILE["code_url"], HOSTILE["licence"]):
        assert text in told
    assert ", ".join(HOSTILE["authors"]) in told
    assert not search.all("#detail a")
    assert not search.all("main script, dialog script, img, b")
    isolated = "return [...document.querySelectorAll('bdi')].every((e) => "
    assert search.script(isolated + "getComputedStyle(e).unicodeBidi === 'isolate')")


def test_a_cell_has_no_frame_but_the_line_below(search):
    sides = "return [...document.querySelectorAll('tbody td')].map((e) => getComputedStyle(e)"
    assert set(search.script(sides + ".borderLeftWidth)")) == {"0px"}


@pytest.mark.parametrize("row", ["", "&row=2026-11-25-hillclimb", f"&row={HOSTILE['submission']}"])
@pytest.mark.parametrize("problem", ["mlp-xs", "mlp-deep-8chip"])
def test_a_phone_scrolls_down_only(viewer, row, problem):
    viewer.set_size(360, 740)
    viewer.open(f"{TRACK}{row}&problem={problem}")
    assert viewer.script("return document.documentElement.scrollWidth") <= 360
    assert viewer.script("const d = document.body; return d.scrollWidth - d.clientWidth") <= 0
    if row:
        assert (
            viewer.script("const d = document.getElementById('detail'); return d.scrollWidth")
            <= 360
        )


@pytest.fixture
def server() -> Iterator[tuple[str, list[str]]]:
    """Address of a server on this machine, and the paths it was asked for."""
    asked: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            self.send_error(404)

        def log_message(self, *arguments: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as http:
        thread = Thread(target=http.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{http.server_port}", asked
        http.shutdown()
        thread.join()


def test_a_request_would_be_seen(browser, tmp_path, server):
    """That `require_quiet` can fail."""
    address, asked = server
    file = tmp_path / "index.html"
    file.write_text(f"<script src='gone.js'></script><img src='{address}/image'>")
    viewer = Viewer(browser, file.as_uri())
    viewer.open()
    viewer.script("console.error('complaint')")
    assert asked == ["/image"]
    assert {f"{address}/image", (tmp_path / "gone.js").as_uri()} <= viewer.requests()
    assert any("complaint" in entry["message"] for entry in browser.get_log("browser"))


def test_the_policy_forbids_requests_and_foreign_scripts(browser, url, server):
    """What a hole in the page would meet."""
    address, asked = server
    viewer = Viewer(browser, url)
    viewer.open()
    code = """
    const [address, done] = arguments, script = document.createElement("script");
    script.textContent = "window.hacked = 5";
    document.body.append(script);
    const image = new Image();
    const shown = new Promise((go) => {
      image.onerror = () => go("refused");
      image.onload = () => go("shown");
    });
    image.src = `${address}/image`;
    const asked = fetch(`${address}/fetch`, { mode: "no-cors" });
    Promise.all([shown, asked.then(() => "fetched", () => "refused")]).then(done);
    """
    assert browser.execute_async_script(code, address) == ["refused", "refused"]
    assert viewer.script("return window.hacked") is None
    assert asked == []
    said = [entry["message"] for entry in browser.get_log("browser")]
    assert len(said) >= 3
    assert all("Content Security Policy" in message or address in message for message in said)
