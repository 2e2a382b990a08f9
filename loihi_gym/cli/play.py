"""The command that lets a person search."""

import webbrowser
from pathlib import Path

import click

from ..benchmarks import load
from ..errors import LoihiGymError, ServerError
from ..mapping import Mapping
from ..search.config import Config
from ..search.run import search
from . import options
from .app import app
from .output import show
from .progress import progress

FILE = "played.json"


@app.command(
    epilog="Example: loihi-gym play mlp-xs. What you save: loihi-gym evaluate mlp-xs played.json"
)
@click.argument("benchmark", metavar="BENCHMARK")
@click.option("--start", metavar="MAPPING", help="Begin with this one.  [default: the reference]")
@click.option("--ghost", metavar="MAPPING", help="Beat this one.  [default: a search's best]")
@click.option("--solver", default="ga", show_default=True, metavar="NAME", help="What searches it.")
@options.number("--budget", 1, 500, "Evaluations that the search has.")
@options.seed
@options.port(0)
@click.option("--no-browser", is_flag=True, help="Open no browser; the address is printed.")
@options.output("FILE", f"Where saved mappings go.  [default: {FILE}]", ".json", required=False)
def play(
    benchmark: str,
    start: str | None,
    ghost: str | None,
    solver: str,
    budget: int,
    seed: int,
    port: int,
    no_browser: bool,
    output: str | None,
) -> None:
    """Move the pieces of BENCHMARK by hand in a browser, and see at once what it does.

    Swap two pieces, give a layer a core or take one, and beat what a search has found. The game
    listens to this machine alone, and to who has the address that is printed.
    """
    try:
        from ..play.game import Game
        from ..play.game_server import serve
    except ImportError as error:
        raise ServerError(f'playing needs {error.name}; pip install "loihi-gym[server]"') from error
    path = _file(output)
    problem = load(benchmark)
    first = problem.reference_mapping if start is None else options.read_mapping(problem, start)
    if ghost is None:
        best, name = _searched(Config(solver, benchmark, budget, seed)), f"{solver}, {budget}"
        name += " evaluations"
    else:
        best, name = options.read_mapping(problem, ghost), ghost
    game = Game(problem, first, best, name, path)

    def ready(address: str) -> None:
        show(f"play at {address}", f"saved mappings go to {path}; Ctrl+C ends the game")
        if not no_browser:
            webbrowser.open(address)

    serve(game, port, ready)


def _file(output: str | None) -> Path:
    """Where to save; what nobody has named is never overwritten."""
    if output is not None:
        return Path(output)
    if Path(FILE).exists():
        raise LoihiGymError(f"{FILE} is there already: name a file to save to by -o")
    return Path(FILE)


def _searched(config: Config) -> Mapping:
    with progress("evaluations") as update:
        outcome = search(
            config,
            on_progress=lambda session: update(
                "searching a mapping to beat", session.evaluations, config.budget
            ),
        )
    return outcome.mapping
