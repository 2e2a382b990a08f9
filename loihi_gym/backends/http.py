"""`http://…`: backends on other machines, one or a pool of them; see `loihi_gym.server`.

The wire carries mappings, step times and energies, all integers; the counts of a Loihi's
`Measurement` are the client's own. A mapping's n-th measurement by a client is its repeat n - 1:
asked for again after a lost answer, it is the same measurement, and is counted once.
"""

import os
import sys
import threading
import time
import uuid
import weakref
from collections import Counter, deque
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import numpy as np

from ..errors import MeasurementError, ServerError, one_line
from ..mapping import Mapping, Problem
from ..mapping.problem_file import problem_bytes
from .assembly import assemble, busy_times
from .measurement import EnergyBreakdown, Measurement

if TYPE_CHECKING:
    import httpx

TOKEN_VARIABLE = "LOIHI_GYM_TOKEN"
CHUNK = 64
"""Mappings in one request: small enough that several servers share a batch."""
ATTEMPTS = 3
"""Measurements of one mapping that may fail before the error is the caller's."""
WAIT_S = 10.0
"""How long a server may hold back an answer."""
TIMEOUT_S, CONNECT_S = 30.0, 1.5
FIRST_PAUSE_S, LONGEST_PAUSE_S = 0.05, 5.0
SILENCE_S, NEWS_S, LONGEST_NEWS_S = 1.0, 10.0, 60.0
"""A server that has not answered for so long is spoken of, then again at longer intervals."""
LARGEST = 1 << 62
"""No time or energy is this large."""


@dataclass(eq=False)
class _Order:
    """One mapping of a batch that is not measured yet."""

    index: int
    mapping: Mapping
    repeat: int
    failures: int = 0


class _Unreachable(Exception):
    """A server that may be there again later."""


