import numpy as np
from loihi_gym_baselines import map_search
from loihi_gym_baselines.genome import Genome
from loihi_gym_baselines.map_search import BATCH, EVEN, KINDS, RACE, STALLED
from loihi_gym_baselines.surrogate import Surrogate

from loihi_gym import load
from loihi_gym.backends import make_backend
from loihi_gym.bounds import lower_bound
from loihi_gym.mapping import random_mapping
from loihi_gym.search.registry import run_solver
from loihi_gym.search.session import Session
from tests.toys import toy_chip, toy_problem


def test_each_heat_gives_the_then_fastest_lineages_their_candidates(monkeypatch):
    steps, fastest = [], []

    class SpiedFlood(map_search.Flood):
        def _fastest(self, count):
            found = super()._fastest(count)
            best = {}
            for lineage, latency_ps in zip(self.lineages, self.latencies_ps, strict=True):
                best[lineage] = min(latency_ps, best.get(lineage, latency_ps))
            assert len(found) <= count
            assert found == sorted(best, key=best.get)[: len(found)]
            fastest.append(found)
            return found

    class Spied(map_search._SurrogateSearch):
        def step(self, lineage=None):
            before = len(self.flood.lineages)
            steps.append(lineage)
            super().step(lineage)
            if lineage is not None:
                assert set(self.flood.lineages[before:]) <= {lineage}

    monkeypatch.setattr(map_search, "Flood", SpiedFlood)
    monkeypatch.setattr(map_search, "_SurrogateSearch", Spied)
    with Session(make_backend("mesh", load("mlp-xs")), 800, 0) as session:
        run_solver("map", session, {})

    heats = [
        lineage
        for lineages, (_, candidates) in zip(fastest, RACE, strict=True)
        for lineage in lineages
        for _ in range(candidates // BATCH)
    ]
    assert steps[: len(heats)] == heats
    assert set(steps[len(heats) :]) == {None}  # then all of them; fails if there are no more


def test_kinds_that_pay_are_chosen_more_often_and_no_kind_is_given_up():
    with Session(make_backend("bound", load("mlp-xs")), 300, 0) as session:
        search = map_search._SurrogateSearch(session)
        for _ in range(60):
            for kind in range(len(KINDS)):
                search._learn(kind, paid=kind == 2)
        drawn = np.bincount([search._kind() for _ in range(2000)], minlength=len(KINDS))
    assert drawn.argmax() == 2
    assert drawn[2] > 800
    assert drawn.min() > 0.5 * EVEN / len(KINDS) * 2000


def test_it_ends_at_what_is_proven_to_be_the_best():
    """A layer on each of two cores: every mapping does the same work, so the proof meets it."""
    problem = toy_problem((2, 1), chip=toy_chip(routers=(1, 1)))
    with Session(make_backend("bound", problem), 5000, 0) as session:
        run_solver("map", session, {})
        assert session.best.latency_ps == lower_bound(problem).of("bound")
        assert STALLED <= session.evaluations < 1000


def test_one_workspace_serves_all_partitionings():
    problem = toy_problem((12, 16, 10))
    genome = Genome(problem, np.random.default_rng(0))
    surrogate = Surrogate(genome)
    cuts = [surrogate.placed(genome.encode(random_mapping(problem, genome.rng))) for _ in range(9)]
    assert len({id(cut.placed.load_us) for cut in cuts}) == 1
    assert len({id(cut.placed.layer_us) for cut in cuts}) == 1
