"""The board as one HTML file: no server, no request, the same bytes from the same results.

The files in `site/` are the page; this module puts them and the data into one. What submissions say
(names, authors, addresses) is hostile: it is embedded as JSON that cannot end its element, and the
page's script shows it as text only. A content security policy forbids every request, and all
scripts and styles but the page's own.
"""

import base64
import hashlib
import json
import re
from collections.abc import Callable, Sequence
from importlib import resources
from typing import Any

from ..backends import make_backend
from ..benchmarks import load
from ..errors import BoardError
from ..mapping import Mapping, Problem
from .pictures import mapping_picture, mesh_picture

SCRIPTS = ("dom", "format", "state", "chart", "mesh", "detail", "table", "main")
"""Of `site/`, in the order in which they use each other."""
_SITE = resources.files(__package__) / "site"
_NOT_IN_A_SCRIPT = {ord(c): f"\\u{ord(c):04x}" for c in "<>&\u2028\u2029"}


def page(results: Sequence[dict[str, Any]], problem: Callable[[str], Problem] = load) -> str:
    """The page of all suites.

    Args:
        results: The content of `results/<suite>.json`, one per suite, in the order of the page.
        problem: Makes a problem of its name.

    Raises:
        BoardError: if a mapping does not replay to the latency that the results give.
    """
    style = _read("style.css")
    script = "\n".join(["(() => {", '"use strict";', *(_read(f"{s}.js") for s in SCRIPTS), "})();"])
    parts = {
        "POLICY": _policy(style, script),
        "STYLE": style,
        "DATA": embed([_suite(entry, problem) for entry in results]),
        "SCRIPT": script,
    }
    return re.sub(r"\{\{([A-Z]+)\}\}", lambda found: parts[found[1]], _read("page.html"))


def embed(data: object) -> str:
    """JSON for a script element: whatever its strings hold, it neither ends nor opens a tag."""
    text = json.dumps(data, ensure_ascii=True, allow_nan=False, separators=(",", ":"))
    return text.translate(_NOT_IN_A_SCRIPT)


def _read(name: str) -> str:
    return (_SITE / name).read_text(encoding="utf-8")


def _policy(style: str, script: str) -> str:
    """Everything is forbidden but this very style and this very script, by their hashes."""
    return (
        f"default-src 'none'; style-src {_hash(style)}; script-src {_hash(script)}; "
        "img-src data:; base-uri 'none'; form-action 'none'"
    )


def _hash(text: str) -> str:
    digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
    return f"'sha256-{digest}'"


def _suite(results: dict[str, Any], make: Callable[[str], Problem]) -> dict[str, Any]:
    """A suite's results with the pictures of its problems, and runs that point to them."""
    drawn = {
        entry["name"]: _Pictures(make(entry["name"]), entry["name"])
        for entry in results["problems"]
    }
    for track in results["tracks"].values():
        for row in track["rows"]:
            for entry in row["problems"]:
                for run in entry["runs"]:
                    drawn[entry["name"]].want(run, row["submission"])
    for pictures in drawn.values():
        pictures.replay()
    tracks = {
        name: {**track, "rows": [_row(row, drawn) for row in track["rows"]]}
        for name, track in results["tracks"].items()
    }
    problems = [{**entry, **drawn[entry["name"]].data()} for entry in results["problems"]]
    return {**results, "problems": problems, "tracks": tracks}


def _row(row: dict[str, Any], drawn: dict[str, "_Pictures"]) -> dict[str, Any]:
    problems = [
        {**entry, "runs": [drawn[entry["name"]].point(run) for run in entry["runs"]]}
        for entry in row["problems"]
    ]
    return {**row, "problems": problems}


class _Pictures:
    """The pictures of one problem: each distinct mapping is replayed and embedded once."""

    def __init__(self, problem: Problem, name: str) -> None:
        self._problem, self._name = problem, name
        self._wanted: dict[Mapping, tuple[int, str]] = {}
        self._numbers: dict[Mapping, int] = {}
        self._pictures: list[dict[str, Any]] = []

    def want(self, run: dict[str, Any], submission: str) -> None:
        self._wanted.setdefault(_mapping(run), (run["latency_ps"], submission))

    def replay(self) -> None:
        mappings = list(self._wanted)
        backend = make_backend("mesh", self._problem)
        for mapping, measured in zip(mappings, backend.evaluate_batch(mappings), strict=True):
            claimed, submission = self._wanted[mapping]
            if measured.latency_ps != claimed:
                raise BoardError(
                    f"{submission}: a mapping of {self._name} replays to {measured.latency_ps} ps, "
                    f"the results say {claimed} ps; run 'loihi-gym leaderboard build'"
                )
            self._numbers[mapping] = len(self._pictures)
            self._pictures.append(mapping_picture(self._problem, mapping, measured))

    def point(self, run: dict[str, Any]) -> dict[str, Any]:
        """The run with the number of its picture instead of its mapping."""
        rest = {k: v for k, v in run.items() if k not in ("cores_per_layer", "placement")}
        return {**rest, "picture": self._numbers[_mapping(run)]}

    def data(self) -> dict[str, Any]:
        return {"mesh": mesh_picture(self._problem), "pictures": self._pictures}


def _mapping(run: dict[str, Any]) -> Mapping:
    return Mapping(run["cores_per_layer"], run["placement"])
