import json
import subprocess
from pathlib import Path

import pytest

from loihi_gym.backends.lava import home, install, installed, worker_python
from loihi_gym.errors import LavaSetupError

MAKES_ENV = """
for last; do :; done
mkdir -p "$last/bin" && : > "$last/bin/python" && chmod +x "$last/bin/python"
"""


@pytest.fixture
def folder(tmp_path, monkeypatch) -> Path:
    """An empty home, an empty PATH but for the shell's tools, and no pyenv."""
    monkeypatch.delenv("LOIHI_GYM_LAVA_PYTHON", raising=False)
    monkeypatch.setenv("LOIHI_GYM_LAVA_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("PYENV_ROOT", str(tmp_path / "pyenv"))
    (tmp_path / "bin").mkdir()
    for tool in ("sh", "mkdir", "chmod", "cat"):
        (tmp_path / "bin" / tool).symlink_to(f"/bin/{tool}")
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    return tmp_path


def program(path: Path, text: str) -> Path:
    """A shell script."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)
    return path


def python310(path: Path, answer: str = "(3, 10)") -> Path:
    """Looks like a Python 3.10; makes an environment whose Python notes what it is to do."""
    inner = '#!/bin/sh\\necho "$@" >> "$0.log"\\n'
    return program(
        path,
        f"""
if [ "$1" = "-c" ]; then echo "{answer}"; exit 0; fi
for last; do :; done
mkdir -p "$last/bin"
printf '{inner}' > "$last/bin/python"
chmod +x "$last/bin/python"
""",
    )


def test_the_home_is_in_the_users_data_folder(monkeypatch, tmp_path):
    monkeypatch.delenv("LOIHI_GYM_LAVA_HOME", raising=False)
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    assert home.home() == tmp_path / "loihi-gym" / "lava"
    monkeypatch.delenv("XDG_DATA_HOME")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert home.home() == tmp_path / ".local" / "share" / "loihi-gym" / "lava"


def test_the_home_can_be_chosen(monkeypatch, tmp_path):
    monkeypatch.setenv("LOIHI_GYM_LAVA_HOME", "~/somewhere")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert home.home() == tmp_path / "somewhere"


def test_another_interpreter_can_be_chosen(folder, monkeypatch):
    other = python310(folder / "other")
    monkeypatch.setenv("LOIHI_GYM_LAVA_PYTHON", str(other))
    assert worker_python() == other
    monkeypatch.setenv("LOIHI_GYM_LAVA_PYTHON", str(folder / "absent"))
    with pytest.raises(LavaSetupError, match="absent, which is not a program"):
        worker_python()


def test_without_any_python_the_commands_are_named(folder):
    with pytest.raises(LavaSetupError) as raised:
        install()
    for part in ("no Python 3.10", "pip install uv", "pyenv install 3.10", "lava install"):
        assert part in str(raised.value)
    assert not installed()


def test_a_python_on_the_path_is_taken(folder):
    python310(folder / "bin" / "python3.10")
    python = install()
    assert python == folder / "home" / "env" / "bin" / "python" == worker_python()
    assert installed()
    log = Path(f"{python}.log").read_text()
    assert log == "-m pip install --disable-pip-version-check lava-nc==0.10.0\n"


def test_a_shim_that_fails_is_passed_over_for_pyenvs(folder):
    program(folder / "bin" / "python3.10", "echo 'pyenv: command not found' >&2; exit 127")
    inside = python310(folder / "pyenv" / "versions" / "3.10.13" / "bin" / "python3.10")
    assert home.find_python() == str(inside)


def test_a_python_that_is_not_3_10_is_passed_over(folder):
    python310(folder / "bin" / "python3.10", answer="(3, 9)")
    with pytest.raises(LavaSetupError, match=r"no Python 3\.10"):
        home.find_python()


def test_uv_is_taken_if_present(folder):
    text = 'echo "$@" >> "${0%/*}/uv.log"\nif [ "$1" = venv ]; then\n' + MAKES_ENV + "fi"
    program(folder / "bin" / "uv", text)
    python = install()
    assert (folder / "bin" / "uv.log").read_text().splitlines() == [
        f"venv --seed --python 3.10 {folder}/home/env",
        f"pip install --python {python} lava-nc==0.10.0",
    ]


def test_a_uv_without_python_3_10_is_passed_over(folder):
    program(folder / "bin" / "uv", "echo 'no interpreter found' >&2; exit 2")
    python310(folder / "bin" / "python3.10")
    assert install().exists()


def test_an_installation_that_fails_is_no_installation(folder):
    bad = folder / "bin" / "python3.10"
    python310(bad)
    bad.write_text(bad.read_text().replace('echo "$@"', 'echo "no such package"; exit 1; echo'))
    with pytest.raises(LavaSetupError, match=r"pip install.*failed: no such package$"):
        install()
    assert not installed()
    python310(bad)
    assert install().exists()


def test_an_installation_is_made_once(folder, monkeypatch):
    python310(folder / "bin" / "python3.10")
    install()
    monkeypatch.setattr(home, "_make", lambda _: pytest.fail("made again"))
    assert install() == worker_python()


def test_an_installation_of_another_version_is_replaced(folder):
    python310(folder / "bin" / "python3.10")
    python = install()
    marker = folder / "home" / "ready.json"
    marker.write_text(json.dumps({"lava": "lava-nc==0.9.0"}))
    with pytest.raises(LavaSetupError, match="lava install"):
        worker_python()
    (python.parent / "old").touch()
    install()
    assert not (python.parent / "old").exists()


def test_a_home_that_cannot_be_made_is_named(folder, monkeypatch):
    (folder / "file").touch()
    monkeypatch.setenv("LOIHI_GYM_LAVA_HOME", str(folder / "file" / "lava"))
    with pytest.raises(LavaSetupError, match="cannot be made"):
        install()


def test_lava_is_there(lava):
    code = "import lava.magma.core.process, importlib.metadata as m; print(m.version('lava_nc'))"
    done = subprocess.run([lava, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "0.10.0\n"
