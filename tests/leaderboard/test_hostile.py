"""Every hostile submission is refused with one clear line, and nothing else happens."""

import json
import os
import re
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from loihi_gym.cli import main
from loihi_gym.errors import SubmissionError
from loihi_gym.leaderboard.check import check
from loihi_gym.leaderboard.replayer import BATCH, Replayer
from tests.leaderboard.boards import ANNEAL, BEST, GA
from tests.leaderboard.hostile import cases, endless, trace

CASES = cases()
MEMORY = 256 << 20
"""Bytes of address space that a hostile submission may take beyond what a valid one has mapped."""


def spoiled(case, world, where: Path) -> Path:
    folder = world.copy(case.start, where)
    case.spoil(folder)
    if not os.path.lexists(folder):  # it was renamed
        left = list(where.iterdir())
        folder = left[0] if left else folder
    return folder


def test_there_are_enough_cases_and_none_twice():
    names = [case.name for case in CASES]
    assert len(set(names)) == len(names) >= 500


@pytest.mark.parametrize("name", [ANNEAL, GA, BEST])
def test_what_they_spoil_is_valid(world, name):
    check(world.made / name)


@pytest.mark.parametrize("case", CASES, ids=[ascii(case.name) for case in CASES])
def test_it_is_refused_with_one_line(case, world, tmp_path, monkeypatch, capfd):
    folder = spoiled(case, world, tmp_path / "new")
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SystemExit) as ended:
        main(["leaderboard", "check", str(folder)])
    out, err = capfd.readouterr()
    assert ended.value.code == 2
    assert out == ""
    (line,) = err.splitlines()
    assert line.startswith("loihi-gym: ")
    assert case.words in line
    assert len(line) < 500
    assert line.isprintable()
    assert [path.name for path in tmp_path.iterdir()] == ["new"]  # nothing was run


LOOK_ALIKES = [
    *(
        "ada Lovelace",
        "ADA LOVELACE",
        "Ada Love1ace",
        "Ada LoveIace",
        "Ada-Lovelace",
        "AdaLovelace",
    ),
    *("Ada Lovelace.", "Ad\u00e1 Lovelace", "Ada L0velace", "\u00c5da Lovelace"),
    *("Emilie du Chatelet", "Emilie du Ch\u00e2telet", "\u00c9mi1ie du Ch\u00e2telet"),
    *("Ada Lovelac\u00e9", "A.d.a Lovelace", "Ada  Lovelace".replace("  ", " - ")),
]


@pytest.mark.parametrize("author", LOOK_ALIKES, ids=ascii)
def test_an_author_who_looks_like_another_is_refused(world, tmp_path, author):
    board = world.board(tmp_path, BEST)
    folder = world.copy(GA, tmp_path / "new")
    about = folder / "submission.toml"
    text = about.read_text(encoding="utf-8")
    line = next(line for line in text.splitlines() if line.startswith("authors"))
    about.write_text(text.replace(line, f'authors = ["{author}"]'), encoding="utf-8")
    with pytest.raises(SubmissionError, match=r"looks like .*, who is on the board") as caught:
        check(folder, board)
    assert str(caught.value).isprintable()


def test_minus_zero_is_zero_as_json_has_it(world, tmp_path):
    folder = world.copy(BEST, tmp_path)
    text = (folder / "mappings.json").read_text()
    rows = json.loads(text)["mappings"]
    index = next(i for i, row in enumerate(rows) if 0 in row["placement"])
    placement = json.dumps(rows[index]["placement"], separators=(",", ":"))
    minus = re.sub(r"(?<=[\[,])0(?=[,\]])", "-0", placement, count=1)
    assert minus != placement
    (folder / "mappings.json").write_text(text.replace(placement, minus))
    check(folder)


def test_a_trace_without_improvement_ends_before_it_is_all_measured(world, tmp_path, monkeypatch):
    measured = []

    def count(self, name, mappings, real=Replayer._measure):
        measured.extend(mappings)
        return real(self, name, mappings)

    monkeypatch.setattr(Replayer, "_measure", count)
    folder = world.copy(ANNEAL, tmp_path)
    trace(endless)(folder)
    with pytest.raises(SubmissionError, match="it is no improvement"):
        check(folder)
    assert len(measured) <= BATCH < 59


@pytest.mark.parametrize("file", ["submission.toml", "mappings.json", "trace.jsonl"])
def test_a_device_is_not_read(world, tmp_path, file):
    folder = world.copy(ANNEAL, tmp_path)
    (folder / file).unlink()
    try:
        os.mknod(folder / file, stat.S_IFCHR | 0o600, os.makedev(1, 5))  # /dev/zero
    except PermissionError:
        pytest.skip("only root makes devices")
    with pytest.raises(SubmissionError, match=f"{file}: is a device, not a regular file"):
        check(folder)


CHECKER = """
import json, resource, sys
from pathlib import Path
from loihi_gym.benchmarks import suite
from loihi_gym.errors import LoihiGymError
from loihi_gym.leaderboard.check import check

suites, valid, *folders = json.load(sys.stdin)
suite.folder = lambda: Path(suites)
check(Path(valid))
with open("/proc/self/statm") as file:
    mapped = int(file.read().split()[0]) * resource.getpagesize()
limit = mapped + int(sys.argv[1])
resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
for folder in folders:
    try:
        check(Path(folder))
    except LoihiGymError as error:
        print(json.dumps([folder, str(error)]))
    else:
        print(json.dumps([folder, ""]))
"""


def fill_trace(folder: Path) -> None:
    """As many and as long mappings as a trace may hold: 31 MiB of them."""
    zeros = ",".join(["0"] * 30_000)
    lines = [
        f'{{"problem":"mlp-xs","seed":0,"evaluation":{number},"cores_per_layer":[1],'
        f'"placement":[{zeros}]}}\n'
        for number in range(1, 541)
    ]
    (folder / "trace.jsonl").write_text("".join(lines))


def fill_mappings(folder: Path) -> None:
    """Two megabytes of the smallest things JSON has."""
    row = '{"problem":"mlp-xs","cores_per_layer":[[]],"placement":[' + "[]," * 690_000 + "[]]}"
    (folder / "mappings.json").write_text(f'{{"format":1,"suite":"tiny-v1","mappings":[{row}]}}')


@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="reads Linux's /proc")
def test_none_takes_much_memory(world, tmp_path):
    folders = [
        str(spoiled(case, world, tmp_path / str(number))) for number, case in enumerate(CASES)
    ]
    for name, fill, start in (("t", fill_trace, ANNEAL), ("m", fill_mappings, BEST)):
        folder = world.copy(start, tmp_path / name)
        fill(folder)
        folders.append(str(folder))
    asked = json.dumps([str(world.suites), str(world.made / ANNEAL), *folders])
    done = subprocess.run(
        [sys.executable, "-c", CHECKER, str(MEMORY)],
        input=asked,
        capture_output=True,
        text=True,
        check=True,
        cwd=tmp_path,
    )
    told = [json.loads(line) for line in done.stdout.splitlines()]
    assert [one[0] for one in told] == folders
    assert all(one[1] for one in told)
    assert "trace.jsonl: mlp-xs, seed 1 is missing" in told[-2][1]
    assert "cores_per_layer[0] is a list of 0" in told[-1][1]
