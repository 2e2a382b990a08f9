"""What a server keeps: problems by digest, results by (problem, mapping, repeat)."""

import errno
import json
import os
import sqlite3
from collections.abc import Container, Iterable
from contextlib import suppress
from functools import lru_cache
from pathlib import Path

from ..errors import ServerError
from ..mapping import Problem
from ..mapping.problem_file import problem_from_bytes
from .queue import JobOutcome, Key

STORED = "[0-9a-f]*.npz"
"""Stored problems; what is only being received begins with a dot."""


class ProblemStore:
    """Problem files in a directory, named by digest: 64 hexadecimal digits, as `Digest` checks.

    Files that are asked for least recently make room for new ones: a client whose problem is gone
    is told so, and uploads it again.

    Attributes:
        get: The stored problem of a digest; those asked for last stay unpacked.
    """

    def __init__(self, folder: Path, kept: int, stored: int, stored_bytes: int) -> None:
        self._folder = folder
        self._stored, self._stored_bytes = stored, stored_bytes
        self.get = lru_cache(kept)(self._read)
        folder.mkdir(parents=True, exist_ok=True)
        for left in folder.glob(".*"):  # what a kill left half-written
            left.unlink()

    def __len__(self) -> int:
        return sum(1 for _ in self._folder.glob(STORED))

    def path(self, digest: str) -> Path:
        """Where a problem's file is, or would be."""
        return self._folder / f"{digest}.npz"

    def __contains__(self, digest: str) -> bool:
        path = self.path(digest)
        with suppress(OSError):  # its time says when it was asked for last
            os.utime(path)
        return path.exists()

    def _read(self, digest: str) -> Problem:
        return problem_from_bytes(self.path(digest).read_bytes(), f"problem {digest[:12]}")

    def add(self, digest: str, received: Path, needed: Container[str] = ()) -> None:
        """Take over a file that `intake` has accepted.

        Args:
            digest: Digest of its problem.
            received: The file, beside those that are stored.
            needed: Digests of problems that may not make room for it.

        Raises:
            OSError: if nothing makes room for it.
        """
        self._make_room(received.stat().st_size, needed)
        received.replace(self.path(digest))

    def _make_room(self, size: int, needed: Container[str]) -> None:
        files = sorted((path.stat().st_mtime_ns, path) for path in self._folder.glob(STORED))
        total = sum(path.stat().st_size for _, path in files)
        count = len(files)
        for _, path in files:
            if count < self._stored and total + size <= self._stored_bytes:
                return
            if path.stem not in needed:
                total -= path.stat().st_size
                count -= 1
                path.unlink()
        if count >= self._stored or total + size > self._stored_bytes:
            raise OSError(errno.ENOSPC, "all stored problems are being measured: ask later")


class ResultStore:
    """The last results, in an SQLite file that one server has for itself.

    A result that was added outlives the process, however that ends. The file belongs to its server
    alone until that closes it or ends.

    Raises:
        ServerError: if another server has the file, or it is none of results.
    """

    def __init__(self, path: Path, kept: int) -> None:
        self._kept = kept
        self._db = sqlite3.connect(path, timeout=0, isolation_level=None, check_same_thread=False)
        try:
            self._db.execute("PRAGMA locking_mode = EXCLUSIVE")
            self._db.execute("PRAGMA journal_mode = WAL")
            self._db.execute("PRAGMA synchronous = NORMAL")
            self._db.execute(
                "CREATE TABLE IF NOT EXISTS results (problem TEXT, mapping TEXT, repeat INTEGER,"
                " outcome TEXT, UNIQUE (problem, mapping, repeat))"
            )
            self._db.execute("BEGIN IMMEDIATE")
            self._db.execute("COMMIT")
            (self._count,) = self._db.execute("SELECT count(*) FROM results").fetchone()
        except sqlite3.Error as error:
            self._db.close()
            raise ServerError(
                f"results {path}: {error}"
                + (": another server has this directory" if "locked" in str(error) else "")
            ) from error

    def __len__(self) -> int:
        return int(self._count)

    def get(self, key: Key) -> JobOutcome | None:
        """A stored result, or None."""
        words = "SELECT outcome FROM results WHERE problem = ? AND mapping = ? AND repeat = ?"
        row = self._db.execute(words, key).fetchone()
        if row is None:
            return None
        times, energies, counted = json.loads(row[0])
        return JobOutcome(tuple(times), tuple(energies), counted=counted)

    def add(self, results: Iterable[tuple[Key, JobOutcome]]) -> None:
        """Store results, all or none: on disk before anybody is told of them.

        Raises:
            OSError: if the disk is full, or fails.
        """
        rows = [
            (*key, json.dumps([one.step_times_ps, one.energy_fj, one.counted]))
            for key, one in results
        ]
        words = "INSERT OR REPLACE INTO results VALUES (?, ?, ?, ?)"
        too_many = "DELETE FROM results WHERE rowid IN (SELECT rowid FROM results LIMIT ?)"
        try:
            with self._db:
                self._db.execute("BEGIN")
                self._db.executemany(words, rows)
                (count,) = self._db.execute("SELECT count(*) FROM results").fetchone()
                if count > self._kept:
                    self._db.execute(too_many, (count - self._kept,))
        except sqlite3.Error as error:
            raise OSError(errno.ENOSPC, str(error)) from error
        self._count = min(count, self._kept)

    def close(self) -> None:
        """Close the file."""
        self._db.close()
