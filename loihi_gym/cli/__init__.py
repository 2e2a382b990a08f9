"""The command line, `loihi-gym`: it parses, calls the library, and prints.

One module per group of commands; each adds its own to the group in `app`. Importing a module is
what makes its commands known, in the order of `--help`.
"""

from . import problems, replay, search
from .app import main

__all__ = ["main", "problems", "replay", "search"]
