import os

import numpy as np

from loihi_gym.backends.lava import client, examine
from tests.backends.lava.conftest import FAKE_LOIHI, fake_environment


def findings() -> dict[str, tuple[bool | None, str]]:
    return {finding.what: (finding.good, finding.detail) for finding in examine()}


def test_what_is_here_works_and_what_is_not_is_no_fault(lava):
    found = findings()
    assert found["environment"] == (True, str(lava))
    assert found["lava-nc"][0]
    assert found["lava-nc"][1].startswith("0.10.0, Python 3.10.")
    assert found["self-test"][0]
    assert "agree" in found["self-test"][1]
    assert found["lava-loihi"][0] is None
    assert found["boards"][0] is None


def test_what_a_loihi_host_has_is_found(lava, monkeypatch):
    for name, value in fake_environment().items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("PATH", f"{FAKE_LOIHI}:{os.environ['PATH']}")
    found = findings()
    assert found["lava-loihi"] == (True, "found")
    assert found["SLURM"] == (True, "found")
    assert found["boards"] == (True, "ncl-og-01 (oheogulch, idle), ncl-kp-02 (kp, down*)")


def test_without_an_environment_it_says_so_and_stops(tmp_path, monkeypatch):
    monkeypatch.delenv("LOIHI_GYM_LAVA_PYTHON", raising=False)
    monkeypatch.setenv("LOIHI_GYM_LAVA_HOME", str(tmp_path))
    found = findings()
    assert list(found) == ["environment"]
    assert found["environment"][0] is False
    assert "loihi-gym lava install" in found["environment"][1]


def test_an_interpreter_without_lava_is_found_out(tmp_path, monkeypatch):
    python = tmp_path / "python"
    python.write_text("#!/bin/sh\necho No module named lava >&2; exit 1\n")
    python.chmod(0o755)
    monkeypatch.setenv("LOIHI_GYM_LAVA_PYTHON", str(python))
    found = findings()
    assert list(found) == ["environment", "worker"]
    assert found["worker"][0] is False
    assert "No module named lava" in found["worker"][1]


def test_a_lava_that_computes_something_else_fails_the_self_test(lava, monkeypatch):
    import sys

    module = sys.modules["loihi_gym.backends.lava.verification"]
    honest = module.simulate

    def wrong(*arguments):
        messages = honest(*arguments)
        messages[1] = messages[1] + np.int32(1)
        return messages

    monkeypatch.setattr(module, "simulate", wrong)
    assert client.START_SECONDS > 5
    found = findings()
    assert found["self-test"][0] is False
    assert "layer 1, step 0, neuron 0: 0 here, 1 in Lava" in found["self-test"][1]
