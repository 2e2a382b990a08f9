"""The client alone: addresses, news on stderr, copies of it in other processes."""

import multiprocessing
import pickle
from collections import deque
from concurrent.futures import ThreadPoolExecutor

import httpx
import numpy as np
import pytest

from loihi_gym.backends import Measurement, http, make_backend
from loihi_gym.errors import MeasurementError, ServerError
from loihi_gym.mapping import Mapping
from tests.server.servers import free_port, running
from tests.toys import spread_mapping, toy_problem

PROBLEM = toy_problem()
MAPPINGS = [spread_mapping(PROBLEM, seed) for seed in range(8)]


@pytest.mark.parametrize(
    "url",
    [
        "http://",
        "http://:8152",
        "http://[",
        "http://[::1",
        "http://a:b",
        "http://host:99999",
        "http://host:0",
        "http://host:-1",
        "http://a b",
        "http://host\n",
        "http://host/?x=1",
        "http://host#x",
        "http://host,",
        "http://host,,http://other",
        "http://host,ftp://other",
        "ftp://host",
        "file:///etc/passwd",
        "http://xn--\u2028",
        "http://a\x1b[31m",
        "http://" + "a" * 100_000 + " b",
    ],
)
def test_a_malformed_address_is_one_clean_line(url):
    with pytest.raises(ServerError, match="is not the address of a server: ") as caught:
        make_backend(url, PROBLEM, patience_s=0.0)
    assert str(caught.value).isprintable()
    assert len(str(caught.value)) < 500


def test_a_password_in_an_address_is_refused_and_not_shown():
    with pytest.raises(ServerError, match="holds no user or password") as caught:
        make_backend("http://me:secret@host", PROBLEM)
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize("url", ["http://[::1]:1", "HTTP://127.0.0.1:1", "http://localhost:1/x/"])
def test_what_is_well_formed_is_tried(url):
    with pytest.raises(MeasurementError, match="no measurement server answers"):
        make_backend(url, PROBLEM, patience_s=0.0)


