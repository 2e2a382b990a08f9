"""What the build adds to the metadata: README.md as the package index shows it.

There a relative link leads nowhere. Once `Repository` stands among the project's urls, every link
and picture of the page is made absolute.
"""

import re
from pathlib import Path
from typing import Any

from hatchling.metadata.plugin.interface import MetadataHookInterface

LINK = re.compile(r"(!?)(\[[^\]]*\])\((?![a-z]+:|#)([^)\s]+)\)")
BRANCH = "main"


class Readme(MetadataHookInterface):
    """Called by hatchling for sdist and wheel."""

    def update(self, metadata: dict[str, Any]) -> None:
        """Set `readme`."""
        root = Path(self.root)
        text = (root / "README.md").read_text(encoding="utf-8")
        address = metadata.get("urls", {}).get("Repository")
        if address:
            text = absolute(text, address.rstrip("/"))
        metadata["readme"] = {"content-type": "text/markdown", "text": text}


def absolute(text: str, address: str) -> str:
    """The page with its relative links and pictures at the repository's address."""

    def made(found: re.Match[str]) -> str:
        picture, name, path = found.groups()
        return f"{picture}{name}({address}/{'raw' if picture else 'blob'}/{BRANCH}/{path})"

    return LINK.sub(made, text)
