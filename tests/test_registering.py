"""The environments are registered however Gymnasium and this package are imported."""

import subprocess
import sys

import pytest

MADE = "print(gymnasium.make('LoihiPlace-v0', benchmark='mlp-xs').spec.id)"
IMPORTS = {
    "this first": "import loihi_gym, gymnasium",
    "gymnasium first": "import gymnasium, loihi_gym",
    "looked for before": "import importlib.util, loihi_gym; importlib.util.find_spec('gymnasium'); "
    "import gymnasium",
    "a part of it": "import loihi_gym; from gymnasium import spaces; import gymnasium",
    "by the id": "import gymnasium; gymnasium.make('loihi_gym:LoihiPlace-v0', benchmark='mlp-xs')",
    "reloaded": "import importlib, loihi_gym, gymnasium; importlib.reload(gymnasium)",
}


@pytest.mark.parametrize("order", IMPORTS)
def test_every_order_registers(order):
    code = f"{IMPORTS[order]}; {MADE}"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.stdout.strip() == "LoihiPlace-v0", done.stderr


def test_every_public_name_is_there():
    code = (
        "import sys, loihi_gym; light = 'numpy' not in sys.modules; "
        "[getattr(loihi_gym, name) for name in loihi_gym.__all__]; loihi_gym.backends.mesh; "
        "print(light, set(loihi_gym.__all__) <= set(dir(loihi_gym)), hasattr(loihi_gym, 'nothing'))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["True", "True", "False"]
