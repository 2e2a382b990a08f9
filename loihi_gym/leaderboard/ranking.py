"""`results/<suite>.json`: all that the tables and the page show, in whole numbers."""

import json
from collections.abc import Sequence
from itertools import chain
from pathlib import Path
from typing import Any

from ..benchmarks.suite import MAPPING, SCORER
from ..mapping.heuristics import toolchain_default
from .credit import Credit, credits_of
from .replayer import Played, Replayer
from .reproduced import require_reproduced
from .score import area_ppm, below_ppm, interval_ppm, lower_median, score_ppm
from .submission import REPRODUCED, SUBMISSIONS, SubmittedRun

FORMAT = 1
AHEAD_PPM = 1000
"""How much higher a score must be than an older one's to be ranked above it."""

Json = dict[str, Any]


def results(replayer: Replayer, played: Sequence[Played], board: Path) -> Json:
    """The content of a suite's `results/<suite>.json`.

    Args:
        replayer: Replayer of the suite.
        played: All submissions to the suite, replayed, the first merged first.
        board: Directory of the leaderboard.
    """
    suite = replayer.suite
    problems = {name: _problem(replayer, name, played) for name in suite.names}
    tracks: dict[str, Json] = {MAPPING: {}}
    for name, track in suite.tracks.items():
        tracks[name] = {"budget": track.budget, "seeds": list(range(track.seeds))}
    credited = list(zip(played, credits_of(replayer, played), strict=True))
    for name, track_json in tracks.items():
        own = [one for one in credited if one[0].submission.about.track == name]
        track_json["rows"] = _ranked([_row(*one, problems, board) for one in own])
    return {
        "format": FORMAT,
        "suite": suite.name,
        "scorer": SCORER,
        "description": suite.description,
        "problems": list(problems.values()),
        "tracks": tracks,
    }


def results_text(made: Json) -> str:
    """Results as JSON: one line for each problem and row."""
    lines = [f' "{key}": {_line(value)}' for key, value in made.items() if key not in _NESTED]
    lines.append(_list(' "problems": [', made["problems"], "  "))
    tracks = []
    for name, track in made["tracks"].items():
        fields = [f'"{key}": {_line(value)}, ' for key, value in track.items() if key != "rows"]
        head = f'  "{name}": {{{"".join(fields)}"rows": ['
        tracks.append(_list(head, track["rows"], "   ") + "}")
    lines.append(' "tracks": {\n' + ",\n".join(tracks) + "\n }")
    return "{\n" + ",\n".join(lines) + "\n}\n"


_NESTED = ("problems", "tracks")


def _list(head: str, values: Sequence[Any], indent: str) -> str:
    if not values:
        return head + "]"
    return f"{head}\n" + ",\n".join(indent + _line(one) for one in values) + f"\n{indent[1:]}]"


def _line(value: Any) -> str:
    return json.dumps(value, separators=(",", ":"))


def _problem(replayer: Replayer, name: str, played: Sequence[Played]) -> Json:
    """What is known of a problem; the best of all tracks and of the two heuristics."""
    frozen, problem = replayer.suite.frozen(name), replayer.problem(name)
    default = toolchain_default(problem)  # does not fit everywhere
    by_default = [replayer.measure(name, default)] if default is not None else []
    known = [(frozen.reference_latency_ps, frozen.reference_energy_fj), *by_default]
    known += [score for one in played for run, score in one.scores.items() if run.problem == name]
    return {
        "name": name,
        "chip": frozen.chip,
        "sha256": frozen.sha256,
        "reference": frozen.reference,
        "reference_latency_ps": frozen.reference_latency_ps,
        "reference_energy_fj": frozen.reference_energy_fj,
        "default_latency_ps": by_default[0][0] if by_default else None,
        "lower_bound_ps": frozen.lower_bound_ps,
        "best_latency_ps": min(latency for latency, _ in known),
        "best_energy_fj": min(energy for _, energy in known),
    }


def _row(played: Played, credit: Credit, problems: dict[str, Json], board: Path) -> Json:
    submission, about = played.submission, played.submission.about
    solver_track, pairs = about.track != MAPPING, played.pairs(credit.counted_from(played))
    sources = sorted(set(credit.sources.values()))
    row = {
        "rank": 0,
        "submission": submission.folder,
        "date": submission.day,
        "name": about.name,
        "authors": list(about.authors),
        "solver": about.solver,
        "code_url": about.code_url,
        "code_commit": about.code_commit,
        "licence": about.licence,
        "status": ", derived from ".join([_status(played, board), *sources]),
        "score_ppm": score_ppm(chain.from_iterable(pairs)),
        "interval_ppm": list(interval_ppm(pairs)) if solver_track else None,
        "auc_ppm": _area(played, problems) if solver_track else None,
        "wins": 0,
        "problems": [_cell(played, problem) for problem in problems.values()],
    }
    return row | ({"derived_from": sources} if sources else {})


def _status(played: Played, board: Path) -> str:
    submission = played.submission
    if submission.about.track == MAPPING:
        return "verified"
    if REPRODUCED not in submission.files:
        return "declared"
    require_reproduced(board / SUBMISSIONS / submission.folder)
    return "reproduced"


def _area(played: Played, problems: dict[str, Json]) -> int:
    submission = played.submission
    budget = submission.suite.tracks[submission.about.track].budget
    areas = [
        area_ppm(curve, problems[run.problem]["reference_latency_ps"], budget)
        for run, curve in played.curves.items()
    ]
    return sum(areas) // len(areas)


def _cell(played: Played, problem: Json) -> Json:
    """A row's results on one problem; those of the median run."""
    runs = [run for run in played.scores if run.problem == problem["name"]]
    latency, energy = lower_median([played.scores[run] for run in runs])
    return {
        "name": problem["name"],
        "latency_ps": latency,
        "energy_fj": energy,
        "reduction_ppm": below_ppm(problem["reference_latency_ps"], latency),
        "gap_best_ppm": below_ppm(latency, problem["best_latency_ps"]),
        "gap_bound_ppm": below_ppm(latency, problem["lower_bound_ps"]),
        "runs": [_run(played, run) for run in runs],
    }


def _run(played: Played, run: SubmittedRun) -> Json:
    mapping, (latency, energy) = played.submission.mappings[run], played.scores[run]
    curve = played.curves.get(run)
    return {
        "seed": run.seed,
        "latency_ps": latency,
        "energy_fj": energy,
        "mapping_sha256": mapping.digest,
        "cores_per_layer": mapping.cores_per_layer.tolist(),
        "placement": mapping.placement.tolist(),
        "curve": None if curve is None else [list(point) for point in curve],
    }


def _ranked(rows: list[Json]) -> list[Json]:
    """Rows, the first merged first, by rank: a newer one has to be ahead to stand above.

    What is derived wins no problem; of equal ones the older wins.
    """
    ranked: list[Json] = []
    for row in rows:
        behind = (
            place
            for place, older in enumerate(ranked)
            if row["score_ppm"] * 10**6 >= older["score_ppm"] * (10**6 + AHEAD_PPM)
        )
        ranked.insert(next(behind, len(ranked)), row)
    for rank, row in enumerate(ranked, 1):
        row["rank"] = rank
    own = [row for row in rows if "derived_from" not in row]
    for cells in zip(*(row["problems"] for row in own), strict=True):
        best = min(range(len(own)), key=lambda i: (cells[i]["latency_ps"], i))
        own[best]["wins"] += 1
    return ranked
