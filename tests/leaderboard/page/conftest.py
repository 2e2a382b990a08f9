"""A real browser for the page. Where there is none, its tests are skipped and the summary says so;
with the variable CI set they fail instead.
"""

import os
import shutil
from collections.abc import Iterator
from copy import deepcopy

import pytest
from selenium import webdriver
from selenium.common.exceptions import WebDriverException
from selenium.webdriver.chrome.service import Service

from loihi_gym.leaderboard.page import page
from tests.leaderboard.page.boards import SEARCH, board, small_suite
from tests.leaderboard.page.viewer import Viewer

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
FLAGS = ("--headless=new", "--no-sandbox", "--disable-dev-shm-usage", "--window-size=1280,1000")

not_tested: list[str] = []

HOSTILE = {
    "submission": "2026-11-25-hostile",
    "name": "<script>window.hacked = 1</script>\"'&{{DATA}}",
    "authors": ["</script><script>window.hacked = 2</script>", "\u202etxt.exe", "עברית <b>"],
    "solver": "<img src=x onerror='window.hacked = 3'>",
    "code_url": "javascript:window.hacked=4",
    "licence": "<!--\u2028\u2029",
}


@pytest.fixture(scope="session")
def results() -> dict:
    """Rows of real searches, on one chip and on eight, and one with hostile names."""
    suite = small_suite(["mlp-xs", "mlp-deep-8chip"], budget=8, seeds=2)
    made = board(suite, ["hillclimb", "random", "lava-default"])
    rows = made["tracks"][SEARCH]["rows"]
    rows.append({**deepcopy(rows[-1]), **HOSTILE, "rank": 4, "score_ppm": 99_999, "wins": 10})
    return made


@pytest.fixture(scope="session")
def url(results, tmp_path_factory) -> str:
    file = tmp_path_factory.mktemp("site") / "index.html"
    file.write_text(page([results]), encoding="utf-8")
    return file.as_uri()


@pytest.fixture(scope="session")
def browser() -> Iterator[webdriver.Chrome]:
    try:
        driver = _start()
    except (WebDriverException, OSError) as error:
        said = f"no Chromium could be started: {str(error).splitlines()[0]}"
        if os.environ.get("CI"):
            pytest.fail(f"CI must test the page: {said}")
        not_tested.append(said)
        pytest.skip(said)
    yield driver
    driver.quit()


@pytest.fixture
def viewer(browser, url) -> Iterator[Viewer]:
    """The page, newly opened; it must have asked and complained of nothing when a test ends."""
    viewer = Viewer(browser, url)
    viewer.open()
    yield viewer
    viewer.require_quiet()


def _start() -> webdriver.Chrome:
    """Debian's Chromium with its driver, or whatever else Selenium finds or can fetch."""
    os.environ.setdefault("SE_AVOID_STATS", "true")
    os.environ.setdefault("SE_TIMEOUT", "60")
    options = webdriver.ChromeOptions()
    for flag in FLAGS:
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    found = [path for path in map(shutil.which, BROWSERS) if path]
    driver = shutil.which("chromedriver")
    if not found or not driver:
        return webdriver.Chrome(options=options)
    options.binary_location = found[0]
    return webdriver.Chrome(options=options, service=Service(driver))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    if not_tested:
        terminalreporter.section("THE LEADERBOARD'S PAGE WAS NOT TESTED", sep="!", red=True)
        terminalreporter.line(not_tested[0], red=True)
