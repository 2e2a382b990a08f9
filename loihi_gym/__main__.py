"""``python -m loihi_gym``: the same as the command `loihi-gym`."""

from .cli import main

main()
