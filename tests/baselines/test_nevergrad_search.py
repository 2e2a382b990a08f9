"""The optimiser of others, on toys."""

import pytest

from loihi_gym import load, make_backend
from loihi_gym.search.recorder import Recorder
from loihi_gym.search.session import BudgetSpent, Session
from tests.baselines.toy import toy_of_four_cores
from tests.toys import toy_problem

pytest.importorskip("nevergrad", reason="needs the extra 'nevergrad'")
MEMBER = "family://sparse-mlp/validation/1"
pytestmark = pytest.mark.filterwarnings("ignore")  # of what it imports


def searched(problem, budget, seed=0, out=None):
    from loihi_gym_baselines.nevergrad_search import solve

    session = Session(make_backend("mesh", problem), budget, seed, Recorder(out))
    with session, pytest.raises(BudgetSpent):
        solve(session)
    return session


def test_it_begins_near_the_reference_and_searches_on():
    problem = load(MEMBER)
    session = searched(problem, 60)
    assert session.evaluations == 60
    assert session.reduction > 0
    assert problem.check(session.best_mapping) == []


def test_a_seed_repeats_itself_and_another_does_not(tmp_path):
    traces = []
    for name, seed in (("a", 3), ("b", 3), ("c", 4)):
        (tmp_path / name).mkdir()
        searched(load(MEMBER), 60, seed, tmp_path / name)
        traces.append((tmp_path / name / "trace.jsonl").read_bytes())
    assert traces[0] == traces[1] != traces[2]


def test_every_mapping_of_a_toy_is_legal():
    """The session refuses any other."""
    for problem in (toy_of_four_cores(), toy_problem()):
        searched(problem, 200)
