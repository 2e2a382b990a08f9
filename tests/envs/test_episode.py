import gymnasium
import numpy as np
import pytest

from loihi_gym.backends import Bound
from loihi_gym.envs import Episode, SaveEpisodes
from loihi_gym.errors import RunError
from tests.envs.rollouts import legal_action, slack_problem

PROBLEM = slack_problem()


def played(directory, episodes=1):
    env = SaveEpisodes(
        gymnasium.make("LoihiPlace-v0", benchmark=PROBLEM, backend="bound"), directory
    )
    rng = np.random.default_rng(0)
    mappings = []
    for _ in range(episodes):
        env.reset(seed=0)
        mappings.append([env.unwrapped.mapping])
        over = False
        while not over:
            _, _, over, _, _ = env.step(legal_action(env.unwrapped, rng))
            mappings[-1].append(env.unwrapped.mapping)
    return mappings


def test_episodes_are_saved_and_read_back(tmp_path):
    mappings = played(tmp_path, episodes=2)
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "episode-0.jsonl",
        "episode-1.jsonl",
    ]
    for number, visited in enumerate(mappings):
        episode = Episode.load(tmp_path / f"episode-{number}.jsonl")
        assert (episode.benchmark, episode.backend) == ("toy", "bound")
        assert [visit.mapping for visit in episode.visits] == visited
        assert [visit.number for visit in episode.visits] == list(range(len(visited)))
        for visit in episode.visits:
            expected = Bound(PROBLEM).evaluate(visit.mapping)
            assert visit.step_times_ps == expected.step_times_ps
            assert visit.latency_ps == expected.latency_ps


def test_files_of_an_earlier_run_are_kept(tmp_path):
    played(tmp_path)
    before = (tmp_path / "episode-0.jsonl").read_bytes()
    played(tmp_path, episodes=2)
    assert (tmp_path / "episode-0.jsonl").read_bytes() == before
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        f"episode-{number}.jsonl" for number in range(3)
    ]


@pytest.mark.parametrize(
    "spoil",
    [
        lambda text: "",
        lambda text: "[]\n",
        lambda text: text.replace("loihi-gym-episode", "other"),
        lambda text: text.splitlines()[0],
        lambda text: text[: len(text) // 2],
        lambda text: text.replace("placement", "places"),
        lambda text: text.replace('"number":1', '"number":"x"'),
    ],
)
def test_malformed_files_are_named(tmp_path, spoil):
    played(tmp_path)
    path = tmp_path / "episode-0.jsonl"
    path.write_text(spoil(path.read_text()))
    with pytest.raises(RunError, match=r"episode-0\.jsonl is not a saved episode"):
        Episode.load(path)


def test_missing_files_and_other_environments_are_named(tmp_path):
    with pytest.raises(RunError, match="none"):
        Episode.load(tmp_path / "none.jsonl")
    with pytest.raises(RunError, match="CartPole"):
        SaveEpisodes(gymnasium.make("CartPole-v1"), tmp_path)
    played(tmp_path)
    episode = Episode.load(tmp_path / "episode-0.jsonl")
    with pytest.raises(RunError, match="cannot be written"):
        episode.save(tmp_path / "nowhere" / "x.jsonl")
