"""What the interface accepts and refuses."""

import json
from collections import Counter
from dataclasses import replace

import httpx
import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from schemathesis.specs.openapi.checks import positive_data_acceptance

from loihi_gym.errors import ServerError
from loihi_gym.mapping import Mapping
from loihi_gym.mapping.problem_file import problem_bytes
from loihi_gym.server.auth import Tokens, check_bind, is_loopback, read_tokens
from loihi_gym.server.metrics import HELP
from tests.server.servers import TOKEN, candidate, running
from tests.toys import spread_mapping, toy_problem

PROBLEM = toy_problem()
MAPPING = spread_mapping(PROBLEM)
PATH = f"/v1/problems/{PROBLEM.digest}"
BEARER = {"Authorization": f"Bearer {TOKEN}"}


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    folder = tmp_path_factory.mktemp("open")
    limits = {"body_bytes": 100_000, "problem_bytes": 1_000_000}
    with running(folder, backend="mesh", **limits) as running_server:
        running_server.upload(PROBLEM)
        yield running_server


@pytest.fixture(scope="module")
def closed(tmp_path_factory):
    with running(tmp_path_factory.mktemp("closed"), tokens=Tokens({TOKEN: ""})) as running_server:
        yield running_server


def test_health_and_metrics(server):
    health = server.client.get("/v1/health").json()
    assert health["status"] == "ok"
    assert health["backend"] == "mesh"
    assert health["repeatable"] is True
    reply = server.client.get("/v1/metrics")
    assert reply.headers["content-type"].startswith("text/plain; version=0.0.4")
    found = dict(line.split() for line in reply.text.splitlines() if not line.startswith("#"))
    assert set(found) == {f"loihi_gym_{name}" for name in HELP}
    assert float(found["loihi_gym_problems"]) >= 1


def test_health_says_when_nobody_measures(tmp_path):
    with running(tmp_path) as server:
        server.service._task.cancel()
        assert server.client.get("/v1/health").json()["status"] == "failed"


def test_a_problem_is_described(server):
    info = server.client.get(PATH).json()
    assert info == {
        "digest": PROBLEM.digest,
        "name": "toy",
        "widths": [12, 16, 10],
        "chip": "loihi2-16",
        "cores": PROBLEM.topology.n_cores,
        "steps": 2,
    }


def test_one_and_many_evaluations(server):
    one = server.client.post(f"{PATH}/evaluate", json=candidate(MAPPING)).json()
    assert one["state"] == "done"
    assert one["mapping"] == MAPPING.digest
    assert len(one["step_times_ps"]) == 2
    many = server.ask(PROBLEM, [MAPPING, Mapping([1, 1, 1], [0, 0, 1]), MAPPING]).json()["results"]
    assert [result["state"] for result in many] == ["done", "illegal", "done"]
    assert "logical cores per core" in many[1]["reason"]
    assert many[0]["step_times_ps"] == one["step_times_ps"]


def test_what_takes_longer_is_pending(tmp_path):
    with running(tmp_path, "0.5") as server:
        server.upload(PROBLEM)
        first = server.ask(PROBLEM, [MAPPING], wait_s=0.05)
        assert first.status_code == 202
        assert first.json()["results"][0]["state"] == "pending"
        again = server.ask(PROBLEM, [MAPPING])
        assert again.status_code == 200
        assert again.json()["results"][0]["state"] == "done"


def test_results_and_problems_outlive_a_server_that_keeps_them(tmp_path):
    for _ in range(2):
        with running(tmp_path) as server:
            if server.client.get(PATH).status_code == 404:
                server.upload(PROBLEM)
            assert server.ask(PROBLEM, [MAPPING]).json()["results"][0]["state"] == "done"
    assert len(server.measured) == 1


def test_results_that_are_none_are_named(tmp_path):
    with running(tmp_path) as server:
        server.upload(PROBLEM)
        server.ask(PROBLEM, [MAPPING])
    (tmp_path / "state" / "results.db").write_bytes(b"nonsense" * 1000)
    with (
        pytest.raises(ServerError, match=r"results\.db: file is not a database"),
        running(tmp_path),
    ):
        pass


def test_a_state_directory_is_one_servers_alone(tmp_path):
    with (
        running(tmp_path),
        pytest.raises(ServerError, match="another server has this directory"),
        running(tmp_path),
    ):
        pass
    with running(tmp_path):
        pass


