"""Where the worker's own Python 3.10 environment is, and how it is made."""

import json
import os
import shutil
import subprocess
from pathlib import Path

from filelock import FileLock

from ...errors import LavaSetupError
from ...files import write_text

LAVA = "lava-nc==0.10.0"
"""The last release: Lava's repositories are archived. It needs Python 3.10."""

HOME_VARIABLE = "LOIHI_GYM_LAVA_HOME"
PYTHON_VARIABLE = "LOIHI_GYM_LAVA_PYTHON"
INSTALL_SECONDS = 1800


def home() -> Path:
    """Folder of the worker's environment: $LOIHI_GYM_LAVA_HOME, or in the user's data folder."""
    if chosen := os.environ.get(HOME_VARIABLE):
        return Path(chosen).expanduser().absolute()
    data = os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share"
    return Path(data) / "loihi-gym" / "lava"


def worker_python() -> Path:
    """The interpreter that runs the worker.

    It is the one in `home`, unless $LOIHI_GYM_LAVA_PYTHON names another, such as the Python of an
    environment that has Intel's lava-loihi.

    Raises:
        LavaSetupError: if there is none; says how to get it.
    """
    if chosen := os.environ.get(PYTHON_VARIABLE):
        if not os.access(chosen, os.X_OK):
            raise LavaSetupError(f"${PYTHON_VARIABLE} is {chosen}, which is not a program")
        return Path(chosen).absolute()
    if not installed():
        raise LavaSetupError(
            f"Lava's environment is not installed in {home()}; run: loihi-gym lava install"
        )
    return _python(home())


def installed() -> bool:
    """Whether `install` has finished in `home`, for this version of Lava."""
    try:
        ready = json.loads(_marker(home()).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return False
    return ready == {"lava": LAVA} and _python(home()).exists()


def install() -> Path:
    """Make the worker's environment, unless it is there; returns its interpreter.

    Raises:
        LavaSetupError: if no Python 3.10 can be found, or the installation fails.
    """
    folder = home()
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise LavaSetupError(f"{folder} cannot be made: {error.strerror}") from error
    with FileLock(folder / "install.lock"):  # one at a time
        if not installed():
            _make(folder)
            write_text(_marker(folder), json.dumps({"lava": LAVA}))
    return _python(folder)


def _make(folder: Path) -> None:
    environment = folder / "env"
    shutil.rmtree(environment, ignore_errors=True)
    if (uv := shutil.which("uv")) and _made_by_uv(uv, environment):
        return
    _run([find_python(), "-m", "venv", str(environment)])
    pip = [str(_python(folder)), "-m", "pip", "install", "--disable-pip-version-check"]
    _run([*pip, LAVA])


def _made_by_uv(uv: str, environment: Path) -> bool:
    """Whether uv could; it may find no Python 3.10 and be unable to download one."""
    try:
        # With pip in it, so that lava-loihi can be added as Intel describes.
        _run([uv, "venv", "--seed", "--python", "3.10", str(environment)])
    except LavaSetupError:
        shutil.rmtree(environment, ignore_errors=True)
        return False
    _run([uv, "pip", "install", "--python", str(environment / "bin" / "python"), LAVA])
    return True


def find_python() -> str:
    """A Python 3.10: one on the PATH, or one of pyenv's.

    Raises:
        LavaSetupError: if there is none; names the commands that would bring one.
    """
    on_path = shutil.which("python3.10")
    pyenv = Path(os.environ.get("PYENV_ROOT") or Path.home() / ".pyenv")
    candidates = [on_path] if on_path else []
    candidates += sorted(str(path) for path in pyenv.glob("versions/3.10.*/bin/python3.10"))
    for candidate in candidates:
        if _is_python_310(candidate):
            return candidate
    raise LavaSetupError(
        f"no Python 3.10 was found, and {LAVA} needs one, which no extra can bring; run "
        "'pip install uv' (it fetches one) "
        "or 'pyenv install 3.10', then again: loihi-gym lava install"
    )


def _is_python_310(program: str) -> bool:
    # A shim of pyenv is on the PATH, but fails, where pyenv has that version without using it.
    command = [program, "-c", "import sys, ensurepip; print(sys.version_info[:2])"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return False
    return done.stdout.strip() == "(3, 10)"


def _run(command: list[str]) -> None:
    environment = {k: v for k, v in os.environ.items() if k not in ("PYTHONPATH", "PYTHONHOME")}
    try:
        done = subprocess.run(
            command,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=INSTALL_SECONDS,
            env=environment,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise LavaSetupError(f"'{' '.join(command)}' failed: {error}") from error
    if done.returncode != 0:
        last = (done.stdout.strip().splitlines() or ["no output"])[-1]
        raise LavaSetupError(f"'{' '.join(command)}' failed: {last}")


def _python(folder: Path) -> Path:
    return folder / "env" / "bin" / "python"


def _marker(folder: Path) -> Path:
    return folder / "ready.json"
