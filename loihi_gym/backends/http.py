"""`http://…`: backends on other machines, one or a pool of them; see `loihi_gym.server`.

The wire carries mappings, step times and energies, all integers; the counts of a Loihi's
`Measurement` are the client's own. A mapping's n-th measurement by a client is its repeat n - 1:
asked for again after a lost answer, it is the same measurement, and is counted once.
"""

import os
import sys
import time
import uuid
import weakref
from collections import Counter, deque
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from queue import Empty, SimpleQueue
from typing import Any
from urllib.parse import urlsplit

import numpy as np

from ..errors import MeasurementError, ServerError, one_line
from ..mapping import Mapping, Problem
from ..mapping.problem_file import problem_bytes
from .assembly import assemble, busy_times
from .measurement import EnergyBreakdown, Measurement

TOKEN_VARIABLE = "LOIHI_GYM_TOKEN"
CHUNK, CHUNK_CORES = 64, 1 << 18
"""Mappings, and logical cores, in one request: few enough that several servers share a batch, and
that no server finds it too large."""
ATTEMPTS = 3
"""Measurements of one mapping that may fail before the error is the caller's."""
WAIT_S = 10.0
"""How long a server may hold back an answer."""
TIMEOUT_S, CONNECT_S = 30.0, 1.5
FIRST_PAUSE_S, LONGEST_PAUSE_S, TICK_S = 0.05, 5.0, 0.05
SILENCE_S, NEWS_S, LONGEST_NEWS_S = 1.0, 10.0, 60.0
"""A server that has not answered for so long is spoken of, then again at longer intervals."""
LARGEST = 1 << 62
"""No time or energy is this large."""


@dataclass(eq=False)
class _Order:
    """One mapping of a batch, and what was measured, once it is."""

    mapping: Mapping
    repeat: int
    failures: int = 0
    result: dict[str, Any] | None = None


_Answer = Future[list[dict[str, Any]]]
"""What a server will know of each order that it was asked about."""


class _Unreachable(Exception):
    """A server that may be there again later."""


