"""The examples in docstrings of public things, which the site shows."""

import doctest
from collections.abc import Iterator
from importlib import import_module

import pytest

import loihi_gym

ROOMS = ("backends", "benchmarks", "chip", "drawing", "envs", "mapping", "network", "search")
SHOWN = ("Mapping", "Problem", "family", "heuristic", "load", "load_chip", "make_backend")
SHOWN += ("make_problem", "solve")


def examples() -> Iterator[doctest.DocTest]:
    """Of every public name and its methods, each once."""
    rooms = [import_module(f"loihi_gym.{room}") for room in ROOMS]
    public = {id(one): one for room in rooms for one in map(vars(room).get, room.__all__)}
    for one in public.values():
        if hasattr(one, "__module__") and hasattr(one, "__name__"):
            module = import_module(one.__module__)
            for test in doctest.DocTestFinder(recurse=True).find(one, one.__name__, module=module):
                if test.examples:
                    yield test


EXAMPLES = list(examples())


def test_what_a_newcomer_calls_first_has_an_example():
    assert set(SHOWN) <= set(loihi_gym.__all__)
    assert set(SHOWN) <= {test.name.split(".")[0] for test in EXAMPLES}


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda test: test.name)
def test_example_says_what_it_prints(example):
    said: list[str] = []
    doctest.DocTestRunner(verbose=False).run(example, out=said.append)
    assert "".join(said) == ""
