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
