"""Whether Lava works here: versions, what belongs to Loihi, and a run."""

import time
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from scipy.sparse import csr_array

from ...errors import LoihiGymError
from ...network import SparseMLP
from .client import LavaWorker
from .home import worker_python
from .verification import compare

SELF_TEST_SECONDS = 60.0
"""Limit of the self-test, which takes about 1 s on an idle machine."""


class Finding(NamedTuple):
    """One thing looked at.

    Attributes:
        what: The thing.
        good: Whether it is there and works; None if only hardware needs it, and it is not there.
        detail: Version, place or reason.
    """

    what: str
    good: bool | None
    detail: str


def examine() -> Iterator[Finding]:
    """Look at everything, in order; what cannot work without what failed is left out."""
    try:
        python = worker_python()
    except LoihiGymError as error:
        yield Finding("environment", False, str(error))
        return
    yield Finding("environment", True, str(python))
    with LavaWorker(limit_s=SELF_TEST_SECONDS) as worker:
        try:
            found = worker.request("describe")
        except LoihiGymError as error:
            yield Finding("worker", False, str(error))
            return
        versions = f"Python {found['python']}, numpy {found['numpy']}"
        yield Finding("lava-nc", found["lava_nc"] is not None, f"{found['lava_nc']}, {versions}")
        yield _self_test(worker)
    yield _optional("lava-loihi", found["lava_loihi"], "Intel gives it to members of the INRC")
    yield _optional("SLURM", found["slurm"], "there is no sinfo, or it does not answer")
    boards = [f"{name} ({partition}, {state})" for name, partition, state in found["boards"]]
    yield Finding("boards", bool(boards) or None, ", ".join(boards) or "none listed by SLURM")


def _optional(what: str, there: bool, otherwise: str) -> Finding:
    return Finding(what, True if there else None, "found" if there else f"not found: {otherwise}")


def _self_test(worker: LavaWorker) -> Finding:
    """A network of two layers in Lava's simulation, compared with ours."""
    start = time.monotonic()
    weights = csr_array(np.array([[3, -2, 0], [0, 5, 1]], np.int8))
    network = SparseMLP((weights,), (-1,), (0,))
    try:
        result = compare(worker, network, np.array([[1, 2, 3], [7, 0, 5], [0, 0, 0]]))
    except LoihiGymError as error:
        return Finding("self-test", False, str(error))
    seconds = f"{time.monotonic() - start:.1f} s"
    if result.equal and result.sent:
        return Finding("self-test", True, f"Lava and loihi_gym agree; {seconds}")
    return Finding("self-test", False, f"{result.first}; {seconds}")