class HttpBackend:
    """Measures on one or several measurement servers.

    Args:
        problem: What to measure; servers that do not have it are sent it.
        urls: Addresses, as in ``http://host:port``, with commas between them; several are a pool.
        token: For servers that want one; default the variable LOIHI_GYM_TOKEN.
        patience_s: How long to wait before giving up for a server that does not answer, and, beyond
            the time that one measurement may take there, for one that says nothing but "pending".

    A copy in another process, forked or pickled, is a client of its own. Whoever is waited for is
    named on stderr.

    Attributes:
        backend: What the servers measure with.

    Raises:
        ServerError: if httpx is not installed, an address is malformed, a token is refused, or the
            servers do not measure with the same backend and version.
        MeasurementError: if no server answers.
    """

    name = "http"

    def __init__(
        self,
        problem: Problem,
        urls: str,
        *,
        token: str | None = None,
        patience_s: float = 300.0,
    ) -> None:
        self.problem = problem
        self._patience_s = patience_s
        self._urls = [checked_address(url) for url in urls.split(",")]
        self._token = token or os.environ.get(TOKEN_VARIABLE)
        self._repeats: Counter[str] = Counter()
        self._process = 0
        self._connect()
        self.backend = self._agree()

    def __getstate__(self) -> dict[str, Any]:
        own = ("_servers", "_threads", "_closed")  # of this process
        rest = {name: value for name, value in vars(self).items() if name not in own}
        return {**rest, "_process": 0}

    def close(self) -> None:
        """Close all connections of this process; done anyway once nobody has the backend."""
        if self._process == os.getpid():
            self._closed()

    def _connect(self) -> None:
        """Connect this process: a fork copies neither threads nor a right to its parent's."""
        if self._process == os.getpid():
            return
        self._servers = [_Server(url, self._token, self.problem) for url in self._urls]
        self._threads = ThreadPoolExecutor(len(self._urls), thread_name_prefix="loihi-gym-http")
        self._process = os.getpid()
        self._closed = weakref.finalize(self, _close, os.getpid(), self._threads, self._servers)

    def evaluate(self, mapping: Mapping) -> Measurement:
        """Measure one mapping; see `Backend.evaluate`.

        Raises:
            MeasurementError: if the measurement failed repeatedly, or no server answers.
        """
        return self.evaluate_batch([mapping])[0]

    def evaluate_batch(self, mappings: Sequence[Mapping]) -> list[Measurement]:
        """Measure several mappings, in their order, on all servers of the pool."""
        for mapping in mappings:
            self.problem.require(mapping)
        orders = []
        for mapping in mappings:
            orders.append(_Order(mapping, self._repeats[mapping.digest]))
            self._repeats[mapping.digest] += 1
        try:
            self._measure(orders)
        except BaseException:  # no result is given out: ask for the same ones next time
            self._repeats.subtract(mapping.digest for mapping in mappings)
            raise
        return [self._measurement(order) for order in orders]

    def _measure(self, orders: Sequence[_Order]) -> None:
        """Let all servers share the orders; what one has not measured goes to the next one free."""
        self._connect()
        waiting, idle = deque(orders), list(self._servers)
        busy: dict[_Answer, tuple[_Server, list[_Order]]] = {}
        answers: SimpleQueue[_Answer] = SimpleQueue()
        heard_s, news, seen = time.monotonic(), _News(NEWS_S), dict[_Server, int]()
        while waiting or busy:
            for server in [one for one in idle if one.ready_s <= time.monotonic()]:
                if not waiting:
                    break
                chunk = _chunk(waiting)
                answer = self._threads.submit(server.ask, chunk)
                busy[answer] = server, chunk
                idle.remove(server)
                answer.add_done_callback(answers.put)
            try:
                answer = answers.get(timeout=TICK_S)
            except Empty:
                missing = sum(order.result is None for order in orders)
                news.tell(f"waiting for measurements over HTTP, {missing} are missing")
                continue
            server, chunk = busy.pop(answer)
            idle.append(server)
            patience_s, why = self._patience_s, f"{server.url} says pending, and ends nothing"
            try:
                left = _unsettled(chunk, answer.result())
                waiting += left
                if len(left) < len(chunk) or seen.get(server) != server.settled:
                    heard_s, seen[server] = time.monotonic(), server.settled
                patience_s += server.measure_s
            except _Unreachable as error:
                waiting.extendleft(reversed(chunk))
                why = str(error)
            if time.monotonic() - heard_s > patience_s:
                raise MeasurementError(
                    f"no measurement server has answered for {patience_s:g} s: {why}"
                )

    def _measurement(self, order: _Order) -> Measurement:
        assert order.result is not None
        times, energies = order.result["step_times_ps"], order.result.get("energy_fj")
        energy = EnergyBreakdown(*energies) if energies else None
        if not order.result.get("counted", True):  # no Loihi: what it counts is not ours to say
            return Measurement(sum(times), tuple(times), energy)
        busy = busy_times(self.problem, order.mapping)
        whole = assemble(self.problem, order.mapping, busy, np.array(times, np.int64))
        assert whole.bottleneck is not None
        share = min(whole.bottleneck.share, 1.0)  # a chip may be faster than our constants say
        return replace(whole, energy=energy, bottleneck=whole.bottleneck._replace(share=share))

    def _agree(self) -> str:
        """The backend of all servers that answer."""
        found: dict[tuple[str, str], str] = {}
        deadline = time.monotonic() + self._patience_s
        while not found:
            lost = ""
            for server in self._servers:
                try:
                    found.setdefault(server.health(), server.url)
                except _Unreachable as error:
                    lost = str(error)
            if not found and time.monotonic() > deadline:
                raise MeasurementError(f"no measurement server answers: {lost}")
            if not found:
                ready_s = min(server.ready_s for server in self._servers)
                time.sleep(max(ready_s - time.monotonic(), 0.0))
        if len(found) > 1:
            both = " and ".join(f"{u} has {b} {v}" for (b, v), u in found.items())
            raise ServerError(f"the servers of a pool must be alike: {both}")
        return next(iter(found))[0]


def _chunk(waiting: deque[_Order]) -> list[_Order]:
    """Take the first orders, as many as one request holds."""
    chunk, cores = [waiting.popleft()], 0
    while waiting and len(chunk) < CHUNK and cores < CHUNK_CORES:
        chunk.append(waiting.popleft())
        cores += len(chunk[-1].mapping.placement)
    return chunk


