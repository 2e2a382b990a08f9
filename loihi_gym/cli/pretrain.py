"""The command that trains what solvers begin with."""

from pathlib import Path

import click

from ..plugins import PluginGroup
from . import options
from .app import app
from .output import show, show_json, table
from .progress import progress

POLICIES = PluginGroup("loihi_gym.pretraining", "policy to be trained")
"""Functions that train: they take a directory, the numbers below and `Update`, return a card."""


@app.command(epilog="Example: loihi-gym pretrain refine --out runs/refine --networks 20")
@click.argument("policy", metavar="POLICY")
@options.folder("--out", "Where to train, or to go on after a kill.", required=True)
@options.seed
@options.number("--rounds", 1, 4, "Rounds, each led by what those before it taught.")
@options.number("--networks", 1, 150, "Networks in each round, of a family's train part.")
@options.number("--evaluations", 1, 150, "Evaluations on each network.")
@options.json
def pretrain(
    policy: str, out: str, seed: int, rounds: int, networks: int, evaluations: int, as_json: bool
) -> None:
    """Train what the solver POLICY begins with on generated networks, simulated on mesh.

    The defaults are how the weights that come with the package were made. Killed and called again
    with the same numbers and directory, it goes on and ends with the same weights.
    """
    train = POLICIES.load(policy)
    with progress("networks") as update:
        card = train(Path(out), seed, rounds, networks, evaluations, update)
    if as_json:
        show_json(card)
        return
    rows = table("", "", title=f"Weights of {policy} in {out}", left=(1,))
    for name, value in card.items():
        rows.add_row(name, str(value))
    show(rows)
