import pytest

from loihi_gym.wording import against_reference


@pytest.mark.parametrize(
    ("latency", "words"),
    [
        (81, "19.0% below the reference"),
        (100, "equal to the reference"),
        (104, "4.0% above the reference"),
        (178, "78.0% above the reference"),
        (213, "2.1 times as slow as the reference"),
    ],
)
def test_a_latency_is_compared_in_words_without_a_sign(latency, words):
    assert against_reference(latency, 100) == words
