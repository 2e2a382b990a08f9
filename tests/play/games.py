"""A game on the smallest benchmark, on a real port."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Thread

from loihi_gym import heuristic, load
from loihi_gym.play.game import Game
from loihi_gym.play.game_server import prepare


def game(path: Path) -> Game:
    problem = load("mlp-xs")
    ghost = heuristic(problem, "balanced/row-major")
    return Game(problem, problem.reference_mapping, ghost, "somebody <b>", path)


@contextmanager
def running(made: Game) -> Iterator[str]:
    """The address of a game, served until the end of the block."""
    server, listening, address = prepare(made, 0)
    thread = Thread(target=server.run, kwargs={"sockets": [listening]}, daemon=True)
    with listening:
        thread.start()
        yield address  # connections wait in the socket until the server takes them
        server.should_exit = True
        thread.join(30)
        assert not thread.is_alive()