def _close(process: int, threads: ThreadPoolExecutor, servers: list["_Server"]) -> None:
    if process == os.getpid():  # else a fork's copy: the threads and connections are the parent's
        threads.shutdown(cancel_futures=True)
        for server in servers:
            server.close()


def _unsettled(orders: list[_Order], results: list[dict[str, Any]]) -> list[_Order]:
    """Note what was measured; returns the orders that are to be asked for again."""
    for order, result in zip(orders, results, strict=True):
        if result["state"] == "done":
            order.result = result
        elif result["state"] != "pending":
            order.failures += 1
            if order.failures >= ATTEMPTS or result["state"] == "illegal":
                digest, why = order.mapping.digest[:12], one_line(result.get("reason"))
                raise MeasurementError(f"mapping {digest} could not be measured: {why}")
    return [order for order in orders if order.result is None]


def checked_address(url: str) -> str:
    """The address of a server, without a slash at its end.

    Raises:
        ServerError: says what is wrong with it.
    """
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise _bad_address(url, str(error)) from error
    if parts.scheme not in ("http", "https"):
        raise _bad_address(url, "it does not begin with http:// or https://")
    if parts.username is not None:  # whose password must not be shown
        raise ServerError(
            f"{one_line(parts.hostname)}: an address holds no user or password; give a token by "
            f"the variable {TOKEN_VARIABLE}"
        )
    if not parts.hostname or port == 0 or parts.query or parts.fragment:
        raise _bad_address(url, "give it as http://HOST:PORT")
    if " " in url or not url.isprintable():
        raise _bad_address(url, "it has a space or control character in it")
    return url.rstrip("/")


def _bad_address(url: str, why: str) -> ServerError:
    return ServerError(f"{one_line(url, 100)!r} is not the address of a server: {one_line(why)}")


