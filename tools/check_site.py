"""Check a built site: every link inside it leads somewhere, and no page loads from another host.

    python tools/check_site.py build/site

Prints a line for each fault; exit code 1 if there is one.
"""

import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

LOADS = {
    ("script", "src"),
    ("img", "src"),
    ("iframe", "src"),
    ("source", "src"),
    ("video", "src"),
    ("object", "data"),
    ("embed", "src"),
}
"""What a browser fetches as it shows a page; of `link` elements those that are no mere relation."""
RELATIONS = {"canonical", "next", "prev", "author", "license", "index", "search"}
IN_CSS = re.compile(r"url\(\s*['\"]?([^'\")]+)|@import\s+['\"]([^'\"]+)")
IN_JS = re.compile(r"(?:fetch|import|importScripts|open)\(\s*['\"`]((?:https?:)?//[^'\"`]+)")


@dataclass
class Page(HTMLParser):
    """What a page links to, loads, and can be linked at."""

    links: list[str] = field(default_factory=list)
    loads: list[str] = field(default_factory=list)
    anchors: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        super().__init__()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note an element's addresses and names."""
        given = {name: value or "" for name, value in attrs}
        self.anchors |= {given[name] for name in ("id", "name") if name in given}
        self.loads += [given[name] for kind, name in LOADS if kind == tag and name in given]
        relations = set(given.get("rel", "").split())
        if tag == "link" and not relations <= RELATIONS:
            self.loads.append(given.get("href", ""))
        elif tag in ("a", "link") and "href" in given:
            self.links.append(given["href"])


def faults(site: Path) -> Iterator[str]:
    """A line for each."""
    for path in sorted(site.rglob("*.html")):
        page = read(path)
        for address in page.loads:
            if elsewhere(address) and not address.startswith("data:"):
                yield f"{path.relative_to(site)} loads {address}"
        for address in page.links + page.loads:
            if not elsewhere(address) and not leads_somewhere(path, address):
                yield f"{path.relative_to(site)} links to {address}, which is not there"
    for pattern, suffix in ((IN_CSS, "css"), (IN_JS, "js"), (IN_CSS, "html")):
        for path in sorted(site.rglob(f"*.{suffix}")):
            for found in pattern.findall(path.read_text(encoding="utf-8")):
                address = found if isinstance(found, str) else found[0] or found[1]
                if re.match(r"(https?:)?//", address):
                    yield f"{path.relative_to(site)} loads {address}"


@cache
def read(path: Path) -> Page:
    """A page, parsed."""
    page = Page()
    page.feed(path.read_text(encoding="utf-8"))
    return page


def elsewhere(address: str) -> bool:
    """Whether an address is not within the site."""
    return bool(urlsplit(address).scheme) or address.startswith("//")


def leads_somewhere(path: Path, address: str) -> bool:
    """Whether there is such a file and, in a page, such an anchor."""
    parts = urlsplit(address)
    target = (path.parent / unquote(parts.path)).resolve() if parts.path else path
    if not target.is_file():
        return False
    fragment = unquote(parts.fragment)
    return not fragment or target.suffix != ".html" or fragment in read(target).anchors


def main() -> int:
    """Check the site that the command line names."""
    found = list(faults(Path(sys.argv[1]).resolve()))
    print("\n".join(found) or "every link leads somewhere, and no page loads from another host")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
