"""Put a button that opens it in Colab into each notebook, once the repository has an address.

    python tools/badges.py

The address is `Repository` among the urls in pyproject.toml. Colab opens notebooks of GitHub alone;
while there is no such address the buttons are taken out.
"""

import json
import sys
import tomllib
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
GITHUB = "https://github.com/"
COLAB = "https://colab.research.google.com"


def main() -> int:
    """Write each notebook anew."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    address = project["urls"].get("Repository", "")
    for path in sorted((ROOT / "docs" / "notebooks").glob("*.ipynb")):
        path.write_text(with_badge(path, address), encoding="utf-8")
    return 0


def with_badge(path: Path, address: str) -> str:
    """The notebook's text, with the button under its heading or without one."""
    notebook: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    first = notebook["cells"][0]
    heading, *rest = "".join(first["source"]).split("\n\n")
    parts = [heading, *badge(path, address), *(part for part in rest if COLAB not in part)]
    first["source"] = "\n\n".join(parts).splitlines(keepends=True)
    return json.dumps(notebook, indent=1, ensure_ascii=False) + "\n"


def badge(path: Path, address: str) -> list[str]:
    """The button of a notebook, if there is an address that Colab can open."""
    if not address.startswith(GITHUB):
        return []
    where = f"{address.removeprefix(GITHUB).rstrip('/')}/blob/main/docs/notebooks/{path.name}"
    picture = f"{COLAB}/assets/colab-badge.svg"
    return [f"[![Open in Colab]({picture})]({COLAB}/github/{where})"]


if __name__ == "__main__":
    sys.exit(main())
