"""Boards for the page: results in the format of `results/<suite>.json`, from real searches."""

from functools import cache
from pathlib import Path
from statistics import geometric_mean, median_low
from tempfile import TemporaryDirectory
from typing import Any

from baselines.run import Config, search
from baselines.trace import NAME, read_trace
from loihi_gym.backends import lower_bound, make_backend
from loihi_gym.benchmarks import load
from loihi_gym.mapping import heuristic

Row = dict[str, Any]


@cache
def problem_entry(name: str) -> dict[str, Any]:
    problem = load(name)
    backend = make_backend("mesh", problem)
    reference = backend.evaluate(problem.reference_mapping)
    default = backend.evaluate(heuristic(problem, "lava-default/row-major"))
    # The proof for eight chips takes long, and a smaller bound is as good to look at.
    bound = 0 if problem.topology.n_chips > 1 else lower_bound(problem).latency_ps
    return {
        "name": name,
        "chip": problem.chip.name,
        "sha256": problem.digest,
        "reference": problem.reference,
        "reference_latency_ps": reference.latency_ps,
        "reference_energy_fj": reference.energy_fj,
        "default_latency_ps": default.latency_ps,
        "lower_bound_ps": bound or reference.latency_ps // 2,
    }


@cache
def solved(solver: str, name: str, budget: int, seed: int) -> dict[str, Any]:
    """A run of a row, by a real search."""
    with TemporaryDirectory() as folder:
        out = Path(folder) / "run"
        outcome = search(Config(solver, name, budget, seed), out)
        curve = [
            [line.index, line.latency_ps]
            for line in read_trace(out / NAME)
            if line.mapping is not None
        ]
    return {
        "seed": seed,
        "latency_ps": outcome.best.latency_ps,
        "energy_fj": outcome.best.energy_fj,
        "mapping_sha256": outcome.mapping.digest,
        "cores_per_layer": outcome.mapping.cores_per_layer.tolist(),
        "placement": outcome.mapping.placement.tolist(),
        "curve": curve,
    }


def row(solver: str, problems: list[dict[str, Any]], budget: int, seeds: int | None) -> Row:
    """A row of a solver track or, without `seeds`, of the mapping track."""
    entries = []
    for problem in problems:
        runs = [solved(solver, problem["name"], budget, seed) for seed in range(seeds or 1)]
        if seeds is None:
            runs = [{**runs[0], "seed": None, "curve": None}]
        latency = median_low(run["latency_ps"] for run in runs)
        reduction = 1 - latency / problem["reference_latency_ps"]
        entries.append(
            {
                "name": problem["name"],
                "latency_ps": latency,
                "energy_fj": median_low(run["energy_fj"] for run in runs),
                "reduction_ppm": round(1e6 * reduction),
                "runs": runs,
            }
        )
    ratios = [
        problem["reference_latency_ps"] / run["latency_ps"]
        for problem, entry in zip(problems, entries, strict=True)
        for run in entry["runs"]
    ]
    score = round(1e6 * geometric_mean(ratios))
    return {
        "submission": f"2026-11-24-{solver}",
        "date": "2026-11-24",
        "name": solver,
        "authors": ["The loihi_gym developers"],
        "solver": solver,
        "code_url": "https://example.org/loihi_gym",
        "code_commit": "0123456789abcdef0123456789abcdef01234567",
        "licence": "MIT",
        "status": "verified" if seeds is None else "declared",
        "score_ppm": score,
        "interval_ppm": None if seeds is None else [round(0.98 * score), round(1.02 * score)],
        "auc_ppm": None if seeds is None else round(0.95 * score),
        "problems": entries,
    }


def board(
    names: list[str], tracks: dict[str, list[Row]], budgets: dict[str, tuple[int, int]]
) -> dict[str, Any]:
    """Results of rows: ranks, wins and what compares rows with each other; (budget, seeds)."""
    problems = [dict(problem_entry(name)) for name in names]
    for at, problem in enumerate(problems):
        runs = [r for rows in tracks.values() for row in rows for r in row["problems"][at]["runs"]]
        problem["best_latency_ps"] = min(run["latency_ps"] for run in runs)
        problem["best_energy_fj"] = min(run["energy_fj"] for run in runs)
    done = {}
    for name, rows in tracks.items():
        ranked = [
            {"rank": rank, **found, "wins": _wins(found, rows)}
            for rank, found in enumerate(sorted(rows, key=lambda r: -r["score_ppm"]), 1)
        ]
        for ranked_row in ranked:
            ranked_row["problems"] = [
                {
                    **entry,
                    "gap_best_ppm": _gap(entry, problem["best_latency_ps"]),
                    "gap_bound_ppm": _gap(entry, problem["lower_bound_ps"]),
                }
                for entry, problem in zip(ranked_row["problems"], problems, strict=True)
            ]
        done[name] = {"rows": ranked}
        if name in budgets:
            budget, seeds = budgets[name]
            done[name] = {"budget": budget, "seeds": list(range(seeds)), **done[name]}
    return {
        "format": 1,
        "suite": "sparse-mlp-v1",
        "scorer": 1,
        "description": "Sparse MLPs on one Loihi 2 and on eight",
        "problems": problems,
        "tracks": done,
    }


def _gap(entry: dict[str, Any], to: int) -> int:
    return round(1e6 * (entry["latency_ps"] / to - 1))


def _wins(found: Row, rows: list[Row]) -> int:
    return sum(
        all(entry["latency_ps"] <= other["problems"][at]["latency_ps"] for other in rows)
        for at, entry in enumerate(found["problems"])
    )