GOOD = candidate(MAPPING)
MALFORMED = {
    "no JSON": b"{",
    "a list": b"[]",
    "nothing": b"",
    "deep": b"[" * 5000 + b"]" * 5000,
    "deeper": b"[" * 50_000,
    "deep in a field": b'{"cores_per_layer": ' + b'{"a": ' * 9_000,
    "a long name": json.dumps({**GOOD, "x" * 50_000: 1}).encode(),
    "control characters": json.dumps({**GOOD, "\x00\x1b[31m\u202e": 1}).encode(),
    "no placement": json.dumps({"cores_per_layer": [1]}).encode(),
    "words": json.dumps({**GOOD, "placement": ["0", "1"]}).encode(),
    "fractions": json.dumps({**GOOD, "placement": [0.5]}).encode(),
    "bools": json.dumps({**GOOD, "placement": [True]}).encode(),
    "negative": json.dumps({**GOOD, "placement": [-1]}).encode(),
    "huge": json.dumps({**GOOD, "placement": [2**70]}).encode(),
    "no cores": json.dumps({**GOOD, "cores_per_layer": []}).encode(),
    "negative repeat": json.dumps({**GOOD, "repeat": -1}).encode(),
    "endless wait": json.dumps({**GOOD, "wait_s": 1e9}).encode(),
    "not a number": b'{"cores_per_layer": [1], "placement": [0], "wait_s": NaN}',
    "unknown field": json.dumps({**GOOD, "backend": "mesh"}).encode(),
    "latin-1": '{"cores_per_layer": [1], "placement": [0], "ä": 1}'.encode("latin-1"),
}


@pytest.mark.parametrize("body", MALFORMED.values(), ids=MALFORMED.keys())
def test_malformed_bodies_are_refused(server, body):
    headers = {"Content-Type": "application/json"}
    reply = server.client.post(f"{PATH}/evaluate", content=body, headers=headers)
    assert reply.status_code in (400, 422)
    detail = reply.json()["detail"]
    assert detail.isprintable()
    assert len(detail) <= 400


@pytest.mark.parametrize("name", ["a\x00b\x1b[31m", "\u202e", "x" * 100_000])
def test_a_problems_name_is_shown_clean_and_bounded(server, name):
    problem = replace(PROBLEM, name=name)
    replies = [server.upload(problem), server.client.get(f"/v1/problems/{problem.digest}")]
    replies.append(server.client.put(f"/v1/problems/{'0' * 64}", content=problem_bytes(problem)))
    for reply in replies:
        shown = reply.json().get("name") or reply.json()["detail"]
        assert shown.isprintable()
        assert len(shown) <= 400


def test_a_mapping_of_another_problem_is_illegal(server):
    other = {"cores_per_layer": [1] * 7, "placement": [0]}
    reply = server.client.post(f"{PATH}/evaluate", json=other).json()
    assert reply["state"] == "illegal"
    assert "layers" in reply["reason"]


@pytest.mark.parametrize("declared", [True, False])
def test_oversized_bodies_are_refused(server, declared):
    body = b" " * 200_000
    content = body if declared else (body[i : i + 1000] for i in range(0, len(body), 1000))
    reply = server.client.post(f"{PATH}/evaluate", content=content)
    assert reply.status_code == 413
    assert "larger than 100000 bytes" in reply.json()["detail"]
    assert server.client.put(PATH, content=b" " * 1_000_001).status_code == 413


def test_uploads_that_are_no_problem_are_refused(server):
    assert "corrupt" in server.client.put(PATH, content=b"hello").json()["detail"]
    other = toy_problem(seed=9)
    reply = server.client.put(PATH, content=problem_bytes(other))
    assert reply.status_code == 400
    assert "has digest" in reply.json()["detail"]


@pytest.mark.parametrize("digest", ["x", "0" * 63, "A" * 64, "..%2f..%2fetc%2fpasswd", "0" * 64])
def test_unknown_problems_are_unknown(server, digest):
    reply = server.client.get(f"/v1/problems/{digest}")
    assert reply.status_code in (404, 422)
    assert server.client.put(f"/v1/problems/{digest}", content=b"").status_code in (400, 404, 422)


