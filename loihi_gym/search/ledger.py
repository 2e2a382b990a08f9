"""`Ledger`: how evaluations are counted, by one rule whoever asks for them."""

import time
from collections.abc import Sequence

FREE_REPEATS = 100
"""With `count_unique`: repeats per evaluation of the budget after which a search is over."""


class Ledger:
    """Counts what a search has spent: each mapping asked for is an evaluation, repeats included.

    Args:
        budget: Evaluations allowed.
        seconds: Wall time allowed, None for no limit.
        count_unique: Whether repeats are free, within `FREE_REPEATS`.

    Attributes:
        spent: Evaluations spent.
    """

    def __init__(self, budget: int, seconds: float | None, count_unique: bool) -> None:
        self.spent = 0
        self._budget = budget
        self._seconds = seconds
        self._count_unique = count_unique
        self._repeats = 0
        self._asked: set[str] = set()
        self._started = time.monotonic()

    @property
    def seconds(self) -> float:
        """Wall time since the search began."""
        return time.monotonic() - self._started

    @property
    def remaining(self) -> int:
        """Evaluations left; 0 once the time is up."""
        if self._seconds is not None and self.seconds >= self._seconds:
            return 0
        return self._budget - self.spent

    def affordable(self, digests: Sequence[str]) -> int | None:
        """How many of the mappings asked for next, from the first on, the budget pays for.

        None if the search is over, which it is even for repeats that would be free.
        """
        remaining = self.remaining
        if remaining <= 0 or self._repeats > FREE_REPEATS * self._budget:
            return None
        if not self._count_unique:
            return min(remaining, len(digests))
        new: set[str] = set()
        for position, digest in enumerate(digests):
            if digest not in self._asked:
                new.add(digest)
            if len(new) > remaining:
                return position
        return len(digests)

    def charge(self, digest: str) -> bool:
        """Note that a mapping was measured; whether that was an evaluation and no free repeat."""
        if self._count_unique and digest in self._asked:
            self._repeats += 1
            return False
        self._asked.add(digest)
        self.spent += 1
        return True
