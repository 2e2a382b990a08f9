"""The package as a user gets it: light to import, built as a wheel, run outside the checkout."""

import json
import subprocess
import sys
import sysconfig
import venv
from pathlib import Path

ROOT = Path(__file__).parent.parent
HEAVY = (
    *("torch", "pygad", "matplotlib", "stable_baselines3", "sb3_contrib", "tensorboard"),
    *("fastapi", "uvicorn", "httpx", "lava", "sanafe", "h5py", "nir", "ray", "sklearn", "mlxtend"),
)


def test_the_import_is_light():
    code = f"import loihi_gym, sys; print([m for m in {HEAVY} if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_importing_twice_registers_once():
    code = (
        "import importlib, gymnasium, loihi_gym; importlib.reload(loihi_gym); "
        "print('LoihiPlace-v0' in gymnasium.registry)"
    )
    done = subprocess.run([sys.executable, "-W", "error", "-c", code], capture_output=True)
    assert done.stdout.strip() == b"True", done.stderr


def test_the_wheel_solves_outside_the_checkout(tmp_path):
    build = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "-w", str(tmp_path)]
    subprocess.run([*build, str(ROOT)], check=True)
    (wheel,) = tmp_path.glob("loihi_gym-*.whl")
    # A fresh environment that sees what this one has installed, but not this checkout.
    venv.create(tmp_path / "env", with_pip=False)
    python = tmp_path / "env" / "bin" / "python"
    site = tmp_path / "env" / "lib" / f"python{sysconfig.get_python_version()}" / "site-packages"
    installed = sysconfig.get_paths()["purelib"]
    (site / "shared.pth").write_text(f"import sys; sys.path.append({installed!r})\n")
    install = [sys.executable, "-m", "pip", "--python", str(python), "install", "--quiet"]
    subprocess.run([*install, "--no-deps", str(wheel)], check=True)
    command = [str(python.with_name("loihi-gym")), "solve", "ga", "mlp-xs", "--budget", "200"]
    done = subprocess.run(
        [*command, "--json"], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    result = json.loads(done.stdout.strip().splitlines()[-1])
    assert result["evaluations"] == 200
    assert result["reduction"] >= 0
    assert (tmp_path / "runs" / "mlp-xs" / "ga-seed0" / "mapping.json").exists()
    found = subprocess.run(
        [str(python), "-c", "import loihi_gym, loihi_gym_baselines; print(loihi_gym.__file__)"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
    )
    assert found.stdout.startswith(str(site))
