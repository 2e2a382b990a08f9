"""The command line, `loihi-gym`: it parses, calls the library, and prints.

One module per group of commands; `app` lists them all and imports a module when one of its
commands is called.
"""

from .app import main

__all__ = ["main"]
