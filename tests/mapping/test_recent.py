import sys
from concurrent.futures import ThreadPoolExecutor

import pytest

from loihi_gym.mapping.recent import Recent


def test_the_results_asked_for_last_are_kept():
    made = []
    recent = Recent(2)

    def get(key: str) -> str:
        def make() -> str:
            made.append(key)
            return key.upper()

        return recent.get(key, make)

    assert [get(key) for key in "abaca"] == list("ABACA")
    assert made == ["a", "b", "c"]
    assert get("b") == "B"  # fell out when c came
    assert made == ["a", "b", "c", "b"]


def test_a_failed_result_is_not_kept():
    recent = Recent(2)
    for _ in range(2):
        with pytest.raises(ZeroDivisionError):
            recent.get("a", lambda: 1 // 0)
    assert recent.get("a", lambda: 1) == 1


def test_threads_may_share_it():
    """Results are right and none fails, whatever another thread drops between two operations."""
    recent, keys = Recent(3), [n * n % 7 for n in range(4000)]

    def ask(shift: int) -> list[int]:
        wanted = keys[shift:] + keys[:shift]
        return [recent.get(key, lambda key=key: 2 * key) - 2 * key for key in wanted]

    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        with ThreadPoolExecutor(4) as threads:
            found = list(threads.map(ask, range(0, 4000, 1000)))
    finally:
        sys.setswitchinterval(before)
    assert not any(map(any, found))
