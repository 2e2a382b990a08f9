import json
from pathlib import Path

import pytest

from loihi_gym import Mapping, load
from loihi_gym.cli import main
from loihi_gym.search.run import read_config, resume
from tests.toys import DATA


def run(arguments: list[str], capsys) -> str:
    with pytest.raises(SystemExit) as end:
        main(arguments)
    captured = capsys.readouterr()
    assert end.value.code == 0, captured.err
    return captured.out


def test_a_benchmarks_name_is_enough(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    said = run(["map", "mlp-xs", "--budget", "40", "-o", "best.json", "--json"], capsys)
    result = json.loads(said.splitlines()[-1])
    assert result["solver"] == "map"
    assert result["evaluations"] == 40
    assert result["reduction"] > 0
    assert load("mlp-xs").check(Mapping.load("best.json")) == []
    assert Mapping.load("best.json") == Mapping.load("runs/mlp-xs/map-seed0/mapping.json")


def test_a_network_file_becomes_a_problem_that_can_be_resumed(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    network = str(DATA / "mlp-xs.npz")
    words = ["map", network, "--chip", "loihi2-24", "--steps", "2", "--budget", "20"]
    said = run([*words, "--out", "mine"], capsys)
    assert "the reference after 20 evaluations" in said
    problem = load(read_config(Path("mine")).benchmark)
    assert problem.chip.name == "loihi2-24"
    assert problem.activity.steps == 2
    assert problem.check(Mapping.load("mine/mapping.json")) == []
    assert resume(Path("mine")).costs.measured == 0


@pytest.mark.parametrize("name", ["missing.nir", "missing.npz", "mlp-sx"])
def test_what_is_not_there_is_named(tmp_path, monkeypatch, capsys, name):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SystemExit) as end:
        main(["map", name, "--budget", "5"])
    assert end.value.code == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert name in line
    assert not Path("runs").exists()