def test_a_server_for_this_machine_answers_to_no_other_name(server):
    for host in (
        *("evil.example", "192.0.2.1:8152", "", "[2001:db8::1]:8152", "[::1]evil.example"),
        *("[::1]:80evil.example", "[::1]]", "[[::1]]", "localhost.evil.example", "localhost:80:80"),
        *("127.0.0.1.evil.example", "evil.example[::1]", "localhost@evil.example", "[localhost]x"),
    ):
        reply = server.client.get("/v1/health", headers={"Host": host})
        assert reply.status_code in (400, 421), host
    for host in ("localhost:1", "127.0.0.1", "[::1]:8152"):
        assert server.client.get("/v1/health", headers={"Host": host}).status_code == 200, host


def test_all_but_health_and_documentation_needs_the_token(closed):
    for path in ("/v1/health", "/v1/openapi.json"):
        assert closed.client.get(path).status_code == 200
    for headers in ({}, {"Authorization": f"Bearer {TOKEN}x"}, {"Authorization": f"Basic {TOKEN}"}):
        for method, path in (("GET", "/v1/metrics"), ("GET", PATH), ("PUT", PATH), ("GET", "/")):
            reply = closed.client.request(method, path, headers=headers)
            assert reply.status_code == 401
            assert reply.headers["www-authenticate"] == "Bearer"
    assert closed.client.get("/v1/metrics", headers=BEARER).status_code == 200
    assert closed.upload(PROBLEM, **BEARER).status_code == 201


def test_a_wrong_token_is_refused_before_its_body_is_read(closed):
    def endless():
        yield b"x"
        raise AssertionError("the body was read")

    try:
        status = closed.client.put(PATH, content=endless()).status_code
    except (AssertionError, httpx.TransportError):
        status = 401  # the client went on sending until the server closed the connection
    assert status == 401
    assert closed.metric("problems") <= 1


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.1", "board.example", ""])
def test_listening_to_others_needs_a_token(host):
    with pytest.raises(ServerError, match="without a token"):
        check_bind(host, Tokens({}))
    check_bind(host, Tokens({TOKEN: ""}))


@pytest.mark.parametrize("host", ["127.0.0.1", "127.9.9.9", "::1", "[::1]", "localhost"])
def test_loopback_needs_none(host):
    assert is_loopback(host)
    check_bind(host, Tokens({}))


def test_token_files(tmp_path):
    path = tmp_path / "tokens"
    path.write_text(f"# ours\n\nlab:{TOKEN}  # the lab's\n{TOKEN}2\n")
    tokens = read_tokens(path)
    assert tokens.name(f"Bearer {TOKEN}") == "lab"
    assert tokens.name(f"bearer {TOKEN}2") == ""
    assert tokens.name(f"Bearer {TOKEN}3") is None
    assert tokens.name("Bearer ") is None
    assert tokens.name("") is None
    assert not read_tokens(None).required


@pytest.mark.parametrize(
    ("text", "message"),
    [("", "holds no token"), ("# none\n", "holds no token"), ("short\n", "line 1: a token is")],
)
def test_a_bad_token_file_is_refused(tmp_path, text, message):
    path = tmp_path / "tokens"
    path.write_text(text)
    with pytest.raises(ServerError, match=message):
        read_tokens(path)
    with pytest.raises(ServerError, match="cannot be read"):
        read_tokens(tmp_path / "none")


def test_the_whole_interface_does_as_its_openapi_says(server):
    """schemathesis: requests made from the schema, good and bad, and checks of every answer."""
    schema = schemathesis.openapi.from_dict(server.client.get("/v1/openapi.json").json())
    tried: Counter[str] = Counter()

    def check(case):
        tried[f"{case.method.lower()} {case.path}"] += 1
        if case.path_parameters and tried.total() % 2:  # half ask for the problem that is there
            case.path_parameters["digest"] = PROBLEM.digest
        # No schema can say which bytes are a problem file.
        unsaid = [positive_data_acceptance] if case.method == "PUT" else []
        case.call_and_validate(base_url=server.url, excluded_checks=unsaid)

    for result in schema.get_all_operations():
        _given(result.ok())(check)()
    assert set(tried) == {
        "get /v1/health",
        "get /v1/metrics",
        "put /v1/problems/{digest}",
        "get /v1/problems/{digest}",
        "post /v1/problems/{digest}/evaluate",
        "post /v1/problems/{digest}/evaluate_batch",
    }
    assert min(tried.values()) >= 1
    assert server.client.get("/v1/health").json()["status"] == "ok"


def _given(operation):
    quick = settings(
        max_examples=25,
        deadline=None,
        derandomize=True,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    return lambda function: quick(given(case=operation.as_strategy())(function))
