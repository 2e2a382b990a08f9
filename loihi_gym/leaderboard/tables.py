"""The rank tables of the leaderboard's README, written between markers."""

from collections.abc import Sequence
from typing import Any

from ..benchmarks.suite import MAPPING
from ..errors import BoardError

START, END = "<!-- ranks: written by loihi-gym leaderboard build -->", "<!-- end of ranks -->"

Json = dict[str, Any]


def with_tables(readme: str, all_results: Sequence[Json]) -> str:
    """The README with its tables written anew.

    Raises:
        BoardError: if the markers are not there, once each and in order.
    """
    before, start, rest = readme.partition(START)
    _, end, after = rest.partition(END)
    if not start or not end or START in after or END in after:
        raise BoardError(f"the board's README.md needs the markers {START} and {END}, once each")
    text = "\n".join(line for results in all_results for line in _suite(results))
    return f"{before}{START}\n{text}\n{END}{after}"


def _suite(results: Json) -> list[str]:
    lines = [f"## {results['suite']}", f"{results['description']}.", ""]
    for name, track in results["tracks"].items():
        lines += [*_track(name, track, results["problems"]), ""]
    return [*lines, *_problems(results["problems"]), ""]


def _track(name: str, track: Json, problems: Sequence[Json]) -> list[str]:
    what = "The best mapping by any means. Latency in us, reduction in %."
    if name != MAPPING:
        what = (
            f"{track['budget']:,} evaluations, {len(track['seeds'])} seeds. Median latency in us, "
            "reduction in %; the score with its 95 % interval."
        )
    lines = [f"### {name}", what, ""]
    if not track["rows"]:
        return [*lines, "No submission yet."]
    head = ["", "name", "solver", "score", *(one["name"] for one in problems), "wins", "status"]
    body = [
        [
            str(row["rank"]),
            row["name"],
            row["solver"],
            score(row["score_ppm"], row["interval_ppm"]),
            *(f"{us(c['latency_ps'])} ({percent(c['reduction_ppm'])})" for c in row["problems"]),
            str(row["wins"]),
            f"{_status(row)}, {row['date']}",
        ]
        for row in track["rows"]
    ]
    return [*lines, *_markdown(head, body)]


def _status(row: Json) -> str:
    status: str = row["status"]
    for folder in row.get("derived_from", []):
        status = status.replace(folder, f"[{folder}](submissions/{folder})")
    return status


def _problems(problems: Sequence[Json]) -> list[str]:
    head = ["problem", "chip", "toolchain's default", "reference", "best known", "lower bound"]
    body = [
        [
            one["name"],
            one["chip"],
            "does not fit" if one["default_latency_ps"] is None else us(one["default_latency_ps"]),
            f"{us(one['reference_latency_ps'])} `{one['reference']}`",
            us(one["best_latency_ps"]),
            us(one["lower_bound_ps"]),
        ]
        for one in problems
    ]
    return ["### Problems", "Latencies in us.", "", *_markdown(head, body)]


def _markdown(head: Sequence[str], body: Sequence[Sequence[str]]) -> list[str]:
    rows = [head, ["---"] * len(head), *body]
    return ["| " + " | ".join(row) + " |" for row in rows]


def score(ppm: int, interval_ppm: Sequence[int] | None) -> str:
    """A score, with its interval if it has one."""
    ends = interval_ppm and " to ".join(fixed(end, 6, 3) for end in interval_ppm)
    return fixed(ppm, 6, 3) + (f" ({ends})" if ends else "")


def us(picoseconds: int) -> str:
    """A time in microseconds."""
    return fixed(picoseconds, 6, 3)


def percent(ppm: int) -> str:
    """A part in per cent."""
    return fixed(ppm, 4, 1)


def fixed(value: int, digits: int, places: int) -> str:
    """`value` / 10^digits with `places` decimals, rounded half up, without any float."""
    unit = 10 ** (digits - places)
    rounded = (abs(value) + unit // 2) // unit
    whole, part = divmod(rounded, 10**places)
    return f"{'-' if value < 0 and rounded else ''}{whole}.{part:0{places}}"
