"""Pythons of their own, for tests of what is installed."""

import os
import subprocess
import sys
import sysconfig
import venv
from pathlib import Path


def fresh_python(folder: Path, *beside: Path) -> Path:
    """An interpreter that sees what this one has installed, this checkout not, and `beside`."""
    venv.create(folder, with_pip=False)
    site = folder / "lib" / f"python{sysconfig.get_python_version()}" / "site-packages"
    # Appended as paths alone: their .pth files, and with them this checkout, are not followed.
    seen = [path for path in sys.path if path.endswith("site-packages")] + [*map(str, beside)]
    lines = [f"import sys; sys.path.append({path!r})" for path in seen]
    (site / "shared.pth").write_text("\n".join(lines) + "\n")
    return folder / "bin" / "python"


def install(python: Path, source: Path) -> None:
    """Install a wheel, or a folder with a pyproject.toml, without what it needs."""
    pip = [sys.executable, "-m", "pip", "--python", str(python), "install", "--quiet", "--no-deps"]
    subprocess.run([*pip, str(source)], check=True)


def said(words: list[str], cwd: Path) -> str:
    """What a command prints, where no variable says where modules are."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    done = subprocess.run(words, cwd=cwd, env=clean, capture_output=True, text=True, check=True)
    return done.stdout
