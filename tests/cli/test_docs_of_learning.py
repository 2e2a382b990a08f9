"""What docs/baselines.md says of learning runs as it stands there, with small numbers."""

import re
import shlex
from pathlib import Path

PAGE = Path(__file__).parents[2] / "docs" / "baselines.md"
SECTION = PAGE.read_text(encoding="utf-8").split("## Learning from other networks")[1]
SECTION = SECTION.split("\n## ")[0]
BLOCKS = dict(re.findall(r"^```(\w*)\n(.*?)^```$", SECTION, re.M | re.S))
SMALL = "--rounds 1 --networks 1 --evaluations 20"


def test_the_commands_run_one_after_another(run, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for line in BLOCKS[""].splitlines():
        words = shlex.split(line.split("  #")[0])[1:]
        words = [re.sub(r"^300$", "40", word) for word in words]
        if words[0] == "pretrain":
            words += SMALL.split()
        elif "--budget" not in words:
            words += ["--budget", "30"]
        code, _, error = run(*words, "--quiet")
        assert code == 0, error


def test_the_program_runs(capsys):
    exec(BLOCKS["python"], {})
    assert "% off after" in capsys.readouterr().out
