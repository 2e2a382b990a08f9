import re
import shutil

import pytest

from loihi_gym import load
from loihi_gym.benchmarks import freeze as freezing
from loihi_gym.benchmarks.freeze import freeze, manifest, require_problem
from loihi_gym.benchmarks.suite import (
    PREVIOUS,
    Track,
    folder,
    load_suite,
    previous_names,
    read_suite,
    suite_names,
)
from loihi_gym.bounds import lower_bound
from loihi_gym.chip import spec
from loihi_gym.errors import SuiteError, UnknownNameError

SMALL = "description = ''\nbackend = 'mesh'\n[seeds]\n3 = 1\n[[problems]]\nname = 'mlp-xs'\n"


def manifest_of(name: str) -> str:
    where = folder() / PREVIOUS if name in previous_names() else folder()
    return (where / f"{name}.toml").read_text(encoding="utf-8")


@pytest.mark.parametrize("name", [*suite_names(), *previous_names()])
def test_a_manifest_states_what_the_code_computes(name):
    """If this fails, a score has changed: undo the change, or freeze a suite of another name."""
    suite = load_suite(name)
    assert manifest_of(name) == manifest(suite)
    for entry in suite.problems:
        problem = freezing.with_best_reference(entry)
        now = freezing.measure(problem, suite.hypotheses, entry.frozen.lower_bound_ps)
        assert entry.frozen == now, f"new suite version needed: {entry.name}"


@pytest.mark.parametrize("name", [*suite_names(), *previous_names()])
def test_the_bound_that_a_manifest_states_is_proven(name):
    """A tighter proof changes no score, so what is stated is at most what is proven now.

    Two parts in a thousand are the tolerance of the proof. Several chips take it half a minute.
    """
    suite = load_suite(name)
    for entry in suite.problems:
        problem = load(entry.name)
        if problem.chip.n_chips == 1:
            stated = entry.frozen.lower_bound_ps
            assert stated <= lower_bound(problem).latency_ps * 1.002
        assert entry.frozen.lower_bound_ps <= entry.frozen.reference_latency_ps


def test_the_bundled_suites():
    assert suite_names() == ["sparse-mlp-robust-v2", "sparse-mlp-test-v2", "sparse-mlp-v2"]
    assert previous_names() == ["sparse-mlp-gen-v1", "sparse-mlp-v1"]
    assert len(load_suite("sparse-mlp-test-v2").problems) == 20
    first = load_suite("sparse-mlp-v1")
    assert first.tracks == {"solver@1k": Track(1000, 10), "solver@10k": Track(10000, 10)}


@pytest.mark.parametrize("constant", ["costs.synop_ps", "network.router_buffer", "energy.synop_fj"])
def test_changing_a_chip_file_needs_a_new_suite_version(tmp_path, monkeypatch, constant):
    chips = tmp_path / "chips"
    shutil.copytree(spec._CHIPS, chips)
    (tmp_path / "tiny-v1.toml").write_text(SMALL)
    suite = freeze(read_suite(tmp_path / "tiny-v1.toml"))
    assert freeze(suite) == suite
    require_problem(suite, load("mlp-xs"))
    monkeypatch.setattr(spec, "_CHIPS", chips)
    monkeypatch.setattr(spec, "_bundled", spec._bundled.__wrapped__)  # files are read once
    base = chips / "v1" / "loihi2.toml"  # loihi2-24 takes its constants from it
    head, _, tail = base.read_text().partition(f"[{constant}]\nvalue = ")
    value, _, rest = tail.partition("\n")
    base.write_text(f"{head}[{constant}]\nvalue = {int(value) + 1}\n{rest}")
    assert freeze(suite) != suite
    with pytest.raises(SuiteError) as caught:
        require_problem(suite, load("mlp-xs"))
    message = str(caught.value)
    assert message.startswith("new suite version needed: suite tiny-v1 ")
    assert "mlp-xs: sha256 is " in message
    assert len(message.splitlines()) == 1


