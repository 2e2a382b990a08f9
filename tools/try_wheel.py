"""Install the wheel into clean environments, and do there what the docs say.

    python tools/try_wheel.py                                  # the wheel alone, on this Python
    python tools/try_wheel.py --python python3.12 --python python3.13
    python tools/try_wheel.py --extras plot,import             # each in an environment of its own
    python tools/try_wheel.py --extras all                     # rl and train bring torch: gigabytes

The wheel alone does the quick start, and says of each extra's command which extra it needs. Exit
code 1 and the command's output if anything goes otherwise.
"""

import argparse
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).parents[1]
Command = tuple[str, ...]
CLI, PYTHON = "loihi-gym", "python"


def cli(words: str) -> Command:
    """A command of the package."""
    return CLI, *words.split()


QUICK_START: tuple[Command, ...] = (
    cli("--version"),
    cli("solve map mlp-xs --budget 300 --out run -o mapping.json"),
    cli("evaluate mlp-xs mapping.json"),
    cli("render mlp-xs mapping.json"),
    (PYTHON, "-c", "import loihi_gym; print(loihi_gym.solve('mlp-xs', 60))"),
    (
        *(PYTHON, "-W", "error", "-c"),
        "import gymnasium, loihi_gym; env = gymnasium.make('LoihiSwap-v0', benchmark='mlp-xs')\n"
        "env.reset(seed=0); print(env.step(env.action_space.sample())[1])",
    ),
)
WEIGHTS = (
    "import numpy as np; rng = np.random.default_rng(0); np.save('x.npy', rng.random((8, 16)))\n"
    "w = [rng.normal(0.1, 0.3, s).astype(np.float32) for s in ((32, 16), (10, 32))]\n"
)
SAFETENSORS = (
    "from safetensors.numpy import save_file\n"
    "save_file({'fc1.weight': w[0], 'fc2.weight': w[1]}, 'net.safetensors'); print('net')"
)
TORCH = (
    "import torch; net = torch.nn.Sequential(torch.nn.Linear(16, 32, bias=False), torch.nn.ReLU(),"
    " torch.nn.Linear(32, 10, bias=False))\n"
    "with torch.no_grad(): net[0].weight[:], net[2].weight[:] = map(torch.tensor, w)\n"
    "torch.save(net, 'net.pt'); print('net')"
)
SERVED = """
import socket, subprocess, sys, time
with socket.socket() as free:
    free.bind(("127.0.0.1", 0))
    port = free.getsockname()[1]
server = subprocess.Popen([sys.argv[1], "serve", "--port", str(port)])
words = [sys.argv[1], *"evaluate mlp-xs packed/hilbert --backend".split()]
for _ in range(60):
    time.sleep(1)
    done = subprocess.run([*words, f"http://127.0.0.1:{port}"], capture_output=True, text=True)
    if done.returncode == 0:
        break
server.terminate()
server.wait()
print(done.stdout, done.stderr)
sys.exit(done.returncode)
"""
COMPARED = "compare sparse-mlp-v2 --problems policy --budgets 60 --seeds 2 --out compared"
IMPORTED = "--activity x.npy -o net.npz --steps 2"
EXTRAS: dict[str, tuple[Command, ...]] = {
    "plot": (
        cli("render mlp-xs packed/hilbert -o mesh.png"),
        cli("replay run -o run.gif --frames 4"),
    ),
    "video": (cli("replay run -o run.mp4 --frames 4"),),
    "compare": (
        cli("solve cma mlp-xs --budget 60"),
        cli(f"{COMPARED} --solvers cma,random"),
    ),
    "nevergrad": (cli("solve nevergrad mlp-xs --budget 60"),),
    "import": (
        (PYTHON, "-c", WEIGHTS + SAFETENSORS),
        cli(f"import net.safetensors {IMPORTED}"),
    ),
    "server": (
        (PYTHON, "-c", SERVED, CLI),
        (PYTHON, "-c", "from loihi_gym.play import game_server; print(game_server)"),
    ),
    "sanafe": (cli("evaluate mlp-xs packed/hilbert --backend sanafe"),),
    "rl": (cli("solve maskable-ppo mlp-xs --budget 60"),),
    "train": (
        (PYTHON, "-c", WEIGHTS + TORCH),
        cli(f"import net.pt {IMPORTED}"),
    ),
    "ray": (cli(f"{COMPARED} --solvers random --executor ray"),),
}
"""What each extra is for; `dev`, `docs` and `perf` are for a clone."""
REFUSED: dict[str, Command] = {
    "plot": cli("render mlp-xs packed/hilbert -o mesh.png"),
    "compare": cli("solve cma mlp-xs --budget 60"),
    "server": cli("serve"),
    "sanafe": cli("evaluate mlp-xs packed/hilbert --backend sanafe"),
    "rl": cli("solve maskable-ppo mlp-xs --budget 60"),
}
"""What the wheel alone answers by naming the extra, with exit code 2."""


