"""`loihi-gym pretrain`: weights with their card, or one line that says what is wrong."""

import json
from pathlib import Path

import pytest
from loihi_gym_baselines import load_policy


@pytest.fixture(scope="module")
def words(tmp_path_factory) -> list[str]:
    out = tmp_path_factory.mktemp("pretrained") / "refine"
    numbers = ["--rounds", "1", "--networks", "1", "--evaluations", "20"]
    return ["pretrain", "refine", "--out", str(out), *numbers]


def test_it_writes_weights_that_solvers_take(run, words):
    code, out, _ = run(*words, "--json")
    card = json.loads(out.splitlines()[-1])
    assert (code, card["measured"], card["rounds"]) == (0, 20, 1)
    weights = f"{words[3]}/refine.safetensors"
    load_policy("refine", weights)
    code, out, error = run(
        *("solve", "refine", "mlp-xs", "--budget", "30", "--weights", weights),
        *("--out", f"{words[3]}-run", "--json"),
    )
    assert code == 0, error
    costs = json.loads(Path(f"{words[3]}-run/costs.jsonl").read_text())
    assert costs["pretraining"]["calls"] == 20


def test_called_again_it_shows_the_card(run, words):
    code, out, _ = run(*words)
    assert code == 0
    assert "trained_on" in out


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        (["pretrain", "refin", "--out", "x"], "policy to be trained"),
        (["pretrain", "refine"], "--out"),
        (["pretrain", "refine", "--out", "x", "--rounds", "0"], "--rounds"),
        (["solve", "refine", "mlp-xs", "--weights", "none.safetensors"], "cannot be read"),
    ],
)
def test_what_is_wrong_is_said_in_a_line(run, wrong, said, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    code, out, error = run(*wrong)
    assert code == 2
    assert said in error
    assert "Traceback" not in out + error