class _Server:
    """One server.

    Attributes:
        url: Its address.
        ready_s: When it should be asked next, if it was gone at the last attempt.
        measure_s: Time that a measurement may take there, as it says.
        settled: Measurements that it has ended, as it said last.
    """

    def __init__(self, url: str, token: str | None, problem: Problem) -> None:
        try:
            import httpx
        except ImportError as error:
            raise ServerError(
                'measuring over HTTP needs httpx: pip install "loihi-gym[server]"'
            ) from error
        self.url = url
        self.ready_s = 0.0
        self.measure_s = 0.0
        self.settled = 0
        self._problem = problem
        self._lost: _News | None = None
        headers = {"X-Client": uuid.uuid4().hex}
        if token:
            headers["Authorization"] = f"Bearer {token}"
        try:
            self._client = httpx.Client(
                base_url=self.url,
                headers=headers,
                timeout=httpx.Timeout(TIMEOUT_S, connect=CONNECT_S),
            )
        except (httpx.InvalidURL, UnicodeError) as error:
            raise _bad_address(url, str(error)) from error

    def close(self) -> None:
        """Close all connections."""
        self._client.close()

    def health(self) -> tuple[str, str]:
        """Backend and version of the server; one that lives says so at once."""
        said = self._send("GET", "/v1/health", timeout=CONNECT_S) or {}
        self.measure_s = _number(said.get("measure_s"))
        return str(said.get("backend", "none")), str(said.get("version", "none"))

    def ask(self, orders: Sequence[_Order]) -> list[dict[str, Any]]:
        """What the server knows of each order by now, in their order."""
        body = {
            "mappings": [
                {
                    "cores_per_layer": order.mapping.cores_per_layer.tolist(),
                    "placement": order.mapping.placement.tolist(),
                    "repeat": order.repeat,
                }
                for order in orders
            ],
            "wait_s": WAIT_S,
        }
        path = f"/v1/problems/{self._problem.digest}"
        reply = self._send("POST", f"{path}/evaluate_batch", json=body)
        if reply is None:
            self._send("PUT", path, content=problem_bytes(self._problem))
            reply = self._send("POST", f"{path}/evaluate_batch", json=body)
        if reply is None:
            raise _Unreachable(f"{self.url} lost the problem it was sent")
        self.settled = int(_number(reply.get("settled")))
        results = reply.get("results")
        if not isinstance(results, list) or not all(isinstance(one, dict) for one in results):
            raise self._stranger("its answer has no results")
        if [result.get("mapping") for result in results] != [o.mapping.digest for o in orders]:
            raise ServerError(f"{self.url} answered for other mappings than it was asked for")
        for result in results:
            if result.get("state") not in ("pending", "failed", "illegal"):
                self._check(result)
        return results

    def _check(self, result: dict[str, Any]) -> None:
        """Refuse what cannot be a measurement of our problem."""
        times, energies = result.get("step_times_ps"), result.get("energy_fj") or []
        steps = self._problem.activity.steps
        if (
            result.get("state") != "done"
            or not isinstance(times, list)
            or not isinstance(energies, list)
            or (len(times) != steps if result.get("counted", True) else not times)
            or len(energies) not in (0, len(EnergyBreakdown._fields))
            or not all(type(n) is int and 0 <= n < LARGEST for n in (*times, *energies))
        ):
            raise ServerError(f"{self.url} gave a malformed result for {result['mapping'][:12]}")

    def _send(self, method: str, path: str, **body: Any) -> dict[str, Any] | None:
        """As `_request`; says on stderr that the server is gone for a while, or back."""
        began = time.monotonic()
        try:
            reply = self._request(method, path, **body)
        except _Unreachable as error:
            news = self._lost = self._lost or _News(SILENCE_S, began)
            waited = news.waited_s
            news.tell(f"waiting for a measurement server for {waited:.0f} s: {error}")
            pause = min(max(waited, FIRST_PAUSE_S), LONGEST_PAUSE_S)  # as long as it is gone
            self.ready_s = time.monotonic() + pause
            raise
        lost, self._lost = self._lost, None
        if lost is not None and lost.told:
            _say(f"{self.url} answers")
        return reply

    def _request(self, method: str, path: str, **body: Any) -> dict[str, Any] | None:
        """The reply's JSON; None if the server does not know the problem.

        Raises:
            _Unreachable: if asking again later may help.
            ServerError: if it will not.
        """
        import httpx

        try:
            reply = self._client.request(method, path, **body)
        except (httpx.TransportError, OSError) as error:
            why = one_line(str(error) or type(error).__name__)
            raise _Unreachable(f"{self.url}: {why}") from error
        except httpx.HTTPError as error:  # such as a reply that is packed wrongly
            raise self._stranger(error) from error
        if reply.status_code == 404 and method == "POST":
            return None
        try:
            data = reply.json()
        except (ValueError, RecursionError) as error:
            data = error
        if not reply.is_success:
            detail = data.get("detail") if isinstance(data, dict) else None
            said = f"{reply.status_code} {one_line(detail or reply.reason_phrase)}"
            if reply.status_code in (408, 429) or reply.status_code >= 500:
                raise _Unreachable(f"{self.url} answered {said}")
            raise ServerError(f"{self.url} refused: {said}")
        if not isinstance(data, dict):
            raise self._stranger(data)
        return data

    def _stranger(self, why: object) -> ServerError:
        return ServerError(f"{self.url} is no measurement server: {one_line(why)}")


class _News:
    """What is said on stderr of something waited for: after a while, then at longer intervals.

    Attributes:
        told: Whether anything was said.
    """

    def __init__(self, first_s: float, began_s: float | None = None) -> None:
        self._began_s = time.monotonic() if began_s is None else began_s
        self._due_s = first_s
        self.told = False

    @property
    def waited_s(self) -> float:
        """How long it has been waited for."""
        return time.monotonic() - self._began_s

    def tell(self, news: str) -> None:
        """Say it, if it is time to."""
        waited = self.waited_s
        if waited >= self._due_s:
            _say(news)
            self.told = True
            self._due_s = waited + min(max(waited, NEWS_S), LONGEST_NEWS_S)


def _number(value: object) -> float:
    """A number that a server says; 0 for anything else, as an older one says nothing."""
    fine = isinstance(value, int | float) and 0 <= value < LARGEST
    return float(value) if fine else 0.0  # type: ignore[arg-type]


def _say(news: str) -> None:
    sys.stderr.write(f"loihi-gym: {news}\n")
    sys.stderr.flush()
