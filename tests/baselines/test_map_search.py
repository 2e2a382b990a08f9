from loihi_gym_baselines import map_search
from loihi_gym_baselines.map_search import BATCH, RACE

from loihi_gym import load
from loihi_gym.backends import make_backend
from loihi_gym.search.registry import run_solver
from loihi_gym.search.session import Session


def test_each_heat_gives_the_then_fastest_lineages_their_candidates(monkeypatch):
    steps, fastest = [], []

    class Spied(map_search._SurrogateSearch):
        def fastest(self, count):
            found = super().fastest(count)
            best = {}
            for lineage, target in zip(self.lineages, self.targets, strict=True):
                best[lineage] = min(target, best.get(lineage, target))
            assert len(found) <= count
            assert found == sorted(best, key=best.get)[: len(found)]
            fastest.append(found)
            return found

        def step(self, lineage=None):
            before = len(self.lineages)
            steps.append(lineage)
            super().step(lineage)
            if lineage is not None:
                assert set(self.lineages[before:]) <= {lineage}

    monkeypatch.setattr(map_search, "_SurrogateSearch", Spied)
    with Session(make_backend("mesh", load("mlp-xs")), 1600, 0) as session:
        run_solver("map", session, {})

    heats = [
        lineage
        for lineages, (_, candidates) in zip(fastest, RACE, strict=True)
        for lineage in lineages
        for _ in range(candidates // BATCH)
    ]
    assert steps[: len(heats)] == heats
    assert set(steps[len(heats) :]) == {None}  # then all of them; fails if there are no more
