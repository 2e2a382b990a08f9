"""The site builds without a warning, leads nowhere that is not there, and asks no other host."""

import re
import runpy
import shlex
from importlib import import_module
from pathlib import Path
from types import FunctionType

import pytest

import loihi_gym
from tests.leaderboard.page.viewer import Viewer

ROOT = Path(__file__).parents[2]
with pytest.MonkeyPatch.context() as patch:
    patch.syspath_prepend(ROOT / "tools")
    check_site = import_module("check_site")
faults, read = check_site.faults, check_site.read

PAGES = ("index", "start", "faq", "api/mapping", "environments/README", "comparison/report")
WHITE, DARK = "rgb(255, 255, 255)", "rgb(19, 20, 22)"
ROOMS = ("backends", "benchmarks", "chip", "drawing", "envs", "mapping", "network", "search")
API = (ROOT / "docs" / "api" / "index.md").read_text()


def test_every_link_leads_somewhere_and_no_page_loads_from_another_host(site):
    assert list(faults(site)) == []


@pytest.mark.parametrize(
    ("html", "said"),
    [
        ('<a href="gone.html">', "links to gone.html"),
        ('<a href="#gone">', "links to #gone"),
        ('<a href="other.html#gone">', "links to other.html#gone"),
        ('<img src="gone.png">', "links to gone.png"),
        ('<script src="https://cdn.example/x.js"></script>', "loads https://cdn.example/x.js"),
        ('<link rel="stylesheet" href="//cdn.example/x.css">', "loads //cdn.example/x.css"),
        ("<style>@import 'https://fonts.example/x'</style>", "loads https://fonts.example/x"),
    ],
)
def test_the_check_finds_faults(tmp_path, html, said):
    (tmp_path / "index.html").write_text(html)
    (tmp_path / "other.html").write_text('<p id="here"><a href="index.html"> <a href="#here">')
    (found,) = faults(tmp_path)
    assert said in found


def test_the_check_finds_what_styles_and_scripts_load(tmp_path):
    (tmp_path / "a.css").write_text("p { background: url('https://cdn.example/x.png') }")
    (tmp_path / "a.js").write_text("fetch('https://cdn.example/data')")
    assert len(list(faults(tmp_path))) == 2


def test_every_public_name_is_explained(site):
    pages = {path.stem: read(path).anchors for path in (site / "docs" / "api").glob("*.html")}
    known = set().union(*pages.values())
    for name in loihi_gym.__all__:
        targets = re.findall(rf"\[`{name}`\]\(([^)]+)\)", API)
        assert targets, f"{name} is not on the page of the package"
        assert targets[0].removeprefix("#") in known or targets[0] == "errors.md"


@pytest.mark.parametrize("room", ROOMS)
def test_every_function_and_class_of_a_room_is_explained(site, room):
    module, page = import_module(f"loihi_gym.{room}"), read(site / f"docs/api/{room}.html")
    kinds = type, FunctionType
    public = [name for name in module.__all__ if isinstance(getattr(module, name), kinds)]
    assert [name for name in public if f"{module.__name__}.{name}" not in page.anchors] == []


def test_notebooks_can_be_read_and_downloaded(site):
    for notebook in (ROOT / "docs" / "notebooks").glob("*.ipynb"):
        page = read(site / "docs" / "notebooks" / f"{notebook.stem}.html")
        assert any(link.endswith(f"/{notebook.name}") for link in page.links)


def test_a_button_of_colab_becomes_a_link(monkeypatch):
    monkeypatch.syspath_prepend(ROOT / "tools")
    (button,) = import_module("badges").badge(Path("a.ipynb"), "https://github.com/some/where")
    conf = runpy.run_path(str(ROOT / "docs" / "conf.py"))
    shown = conf["cell_text"]({"cell_type": "markdown", "source": [button]})
    assert re.fullmatch(r"\[Open in Colab\]\(https://\S+/a\.ipynb\)", shown)


def test_the_board_is_where_it_is_in_the_repository(site):
    page = read(site / "leaderboard" / "site" / "index.html")
    assert {"../RULES.html", "../README.html"} <= set(page.links)


def test_make_site_does_what_is_tested():
    recipe = (ROOT / "Makefile").read_text().split("\nsite:")[1].split("\n\n")[0]
    command = next(line for line in recipe.splitlines() if "sphinx" in line)
    assert {"-W", "--keep-going"} <= set(shlex.split(command))
    assert "tools/check_site.py" in recipe


@pytest.mark.parametrize("page", PAGES)
def test_in_a_browser_a_page_fits_a_phone_and_asks_no_other_host(site, browser, page):
    viewer = Viewer(browser, (site / "docs" / f"{page}.html").as_uri())
    viewer.set_size(390, 844)
    viewer.open()
    assert viewer.requests()
    assert all(address.startswith(("file:", "data:")) for address in viewer.requests())
    wide = "return document.documentElement.scrollWidth - document.documentElement.clientWidth"
    assert viewer.script(wide) == 0


@pytest.mark.parametrize(("scheme", "colour"), [("light", WHITE), ("dark", DARK)])
def test_in_a_browser_it_is_light_or_dark_as_the_reader_likes(site, browser, scheme, colour):
    viewer = Viewer(browser, (site / "docs" / "index.html").as_uri())
    viewer.set_media(scheme)
    viewer.open()
    assert viewer.colour() == colour


def test_in_a_browser_the_first_page_leads_to_the_docs(site, browser):
    viewer = Viewer(browser, (site / "index.html").as_uri())
    viewer.open()
    viewer.wait("location.pathname.endsWith('/docs/index.html')")
