"""The search frame: what every solver uses, and no solver is.

session    what a solver sees: budget, chance, best, evaluate
registry   solvers by name, from installed packages
run        a search on disk: begun, resumed, finished
trace      every evaluation, one line each
event_log  TensorBoard
"""

from .registry import solver_names
from .run import Config, Outcome, resume, search
from .session import BudgetSpent, Session

__all__ = ["BudgetSpent", "Config", "Outcome", "Session", "resume", "search", "solver_names"]
