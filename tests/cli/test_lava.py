import json

import pytest

from loihi_gym.backends.lava import LavaBackend
from loihi_gym.benchmarks import load
from loihi_gym.cli import main
from tests.backends.lava.conftest import fake_environment, lava, shared, started

__all__ = ["lava", "shared", "started"]  # fixtures


def run(capsys, *arguments: str) -> tuple[int, str, str]:
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    out, err = capsys.readouterr()
    return ended.value.code, out, err


def test_install_prints_the_interpreter(lava, capsys):
    code, out, err = run(capsys, "lava", "install")
    assert (code, out, err) == (0, f"{lava}\n", "")


def test_doctor_finds_a_lava_that_works(lava, capsys):
    code, out, _ = run(capsys, "lava", "doctor")
    assert code == 0
    assert "ok  lava-nc: 0.10.0" in out
    assert "ok  self-test" in out
    assert "--  lava-loihi: not found" in out


def test_doctor_fails_without_one(capsys, tmp_path, monkeypatch):
    monkeypatch.delenv("LOIHI_GYM_LAVA_PYTHON", raising=False)
    monkeypatch.setenv("LOIHI_GYM_LAVA_HOME", str(tmp_path))
    code, out, _ = run(capsys, "lava", "doctor")
    assert code == 1
    assert "run: loihi-gym lava install" in out


def test_verify_compares_whole_and_in_pieces(lava, capsys):
    code, out, _ = run(capsys, "verify", "mlp-xs", "heuristic")
    assert code == 0
    pieces = str(load("mlp-xs").reference_mapping.n_logical_cores)
    rows = [line.split() for line in out.splitlines() if line.startswith(("relu", "sigma"))]
    assert [row[:2] for row in rows] == [
        ["relu", "5"],
        ["relu", pieces],
        ["sigma-delta", "5"],
        ["sigma-delta", pieces],
    ]
    assert {row[-1] for row in rows} == {"0"}
    assert "the same, to the bit" in out


def test_verify_fails_on_a_difference(lava, capsys, monkeypatch):
    import sys

    module = sys.modules["loihi_gym.backends.lava.verification"]
    honest = module.simulate

    def wrong(*arguments):
        messages = honest(*arguments)
        messages[2][3, 1] += 1
        return messages

    monkeypatch.setattr(module, "simulate", wrong)
    code, out, _ = run(capsys, "verify", "mlp-xs")
    assert code == 1
    assert "relu: layer 2, step 3, neuron 1" in out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["verify", "mlp-xxs"], "unknown benchmark 'mlp-xxs'"),
        (["verify", "mlp-xs", "absent.json"], "absent.json"),
    ],
)
def test_bad_input_is_one_line(capsys, arguments, message):
    code, _, err = run(capsys, *arguments)
    assert code == 2
    assert message in err
    assert err.count("\n") == 1


def test_evaluate_on_hardware_says_what_is_missing(lava, capsys):
    code, _, err = run(capsys, "evaluate", "mlp-xs", "packed/row-major", "--backend", "lava")
    assert code == 2
    assert "no Loihi 2 was found" in err
    assert "backend='mesh'" in err


def test_evaluate_on_a_fake_loihi(lava, capsys, monkeypatch, tmp_path):
    for name, value in fake_environment().items():
        monkeypatch.setenv(name, value)
    hints = tmp_path / "hints.py"
    hints.write_text("def partitioning(names, places):\n    return dict(zip(names, places))\n")
    monkeypatch.setenv("LOIHI_GYM_LAVA_HINTS", str(hints))
    monkeypatch.setitem(LavaBackend.__init__.__kwdefaults__, "runs", 1)  # three take longer
    arguments = ["evaluate", "mlp-xs", "packed/row-major", "--backend", "lava", "--json"]
    code, out, _ = run(capsys, *arguments)
    assert code == 0
    # The fake takes t microseconds for step t: 10 silent, 4 to fill, 4 recorded, 1 to get in.
    assert json.loads(out)["latency_ps"] == (16 + 17 + 18 + 19) * 1_000_000
