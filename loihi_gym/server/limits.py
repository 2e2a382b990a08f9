"""What a server does at most."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Limits:
    """Bounds on sizes (bytes), times (seconds) and counts.

    Attributes:
        problem_bytes: Size of an uploaded problem.
        unpacked_bytes: Size of its arrays.
        body_bytes: Size of any other request's body.
        body_s: Time in which a request's body must arrive.
        header_s: Time in which a connection must begin a request.
        measure_s: Time one measurement may take; then its worker is killed.
        abandon_s: A measurement that nobody has asked for so long is not begun.
        queued: Measurements that may wait.
        connections: Connections at once.
        problems: Problems kept unpacked.
        results: Results kept in memory.
    """

    problem_bytes: int = 256 << 20
    unpacked_bytes: int = 1 << 30
    body_bytes: int = 32 << 20
    body_s: float = 60.0
    header_s: float = 15.0
    measure_s: float = 900.0
    abandon_s: float = 120.0
    queued: int = 20_000
    connections: int = 1_000
    problems: int = 16
    results: int = 1_000_000
