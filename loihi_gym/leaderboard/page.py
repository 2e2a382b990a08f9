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
from copy import deepcopy
from importlib import resources
from typing import Any

from ..backends import make_backend
from ..benchmarks import load
from ..errors import BoardError
from ..mapping import Mapping, Problem
from .pictures import mapping_picture, mesh_picture

SCRIPTS = ("dom", "format", "theme", "state", "chart", "mesh", "detail", "table", "main")
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
    data = embed([_suite(entry, problem) for entry in results])
    scripts = [part(f"{name}.js") for name in SCRIPTS]
    return assemble(part("page.html"), part("style.css"), scripts, DATA=data)


def assemble(
    template: str, style: str, scripts: Sequence[str], policy: str = "", **more: str
) -> str:
    """One HTML file that asks nothing of other hosts.

    Args:
        template: HTML with ``{{POLICY}}``, ``{{STYLE}}``, ``{{SCRIPT}}`` and the names of `more`.
        style: Its one style sheet.
        scripts: Parts of its one script, in the order in which they use each other.
        policy: What the page may do besides showing itself, such as ``connect-src 'self'; ``.
        more: Other parts of the template.
    """
    script = "\n".join(["(() => {", '"use strict";', *scripts, "})();"])
    parts = {"POLICY": policy + _policy(style, script), "STYLE": style, "SCRIPT": script, **more}
    return re.sub(r"\{\{([A-Z]+)\}\}", lambda found: parts[found[1]], template)


def part(name: str) -> str:
    """A file of `site/`."""
    return (_SITE / name).read_text(encoding="utf-8")


def embed(data: object) -> str:
    """JSON for a script element: whatever its strings hold, it neither ends nor opens a tag."""
    text = json.dumps(data, ensure_ascii=True, allow_nan=False, separators=(",", ":"))
    return text.translate(_NOT_IN_A_SCRIPT)


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
    suite = deepcopy(results)
    for problem in suite["problems"]:
        runs = [
            (row["submission"], run)
            for track in suite["tracks"].values()
            for row in track["rows"]
            for entry in row["problems"]
            if entry["name"] == problem["name"]
            for run in entry["runs"]
        ]
        problem |= _pictures(problem["name"], make(problem["name"]), runs)
    return suite


def _pictures(
    name: str, problem: Problem, runs: Sequence[tuple[str, dict[str, Any]]]
) -> dict[str, Any]:
    """A problem's mesh and a picture of each distinct mapping, whose number the runs get for it.

    Args:
        name: Name of the problem on the board.
        problem: The problem.
        runs: Submission and results of each run.
    """
    numbers: dict[Mapping, int] = {}
    for _, run in runs:
        mapping = Mapping(run.pop("cores_per_layer"), run.pop("placement"))
        run["picture"] = numbers.setdefault(mapping, len(numbers))
    measured = make_backend("mesh", problem).evaluate_batch(list(numbers))
    for submission, run in runs:
        latency_ps = measured[run["picture"]].latency_ps
        if latency_ps != run["latency_ps"]:
            raise BoardError(
                f"{submission}: a mapping of {name} replays to {latency_ps} ps, the results say "
                f"{run['latency_ps']} ps; run 'loihi-gym leaderboard build'"
            )
    shown = [mapping_picture(problem, *pair) for pair in zip(numbers, measured, strict=True)]
    return {"mesh": mesh_picture(problem), "pictures": shown}