def test_another_scorer_changes_the_manifest(tmp_path, monkeypatch):
    (tmp_path / "tiny-v1.toml").write_text(SMALL)
    suite = freeze(read_suite(tmp_path / "tiny-v1.toml"))
    monkeypatch.setattr(freezing, "SCORER", 2)
    assert "\nscorer = 2\n" in manifest(freeze(suite))
    assert "\nscorer = 1\n" in manifest(suite)


def test_a_suite_of_ones_own_is_compared_before_it_is_frozen(tmp_path):
    (tmp_path / "mine.toml").write_text(SMALL)
    suite = load_suite(str(tmp_path / "mine.toml"))
    assert suite.names == ("mlp-xs",)
    with pytest.raises(SuiteError, match="mlp-xs is not frozen; run 'loihi-gym leaderboard freeze"):
        suite.frozen("mlp-xs")
    with pytest.raises(UnknownNameError, match="unknown problem 'mlp'; did you mean 'mlp-xs'"):
        suite.entry("mlp")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("problems = 3", "malformed"),
        ("description = ''\nproblems = []\nbackend = 'mesh'\n[seeds]\n3 = 1", "needs a problem"),
        (SMALL.replace("3 = 1", "0 = 1"), "at least 1"),
        (SMALL.replace("3 = 1", "'-3' = 1"), "at least 1"),
        (SMALL.replace("3 = 1", "3 = 1.5"), "[seeds]: 3 is not a whole number"),
        (SMALL.replace("3 = 1", "3 = true"), "[seeds]: 3 is not a whole number"),
        (SMALL.replace("[seeds]\n3 = 1", "seeds = 3"), "seeds is not a table"),
        (SMALL.replace("[seeds]\n3 = 1", "[seeds]"), "seeds for a budget"),
        (SMALL.replace("'mesh'", "3"), "backend is not a text"),
        (SMALL.replace("backend", "backedn"), "'backedn'; did you mean 'backend'"),
        ("scorer = '1'\n" + SMALL, "scorer is not a whole number"),
        ("commit = nan\n" + SMALL, "commit is not a text"),
        ("a = " + "[" * 50_000, "malformed"),
        ("problems = [3]\n" + SMALL.partition("[[")[0], "problem 1 is no table"),
        (SMALL.replace("'mlp-xs'", "['mlp-xs']"), "problem 1: name is not a text"),
        (SMALL + "reference_latency_ps = 'soon'", "reference_latency_ps is not a whole number"),
        (SMALL + "[tracks]\na = {budget = 'x', seeds = 1}", "track 'a': budget is not a whole"),
        (SMALL + "[tracks]\na = {budget = 1}", "track 'a' lacks seeds"),
        (SMALL + "[tracks]\na = {budget = 1, seeds = 1, sedes = 1}", "unknown key of track 'a'"),
        (SMALL.replace("3 = 1", "x = 1"), "malformed"),
        (SMALL + "[[problems]]\nname = 'mlp-xs'", "lists a problem twice"),
        (SMALL + "sha256 = 'abc'", "malformed"),
        (SMALL + "[tracks]\na = {budget = 0, seeds = 1}", "at least 1"),
        (SMALL + "[tracks]\na = 3", "malformed"),
        ("[", "malformed"),
    ],
)
def test_a_malformed_suite_is_named(tmp_path, text, message):
    (tmp_path / "mine.toml").write_text(text)
    with pytest.raises(SuiteError, match=re.escape(message)) as caught:
        load_suite(str(tmp_path / "mine.toml"))
    assert len(str(caught.value).splitlines()) == 1


def test_a_missing_suite_is_named(tmp_path):
    with pytest.raises(UnknownNameError, match="did you mean 'sparse-mlp-v2'"):
        load_suite("sparse-mlp-v3")
    with pytest.raises(SuiteError, match="No such file"):
        load_suite(str(tmp_path / "none.toml"))
    with pytest.raises(SuiteError, match="null byte"):
        load_suite("no\0ne.toml")
