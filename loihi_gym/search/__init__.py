"""The search frame: what every solver uses, and no solver is.

- `session`: what a solver sees: budget, chance, best, evaluate; `ledger` counts for it, `costs`
  what it spends beside
- `recorder` listens to a session and writes it down: `trace`, a line per evaluation, and `curves`
  for TensorBoard
- `registry`: solvers by name, from installed packages
- `config`: what a search is asked to do
- `run`: a search on disk: begun, resumed, finished
- `solving`: a search in one call
- `storage`: its files, whose every failure is one line
"""

from .config import Config
from .registry import solver_names
from .run import Outcome, resume, search
from .session import BudgetSpent, Session
from .solving import solve

__all__ = [
    "BudgetSpent",
    "Config",
    "Outcome",
    "Session",
    "resume",
    "search",
    "solve",
    "solver_names",
]
