"""The client against a server that really measures."""

import signal
import subprocess
import sys

import numpy as np
import pytest

from loihi_gym import load, make_backend
from loihi_gym.errors import LoihiGymError, MeasurementError, ServerError
from loihi_gym.mapping import random_mapping
from loihi_gym.search.run import Config, search
from loihi_gym.server.auth import Tokens
from tests.server.servers import TOKEN, free_port, running
from tests.toys import spread_mapping, toy_problem

HERE = ("dendops", "synops", "synmem_words", "messages_out", "messages_in", "link_messages")


@pytest.fixture(scope="module")
def mesh(tmp_path_factory):
    with running(tmp_path_factory.mktemp("mesh"), backend="mesh", real=True) as server:
        yield server


def test_a_measurement_is_the_same_here_and_there(mesh):
    problem = load("mlp-xs")
    rng = np.random.default_rng(0)
    mappings = [random_mapping(problem, rng) for _ in range(30)]
    there = make_backend(mesh.url, problem).evaluate_batch([*mappings, mappings[0]])
    here = make_backend("mesh", problem).evaluate_batch([*mappings, mappings[0]])
    for one, other in zip(there, here, strict=True):
        assert one.step_times_ps == other.step_times_ps
        assert one.latency_ps == other.latency_ps
        assert one.energy == other.energy
        assert one.bottleneck == other.bottleneck
        for part in HERE:
            assert (getattr(one, part) == getattr(other, part)).all()


def test_a_search_finds_the_same_here_and_there(mesh, tmp_path):
    there = search(Config("ga", "mlp-xs", 60, backend=mesh.url), tmp_path / "there")
    here = search(Config("ga", "mlp-xs", 60), tmp_path / "here")
    assert there.mapping == here.mapping
    assert there.best.step_times_ps == here.best.step_times_ps
    traces = [(tmp_path / name / "trace.jsonl").read_text() for name in ("there", "here")]
    assert traces[0] == traces[1]


def test_an_environment_runs_on_a_server(mesh):
    import gymnasium

    there = gymnasium.make("LoihiPlace-v0", benchmark="mlp-xs", backend=mesh.url)
    here = gymnasium.make("LoihiPlace-v0", benchmark="mlp-xs")
    assert there.reset(seed=0)[1]["latency_s"] == here.reset(seed=0)[1]["latency_s"]
    assert there.step(3)[1] == here.step(3)[1]


def test_a_problem_is_sent_once(mesh):
    problem = toy_problem(seed=5)
    before = mesh.metric("problems")
    for _ in range(3):
        make_backend(mesh.url, problem).evaluate(spread_mapping(problem))
    assert mesh.metric("problems") == before + 1


def test_a_pool_shares_a_batch(tmp_path):
    problem = toy_problem()
    mappings = [spread_mapping(problem, seed) for seed in range(200)]
    distinct = len(set(mappings))
    with running(tmp_path / "a", "0.003") as one, running(tmp_path / "b", "0.003") as other:
        backend = make_backend(f"{one.url},{other.url}", problem)
        results = backend.evaluate_batch(mappings)
        assert len(one.measured) > 20
        assert len(other.measured) > 20
        assert len(one.measured) + len(other.measured) >= distinct
        for mapping, result in zip(mappings, results, strict=True):
            assert result.step_times_ps[0] == 1000 + mapping.placement.sum()
        backend.close()


def test_a_pool_of_different_backends_is_refused(mesh, tmp_path):
    with (
        running(tmp_path) as board,
        pytest.raises(ServerError, match=r"must be alike: .* mesh .* and .* lava "),
    ):
        make_backend(f"{mesh.url},{board.url}", toy_problem())


def test_a_repeat_is_a_measurement_of_its_own_on_a_board(tmp_path):
    problem = toy_problem()
    mapping, other = spread_mapping(problem), spread_mapping(problem, 1)
    with running(tmp_path) as server:
        backend = make_backend(server.url, problem)
        backend.evaluate_batch([mapping, other, mapping])
        backend.evaluate(mapping)
        assert len(server.measured) == 4
        # Another client's first three measurements of it are those.
        make_backend(server.url, problem).evaluate_batch([mapping, mapping, mapping])
        assert len(server.measured) == 4
        assert server.metric("reused_total") >= 3