def test_a_dead_server_is_spoken_of_and_so_is_its_return(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(http, "SILENCE_S", 0.1)
    monkeypatch.setattr(http, "NEWS_S", 0.1)
    url = f"http://127.0.0.1:{free_port()}"
    with pytest.raises(MeasurementError):
        make_backend(url, PROBLEM, patience_s=1.5)
    lines = capsys.readouterr().err.splitlines()
    assert 2 <= len(lines) <= 5
    assert all(line.startswith("loihi-gym: waiting for a measurement server") for line in lines)
    assert url in lines[0]
    monkeypatch.setattr(http, "NEWS_S", 60.0)
    with running(tmp_path) as server:
        backend = make_backend(server.url, PROBLEM)
        backend.evaluate(MAPPINGS[0])
        assert capsys.readouterr().err == ""
        lost = backend._servers[0]._lost = http._News(0.0)  # as if it had been away
        lost.tell("it is away")
        capsys.readouterr()
        backend.evaluate(MAPPINGS[1])
        assert capsys.readouterr().err == f"loihi-gym: {server.url} answers\n"


def test_the_first_news_comes_within_two_seconds():
    """Attempts are short and pauses add up to less, whether or not a connection is refused."""
    assert http.SILENCE_S <= 1.0
    assert http.CONNECT_S < 2.0


def test_measurements_that_are_pending_are_spoken_of(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(http, "NEWS_S", 0.1)
    with running(tmp_path, "0.5") as server:
        make_backend(server.url, PROBLEM).evaluate(MAPPINGS[0])
    assert "waiting for measurements over HTTP, 1 are missing" in capsys.readouterr().err


@pytest.fixture(scope="module")
def mesh(tmp_path_factory):
    with running(tmp_path_factory.mktemp("mesh"), backend="mesh", real=True) as server:
        yield server


def measured(pair) -> int:
    backend, mapping = pair
    return backend.evaluate(mapping).latency_ps


def test_a_pool_does_with_those_that_answer_and_asks_for_nothing_in_vain(mesh):
    urls = f"http://127.0.0.1:{free_port()},{mesh.url},{mesh.url}"
    backend = make_backend(urls, PROBLEM)
    assert backend.evaluate_batch([]) == []
    for mapping in MAPPINGS[:3]:  # fewer than servers
        assert (
            measured((backend, mapping))
            == make_backend("mesh", PROBLEM).evaluate(mapping).latency_ps
        )
    pickle.loads(pickle.dumps(backend)).close()  # one that was not used yet


@pytest.mark.parametrize("noise", [0.0, 0.01])
@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_a_backend_works_in_a_fork(mesh, noise):
    backend = make_backend(mesh.url, PROBLEM, noise=noise)
    here = backend.evaluate(MAPPINGS[0]).latency_ps
    context = multiprocessing.get_context("fork")
    answer, ask = context.Pipe(duplex=False)
    child = context.Process(target=lambda: ask.send(measured((backend, MAPPINGS[0]))))
    child.start()
    assert answer.poll(60), "the child hangs"
    assert (answer.recv() == here) == (noise == 0.0)
    child.join(20)
    assert child.exitcode == 0
    assert (measured((backend, MAPPINGS[0])) == here) == (noise == 0.0)  # the parent's goes on


@pytest.mark.parametrize("method", ["spawn", "forkserver"])
def test_a_backend_works_in_a_process_of_its_own(mesh, method):
    backend = make_backend(mesh.url, PROBLEM)
    here = [measured((backend, mapping)) for mapping in MAPPINGS[:2]]
    with multiprocessing.get_context(method).Pool(1) as pool:
        pairs = [(backend, mapping) for mapping in MAPPINGS[:2]]
        assert pool.map_async(measured, pairs).get(120) == here


def test_a_request_holds_no_more_cores_than_a_server_takes():
    small = deque(http._Order(MAPPINGS[0], number) for number in range(200))
    assert [len(http._chunk(small)) for _ in range(4)] == [64, 64, 64, 8]
    huge = Mapping([1], np.zeros(http.CHUNK_CORES, np.int32))
    large = deque(http._Order(huge, number) for number in range(5))
    assert [len(http._chunk(large)) for _ in range(3)] == [2, 2, 1]


def test_threads_share_a_backend(mesh):
    backend = make_backend(mesh.url, PROBLEM)
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(measured, [(backend, mapping) for mapping in MAPPINGS]))
    assert found == [
        one.latency_ps for one in make_backend("mesh", PROBLEM).evaluate_batch(MAPPINGS)
    ]


def test_a_pickled_client_counts_its_repeats_on(mesh):
    backend = make_backend(mesh.url, PROBLEM)
    backend.evaluate(MAPPINGS[0])
    twin = pickle.loads(pickle.dumps(backend))
    assert twin.evaluate(MAPPINGS[0]).latency_ps == backend.evaluate(MAPPINGS[0]).latency_ps
    assert twin._repeats == backend._repeats
    for one in (twin, backend):
        one.close()


NONSENSE = {
    "no results": b"{}",
    "results of another kind": b'{"results": 3}',
    "a result of another kind": b'{"results": [3]}',
    "no state": b'{"results": [{"mapping": "MAPPING"}]}',
    "deep": b"[" * 50_000,
    "a long number": b'{"results": ' + b"9" * 5000 + b"}",
    "large times": b'{"results": [{"mapping": "MAPPING", "state": "done", "step_times_ps":'
    b' [99999999999999999999, 1], "energy_fj": null}]}',
}


@pytest.mark.parametrize("kind", NONSENSE)
def test_nonsense_is_one_clean_line(mesh, monkeypatch, kind):
    backend = make_backend(mesh.url, PROBLEM)
    body = NONSENSE[kind].replace(b"MAPPING", MAPPINGS[0].digest.encode())
    monkeypatch.setattr(httpx.Client, "request", lambda *_, **__: httpx.Response(200, content=body))
    with pytest.raises(ServerError, match=r"is no measurement server|malformed result") as caught:
        backend.evaluate(MAPPINGS[0])
    assert str(caught.value).isprintable()
    assert len(str(caught.value)) < 600


def test_a_machine_that_is_no_loihi_is_measured_over_http(mesh, monkeypatch):
    backend = make_backend(mesh.url, PROBLEM)
    result = {
        "mapping": MAPPINGS[0].digest,
        "state": "done",
        "step_times_ps": [5],
        "energy_fj": None,
        "counted": False,
    }
    monkeypatch.setattr(
        httpx.Client, "request", lambda *_, **__: httpx.Response(200, json={"results": [result]})
    )
    found = backend.evaluate(MAPPINGS[0])
    assert isinstance(found, Measurement)
    assert (found.step_times_ps, found.energy, found.counted) == ((5,), None, False)
