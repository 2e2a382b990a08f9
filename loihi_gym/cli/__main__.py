"""``python -m loihi_gym.cli``: the same as the command `loihi-gym`."""

from . import main

main()