class HttpBackend:
    """Measures on one or several measurement servers.

    Args:
        problem: What to measure; servers that do not have it are sent it.
        urls: Addresses, as in ``http://host:port``, with commas between them; several are a pool.
        token: For servers that want one; default the variable LOIHI_GYM_TOKEN.
        patience_s: How long to wait for a server that does not answer before giving up.

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
        self._crew: _Crew | None = None
        self.backend = self._agree(self._here().servers)

    def __getstate__(self) -> dict[str, Any]:
        return {**vars(self), "_crew": None}

    def close(self) -> None:
        """Close all connections of this process."""
        if self._crew is not None:
            self._crew.close()

    def _here(self) -> "_Crew":
        """This process's connections: a fork copies neither threads nor a right to its parent's."""
        if self._crew is None or self._crew.process != os.getpid():
            self._crew = _Crew([_Server(url, self._token, self.problem) for url in self._urls])
        return self._crew

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
        for index, mapping in enumerate(mappings):
            orders.append(_Order(index, mapping, self._repeats[mapping.digest]))
            self._repeats[mapping.digest] += 1
        batch, crew = _Batch(orders, self._patience_s), self._here()
        for server in crew.servers:
            crew.pool.submit(batch.work, server)
        batch.wait()
        if batch.error is not None:
            for order in orders:  # none of them is given out: ask for the same ones next time
                self._repeats[order.mapping.digest] -= 1
            raise batch.error
        return [self._measurement(order, batch.results[order.index]) for order in orders]

    def _measurement(self, order: _Order, result: dict[str, Any]) -> Measurement:
        times, energies = result["step_times_ps"], result.get("energy_fj")
        energy = EnergyBreakdown(*energies) if energies else None
        if not result.get("counted", True):  # no Loihi: what it counts is not ours to say
            return Measurement(sum(times), tuple(times), energy)
        busy = busy_times(self.problem, order.mapping)
        whole = assemble(self.problem, order.mapping, busy, np.array(times, np.int64))
        assert whole.bottleneck is not None
        share = min(whole.bottleneck.share, 1.0)  # a chip may be faster than our constants say
        return replace(whole, energy=energy, bottleneck=whole.bottleneck._replace(share=share))

    def _agree(self, servers: Sequence["_Server"]) -> str:
        """The backend of all servers that answer."""
        found: dict[tuple[str, str], str] = {}
        deadline = time.monotonic() + self._patience_s
        pause = FIRST_PAUSE_S
        while not found:
            lost = ""
            for server in servers:
                try:
                    found.setdefault(server.health(), server.url)
                except _Unreachable as error:
                    lost = str(error)
            if not found and time.monotonic() > deadline:
                raise MeasurementError(f"no measurement server answers: {lost}")
            if not found:
                time.sleep(pause)
                pause = min(2 * pause, LONGEST_PAUSE_S)
        if len(found) > 1:
            both = " and ".join(f"{u} has {b} {v}" for (b, v), u in found.items())
            raise ServerError(f"the servers of a pool must be alike: {both}")
        return next(iter(found))[0]


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


class _Crew:
    """A process's connections to the servers of a pool, and a thread for each of them.

    Attributes:
        process: Id of the process.
        servers: The servers.
        pool: The threads.
        close: Closes all; done anyway once nobody has the crew, since environments close nothing.
    """

    def __init__(self, servers: list["_Server"]) -> None:
        self.process = os.getpid()
        self.servers = servers
        self.pool = ThreadPoolExecutor(len(servers), thread_name_prefix="loihi-gym-http")
        self.close = weakref.finalize(self, _close, self.process, self.pool, servers)


def _close(process: int, pool: ThreadPoolExecutor, servers: list["_Server"]) -> None:
    if process != os.getpid():
        return  # a fork's copy: the threads and connections are the parent's
    pool.shutdown(cancel_futures=True)
    for server in servers:
        server.close()


class _Batch:
    """Orders that the servers of a pool share; each result is taken once.

    Attributes:
        results: What was measured, by index.
        error: Why the batch failed, None if it did not.
    """

    def __init__(self, orders: Sequence[_Order], patience_s: float) -> None:
        self.results: dict[int, dict[str, Any]] = {}
        self.error: Exception | None = None
        self._waiting = deque(orders)
        self._missing = len(orders)
        self._patience_s = patience_s
        self._lock = threading.Condition()
        self._progress_s = time.monotonic()

    def work(self, server: "_Server") -> None:
        """Let a server measure until nothing is left; an error ends the batch."""
        pause = FIRST_PAUSE_S
        while orders := self._take():
            try:
                settled = server.ask(orders)
                pause = FIRST_PAUSE_S
                self._settle(orders, settled)
            except _Unreachable as error:
                self._give_back(orders, str(error))
                self._pause(pause)
                pause = min(2 * pause, LONGEST_PAUSE_S)
            except Exception as error:
                self._fail(error)

    def wait(self) -> None:
        """Wait until all is measured, or the batch has failed; say now and then what is missing."""
        news_s = NEWS_S
        with self._lock:
            while not self._lock.wait_for(self._over, news_s):
                _say(f"waiting for measurements over HTTP, {self._missing} are missing")
                news_s = min(2 * news_s, LONGEST_NEWS_S)

    def _over(self) -> bool:
        return not self._missing or self.error is not None

    def _pause(self, seconds: float) -> None:
        with self._lock:
            self._lock.wait_for(self._over, seconds)

    def _take(self) -> list[_Order]:
        """The next chunk; waits while all that is left is with other servers, which may fail."""
        with self._lock:
            self._lock.wait_for(lambda: self._waiting or self._over())
            if self._over():
                return []
            return [self._waiting.popleft() for _ in range(min(CHUNK, len(self._waiting)))]

    def _settle(self, orders: list[_Order], settled: list[dict[str, Any]]) -> None:
        with self._lock:
            for order, result in zip(orders, settled, strict=True):
                if result["state"] == "done":
                    self.results[order.index] = result
                    self._missing -= 1
                    self._progress_s = time.monotonic()
                elif result["state"] == "pending":
                    self._waiting.append(order)
                    self._progress_s = time.monotonic()  # a server that queues us is alive
                else:
                    order.failures += 1
                    self._waiting.append(order)
                    if order.failures >= ATTEMPTS or result["state"] == "illegal":
                        digest, why = order.mapping.digest[:12], one_line(result.get("reason"))
                        self.error = self.error or MeasurementError(
                            f"mapping {digest} could not be measured: {why}"
                        )
            self._lock.notify_all()

    def _give_back(self, orders: list[_Order], reason: str) -> None:
        with self._lock:
            self._waiting.extendleft(reversed(orders))
            if time.monotonic() - self._progress_s > self._patience_s:
                self.error = self.error or MeasurementError(
                    f"no measurement server has answered for {self._patience_s:g} s: {reason}"
                )
            self._lock.notify_all()

    def _fail(self, error: Exception) -> None:
        with self._lock:
            self.error = self.error or error
            self._lock.notify_all()


class _Server:
    """One server."""

    def __init__(self, url: str, token: str | None, problem: Problem) -> None:
        try:
            import httpx
        except ImportError as error:
            raise ServerError(
                "measuring over HTTP needs httpx; pip install loihi-gym[server]"
            ) from error
        self.url = url
        self._problem = problem
        self._lost_s: float | None = None
        self._news_s = SILENCE_S
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
        results = reply.get("results")
        if not isinstance(results, list) or not all(isinstance(one, dict) for one in results):
            raise ServerError(f"{self.url} is no measurement server: its answer has no results")
        wanted = [order.mapping.digest for order in orders]
        if [result.get("mapping") for result in results] != wanted:
            raise ServerError(f"{self.url} answered for other mappings than it was asked for")
        for result in results:
            self._check(result)
        return results

    def _check(self, result: dict[str, Any]) -> None:
        """Refuse a result that cannot be one of our problem."""
        if result.get("state") in ("pending", "failed", "illegal"):
            return
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
            self._lost_s = began if self._lost_s is None else self._lost_s
            waited = time.monotonic() - self._lost_s
            if waited >= self._news_s:
                _say(f"waiting for a measurement server for {waited:.0f} s: {error}")
                self._news_s = waited + min(max(waited, NEWS_S), LONGEST_NEWS_S)
            raise
        if self._news_s > SILENCE_S:
            _say(f"{self.url} answers")
        self._lost_s, self._news_s = None, SILENCE_S
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
            raise ServerError(f"{self.url} is no measurement server: {one_line(error)}") from error
        if reply.status_code == 404 and method == "POST":
            return None
        if reply.status_code in (408, 429) or reply.status_code >= 500:
            raise _Unreachable(f"{self.url} answered {reply.status_code} {_detail(reply)}")
        if not reply.is_success:
            raise ServerError(f"{self.url} refused: {reply.status_code} {_detail(reply)}")
        try:
            data = reply.json()
        except (ValueError, RecursionError) as error:
            raise ServerError(f"{self.url} is no measurement server: {one_line(error)}") from error
        if not isinstance(data, dict):
            raise ServerError(f"{self.url} is no measurement server")
        return data


def _detail(reply: "httpx.Response") -> str:
    try:
        return one_line(reply.json()["detail"])
    except (ValueError, KeyError, TypeError, RecursionError):
        return one_line(reply.reason_phrase)


def _say(news: str) -> None:
    sys.stderr.write(f"loihi-gym: {news}\n")
    sys.stderr.flush()
