from loihi_gym_baselines import nested_es
from loihi_gym_baselines.genome import Genome
from loihi_gym_baselines.nested_es import INNER, OUTER, PATIENCE, PLACED, _evolve, _Parent

from loihi_gym import load
from loihi_gym.backends import make_backend
from loihi_gym.search.session import Session

BUDGET = 10_000
BEHIND = 1.01
"""Less than the solver's, which the fastest of sixteen seldom are behind on so small a problem."""


def test_a_heat_ends_when_its_part_is_spent():
    problem = load("mlp-xs")
    with Session(make_backend("bound", problem), BUDGET) as session:
        genome, first = Genome(problem, session.rng), problem.reference_mapping
        state = _Parent(genome.encode(first), session.evaluate(first).latency_ps)
        for end in range(100, 1_000, 100):
            state = _evolve(session, genome, state, end)
            assert end <= session.evaluations < end + INNER + OUTER


def test_only_the_fastest_partitionings_are_placed(monkeypatch):
    placed: list[tuple[int, int]] = []
    batches: list[list[int]] = []

    def place(session, genome, parent, patience, end):
        placed.append((parent.latency_ps, patience))
        return parent

    problem = load("mlp-xs")
    monkeypatch.setattr(nested_es, "_place", place)
    monkeypatch.setattr(nested_es, "BEHIND", BEHIND)
    with Session(make_backend("bound", problem), BUDGET) as session:
        genome, first = Genome(problem, session.rng), problem.reference_mapping
        parent = _Parent(genome.encode(first), session.evaluate(first).latency_ps)
        measure = session.evaluate_batch

        def evaluate_batch(mappings):
            measured = measure(mappings)
            batches.append([one.latency_ps for one in measured])
            return measured

        monkeypatch.setattr(session, "evaluate_batch", evaluate_batch)
        _evolve(session, genome, parent, 20 * OUTER)
    latency, idle = parent.latency_ps, 0
    expected = []
    for batch in batches:
        expected.append((latency, PATIENCE + PATIENCE * idle // 2))
        close = [one for one in sorted(batch)[:PLACED] if one < BEHIND * latency]
        expected += [(one, idle) for one in close]
        idle = 0 if min(batch) < latency else idle + 1
        latency = min([*batch, latency])
    assert placed == expected
    assert max(patience for _, patience in placed) > PATIENCE
    assert len(batches) < len(placed) < (1 + PLACED) * len(batches)  # some are too far behind
