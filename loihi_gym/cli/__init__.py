"""The command line, `loihi-gym`: it parses, calls the library, and prints.

One module per group of commands; each adds its own to the group in `app`. Importing a module is
what makes its commands known, in the order of `--help`.
"""

# ruff: noqa: F401
from . import problems  # isort: skip
from . import search  # isort: skip
from . import replay  # isort: skip
from . import sensitivity  # isort: skip
from . import compare  # isort: skip
from . import compare_backends  # isort: skip
from . import lava, verify  # isort: skip
from . import leaderboard  # isort: skip
from . import networks, serve, calibrate  # isort: skip
from .app import main

__all__ = ["main"]