class Clean:
    """An environment of its own, in which nothing of this checkout is seen."""

    def __init__(self, python: str, folder: Path, wheel: str) -> None:
        folder.mkdir()
        self.python, self.folder = python, folder
        self._bin = folder / "venv" / ("Scripts" if os.name == "nt" else "bin")
        self.say(python, "-m", "venv", str(folder / "venv"))
        self.say(PYTHON, "-m", "pip", "install", "--quiet", wheel)

    def say(self, *command: str, code: int = 0) -> str:
        """What a command prints; it has to end with that exit code."""
        settings = {k: v for k, v in os.environ.items() if not k.startswith("PYTHON")}
        words = [str(self._bin / word) if word in (CLI, PYTHON) else word for word in command]
        done = subprocess.run(words, cwd=self.folder, env=settings, capture_output=True, text=True)
        if done.returncode != code:
            shown = " ".join(command)[:200]
            sys.exit(f"{self.python}: {shown}\nexit code {done.returncode}\n{done.stderr}")
        return done.stdout or done.stderr


def build(folder: Path) -> Path:
    """The wheel, by way of the sdist."""
    command = [sys.executable, "-m", "build", "--outdir", str(folder), str(ROOT)]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    return next(folder.glob("*.whl"))


def try_alone(python: str, folder: Path, wheel: Path) -> None:
    """The quick start, and what is said where an extra is missing."""
    clean = Clean(python, folder, str(wheel))
    for command in QUICK_START:
        print(f"  {clean.say(*command).splitlines()[0]}", flush=True)
    for extra, command in REFUSED.items():
        said = clean.say(*command, code=2)
        if not re.search(rf'"loihi-gym\[{extra}\]"', said):
            sys.exit(f"{python}: {' '.join(command)} does not name the extra {extra}: {said}")


def try_extra(python: str, folder: Path, wheel: Path, extra: str) -> None:
    """An extra's commands, with that extra alone."""
    clean = Clean(python, folder, f"{wheel}[{extra}]")
    clean.say(*QUICK_START[1])
    for command in EXTRAS[extra]:
        clean.say(*command)


def main(words: Sequence[str] | None = None) -> None:
    """Try what the command line asks for."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--python", action="append", help="once for each; this one by default")
    parser.add_argument("--extras", default="", help="with commas, or all")
    parser.add_argument("--wheel", type=Path, help="built from this checkout by default")
    asked = parser.parse_args(words)
    extras = list(EXTRAS) if asked.extras == "all" else list(filter(None, asked.extras.split(",")))
    with tempfile.TemporaryDirectory() as name:
        wheel = asked.wheel or build(Path(name) / "dist")
        for number, python in enumerate(asked.python or [sys.executable]):
            print(f"{python}: the wheel alone", flush=True)
            try_alone(python, Path(name) / f"{number}-alone", wheel)
            for extra in extras:
                try_extra(python, Path(name) / f"{number}-{extra}", wheel, extra)
                print(f"{python}: {extra}, which suffices for its commands", flush=True)


if __name__ == "__main__":
    main()