def test_energy_is_what_the_server_measured(tmp_path):
    problem = toy_problem()
    with running(tmp_path) as server:
        result = make_backend(server.url, problem).evaluate(spread_mapping(problem))
    assert tuple(result.energy) == (1, 2, 3, 4)
    assert result.bottleneck.share <= 1.0


def test_illegal_mappings_cost_nothing(tmp_path):
    problem = toy_problem()
    with running(tmp_path) as server:
        backend = make_backend(server.url, problem)
        from loihi_gym.mapping import Mapping

        with pytest.raises(LoihiGymError, match="illegal mapping"):
            backend.evaluate_batch([spread_mapping(problem), Mapping([1, 1, 1], [0, 0, 1])])
        assert server.measured == []


@pytest.mark.parametrize("token", [None, "wrong-token-of-some-length"])
def test_a_wrong_token_is_refused_at_once(tmp_path, token, monkeypatch):
    monkeypatch.delenv("LOIHI_GYM_TOKEN", raising=False)
    with running(tmp_path, tokens=Tokens({TOKEN: ""})) as server:
        backend = make_backend(server.url, toy_problem(), token=token)
        with pytest.raises(ServerError, match="401 a valid token is needed"):
            backend.evaluate(spread_mapping(toy_problem()))
        make_backend(server.url, toy_problem(), token=TOKEN).evaluate(spread_mapping(toy_problem()))
        monkeypatch.setenv("LOIHI_GYM_TOKEN", TOKEN)
        make_backend(server.url, toy_problem()).evaluate(spread_mapping(toy_problem()))


@pytest.mark.parametrize("url", ["http://127.0.0.1:1", "http://127.0.0.1:1,http://127.0.0.1:2"])
def test_where_nobody_answers_it_says_so(url):
    with pytest.raises(MeasurementError, match=r"no measurement server answers: http://127"):
        make_backend(url, toy_problem(), patience_s=0.3)


@pytest.mark.parametrize("url", ["http://", "http://[", "http://a:b"])
def test_a_malformed_address_is_refused(url):
    with pytest.raises(LoihiGymError):
        make_backend(url, toy_problem(), patience_s=0.1)


def test_noise_can_be_added(mesh):
    problem = toy_problem()
    mapping = spread_mapping(problem)
    exact = make_backend(mesh.url, problem).evaluate(mapping)
    noisy = make_backend(mesh.url, problem, noise=0.05, seed=1).evaluate(mapping)
    assert noisy.latency_ps != exact.latency_ps


def test_the_command_serves_and_hands_options_to_the_backend(tmp_path):
    port = free_port()
    words = ("serve", "--port", str(port), "--option", "noise=0.05", "--option", "seed=3")
    command = [sys.executable, "-c", "from loihi_gym.cli import main; main()", *words]
    process = subprocess.Popen(command, stderr=subprocess.DEVNULL)
    try:
        problem = toy_problem()
        mapping = spread_mapping(problem)
        there = make_backend(f"http://127.0.0.1:{port}", problem, patience_s=60)
        here = make_backend("mesh", problem, noise=0.05, seed=3)
        for _ in range(2):  # noisy: the second is another measurement
            assert there.evaluate(mapping).step_times_ps == here.evaluate(mapping).step_times_ps
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(20)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--host", "0.0.0.0"], "refusing to listen on 0.0.0.0 without a token"),
        (["--backend", "meshh"], "did you mean 'mesh'?"),
        (["--token-file", "nowhere"], "token file nowhere cannot be read"),
        (["--option", "noise"], "give it as KEY=VALUE"),
    ],
)
def test_a_server_that_cannot_be_says_why(capsys, words, message):
    from loihi_gym.cli import main

    with pytest.raises(SystemExit) as ended:
        main(["serve", *words])
    assert ended.value.code == 2
    error = capsys.readouterr().err
    assert message in error
    assert error.count("\n") == 1


def test_a_port_that_is_taken_is_named(mesh, capsys):
    from loihi_gym.cli import main

    with pytest.raises(SystemExit) as ended:
        main(["serve", "--port", mesh.url.rpartition(":")[2]])
    assert ended.value.code == 2
    assert "could not listen on 127.0.0.1 port" in capsys.readouterr().err
