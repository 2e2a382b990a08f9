"""Make the pictures of mappings, of a search and of the game that the docs show.

python docs/images/build.py            # all, in about two minutes
python docs/images/build.py --no-play  # without the game's, which needs Chromium and its driver
"""

import argparse
import shutil
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Thread

import matplotlib

from loihi_gym import load, make_backend
from loihi_gym.drawing import Shown, save, save_comparison
from loihi_gym.drawing.animation import animate, thinned
from loihi_gym.mapping import Mapping, Problem
from loihi_gym.mapping.visit import Visit
from loihi_gym.search.config import Config
from loihi_gym.search.run import search
from loihi_gym.search.trace import NAME, read_trace

HERE = Path(__file__).parent
BUDGET = 2000
SIZE = 1280, 760
FILM_BUDGET, FRAMES, FILM_DPI = 1000, 18, 76
"""Evaluations of the search that is filmed, its frames, and pixels to the inch."""


def main() -> int:
    """Search, then draw."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--no-play", action="store_true", help="leave out the game's picture")
    asked = parser.parse_args()
    film(load("mlp-deep"))
    draw(load("mlp-deep"), search(Config("ga", "mlp-deep", BUDGET)).mapping)
    if not asked.no_play:
        photograph(load("mlp-xs"), search(Config("ga", "mlp-xs", 500)).mapping)
    return 0


def draw(problem: Problem, found: Mapping) -> None:
    """One mapping, and two side by side."""
    mappings = problem.reference_mapping, found
    reference, best = make_backend("mesh", problem).evaluate_batch(mappings)
    save(HERE / "mlp-deep-ga.png", problem, found, best, reference)
    first = Shown(f"reference, {problem.reference}", mappings[0], reference)
    second = Shown(f"ga, {BUDGET:,} evaluations", found, best)
    save_comparison(HERE / "mlp-deep-compare.png", problem, first, second)


def film(problem: Problem) -> None:
    """What `map` goes through, as `loihi-gym replay` shows it, but smaller."""
    with TemporaryDirectory() as folder:
        run = Path(folder) / "run"
        reference = search(Config("map", problem.name, FILM_BUDGET), run).reference
        lines = read_trace(run / NAME)
    visits = [Visit(one.index, one.mapping, one.step_times_ps) for one in lines if one.mapping]
    latencies = [line.latency_ps for line in lines]
    with matplotlib.rc_context({"figure.dpi": FILM_DPI}):
        shown = thinned(visits, FRAMES)
        animate(HERE / "search.gif", problem, reference, shown, latencies, fps=3)


def photograph(problem: Problem, found: Mapping) -> None:
    """The game as it begins, with the ghost shown."""
    from loihi_gym.play.game import Game
    from loihi_gym.play.game_server import prepare

    game = Game(
        problem, problem.reference_mapping, found, "ga, 500 evaluations", Path("played.json")
    )
    server, listening, address = prepare(game, 0)
    serving = Thread(target=server.run, kwargs={"sockets": [listening]}, daemon=True)
    serving.start()
    screenshot(address, HERE / "play.png")
    server.should_exit = True
    serving.join()
    listening.close()


def screenshot(address: str, path: Path) -> None:
    """What Chromium shows once the ghost is asked for."""
    from selenium import webdriver
    from selenium.webdriver.chrome.service import Service
    from selenium.webdriver.support.ui import WebDriverWait

    options = webdriver.ChromeOptions()
    for flag in ("--headless=new", "--no-sandbox", "--disable-dev-shm-usage"):
        options.add_argument(flag)
    options.binary_location = shutil.which("chromium") or ""
    driver = webdriver.Chrome(options=options, service=Service(shutil.which("chromedriver")))
    size = {"width": SIZE[0], "height": SIZE[1], "deviceScaleFactor": 1, "mobile": False}
    driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
    driver.get(address)
    ghost = "return document.querySelector('[data-key=ghost]')"
    WebDriverWait(driver, 30).until(lambda _: driver.execute_script(ghost)).click()
    driver.save_screenshot(str(path))
    driver.quit()


if __name__ == "__main__":
    sys.exit(main())
