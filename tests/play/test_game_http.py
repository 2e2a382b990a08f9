"""The game over HTTP: who may ask, what it answers, and what it never does."""

import re

import httpx
import pytest

from loihi_gym.backends import MeshBackend
from loihi_gym.errors import ServerError
from loihi_gym.leaderboard.pictures import mapping_picture
from loihi_gym.mapping import Mapping, swap
from loihi_gym.play.game_http import page
from loihi_gym.play.game_server import prepare
from tests.play.games import game, running


@pytest.fixture(scope="module")
def served(tmp_path_factory):
    """A game, and its address without the token, and the token."""
    made = game(tmp_path_factory.mktemp("play") / "played.json")
    with running(made) as address:
        url, _, token = address.partition("#")
        yield made, url, token


@pytest.fixture
def made(served):
    served[0].path.unlink(missing_ok=True)
    return served[0]


@pytest.fixture
def client(served):
    """Who has the token."""
    with httpx.Client(base_url=served[1], headers={"Authorization": f"Bearer {served[2]}"}) as made:
        yield made


def sent(mapping):
    return {
        "cores_per_layer": mapping.cores_per_layer.tolist(),
        "placement": mapping.placement.tolist(),
    }


def test_the_opening_has_start_ghost_and_reference(client, made):
    opening = client.get("/v1/game").json()
    backend = MeshBackend(made.problem)
    for name, mapping in (("start", made.start), ("ghost", made.ghost)):
        picture = mapping_picture(made.problem, mapping, backend.evaluate(mapping))
        assert opening[name]["picture"] == picture | {"bottleneck": list(picture["bottleneck"])}
    reference = backend.evaluate(made.problem.reference_mapping)
    assert opening["reference_latency_ps"] == reference.latency_ps


def test_a_mapping_is_measured_as_evaluate_does(client, made):
    mapping = swap(made.start, 0, 13)
    answer = client.post("/v1/measure", json=sent(mapping)).json()
    latency_ps = MeshBackend(made.problem).evaluate(mapping).latency_ps
    assert answer["picture"]["latency_ps"] == latency_ps


@pytest.mark.parametrize(
    ("placement", "reason"),
    [([0, 0, 1, 2, 3], "logical cores per core"), ([0, 1, 2, 3, 999], "absent core")],
)
def test_an_illegal_mapping_is_explained_and_never_saved(client, made, placement, reason):
    body = {"cores_per_layer": [1, 1, 1, 1, 1], "placement": placement}
    for path in ("/v1/measure", "/v1/save"):
        answer = client.post(path, json=body)
        assert answer.status_code == 200
        assert reason in answer.json()["reason"]
    assert not made.path.exists()


def test_what_is_saved_is_the_mapping(client, made):
    mapping = swap(made.start, 0, 13)
    assert client.post("/v1/save", json=sent(mapping)).json() == {"file": "played.json"}
    assert Mapping.load(made.path) == mapping


def test_a_file_that_cannot_be_written_is_named(tmp_path):
    made = game(tmp_path / "nowhere" / "played.json")
    with running(made) as address:
        url, _, token = address.partition("#")
        headers = {"Authorization": f"Bearer {token}"}
        answer = httpx.post(f"{url}v1/save", json=sent(made.start), headers=headers)
    assert answer.status_code == 500
    assert "played.json" in answer.json()["detail"]


@pytest.mark.parametrize(
    "body",
    [
        {},
        [],
        {"cores_per_layer": [1], "placement": []},
        {"cores_per_layer": ["1"], "placement": [0]},
        {"cores_per_layer": [1], "placement": [-1]},
        {"cores_per_layer": [1], "placement": [0], "path": "/etc/passwd"},
    ],
)
def test_malformed_requests_are_refused_in_one_line(client, made, body):
    for path in ("/v1/measure", "/v1/save"):
        answer = client.post(path, json=body)
        assert answer.status_code == 422
        assert "\n" not in answer.json()["detail"]
    assert not made.path.exists()


@pytest.mark.parametrize("name", ["", "Cookie", "X-Token", "Authorization"])
def test_without_the_token_there_is_only_the_page(made, served, name):
    _, url, token = served
    headers = {name: token} if name else {}  # Authorization without "Bearer", too
    with httpx.Client(base_url=url, headers=headers) as client:
        assert client.get("/").status_code == 200
        assert client.get("/v1/game").status_code == 401
        assert client.get(f"/v1/game?token={token}").status_code == 401
        assert client.post("/v1/measure", json=sent(made.start)).status_code == 401
        assert client.post("/v1/save", json=sent(made.start)).status_code == 401
        assert client.get("/openapi.json").status_code == 401
    assert not made.path.exists()


@pytest.mark.parametrize("host", ["evil.example", "10.0.0.1", "127.0.0.1.evil.example", ""])
def test_another_machine_s_name_is_refused_even_with_the_token(client, host):
    for path in ("/", "/v1/game"):
        assert client.get(path, headers={"Host": host}).status_code == 421


def test_the_page_holds_no_secret_and_names_no_other_host(client, served):
    text = client.get("/").text
    assert text == page()
    assert served[2] not in text
    assert set(re.findall(r"https?://[^\s\"'`)]+", text)) == {"http://www.w3.org/2000/svg"}
    assert "connect-src 'self'; default-src 'none'" in text
    assert not re.search(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|eval\(", text)


def test_answers_are_kept_by_nobody_and_framed_by_nobody(client):
    for path in ("/", "/v1/game"):
        headers = client.get(path).headers
        assert headers["cache-control"] == "no-store"
        assert "frame-ancestors 'none'" in headers["content-security-policy"]
        assert headers["x-content-type-options"] == "nosniff"
        assert "access-control-allow-origin" not in headers


def test_a_port_that_is_taken_is_named(made, served):
    port = int(served[1].rstrip("/").rpartition(":")[2])
    with pytest.raises(ServerError, match=f"cannot listen on 127.0.0.1 port {port}"):
        prepare(made, port)
