"""What a server does at most."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Limits:
    """Bounds on sizes (bytes), times (seconds) and counts.

    Attributes:
        problem_bytes: Size of an uploaded problem.
        unpacked_bytes: Size of its arrays.
        upload_s: Time that reading it may take.
        stored: Problems on disk; those asked for least recently make room.
        stored_bytes: Their size.
        body_bytes: Size of any other request's body.
        bodies_bytes: Size of all bodies that are being received or read.
        body_s: Time in which a request's body must arrive.
        header_s: Time in which a connection must begin a request.
        measure_s: Time one measurement may take; then its worker is killed.
        rest_s: Time for which a problem whose measurements took too long again and again is left
            alone.
        abandon_s: A measurement that nobody has asked for so long is not begun.
        queued: Measurements that may wait.
        connections: Connections at once.
        problems: Problems kept unpacked.
        results: Results kept.
    """

    problem_bytes: int = 64 << 20
    unpacked_bytes: int = 256 << 20
    upload_s: float = 20.0
    stored: int = 1_000
    stored_bytes: int = 512 << 20
    body_bytes: int = 8 << 20
    bodies_bytes: int = 128 << 20
    body_s: float = 60.0
    header_s: float = 15.0
    measure_s: float = 900.0
    rest_s: float = 600.0
    abandon_s: float = 120.0
    queued: int = 20_000
    connections: int = 1_000
    problems: int = 4
    results: int = 1_000_000
