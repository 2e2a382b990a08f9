"""What a server keeps: problems by digest, results by (problem, mapping, repeat)."""

import json
from collections import OrderedDict
from functools import lru_cache
from pathlib import Path
from typing import TextIO

from ..errors import ProblemFileError, ServerError
from ..files import write_bytes
from ..mapping import Problem
from ..mapping.problem_file import problem_from_bytes
from .queue import JobOutcome, Key


class ProblemStore:
    """Problem files in a directory, named by digest: 64 hexadecimal digits, as `Digest` checks.

    Attributes:
        get: The stored problem of a digest; those asked for last stay unpacked.
    """

    def __init__(self, folder: Path, kept: int, unpacked_bytes: int) -> None:
        self._folder = folder
        self._unpacked_bytes = unpacked_bytes
        self.get = lru_cache(kept)(self._read)
        folder.mkdir(parents=True, exist_ok=True)

    def __len__(self) -> int:
        return sum(1 for _ in self._folder.glob("*.npz"))

    def path(self, digest: str) -> Path:
        """Where a problem's file is, or would be."""
        return self._folder / f"{digest}.npz"

    def __contains__(self, digest: str) -> bool:
        return self.path(digest).exists()

    def _read(self, digest: str) -> Problem:
        return problem_from_bytes(self.path(digest).read_bytes(), f"problem {digest[:12]}")

    def add(self, digest: str, data: bytes) -> None:
        """Store an uploaded problem.

        Raises:
            ProblemFileError: if it is malformed, or another than the digest says.
        """
        problem = problem_from_bytes(data, "the upload", self._unpacked_bytes)
        if problem.digest != digest:
            raise ProblemFileError(
                f"the upload has digest {problem.digest[:12]}, not {digest[:12]}: client and "
                "server may be of different versions"
            )
        write_bytes(self.path(digest), data)


class ResultStore:
    """The last results, in memory and, if there is a file, on disk, whence a restart has them.

    Raises:
        ServerError: if the file cannot be read or written.
    """

    def __init__(self, path: Path | None, kept: int) -> None:
        self._kept = kept
        self._results: OrderedDict[Key, JobOutcome] = OrderedDict()
        self._file: TextIO | None = None
        if path is None:
            return
        try:
            self._read(path)
            self._file = path.open("a", encoding="utf-8")
        except OSError as error:
            raise ServerError(f"results {path}: {error.strerror}") from error

    def __len__(self) -> int:
        return len(self._results)

    def get(self, key: Key) -> JobOutcome | None:
        """A stored result, or None."""
        if key in self._results:
            self._results.move_to_end(key)
        return self._results.get(key)

    def add(self, key: Key, outcome: JobOutcome) -> None:
        """Store a result; on disk before anybody is told of it."""
        self._remember(key, outcome)
        if self._file is not None:
            line = [*key, outcome.step_times_ps, outcome.energy_fj, outcome.counted]
            self._file.write(json.dumps(line, separators=(",", ":")) + "\n")
            self._file.flush()

    def close(self) -> None:
        """Close the file."""
        if self._file is not None:
            self._file.close()

    def _remember(self, key: Key, outcome: JobOutcome) -> None:
        self._results[key] = outcome
        if len(self._results) > self._kept:
            self._results.popitem(last=False)

    def _read(self, path: Path) -> None:
        """Take over what is on disk; a last line that a crash cut off is dropped."""
        if not path.exists():
            return
        data = path.read_bytes()
        whole = data.rfind(b"\n") + 1
        for number, line in enumerate(data[:whole].splitlines(), 1):
            try:
                problem, mapping, repeat, times, energies, *counted = json.loads(line)
                parts = tuple(map(int, times)), tuple(map(int, energies))
                outcome = JobOutcome(*parts, counted=counted != [False])
                self._remember((str(problem), str(mapping), int(repeat)), outcome)
            except (ValueError, TypeError, RecursionError) as error:
                raise ServerError(f"results {path}, line {number}: {error}") from error
        if whole < len(data):
            with path.open("r+b") as file:
                file.truncate(whole)
