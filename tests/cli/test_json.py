"""What a command has made, it says as JSON: where it is, and its numbers."""

import json
import tarfile
from pathlib import Path

from loihi_gym import load
from loihi_gym.mapping import Mapping
from tests.toys import DATA


def made(run, *words: str) -> dict:
    code, out, err = run(*words, "--json", "-q")
    assert (code, err) == (0, "")
    assert out.count("\n") == 1
    return json.loads(out)


def test_import_and_map_of_a_network(run, tmp_path):
    problem, best = str(tmp_path / "mine.npz"), str(tmp_path / "best.json")
    said = made(run, "import", str(DATA / "mlp-xs.npz"), "-o", problem, "--steps", "1")
    found = load(problem)
    assert said["problem"] == problem
    assert said["widths"] == list(found.network.widths)
    assert said["synapses"] == found.network.synapses
    assert said["reference"] == found.reference
    assert isinstance(said["notes"], list)
    run_directory = str(tmp_path / "run")
    said = made(run, "map", problem, "--budget", "20", "-o", best, "--out", run_directory)
    assert (said["mapping"], said["run"]) == (best, run_directory)
    assert Mapping.load(best).n_logical_cores == said["cores"]


def test_measure_counts_what_it_added(run, tmp_path):
    file = str(tmp_path / "measured.jsonl")
    words = ("measure", "mlp-xs", "packed/hilbert", "balanced/strided", "-o", file)
    assert made(run, *words)["measured"] == 2
    again = made(run, *words)
    assert again == {"output": file, "measured": 0, "total": 2, "backend": "mesh"}
    assert len(Path(file).read_text().splitlines()) >= 2


def test_compare_report_archive_and_replay(run, tmp_path):
    runs, packed = str(tmp_path / "runs"), str(tmp_path / "runs.tar.xz")
    chosen = ("--solvers", "random", "--problems", "mlp-xs", "--budgets", "20", "--seeds", "2")
    said = made(run, "compare", "sparse-mlp-v1", *chosen, "-o", runs)
    assert said["runs"] == 2
    assert Path(said["report"]).exists()
    assert made(run, "report", runs) == said
    assert made(run, "archive", runs, "-o", packed) == {"archive": packed, "runs": 2}
    with tarfile.open(packed) as archive:
        assert archive.getnames()


def test_backends_are_compared_with_the_seconds_of_each(run):
    said = made(run, "compare-backends", "mlp-xs", "--mappings", "6", "--backends", "mesh,bound")
    assert set(said["seconds_each"]) == {"mesh", "bound"}
    assert all(seconds > 0 for seconds in said["seconds_each"].values())


def test_robustness_tells_cores(run, tmp_path):
    picture = str(tmp_path / "plot.png")
    said = made(run, "robustness", "mlp-xs", "packed/hilbert", "-o", picture)
    assert said["picture"] == picture
    assert Path(picture).exists()
    assert set(said["cores"]) == {"reference", "packed/hilbert"}
    assert said["kept"] is None


def test_quiet_leaves_the_result_alone(run, tmp_path):
    chosen = ("--solvers", "random", "--problems", "mlp-xs", "--budgets", "20", "--seeds", "1")
    code, out, err = run("compare", "sparse-mlp-v1", *chosen, "-o", str(tmp_path / "told"))
    assert code == 0
    assert err.startswith("20 of 20 evaluations: random on mlp-xs")
    quiet = run("compare", "sparse-mlp-v1", *chosen, "--quiet", "-o", str(tmp_path / "quiet"))
    assert quiet == (0, out.replace("told", "quiet"), "")
